import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { tempDir } from '../../helpers/temp-dir.js';

let count = 0;

/**
 * Writes the rows of a DuckDB query as a Parquet file in a folder of its own.
 * @param options what stands in brackets after TO: `compression zstd, row_group_size 2048`
 */
export async function duckdbParquet(query: string, options = 'compression snappy'): Promise<string> {
  const file = path.join(tempDir(), `duckdb-${++count}.parquet`);
  await duckdb(`COPY (${query}) TO '${file}' (FORMAT parquet, ${options})`);
  return file;
}

/** Runs one statement in a DuckDB of its own and returns its rows, every value as DuckDB's text for it. */
export async function duckdb(sql: string): Promise<(string | null)[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
