/** A value of a result; 64-bit integers beyond 2^53, decimals, dates and times are text. */
export type SqlCell = string | number | boolean | null;

/** Body of `POST /api/sql/run` and, with `format`, of `POST /api/sql/download`. */
export interface SqlRequest {
  sql: string;
}

/** Answer of `POST /api/sql/run`. */
export interface SqlResult {
  columns: string[];
  duration_ms: number;
  /** There are more rows than the server gives (`server.sql.max_rows`, `max_bytes`). */
  is_truncated: boolean;
  rows: SqlCell[][];
}

/** Formats of `POST /api/sql/download`. */
export type SqlFormat = 'csv' | 'json' | 'parquet';

/** Answer of `GET /api/sql`: what the page needs to begin. */
export interface SqlOverview {
  /** Null where there is no database. */
  dialect: 'postgres' | 'mysql' | null;
  /** Why whoever asks may not run statements, or null. */
  objection: string | null;
  tables: { name: string; columns: string[] }[];
  queries: SqlQuery[];
  max_rows: number;
  timeout_ms: number;
}

/** A query of the folder `sql`. */
export interface SqlQuery {
  name: string;
  title: string;
  question: string;
  /** Described in sql/manifest.yaml, and not to be replaced. */
  is_shipped: boolean;
}

/** Answer of `GET /api/sql/queries/:name`. */
export interface SqlText {
  name: string;
  sql: string;
}

/** Body of `PUT /api/sql/queries/:name`. */
export interface SqlSave {
  sql: string;
  replace?: boolean;
}
