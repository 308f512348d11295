import pg from 'pg';
import type { QueryResult, ResultBounds, SqlValue } from '../engine.js';

/** Rows that the server is asked for at a time. */
const FETCH_ROWS = 1000;

/** The parts of pg's query and connection that its types leave out. Source: pg/lib/query.js */
interface Wire {
  sync(): void;
}
interface PortalQuery extends pg.Submittable {
  handleDataRow(message: { fields: (string | null)[] }): void;
  handlePortalSuspended(connection: Wire): void;
  _getRows(connection: Wire, rows: number): void;
}
type PortalQueryClass = new (
  config: pg.QueryArrayConfig & { rows: number; queryMode: string },
  callback: (error: Error | null, result: pg.QueryArrayResult<SqlValue[]>) => void,
) => PortalQuery;

/** Reads rows of one statement until the bounds are reached; the server is not asked for the rest. */
export function readBounded(
  client: pg.ClientBase,
  { sql, params, bounds }: { sql: string; params: SqlValue[] | undefined; bounds: ResultBounds },
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const rows = Math.min(FETCH_ROWS, bounds.maxRows + 1);
    const config = { text: sql, values: params, rowMode: 'array' as const, rows, queryMode: 'extended' };
    const query = new BoundedQuery(config, (error, result) => {
      if (error) reject(error);
      else {
        const columns = result.fields.map(({ name }) => name);
        resolve({ columns, rows: result.rows, isTruncated: query.isTruncated });
      }
    });
    query.bounds = bounds;
    client.query(query);
  });
}

/** A query that leaves its portal when it has enough. */
class BoundedQuery extends (pg.Query as unknown as PortalQueryClass) {
  bounds: ResultBounds = { maxRows: 0, maxBytes: 0 };
  isTruncated = false;
  #rows = 0;
  #bytes = 0;

  override handleDataRow(message: { fields: (string | null)[] }): void {
    const { maxRows, maxBytes } = this.bounds;
    this.isTruncated ||= this.#rows >= maxRows || this.#bytes >= maxBytes;
    if (this.isTruncated) return;
    this.#rows++;
    for (const field of message.fields) this.#bytes += field?.length ?? 0;
    super.handleDataRow(message);
  }

  override handlePortalSuspended(connection: Wire): void {
    if (this.isTruncated) connection.sync();
    else this._getRows(connection, Math.min(FETCH_ROWS, this.bounds.maxRows + 1 - this.#rows));
  }
}
