import type { SqlValue } from '../engine.js';
import type { ChartCell, ChartColumn } from './chart-spec.js';
import { classOf, type ExploredColumn, isWhole } from './column.js';
import { type Bins, binSql, edgeOf, roundBins, type TimeUnit, unitBetween } from './scale.js';
import type { ReadyStatement, StatementWriter } from './statement.js';

/** A column by which rows are put together. */
export interface Axis {
  column: ExploredColumn;
  bins?: Bins;
  unit?: TimeUnit;
}

/** The range of a column's values; undefined when there is none. */
export interface Bounds {
  min: number | string;
  max: number | string;
  distinct: number;
}

/** The expression that rows are grouped by. */
export function axisSql(writer: StatementWriter, { column, bins, unit }: Axis): string {
  if (bins) return binSql(writer.double(column), bins);
  if (unit) return writer.bucket(column, unit);
  return classOf(column) === 'text' ? writer.text(column) : writer.column(column);
}

/** What the grouped expression stands for. */
export function axisCell({ column, bins, unit }: Axis, value: SqlValue): ChartCell {
  if (value === null) return null;
  if (bins) return edgeOf(bins, Number(value) - bins.first);
  if (unit) return String(value);
  if (classOf(column) === 'boolean') return value === true || value === 1;
  return classOf(column) === 'number' ? numberCell(value) : String(value);
}

/** Where a bin ends: for whole numbers the last one in it. */
export function axisEnd({ column, bins }: Axis, value: SqlValue): ChartCell {
  if (!bins || value === null) return null;
  const next = edgeOf(bins, Number(value) - bins.first + 1);
  return isWhole(column) ? next - 1 : next;
}

export function axisColumn({ column, unit, bins }: Axis, name: string): ChartColumn {
  const type = classOf(column);
  return {
    name,
    title: unit && unit !== 'day' && unit !== 'minute' ? `${column.name} (${unit})` : column.name,
    type: bins || type === 'number' ? 'number' : unit ? 'time' : 'category',
  };
}

/** A number that JSON can carry: exact text beyond the safe integers, null for what is none. */
export function numberCell(value: SqlValue): ChartCell {
  if (value === null) return null;
  const number = Number(value);
  if (!Number.isFinite(number)) return null;
  return typeof value === 'bigint' && !Number.isSafeInteger(number) ? String(value) : number;
}

/** Asks for the range of a column. */
export function boundsStatement(
  writer: StatementWriter,
  { column, where }: { column: ExploredColumn; where: string },
): ReadyStatement {
  const isTime = classOf(column) === 'time';
  const name = isTime ? writer.column(column) : writer.double(column);
  const [min, max] = [`MIN(${name})`, `MAX(${name})`].map((end) => (isTime ? writer.isoTime(end) : end));
  return writer.finish(
    `SELECT ${min}, ${max}, COUNT(DISTINCT ${writer.column(column)}) FROM ${writer.source()}${where}`,
  );
}

/** Reads the answer to {@link boundsStatement}. */
export function boundsOf([min, max, distinct]: SqlValue[]): Bounds | undefined {
  if (min === null || max === null) return undefined;
  if (typeof min === 'number' && !(Number.isFinite(min) && Number.isFinite(max as number))) return undefined;
  return { min: min as number | string, max: max as number | string, distinct: Number(distinct) };
}

/** How an axis divides what lies within its bounds. */
export interface Division {
  bins?: number;
  unit?: TimeUnit;
  /** Numbers are put into bins even when there are few of them. */
  isBinned?: boolean;
  /** Times are divided at least and at most into so many. */
  enough: number;
  most: number;
}

const DEFAULT_BINS = 20;

/** Decides on bins or the unit of an axis. */
export function divided(column: ExploredColumn, bounds: Bounds | undefined, division: Division): Axis {
  const type = classOf(column);
  if (type === 'time') return { column, unit: division.unit ?? unitOf(bounds, division) };
  if (type !== 'number' || !bounds) return { column };
  const isCrowded = bounds.distinct > division.most;
  if (!division.isBinned && division.bins === undefined && !isCrowded) return { column };
  const request = { min: Number(bounds.min), max: Number(bounds.max), isWhole: isWhole(column) };
  return { column, bins: roundBins({ ...request, wanted: division.bins ?? DEFAULT_BINS }) };
}

function unitOf(bounds: Bounds | undefined, { enough, most }: Division): TimeUnit {
  return bounds ? unitBetween(String(bounds.min), String(bounds.max), { enough, most }) : 'day';
}
