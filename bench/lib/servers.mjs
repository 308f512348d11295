import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { diesWithUs } from './dies-with-us.mjs';

/*
 * Private database servers with the durability that they have by default: a commit waits for the disk, for us as for the
 * server's own client. They live in the work folder and end with the benchmark.
 */

const USER = 'dropgate';
const PASSWORD = 'gate-secret';
const DATABASE = 'dropgate';
const READY_TIMEOUT_MS = 60_000;

/**
 * @typedef {object} Server
 * @property {'postgres' | 'mysql'} engine
 * @property {{ host: string, port: number, user: string, password: string, database: string }} address
 * @property {() => Promise<void>} stop
 */

/** @returns {Promise<Server | undefined>} undefined when the programs are not there */
export async function startPostgres(folder) {
  const bin = postgresPrograms();
  if (!bin) return undefined;
  const user = emptyFolder(folder, 'postgres');
  const passwordFile = path.join(folder, 'password');
  const data = path.join(folder, 'data');
  writeFileSync(passwordFile, PASSWORD);
  const init = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-instructions'];
  execFileSync(`${bin}/initdb`, [...init, `--username=${USER}`, `--pwfile=${passwordFile}`, data], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const address = await newAddress();
  const settings = ['unix_socket_directories=', 'shared_buffers=256MB', 'max_wal_size=4GB'];
  const args = ['-D', data, '-h', address.host, '-p', String(address.port)];
  const child = spawnServer(
    `${bin}/postgres`,
    [...args, ...settings.flatMap((one) => ['-c', one])],
    folder,
    user,
  );
  const { default: pg } = await import('pg');
  await untilReady(child, async () => {
    const client = new pg.Client({ ...address, database: 'postgres' });
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    await client.end();
  });
  return { engine: 'postgres', address, stop: () => endProcess(child, 'SIGINT') };
}

/** @returns {Promise<Server | undefined>} undefined when the programs are not there */
export async function startMariadb(folder) {
  const server = onPath('mariadbd') ?? onPath('mysqld');
  const install = onPath('mariadb-install-db');
  if (!server || !install) return undefined;
  const user = emptyFolder(folder, 'mysql');
  const data = path.join(folder, 'data');
  const installArgs = [
    '--no-defaults',
    `--datadir=${data}`,
    '--skip-test-db',
    '--auth-root-authentication-method=normal',
  ];
  execFileSync(install, installArgs, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const init = path.join(folder, 'init.sql');
  writeFileSync(
    init,
    `CREATE DATABASE IF NOT EXISTS ${DATABASE};\n` +
      `CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${PASSWORD}';\nGRANT ALL ON *.* TO '${USER}'@'%';\n`,
  );
  const address = await newAddress();
  const args = [
    ...['--no-defaults', `--datadir=${data}`, `--port=${address.port}`, '--bind-address=127.0.0.1'],
    ...[
      `--socket=${path.join(folder, 'socket')}`,
      `--pid-file=${path.join(folder, 'pid')}`,
      `--init-file=${init}`,
    ],
    ...['--local-infile=1', '--skip-name-resolve', '--skip-log-bin', '--character-set-server=utf8mb4'],
    ...['--innodb-buffer-pool-size=512M', '--innodb-log-file-size=1G'],
  ];
  const child = spawnServer(server, args, folder, user);
  const { createConnection } = await import('mysql2/promise');
  await untilReady(child, async () => (await createConnection(address)).end());
  return { engine: 'mysql', address, stop: () => endProcess(child, 'SIGTERM') };
}

/** The server as db_creds.yaml has it. */
export function credentialsOf({ engine, address: { host, port, user, password, database } }) {
  return `database: { engine: ${engine}, host: ${host}, port: ${port}, user: ${user}, password: ${password}, database: ${database} }\n`;
}

function postgresPrograms() {
  const versions = '/usr/lib/postgresql';
  const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...newest.map((version) => `${versions}/${version}/bin`), ...searchPath()];
  return folders.find((one) => existsSync(`${one}/initdb`) && existsSync(`${one}/postgres`));
}

/** Absolute path of an installed program. */
export function onPath(program) {
  return searchPath()
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file));
}

function searchPath() {
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/bin'];
}

/** Makes the folder, for the engine's own user when we are root, whom servers refuse. */
function emptyFolder(folder, engine) {
  mkdirSync(folder, { recursive: true });
  if (process.getuid() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === engine) ?? users.find(([name]) => name === 'nobody');
  chownSync(folder, Number(uid), Number(gid));
  return { uid: Number(uid), gid: Number(gid) };
}

async function newAddress() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return { host: '127.0.0.1', port, user: USER, password: PASSWORD, database: DATABASE };
}

function spawnServer(program, args, folder, user) {
  const child = spawn(program, args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  child.said = '';
  child.stderr.on('data', (text) => {
    child.said = (child.said + text).slice(-4000);
  });
  diesWithUs(child);
  return child;
}

async function untilReady(child, connect) {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${error}\n${child.said}`);
      await pause(100);
    }
  }
}

async function endProcess(child, signal) {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
