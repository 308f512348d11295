import type { QueryResult, SqlValue } from '../pipeline/query.js';
import { csvLines, jsonLines, textOf } from '../pipeline/result-lines.js';
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
