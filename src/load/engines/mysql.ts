import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import type mysql from 'mysql2/promise';
import { DropgateError } from '../../base/errors.js';
import { classifyError } from '../classify.js';
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
import { cancellable, checkReads, queryCancelled, queryRefused, queryTooSlow } from '../read-only.js';
import { connectFailed, connectionLost } from './connection-error.js';
import { readBounded } from './mysql-bounded-query.js';
import { insertBatches } from './mysql-insert.js';
import { normalizeRow } from './mysql-values.js';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 8;
/** Pieces that LOAD DATA gets; a longer protocol packet would need continuation packets. */
const MAX_PIECE_BYTES = 1_000_000;
const SHOWN_WARNINGS = 5;

/** LOAD DATA LOCAL is forbidden: MySQL 5 and MariaDB, MySQL 8, newer MariaDB. */
const LOCAL_INFILE_FORBIDDEN = new Set([1148, 3948, 4166]);
/** max_statement_time of MariaDB and max_execution_time of MySQL ended the statement. */
const STATEMENT_TIMEOUTS = new Set([1969, 3024]);

/**
 * What every session starts with, whatever the server sets: a value that does not fit is an error, times are UTC, and
 * waiting for somebody's lock ends.
 */
const SESSION_SETTINGS = `SET SESSION
  sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY',
  time_zone = '+00:00', autocommit = 1, lock_wait_timeout = 60, innodb_lock_wait_timeout = 60`;

const require = createRequire(import.meta.url);

/** Its ninety files are read only where the database is MySQL. */
function driver(): typeof mysql {
  return require('mysql2/promise');
}

/** MySQL and MariaDB, with LOAD DATA LOCAL INFILE from a stream or, where the server forbids that, multi-row INSERT. */
export class MysqlEngine implements Engine {
  readonly dialect = 'mysql';
  readonly isDoneWithChunks = false;
  readonly address: string;
  readonly #options: ServerOptions;
  #opened: mysql.Pool | undefined;
  readonly #prepared = new WeakSet<object>();
  #localInfile = true;

  constructor(options: ServerOptions) {
    const { user, host, port, database } = options;
    this.address = `mysql://${user}@${host}:${port}/${database}`;
    this.#options = options;
  }

  /** Made when it is needed: reading the driver takes as long as a tenth of a start. */
  #pool(): mysql.Pool {
    this.#opened ??= driver().createPool({
      ...connectionConfig(this.#options),
      connectionLimit: MAX_CONNECTIONS,
      maxIdle: 1,
      idleTimeout: IDLE_TIMEOUT_MS,
    });
    return this.#opened;
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
    return this.#borrow(async (session, connection) => {
      await connection.query('START TRANSACTION READ WRITE');
      try {
        const result = await work(session);
        await connection.query('COMMIT');
        return result;
      } catch (error) {
        await connection.query('ROLLBACK').catch(() => connection.destroy());
        throw error;
      }
    });
  }

  async readOnly(sql: string, options: ReadOptions): Promise<QueryResult> {
    checkReads(sql);
    const { timeoutMs, signal } = options;
    // Not from the pool: the statement may change settings of its session.
    const connection = await this.#openConnection();
    try {
      await connection.query(await timeoutSetting(connection, timeoutMs));
      await connection.query('START TRANSACTION READ ONLY');
      const cancel = () => void this.#cancel(connection);
      const result = await cancellable({ signal, cancel }, () => readRows(connection, { sql, options }));
      // A function such as SLEEP answers as if nothing had happened.
      if (signal?.aborted) throw queryCancelled();
      return result;
    } catch (error) {
      if (STATEMENT_TIMEOUTS.has((error as { errno?: number }).errno ?? 0)) throw queryTooSlow(timeoutMs);
      throw isFatal(error) ? connectionLost(this.address, error) : queryRefused(error, sql);
    } finally {
      connection.destroy();
    }
  }

  /** Ends what a connection does. Its own user may do that; a server that cannot be asked ends it by the timeout. */
  async #cancel(connection: mysql.Connection): Promise<void> {
    const { threadId } = connection;
    await this.#borrow((_, other) => other.query(`KILL QUERY ${threadId}`)).catch(() => {});
  }

  classify(error: unknown): ErrorClass {
    return classifyError(error);
  }

  async close(): Promise<void> {
    await this.#opened?.end();
  }

  /** Loads rows with LOAD DATA, or with INSERT once the server has said that it does not allow LOAD DATA LOCAL. */
  async copyThrough(connection: mysql.Connection, request: CopyRequest): Promise<number> {
    if (this.#localInfile) {
      try {
        return await loadData(connection, request);
      } catch (error) {
        if (!LOCAL_INFILE_FORBIDDEN.has((error as { errno?: number }).errno ?? 0)) throw error;
        this.#localInfile = false;
        this.#options.onNotice?.(
          `${this.address} does not allow LOAD DATA LOCAL INFILE; rows are loaded with INSERT, which is slower. To allow it, set local_infile=ON on the server.`,
        );
      }
    }
    return insertBatches(connection, { ...request, onWarnings: () => refuseWarnings(connection) });
  }

  async #borrow<T>(work: (session: Session, connection: mysql.PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire();
    try {
      return await work(new MysqlSession(this, connection), connection);
    } catch (error) {
      if (!isFatal(error)) throw error;
      connection.destroy();
      throw connectionLost(this.address, error);
    } finally {
      connection.release();
    }
  }

  async #acquire(): Promise<mysql.PoolConnection> {
    try {
      const connection = await this.#pool().getConnection();
      await this.#prepare(connection);
      return connection;
    } catch (error) {
      throw connectFailed(this.address, error);
    }
  }

  async #openConnection(): Promise<mysql.Connection> {
    try {
      const connection = await driver().createConnection(connectionConfig(this.#options));
      connection.on('error', () => {});
      await connection.query(SESSION_SETTINGS);
      return connection;
    } catch (error) {
      throw connectFailed(this.address, error);
    }
  }

  async #prepare(connection: mysql.PoolConnection): Promise<void> {
    // The pool wraps one connection anew each time it is taken.
    if (this.#prepared.has(connection.connection)) return;
    try {
      await connection.query(SESSION_SETTINGS);
      this.#prepared.add(connection.connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }
}

class MysqlSession implements Session {
  readonly #engine: MysqlEngine;
  readonly #connection: mysql.Connection;

  constructor(engine: MysqlEngine, connection: mysql.Connection) {
    this.#engine = engine;
    this.#connection = connection;
  }

  async query(sql: string, params: SqlValue[] = []): Promise<SqlRow[]> {
    const [rows, fields] = await this.#connection.execute<mysql.RowDataPacket[]>(sql, bound(params));
    for (const row of rows) normalizeRow(row, fields);
    return rows;
  }

  async execute(sql: string, params: SqlValue[] = []): Promise<number> {
    const [{ affectedRows }] =
      params.length > 0
        ? await this.#connection.execute<mysql.ResultSetHeader>(sql, bound(params))
        : await this.#connection.query<mysql.ResultSetHeader>(sql);
    return affectedRows;
  }

  copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#engine.copyThrough(this.#connection, { table, columns, chunks });
  }
}

async function readRows(
  connection: mysql.Connection,
  { sql, options: { params = [], bounds } }: { sql: string; options: ReadOptions },
): Promise<QueryResult> {
  if (bounds) return readBounded(connection, { sql, params: bound(params), bounds });
  const statement = { sql, rowsAsArray: true };
  // Without parameters as text, since not every statement can be prepared.
  const [rows, fields] =
    params.length > 0
      ? await connection.execute<mysql.RowDataPacket[][]>(statement, bound(params))
      : await connection.query<mysql.RowDataPacket[][]>(statement);
  for (const row of rows) normalizeRow(row as SqlValue[], fields);
  return { columns: fields.map(({ name }) => name), rows: rows as SqlValue[][] };
}

interface CopyRequest {
  table: string;
  columns: string[];
  chunks: AsyncIterable<Uint8Array>;
}

/** LOCAL makes the server turn what strict mode calls errors into warnings, so that any warning refuses the rows. */
async function loadData(
  connection: mysql.Connection,
  { table, columns, chunks }: CopyRequest,
): Promise<number> {
  const target = `${quoteName('mysql', table)} CHARACTER SET utf8mb4`;
  const format = String.raw`FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'`;
  const [result] = await connection.query<mysql.ResultSetHeader>({
    sql: `LOAD DATA LOCAL INFILE 'dropgate' INTO TABLE ${target} ${format} (${quoteNames('mysql', columns)})`,
    infileStreamFactory: () => Readable.from(pieces(chunks), { objectMode: false }),
  });
  if (result.warningStatus > 0) await refuseWarnings(connection);
  return result.affectedRows;
}

async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += MAX_PIECE_BYTES) {
      const piece = chunk.subarray(at, at + MAX_PIECE_BYTES);
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  }
}

async function refuseWarnings(connection: mysql.Connection): Promise<never> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>(`SHOW WARNINGS LIMIT ${SHOWN_WARNINGS}`);
  const messages = rows.map(({ Message }) => String(Message));
  throw new DropgateError(
    'load_refused',
    `The database would have changed or left out values: ${messages.join('; ')}.`,
  );
}

async function timeoutSetting(connection: mysql.Connection, timeoutMs: number): Promise<string> {
  const [[{ version }]] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
  return String(version).includes('MariaDB')
    ? `SET SESSION max_statement_time = ${timeoutMs / 1000}`
    : `SET SESSION max_execution_time = ${timeoutMs}`;
}

function connectionConfig({
  host,
  port,
  user,
  password,
  database,
  ssl,
}: ServerOptions): mysql.ConnectionOptions {
  return {
    ...(host.startsWith('/') ? { socketPath: host } : { host, port }),
    user,
    password,
    database,
    ssl: ssl && tlsOptions(host, ssl),
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  };
}

/** mysql2 looks at the name in the certificate only when told so, and cannot for an IP address. */
function tlsOptions(host: string, ssl: NonNullable<ServerOptions['ssl']>): mysql.SslOptions {
  return { ...ssl, verifyIdentity: ssl.rejectUnauthorized && isIP(host) === 0 };
}

/** mysql2 takes no bigint beyond 64 bits and no Uint8Array that is not a Buffer. */
function bound(params: SqlValue[]): (string | number | boolean | bigint | null | Buffer)[] {
  return params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
}

/** mysql2 marks what leaves a connection unusable. */
function isFatal(error: unknown): boolean {
  return (error as { fatal?: unknown } | null)?.fatal === true;
}
