import type { QueryResult, SqlValue } from '../pipeline/query.js';
import { textTable } from './table.js';

/** How the rows of a query can be shown. */
export const FORMATS = ['table', 'csv', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** The lines of a query's result, without their line feeds. */
export function formatResult(result: QueryResult, format: Format): Iterable<string> {
  switch (format) {
    case 'table':
      return tableLines(result);
    case 'csv':
      return csvLines(result);
    case 'json':
      return jsonLines(result);
  }
}

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** Numbers stand at the right; decimals come as text, so a column of texts that all are numbers counts as one. */
function tableLines({ columns, rows }: QueryResult): string[] {
  const described = columns.map((title, i) => ({
    title,
    align: rows.every((row) => isNumeric(row[i])) ? ('right' as const) : ('left' as const),
  }));
  return textTable(
    described,
    rows.map((row) => row.map((value) => (value === null ? 'NULL' : textOf(value)))),
  );
}

function isNumeric(value: SqlValue): boolean {
  if (typeof value === 'string') return NUMBER.test(value);
  return value === null || typeof value === 'number' || typeof value === 'bigint';
}

/** RFC 4180: lines end in CRLF; the line feed is the caller's. */
function* csvLines({ columns, rows }: QueryResult): Generator<string> {
  yield `${columns.map(quoteCell).join(',')}\r`;
  for (const row of rows) yield `${row.map(csvCell).join(',')}\r`;
}

/** NULL is an empty cell, and an empty text is quoted, as Postgres writes CSV. */
function csvCell(value: SqlValue): string {
  return value === null ? '' : value === '' ? '""' : quoteCell(textOf(value));
}

function quoteCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One array, an object a line. */
function* jsonLines({ columns, rows }: QueryResult): Generator<string> {
  const names = uniqueNames(columns);
  yield '[';
  for (const [i, row] of rows.entries()) {
    const object = Object.fromEntries(names.map((name, column) => [name, jsonValue(row[column])]));
    yield `  ${JSON.stringify(object)}${i < rows.length - 1 ? ',' : ''}`;
  }
  yield ']';
}

function jsonValue(value: SqlValue): string | number | boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  // JSON has no NaN and no infinities.
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return textOf(value);
}

/** A result may have two columns of one name, an object may not. */
function uniqueNames(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let n = 2; taken.has(name); n++) name = `${column}_${n}`;
    taken.add(name);
    return name;
  });
}

/** Bytes in the notation of Postgres, `\x00ff`. */
function textOf(value: Exclude<SqlValue, null>): string {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value);
}
