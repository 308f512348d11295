import { join } from 'node:path';
import pg from 'pg';
import type { ServerAddress } from '../../src/config/settings.js';
import { PRIVATE_LOGIN, type PrivateServer, type ServerPlace, startPrivateServer } from './private-server.js';
import { requirePrograms, unprivilegedUser } from './server-programs.js';

/** Password authentication, so that a wrong password is refused as in real life. */
const INITDB_ARGS = [
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--no-locale',
  '--no-sync',
  '--no-instructions',
];

/**
 * Faster and smaller than the defaults. Without fsync a committed transaction still survives `kill -9` of the server,
 * though not a crash of the machine.
 */
const SERVER_ARGS = ['fsync=off', 'full_page_writes=off', 'shared_buffers=32MB', 'unix_socket_directories='];

/**
 * Starts a private PostgreSQL with an empty database `dropgate`.
 * @param options.args further arguments of `postgres`, such as `['-c', 'timezone=Asia/Kolkata']`
 */
export async function startPostgres({ args = [], parent }: ServerPlace = {}): Promise<PrivateServer> {
  const { initdb, postgres } = await requirePrograms('postgres');
  const { user, password } = PRIVATE_LOGIN;
  return startPrivateServer({
    scheme: 'postgres',
    user: unprivilegedUser('postgres'),
    parent,
    prepare: (folder) => [
      { command: '/bin/sh', args: ['-c', `umask 077; printf '%s' "$0" > password`, password] },
      {
        command: initdb,
        args: [
          ...INITDB_ARGS,
          `--username=${user}`,
          `--pwfile=${join(folder, 'password')}`,
          join(folder, 'data'),
        ],
      },
    ],
    run: ({ folder, port }) => ({
      command: postgres,
      args: [
        ...['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port)],
        ...SERVER_ARGS.flatMap((setting) => ['-c', setting]),
        ...args,
      ],
    }),
    stopSignal: 'SIGINT',
    abandonSignal: 'SIGQUIT',
    probe: probePostgres,
  });
}

async function probePostgres({ database, ...server }: ServerAddress): Promise<void> {
  const client = new pg.Client({ ...server, database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}
