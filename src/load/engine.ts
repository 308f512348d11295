/** The SQL dialect of a target. Embedded speaks Postgres. */
export type SqlDialect = 'postgres' | 'mysql';

/**
 * A value as an engine returns it, the same for all engines: 64-bit integers are numbers while they are safe and bigints
 * beyond; decimals, dates, times, timestamps (UTC), UUIDs and JSON are text in the database's own notation.
 */
export type SqlValue = null | boolean | number | bigint | string | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

/** Statements inside one transaction, or on their own. */
export interface Session {
  /** Runs one statement and returns its rows. `params` are `$1…` for Postgres and `?` for MySQL. */
  query(sql: string, params?: SqlValue[]): Promise<SqlRow[]>;
  /** Runs one statement and returns the number of rows that it changed. */
  execute(sql: string, params?: SqlValue[]): Promise<number>;
  /**
   * Bulk-loads rows in COPY text form (tab-separated, `\N` for NULL, backslash escapes, LF) through COPY or
   * LOAD DATA into `table`. Every chunk holds whole rows. Returns the number of rows the server took.
   */
  copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number>;
}

/** How a statement that only reads is run. */
export interface ReadOptions {
  /** The statement is ended after this. */
  timeoutMs: number;
  /** `$1…` for Postgres and `?` for MySQL. */
  params?: SqlValue[];
  /** How much of the result is read; absent: all of it. */
  bounds?: ResultBounds;
  /** Ends the statement, on the server too. */
  signal?: AbortSignal;
}

/** How much of a result is kept in memory. The database is asked for one row more at most. */
export interface ResultBounds {
  maxRows: number;
  /** Of the values as the server sends them; the row that passes it is the last. */
  maxBytes: number;
}

/** Rows of one statement. */
export interface QueryResult {
  columns: string[];
  rows: SqlValue[][];
  /** There would have been more rows than the bounds allow. */
  isTruncated?: boolean;
}

export type ErrorClass = 'transient' | 'permanent';

/** One database: Postgres, MySQL/MariaDB or embedded. Knows how to talk, not what to load. Connects when it is used. */
export interface Engine extends Session {
  readonly dialect: SqlDialect;
  /** `postgres://user@host:port/db`, without the password, for messages. */
  readonly address: string;
  /** Once `copyIn` asks for the next chunk, the memory of the last one may be written to again. */
  readonly isDoneWithChunks: boolean;
  /** Reaches the database now. @throws DropgateError `database_unreachable` */
  connect(): Promise<void>;
  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it rejects. `work` uses its session only:
   * on the embedded database a call on the engine itself would wait for the transaction that it stands in.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Runs one statement that only reads, for `dropgate query` and the pages.
   * @throws DropgateError `query_refused`, `database_unreachable`
   */
  readOnly(sql: string, options: ReadOptions): Promise<QueryResult>;
  /** `transient`: worth retrying as it is. `permanent`: this file will never load. */
  classify(error: unknown): ErrorClass;
  close(): Promise<void>;
}

/** Where a server is and who we are there. Structurally the server address of the settings. */
export interface ServerOptions {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  ssl?: { ca?: string; cert?: string; key?: string; rejectUnauthorized: boolean };
  /** Told once about each thing that works differently than expected, in one sentence. */
  onNotice?: (text: string) => void;
}
