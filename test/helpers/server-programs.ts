import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installFirst, mayInstall } from './apt.js';
import { findProgram, searchPath } from './programs.js';

export type ServerEngine = 'postgres' | 'mysql';

/** Absolute paths of the programs that make and run a private server of an engine. */
export type ServerPrograms<E extends ServerEngine = ServerEngine> = Extract<
  PostgresPrograms | MysqlPrograms,
  { engine: E }
>;

interface PostgresPrograms {
  engine: 'postgres';
  initdb: string;
  postgres: string;
}

interface MysqlPrograms {
  engine: 'mysql';
  server: string;
  /** MariaDB's maker of data folders; MySQL's server makes its own. */
  installDb?: string;
}

/** The environment variable that names a running server for the tests. */
export const SERVER_VARIABLE = { postgres: 'DROPGATE_TEST_POSTGRES', mysql: 'DROPGATE_TEST_MYSQL' } as const;

const TITLE = { postgres: 'PostgreSQL', mysql: 'MariaDB or MySQL' };

/** Sets of packages, the first that can be installed is taken. The core packages of MariaDB carry no system service. */
const PACKAGES: Record<ServerEngine, string[][]> = {
  postgres: [['postgresql']],
  mysql: [['mariadb-server-core', 'mariadb-client-core'], ['mariadb-server']],
};

const POSTGRES_VERSIONS_DIR = '/usr/lib/postgresql';

/** Installed programs for the engine: on the PATH, in the system's folders, the newest of Debian's versioned ones. */
export async function findPrograms<E extends ServerEngine>(
  engine: E,
): Promise<ServerPrograms<E> | undefined> {
  const found = engine === 'postgres' ? findPostgres() : await findMysql();
  return found as ServerPrograms<E> | undefined;
}

/**
 * Installed programs for the engine.
 * @throws Error with the three ways to get a server when there are none
 */
export async function requirePrograms<E extends ServerEngine>(engine: E): Promise<ServerPrograms<E>> {
  const programs = await findPrograms(engine);
  if (!programs) throw new Error(waysToGoOn(engine));
  return programs;
}

/**
 * Installs the packages of every engine that has neither programs nor a server named in the environment, where that is
 * possible: as root on Debian or Ubuntu. Elsewhere does nothing; the test that needs the server then says what to do.
 */
export async function installMissingServers(): Promise<void> {
  if (!mayInstall()) return;
  for (const engine of ['postgres', 'mysql'] as const) {
    if (process.env[SERVER_VARIABLE[engine]] || (await findPrograms(engine))) continue;
    await installPackages(engine);
  }
}

function findPostgres(): PostgresPrograms | undefined {
  const newestFirst = debianPostgresDirs().sort((a, b) => b.version - a.version);
  const dirs = [...newestFirst.map(({ dir }) => dir), ...searchPath()];
  const dir = dirs.find((dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres')));
  if (!dir) return undefined;
  return { engine: 'postgres', initdb: join(dir, 'initdb'), postgres: join(dir, 'postgres') };
}

function debianPostgresDirs(): { version: number; dir: string }[] {
  if (!existsSync(POSTGRES_VERSIONS_DIR)) return [];
  return readdirSync(POSTGRES_VERSIONS_DIR).map((version) => ({
    version: Number(version),
    dir: join(POSTGRES_VERSIONS_DIR, version, 'bin'),
  }));
}

async function findMysql(): Promise<MysqlPrograms | undefined> {
  const server = findProgram('mariadbd') ?? findProgram('mysqld');
  if (!server) return undefined;
  const { stdout } = await promisify(execFile)(server, ['--no-defaults', '--version']);
  if (!/mariadb/i.test(stdout)) return { engine: 'mysql', server };
  const installDb = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db');
  // Debian keeps this helper of mariadb-install-db in a package of its own.
  if (!installDb || !findProgram('my_print_defaults')) return undefined;
  return { engine: 'mysql', server, installDb };
}

async function installPackages(engine: ServerEngine): Promise<void> {
  const sets = PACKAGES[engine];
  console.log(
    `Tests: no ${TITLE[engine]} found; installing ${sets[0].join(' ')} with apt-get, once; no service is started.`,
  );
  await installFirst(sets).catch((error: Error) => {
    throw new Error(`${error.message}\n${waysToGoOn(engine)}`);
  });
}

function waysToGoOn(engine: ServerEngine): string {
  const example = {
    postgres: 'postgres://user:password@host:5432/db',
    mysql: 'mysql://user:password@host:3306/db',
  };
  return [
    `The tests need ${TITLE[engine]} and found none. Three ways to go on:`,
    `  1. name a running server whose user may create databases: ${SERVER_VARIABLE[engine]}=${example[engine]}`,
    `  2. install the programs (Debian, Ubuntu: apt-get install ${PACKAGES[engine][0].join(' ')}); the tests start a private server from them`,
    '  3. run the tests as root on Debian or Ubuntu; they install the packages themselves',
  ].join('\n');
}

/**
 * The user that a server runs as when the tests run as root, since servers refuse root: the engine's own user where it
 * exists, else nobody. Undefined when the tests do not run as root.
 */
export function unprivilegedUser(engine: ServerEngine): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = [engine, 'nobody'].map((name) => users.find(([user]) => user === name)).find(Boolean);
  if (!entry)
    throw new Error(
      `The tests run as root and find neither a user "${engine}" nor "nobody" to run the server as`,
    );
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}
