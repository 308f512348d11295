import type { Connection, FieldPacket, Query } from 'mysql2';
import type mysql from 'mysql2/promise';
import type { QueryResult, ResultBounds, SqlValue } from '../engine.js';
import { normalizeRow } from './mysql-values.js';

/**
 * Reads rows of one statement until the bounds are reached. Then the connection is of no more use: the rest of the rows is
 * under way on it, and only its end tells the server to stop.
 */
export function readBounded(
  connection: mysql.Connection,
  {
    sql,
    params,
    bounds,
  }: { sql: string; params: Parameters<mysql.Connection['execute']>[1]; bounds: ResultBounds },
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    // The interface without promises: the other one gathers all rows.
    const { connection: plain } = connection as unknown as { connection: Connection };
    const statement = { sql, rowsAsArray: true };
    const hasParams = Array.isArray(params) && params.length > 0;
    const query: Query = hasParams
      ? (plain.execute(statement, params) as unknown as Query)
      : plain.query(statement);
    let fields: FieldPacket[] = [];
    const rows: SqlValue[][] = [];
    let bytes = 0;
    const finish = (isTruncated: boolean) =>
      resolve({ columns: fields.map(({ name }) => name), rows, isTruncated });
    query.on('fields', (described: FieldPacket[]) => {
      fields = described;
    });
    query.on('result', (row: unknown) => {
      if (rows.length >= bounds.maxRows || bytes >= bounds.maxBytes) {
        query.removeAllListeners('result');
        connection.destroy();
        finish(true);
        return;
      }
      const values = row as SqlValue[];
      normalizeRow(values, fields);
      for (const value of values) bytes += sizeOf(value);
      rows.push(values);
    });
    query.on('error', reject);
    query.on('end', () => finish(false));
  });
}

function sizeOf(value: SqlValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
}
