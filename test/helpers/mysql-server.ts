import { join } from 'node:path';
import mysql from 'mysql2/promise';
import type { ServerAddress } from '../../src/config/settings.js';
import {
  type Command,
  PRIVATE_LOGIN,
  type PrivateServer,
  type ServerPlace,
  startPrivateServer,
} from './private-server.js';
import { requirePrograms, type ServerPrograms, unprivilegedUser } from './server-programs.js';

/**
 * Small, on loopback, LOAD DATA LOCAL allowed, names not resolved. With this flush setting a committed transaction
 * survives `kill -9` of the server, though not a crash of the machine. `loose-`: MariaDB does not know the X protocol.
 */
const SERVER_ARGS = [
  '--bind-address=127.0.0.1',
  '--local-infile=1',
  '--skip-name-resolve',
  '--skip-log-bin',
  '--character-set-server=utf8mb4',
  '--innodb-buffer-pool-size=64M',
  '--innodb-flush-log-at-trx-commit=2',
  '--loose-mysqlx=OFF',
];

/**
 * Starts a private MariaDB, or MySQL where only that is installed, with an empty database `dropgate`.
 * @param options.args further arguments of the server, such as `['--local-infile=0']`; they override the defaults
 */
export async function startMysql({ args = [], parent }: ServerPlace = {}): Promise<PrivateServer> {
  const programs = await requirePrograms('mysql');
  return startPrivateServer({
    scheme: 'mysql',
    user: unprivilegedUser('mysql'),
    parent,
    prepare: (folder) => [
      {
        command: '/bin/sh',
        args: ['-c', `umask 077; printf '%s\\n' "$@" > init.sql`, 'sh', ...initStatements()],
      },
      makeDataDir(programs, join(folder, 'data')),
    ],
    run: ({ folder, port }) => ({
      command: programs.server,
      args: [
        ...['--no-defaults', `--datadir=${join(folder, 'data')}`, `--port=${port}`],
        ...[`--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'data', 'server.pid')}`],
        ...[`--init-file=${join(folder, 'init.sql')}`, ...SERVER_ARGS, ...args],
      ],
    }),
    stopSignal: 'SIGTERM',
    abandonSignal: 'SIGKILL',
    probe: probeMysql,
  });
}

function makeDataDir(programs: ServerPrograms<'mysql'>, dataDir: string): Command {
  if (!programs.installDb) {
    return {
      command: programs.server,
      args: ['--no-defaults', '--initialize-insecure', `--datadir=${dataDir}`],
    };
  }
  const args = [
    '--no-defaults',
    `--datadir=${dataDir}`,
    '--skip-test-db',
    '--auth-root-authentication-method=normal',
  ];
  return { command: programs.installDb, args };
}

/** Run by the server at each start, one statement a line. */
function initStatements(): string[] {
  const { user, password, database } = PRIVATE_LOGIN;
  return [
    `CREATE DATABASE IF NOT EXISTS ${database};`,
    `CREATE USER IF NOT EXISTS '${user}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;`,
  ];
}

async function probeMysql(address: ServerAddress): Promise<void> {
  const connection = await mysql.createConnection({ ...address });
  await connection.end();
}
