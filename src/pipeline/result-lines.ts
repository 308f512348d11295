import type { QueryResult, SqlValue } from '../load/engine.js';

/** The rows of a result as CSV, RFC 4180: lines end in CRLF, whose line feed is the caller's. */
export function* csvLines({ columns, rows }: QueryResult): Generator<string> {
  yield `${columns.map(quoteCell).join(',')}\r`;
  for (const row of rows) yield `${row.map(csvCell).join(',')}\r`;
}

/** The rows of a result as one JSON array, an object a line. */
export function* jsonLines({ columns, rows }: QueryResult): Generator<string> {
  const names = uniqueNames(columns);
  yield '[';
  for (const [i, row] of rows.entries()) {
    const object = Object.fromEntries(names.map((name, column) => [name, jsonValue(row[column])]));
    yield `  ${JSON.stringify(object)}${i < rows.length - 1 ? ',' : ''}`;
  }
  yield ']';
}

/** A value for JSON, which has no NaN, no infinities, and no safe integers beyond 2^53: those are texts. */
export function jsonValue(value: SqlValue): string | number | boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return textOf(value);
}

/** A value as text; bytes in the notation of Postgres, `\x00ff`. */
export function textOf(value: Exclude<SqlValue, null>): string {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value);
}

/** A result may have two columns of one name; an object and a Parquet file may not. */
export function uniqueNames(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let n = 2; taken.has(name); n++) name = `${column}_${n}`;
    taken.add(name);
    return name;
  });
}

/** NULL is an empty cell, and an empty text is quoted, as Postgres writes CSV. */
function csvCell(value: SqlValue): string {
  return value === null ? '' : value === '' ? '""' : quoteCell(textOf(value));
}

function quoteCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
