/** The SQL dialect of a target. Embedded speaks Postgres. */
export type SqlDialect = 'postgres' | 'mysql';

/** A value as a driver returns it: null, number, string, boolean, bigint, Date. */
export type SqlValue = unknown;
export type SqlRow = Record<string, SqlValue>;

/** Statements inside one transaction, or on their own. */
export interface Session {
  /** `params` are `$1…` for Postgres and `?` for MySQL. */
  query(sql: string, params?: SqlValue[]): Promise<SqlRow[]>;
  /**
   * Bulk-loads rows in COPY text form (tab-separated, `\N` for NULL, backslash escapes, LF) through COPY or
   * LOAD DATA into `table`. Returns the number of rows the server took.
   */
  copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number>;
}

/** One database: Postgres, MySQL/MariaDB or embedded. Knows how to talk, not what to load. */
export interface Engine extends Session {
  readonly dialect: SqlDialect;
  /** `postgres://user@host:port/db`, without the password, for messages. */
  readonly address: string;
  /** Runs `work` in a transaction: commits when it resolves, rolls back when it rejects. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs one statement read-only with a timeout and a row limit, for `dropgate query`. */
  readOnly(sql: string, options: { timeoutMs: number }): Promise<{ columns: string[]; rows: SqlValue[][] }>;
  /** `transient`: worth retrying as it is. `permanent`: this file will never load. */
  classify(error: unknown): 'transient' | 'permanent';
  close(): Promise<void>;
}
