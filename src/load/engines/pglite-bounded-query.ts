import type { PGlite } from '@electric-sql/pglite';
import type { QueryResult, ResultBounds, SqlValue } from '../engine.js';

const FETCH_ROWS = 1000;
const CURSOR = 'dropgate_read';
const DECLARE = `DECLARE ${CURSOR} NO SCROLL CURSOR FOR `;

/** Reads rows of one statement through a cursor until the bounds are reached. Needs a transaction, which ends the cursor. */
export async function readBounded(
  db: PGlite,
  { sql, params, bounds }: { sql: string; params: SqlValue[]; bounds: ResultBounds },
): Promise<QueryResult> {
  await db.query(DECLARE + sql, params).catch((error: { position?: string }) => {
    // The reader counts from the beginning of the statement.
    if (error.position) error.position = String(Number(error.position) - DECLARE.length);
    throw error;
  });
  const rows: SqlValue[][] = [];
  for (let bytes = 0; ; ) {
    const wanted = Math.min(FETCH_ROWS, bounds.maxRows + 1 - rows.length);
    const fetched = await db.query<SqlValue[]>(`FETCH ${wanted} FROM ${CURSOR}`, [], { rowMode: 'array' });
    const columns = fetched.fields.map(({ name }) => name);
    for (const row of fetched.rows) {
      if (rows.length >= bounds.maxRows || bytes >= bounds.maxBytes)
        return { columns, rows, isTruncated: true };
      for (const value of row) bytes += sizeOf(value);
      rows.push(row);
    }
    if (fetched.rows.length < wanted) return { columns, rows, isTruncated: false };
  }
}

function sizeOf(value: SqlValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
}
