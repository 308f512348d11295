import { DropgateError } from '../../base/errors.js';
import type { SqlKind, SqlType } from '../../base/sql-type.js';
import { didYouMean } from '../../base/suggest.js';
import { quoteValue } from '../../base/text.js';

/** A table that can be explored, as it is declared. */
export interface ExploredTable {
  name: string;
  columns: ExploredColumn[];
  /** Only the first rows are looked at when the table has more than is bearable. */
  firstRows?: number;
}

export interface ExploredColumn {
  name: string;
  type: SqlType;
}

/** What can be done with the values of a column. */
export type ColumnClass = 'number' | 'time' | 'boolean' | 'text';

const CLASSES: Partial<Record<SqlKind, ColumnClass>> = {
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  decimal: 'number',
  real: 'number',
  double: 'number',
  date: 'time',
  timestamp: 'time',
  boolean: 'boolean',
};

/** The class of a column; a time of day without a day is a text. */
export function classOf({ type }: ExploredColumn): ColumnClass {
  return CLASSES[type.kind] ?? 'text';
}

/** Whether all values are whole numbers. */
export function isWhole({ type }: ExploredColumn): boolean {
  const { kind, scale } = type;
  return (
    kind === 'smallint' || kind === 'integer' || kind === 'bigint' || (kind === 'decimal' && scale === 0)
  );
}

/** @throws DropgateError `usage` when the table has no such column */
export function findColumn(table: ExploredTable, name: string): ExploredColumn {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column) return column;
  const names = table.columns.map((candidate) => candidate.name);
  throw new DropgateError(
    'usage',
    `Table ${quoteValue(table.name)} has no column ${quoteValue(name)}${didYouMean(name, names)}.`,
  );
}
