import { Buffer } from 'node:buffer';
import type { QueryResult, SqlValue } from '../../load/engine.js';
import type { ChartCell, ChartColumn } from '../../load/explore/chart-spec.js';
import type { NamedQuery } from '../query.js';

/** The result of a named query, and how to draw it. */
export interface QueryAnswer {
  query: NamedQuery;
  columns: ChartColumn[];
  rows: ChartCell[][];
  /** The statement gave more rows than `rows` has. */
  isCut: boolean;
  /** Only where the manifest suggests a drawing that the result has the columns for. */
  plot?: QueryPlot;
}

export interface QueryPlot {
  kind: 'bar' | 'line';
  x: string;
  y: string;
  series?: string;
  /** The rows that are drawn. */
  rows: ChartCell[][];
}

const MAX_ROWS = 1000;

/** Makes an answer of what the database returned. */
export function queryAnswer(query: NamedQuery, result: QueryResult): QueryAnswer {
  const plain = result.rows.slice(0, MAX_ROWS).map((row) => row.map(plainCell));
  const columns = result.columns.map((name, index): ChartColumn => {
    const isNumber = plain.some((row) => row[index] !== null) && plain.every((row) => isNumeric(row[index]));
    return { name, title: query.columns?.[name] ?? name, type: isNumber ? 'number' : 'category' };
  });
  const rows = plain.map((row) => row.map((cell, index) => asNumber(cell, columns[index])));
  return { query, columns, rows, isCut: result.rows.length > MAX_ROWS, ...plotOf(query, { columns, rows }) };
}

function plotOf(
  { plot }: NamedQuery,
  { columns, rows }: Pick<QueryAnswer, 'columns' | 'rows'>,
): { plot?: QueryPlot } {
  const { kind, x, y, series, only = {} } = plot ?? { kind: 'table' };
  const indexOf = (name: string) => columns.findIndex((column) => column.name === name);
  const names = [x, y, series, ...Object.keys(only)].filter((name) => name !== undefined);
  const isDrawn = (kind === 'bar' || kind === 'line') && x !== undefined && y !== undefined;
  if (!isDrawn || names.some((name) => indexOf(name) < 0)) return {};
  const kept = rows.filter((row) =>
    Object.entries(only).every(([name, wanted]) => String(row[indexOf(name)]) === String(wanted)),
  );
  return { plot: { kind, x, y, ...(series !== undefined && { series }), rows: kept } };
}

/** MySQL gives decimals as text. */
function isNumeric(cell: ChartCell): boolean {
  return (
    cell === null ||
    typeof cell === 'number' ||
    (typeof cell === 'string' && /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/.test(cell))
  );
}

function asNumber(cell: ChartCell, { type }: ChartColumn): ChartCell {
  return type === 'number' && cell !== null ? Number(cell) : cell;
}

/** A value as JSON can carry it: 64-bit numbers beyond the safe ones and bytes as text. */
export function plainCell(value: SqlValue): ChartCell {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
