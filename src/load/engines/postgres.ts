import { createRequire } from 'node:module';
import type pg from 'pg';
import type { from as copyFrom } from 'pg-copy-streams';
import { DropgateError } from '../../base/errors.js';
import { classifyError, isSqlState } from '../classify.js';
import type {
  Engine,
  ErrorClass,
  QueryResult,
  ReadOptions,
  ServerOptions,
  Session,
  SqlRow,
  SqlValue,
} from '../engine.js';
import { quoteName, quoteNames } from '../quote.js';
import { cancellable, checkReads, queryRefused, queryTooSlow } from '../read-only.js';
import { connectFailed, connectionLost } from './connection-error.js';
import { pumpCopy } from './copy-pump.js';
import { pgParser } from './pg-values.js';

export interface PostgresOptions extends ServerOptions {
  /** Schema of all tables, created when missing. Absent: the server's search path decides. */
  schema?: string;
  /** How messages call the database, when not by its URL. */
  address?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 8;

const require = createRequire(import.meta.url);

/** Read only where a Postgres server is reached. */
function driver(): typeof pg {
  return require('pg');
}

function copyStreams(): { from: typeof copyFrom } {
  return require('pg-copy-streams');
}

/** Postgres over its own protocol, with COPY FROM STDIN. */
export class PostgresEngine implements Engine {
  readonly dialect = 'postgres';
  readonly isDoneWithChunks = true;
  readonly address: string;
  readonly #options: PostgresOptions;
  #opened: pg.Pool | undefined;
  /** Connections that ended, or whose state is unknown. */
  readonly #broken = new WeakSet<pg.ClientBase>();
  #schemaReady: boolean;

  constructor(options: PostgresOptions) {
    const { user, host, port, database } = options;
    this.address = options.address ?? `postgres://${user}@${host}:${port}/${database}`;
    this.#options = options;
    this.#schemaReady = options.schema === undefined;
  }

  /** Made when it is needed: reading the driver takes as long as a tenth of a start. */
  #pool(): pg.Pool {
    if (this.#opened) return this.#opened;
    this.#opened = new (driver().Pool)({
      ...clientConfig(this.#options),
      max: MAX_CONNECTIONS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      onConnect: async (client) => {
        // A connection that breaks tells its query; without a listener it would end the process as well.
        client.on('error', () => this.#broken.add(client));
        await client.query(sessionSettings(this.#options.schema));
      },
    });
    return this.#opened.on('error', () => {});
  }

  async connect(): Promise<void> {
    (await this.#acquire()).release();
  }

  query(sql: string, params?: SqlValue[]): Promise<SqlRow[]> {
    return this.#borrow((session) => session.query(sql, params));
  }

  execute(sql: string, params?: SqlValue[]): Promise<number> {
    return this.#borrow((session) => session.execute(sql, params));
  }

  copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.transaction((session) => session.copyIn(table, columns, chunks));
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#borrow(async (session, client) => {
      await client.query('BEGIN READ WRITE');
      try {
        const result = await work(session);
        const { command } = await client.query('COMMIT');
        // Postgres answers COMMIT with ROLLBACK, without an error, when a statement had failed.
        if (command !== 'COMMIT')
          throw new Error('the transaction was rolled back because a statement failed');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => this.#broken.add(client));
        throw error;
      }
    });
  }

  async readOnly(sql: string, options: ReadOptions): Promise<QueryResult> {
    checkReads(sql);
    const { timeoutMs, signal } = options;
    // Not from the pool: the statement may change settings of its session.
    const client = new (driver().Client)({
      ...clientConfig(this.#options),
      query_timeout: timeoutMs + CONNECT_TIMEOUT_MS,
    });
    client.on('error', () => this.#broken.add(client));
    try {
      await client.connect().catch((error) => {
        throw connectFailed(this.address, error);
      });
      await client.query(sessionSettings(this.#options.schema));
      await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${timeoutMs}`);
      const cancel = () => void this.#cancel(client);
      return await cancellable({ signal, cancel }, () => readRows(client, { sql, options }));
    } catch (error) {
      if (isTimeout(error)) throw queryTooSlow(timeoutMs);
      throw this.#broken.has(client) || isFatal(error)
        ? connectionLost(this.address, error)
        : queryRefused(error, sql);
    } finally {
      await client.end();
    }
  }

  /** Ends what a connection does. Its own role may do that; a server that cannot be asked ends it by the timeout. */
  async #cancel(client: pg.Client): Promise<void> {
    const { processID } = client as pg.Client & { processID: number };
    await this.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {});
  }

  classify(error: unknown): ErrorClass {
    return classifyError(error);
  }

  async close(): Promise<void> {
    await this.#opened?.end();
  }

  async #borrow<T>(work: (session: Session, client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#acquire();
    try {
      return await work(new PostgresSession(client), client);
    } catch (error) {
      throw this.#broken.has(client) && isLoss(error) ? connectionLost(this.address, error) : error;
    } finally {
      client.release(this.#broken.has(client));
    }
  }

  async #acquire(): Promise<pg.PoolClient> {
    const client = await this.#pool()
      .connect()
      .catch((error) => {
        throw connectFailed(this.address, error);
      });
    try {
      if (!this.#schemaReady) await createSchema(client, this.#options.schema!);
      this.#schemaReady = true;
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }
}

class PostgresSession implements Session {
  readonly #client: pg.ClientBase;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  async query(sql: string, params: SqlValue[] = []): Promise<SqlRow[]> {
    return (await this.#client.query<SqlRow>(sql, params)).rows;
  }

  async execute(sql: string, params: SqlValue[] = []): Promise<number> {
    return (await this.#client.query(sql, params)).rowCount ?? 0;
  }

  async copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const target = `${quoteName('postgres', table)} (${quoteNames('postgres', columns)})`;
    const stream = this.#client.query(copyStreams().from(`COPY ${target} FROM STDIN WITH (FORMAT text)`));
    await pumpCopy(stream, chunks);
    return stream.rowCount;
  }
}

function clientConfig({ host, port, user, password, database, ssl }: PostgresOptions): pg.ClientConfig {
  return {
    host,
    port,
    user,
    password,
    database,
    ssl,
    application_name: 'dropgate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types: { getTypeParser: (oid: number) => pgParser(oid) } as pg.CustomTypesConfig,
  };
}

/** What every session starts with, whatever the role or the database sets. */
function sessionSettings(schema: string | undefined): string {
  const settings = [
    `SET TIME ZONE 'UTC'`,
    `SET DateStyle = 'ISO, YMD'`,
    `SET IntervalStyle = 'postgres'`,
    'SET standard_conforming_strings = on',
    // A load may take long; waiting for somebody's ALTER TABLE may not.
    'SET statement_timeout = 0',
    `SET lock_timeout = '60s'`,
  ];
  if (schema !== undefined) settings.push(`SET search_path TO ${quoteName('postgres', schema)}`);
  return settings.join('; ');
}

/** CREATE SCHEMA IF NOT EXISTS needs a privilege even where the schema exists, so it is looked up first. */
async function createSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteName('postgres', schema)}`);
}

/** The extended protocol takes one statement only. */
async function readRows(
  client: pg.ClientBase,
  { sql, options: { params, bounds } }: { sql: string; options: ReadOptions },
): Promise<QueryResult> {
  if (bounds) {
    // It reads the driver, which other databases do without.
    const { readBounded } = await import('./pg-bounded-query.js');
    return readBounded(client, { sql, params, bounds });
  }
  const query = { text: sql, values: params, rowMode: 'array' as const, queryMode: 'extended' };
  const { fields, rows } = await client.query<SqlValue[]>(query);
  return { columns: fields.map(({ name }) => name), rows };
}

/** 57014: query_canceled by statement_timeout. The other is pg's own query_timeout, for servers that do not answer. */
function isTimeout(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === '57014' || message === 'Query read timeout';
}

/**
 * On a broken connection: whether the error is of the connection. What is not an answer of the server (pg's own errors
 * without a code, those of the socket such as ERR_STREAM_DESTROYED) is; so are its answers at the end of a session.
 */
function isLoss(error: unknown): boolean {
  if (error instanceof DropgateError) return false;
  const { code } = error as { code?: unknown };
  return typeof code !== 'string' || !isSqlState(code) || classifyError(error) === 'transient';
}

/** The server ended the session, or is about to. */
function isFatal(error: unknown): boolean {
  return (error as { severity?: unknown } | null)?.severity === 'FATAL';
}
