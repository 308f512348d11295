import { connect } from 'node:net';
import type { Engine, ServerOptions } from './engine.js';
import { EmbeddedEngine, type EmbeddedOptions } from './engines/embedded.js';
import { EMBEDDED_LOGIN, EMBEDDED_PORT, socketPath } from './engines/embedded-address.js';
import { MysqlEngine } from './engines/mysql.js';
import { PostgresEngine, type PostgresOptions } from './engines/postgres.js';

export type EngineOptions =
  | ({ engine: 'postgres' } & PostgresOptions)
  | ({ engine: 'mysql' } & ServerOptions)
  /** `own` opens the data and serves the socket; `client` goes through the socket of the process that owns the data. */
  | ({ engine: 'embedded'; mode: 'own' | 'client' } & EmbeddedOptions);

const SERVING_TIMEOUT_MS = 2_000;

/** The engine for a database. Nothing is connected or opened before its first use, so a server may be away. */
export function openEngine(options: EngineOptions): Engine {
  switch (options.engine) {
    case 'postgres':
      return new PostgresEngine(options);
    case 'mysql':
      return new MysqlEngine(options);
    case 'embedded':
      return options.mode === 'own' ? new EmbeddedEngine(options) : embeddedClient(options);
  }
}

/** Whether a process serves the embedded database in `socketDir`. */
export function isEmbeddedServing(socketDir: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(socketDir));
    const answer = (serving: boolean) => {
      socket.destroy();
      resolve(serving);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(SERVING_TIMEOUT_MS, () => answer(false));
  });
}

/** For queries; bulk loading is the owner's business. */
function embeddedClient({ socketDir, onNotice }: EmbeddedOptions): Engine {
  return new PostgresEngine({
    ...EMBEDDED_LOGIN,
    host: socketDir,
    port: EMBEDDED_PORT,
    password: '',
    address: `embedded database behind ${socketDir}`,
    onNotice,
  });
}
