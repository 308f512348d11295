import type mysql from 'mysql2/promise';
import { copyRows } from '../copy-rows.js';
import { quoteName, quoteNames } from '../quote.js';

const MAX_ROWS = 500;
/** The protocol allows 65,535 parameters a statement. */
const MAX_PARAMETERS = 10_000;
/** Well below the smallest max_allowed_packet in use, unless a single row is larger. */
const MAX_CHARACTERS = 200_000;

export interface InsertRequest {
  table: string;
  columns: string[];
  /** COPY text; every chunk holds whole rows. */
  chunks: AsyncIterable<Uint8Array>;
  /** Called when the server warned of a value that it changed; must throw. */
  onWarnings: () => Promise<never>;
}

type Row = (string | null)[];

/** Loads rows with multi-row INSERT statements and parameters. Returns the number of rows the server took. */
export async function insertBatches(connection: mysql.Connection, request: InsertRequest): Promise<number> {
  const { table, columns, chunks, onWarnings } = request;
  const head = `INSERT INTO ${quoteName('mysql', table)} (${quoteNames('mysql', columns)}) VALUES `;
  const tuple = `(${columns.map(() => '?').join(',')})`;
  let taken = 0;
  for await (const batch of batches(chunks, columns.length)) {
    const sql = head + batch.map(() => tuple).join(',');
    const [result] = await connection.execute<mysql.ResultSetHeader>(sql, batch.flat());
    if (result.warningStatus > 0) await onWarnings();
    taken += result.affectedRows;
  }
  return taken;
}

async function* batches(chunks: AsyncIterable<Uint8Array>, columns: number): AsyncGenerator<Row[]> {
  const maxRows = Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / columns)));
  let batch: Row[] = [];
  let characters = 0;
  for await (const chunk of chunks) {
    for (const row of copyRows(chunk)) {
      const size = row.reduce((sum, cell) => sum + (cell?.length ?? 0), 0);
      if (batch.length > 0 && (batch.length >= maxRows || characters + size > MAX_CHARACTERS)) {
        yield batch;
        batch = [];
        characters = 0;
      }
      batch.push(row);
      characters += size;
    }
  }
  if (batch.length > 0) yield batch;
}
