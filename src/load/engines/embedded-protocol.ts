import type { QueryResult, ResultBounds, SqlRow, SqlValue } from '../engine.js';

/** What the worker of the embedded database is started with. */
export interface EmbeddedWorkerData {
  dataDir: string;
  socketDir: string;
  /** How long a client may keep its transaction open without a message while others wait. */
  idleInTransactionMs: number;
}

/** From where bulk data is copied: a file in the memory of PGlite, which is there during the statement only. */
export const COPY_FILE = '/tmp/dropgate-copy';

/**
 * What the engine asks of the worker, one request at a time. Statements stand between a `begin` and a `commit` or
 * `rollback`.
 */
export type EmbeddedRequest =
  | { kind: 'begin'; mode: 'READ WRITE' | 'READ ONLY' }
  | { kind: 'commit' | 'rollback' | 'close' }
  | { kind: 'query' | 'execute'; sql: string; params: SqlValue[] }
  | { kind: 'read'; sql: string; params: SqlValue[]; bounds?: ResultBounds }
  /** A COPY from {@link COPY_FILE}, and what that holds. */
  | { kind: 'copy'; sql: string; bytes: Uint8Array<SharedArrayBuffer> };

export interface EmbeddedResults {
  begin: undefined;
  commit: undefined;
  rollback: undefined;
  close: undefined;
  query: SqlRow[];
  execute: number;
  copy: number;
  read: QueryResult;
}

/** An error of Postgres on its way between threads. */
export interface EmbeddedError {
  message: string;
  /** SQLSTATE. */
  code?: string;
  severity?: string;
  detail?: string;
  hint?: string;
  where?: string;
  /** Place in the statement, in characters from 1. */
  position?: number;
}

/** Messages of the worker. `failed` without `fatal` leaves the worker usable. */
export type EmbeddedMessage =
  | { kind: 'ready' }
  | { kind: 'notice'; text: string }
  /** A statement of a client of the socket begins or has ended; meanwhile the worker answers nothing. */
  | { kind: 'client'; busy: boolean }
  | { kind: 'done'; id: number; result: unknown }
  | { kind: 'failed'; id: number; error: EmbeddedError; fatal: boolean };
