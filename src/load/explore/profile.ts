import type { QueryResult, SqlDialect, SqlValue } from '../engine.js';
import { type Axis, axisCell, axisEnd, axisSql, divided, numberCell } from './axis.js';
import type { ChartCell } from './chart-spec.js';
import { type ColumnClass, classOf, type ExploredColumn, type ExploredTable } from './column.js';
import { withEmptyBins } from './groups.js';
import { MAX_TEXT_CHARACTERS, type ReadyStatement, StatementWriter } from './statement.js';

/** What a column holds. */
export interface ColumnProfile {
  name: string;
  class: ColumnClass;
  /** Rows without a value. */
  nulls: number;
  distinct: number;
  /** Texts are cut after {@link MAX_TEXT_CHARACTERS}. */
  min: ChartCell;
  max: ChartCell;
  /** Numbers only. */
  mean: number | null;
  median: number | null;
  /** Of numbers and times. `to` is the last value of a bin of whole numbers, else the beginning of the next bin. */
  histogram: { from: ChartCell; to: ChartCell; rows: number }[];
  /** The most frequent values of all other columns. */
  top: { value: ChartCell; rows: number }[];
}

/** Where the values come from. */
export interface ProfileSource {
  dialect: SqlDialect;
  table: ExploredTable;
  /** Runs one statement that only reads. */
  read(statement: ReadyStatement): Promise<QueryResult>;
}

/** Columns that one statement looks at: short statements let loads of the embedded database through between them. */
const COLUMNS_PER_STATEMENT = 8;
const TOP_VALUES = 10;
const BINS = 20;

/**
 * Profiles every column of a table in two statements for eight columns: one counts and measures, the other puts values
 * together.
 */
export async function profileColumns(
  source: ProfileSource,
): Promise<{ rows: number; columns: ColumnProfile[] }> {
  const { columns } = source.table;
  const profiles: ColumnProfile[] = [];
  let rows = 0;
  for (let at = 0; at < columns.length; at += COLUMNS_PER_STATEMENT) {
    const some = columns.slice(at, at + COLUMNS_PER_STATEMENT);
    const measured = await measure(source, some);
    rows = measured.rows;
    await addValues(source, measured.columns);
    profiles.push(...measured.columns.map(({ profile }) => profile));
  }
  return { rows, columns: profiles };
}

interface Measured {
  column: ExploredColumn;
  profile: ColumnProfile;
  /** How a histogram divides the column; absent for columns with top values. */
  axis?: Axis;
}

const MEASURES_PER_COLUMN = 5;

async function measure(
  source: ProfileSource,
  columns: ExploredColumn[],
): Promise<{ rows: number; columns: Measured[] }> {
  const writer = new StatementWriter(source.dialect, source.table);
  const measures = columns.flatMap((column) => measuresOf(writer, column));
  const sql = `SELECT COUNT(*), ${measures.join(', ')} FROM ${writer.source()}`;
  const [row] = (await source.read(writer.finish(sql))).rows;
  const rows = Number(row[0]);
  return {
    rows,
    columns: columns.map((column, index) => {
      const at = 1 + index * MEASURES_PER_COLUMN;
      return measuredOf(column, { rows, values: row.slice(at, at + MEASURES_PER_COLUMN) });
    }),
  };
}

/** Number of values, of distinct values, the smallest, the largest, the mean. */
function measuresOf(writer: StatementWriter, column: ExploredColumn): string[] {
  const type = classOf(column);
  const name = writer.column(column);
  const counts = [`COUNT(${name})`, `COUNT(DISTINCT ${writer.comparable(column)})`];
  switch (type) {
    case 'number':
      return [
        ...counts,
        `MIN(${name})`,
        `MAX(${name})`,
        `${writer.asDouble(`SUM(${writer.summand(column)})`)} / NULLIF(COUNT(${name}), 0)`,
      ];
    case 'time':
      return [...counts, writer.isoTime(`MIN(${name})`), writer.isoTime(`MAX(${name})`), 'NULL'];
    case 'boolean':
      return [...counts, 'NULL', 'NULL', 'NULL'];
    case 'text': {
      const text = writer.wholeText(column);
      return [
        ...counts,
        `LEFT(MIN(${text}), ${MAX_TEXT_CHARACTERS})`,
        `LEFT(MAX(${text}), ${MAX_TEXT_CHARACTERS})`,
        'NULL',
      ];
    }
  }
}

function measuredOf(
  column: ExploredColumn,
  { rows, values }: { rows: number; values: SqlValue[] },
): Measured {
  const [count, distinct, min, max, mean] = values;
  const type = classOf(column);
  const profile: ColumnProfile = {
    name: column.name,
    class: type,
    nulls: rows - Number(count),
    distinct: Number(distinct),
    min: endCell(column, min),
    max: endCell(column, max),
    mean: numberCell(mean) as number | null,
    median: null,
    histogram: [],
    top: [],
  };
  const isDivided = (type === 'number' || type === 'time') && [min, max].every(isFiniteEnd);
  if (!isDivided) return { column, profile };
  const bounds = { min: edge(min), max: edge(max), distinct: Number(distinct) };
  return {
    column,
    profile,
    axis: divided(column, bounds, { isBinned: true, bins: BINS, enough: 8, most: 60 }),
  };
}

/** Exact decimals stay text, so that none of their digits is lost. */
function endCell(column: ExploredColumn, value: SqlValue): ChartCell {
  if (value === null || typeof value === 'boolean') return null;
  if (typeof value === 'string') return column.type.kind === 'date' ? value.slice(0, 10) : value;
  return numberCell(value);
}

function isFiniteEnd(value: SqlValue): boolean {
  return value !== null && (typeof value === 'string' || Number.isFinite(Number(value)));
}

function edge(value: SqlValue): number | string {
  return typeof value === 'string' && value.includes('T') ? value : Number(value);
}

/** Adds histogram and median, or the most frequent values. */
async function addValues(source: ProfileSource, columns: Measured[]): Promise<void> {
  const writer = new StatementWriter(source.dialect, source.table);
  const filled = columns.filter(({ profile }) => profile.distinct > 0);
  if (filled.length === 0) return;
  // 1. The columns are named, so that each part reads them by the same names.
  for (const { column } of columns) writer.column(column);
  // 2. One part a column and purpose, told apart by a number.
  const parts = filled.flatMap((measured) => partsOf(writer, measured, columns.indexOf(measured)));
  const { rows } = await source.read(writer.finish(parts.join(' UNION ALL ')));
  // 3. Back to the columns.
  for (const [index, measured] of columns.entries()) {
    fill(
      measured,
      rows.filter(([part]) => Number(part) === index),
    );
  }
}

/** Rows of index of the column, purpose, value as text, number of rows, median. */
function partsOf(writer: StatementWriter, { column, axis }: Measured, index: number): string[] {
  if (!axis) {
    const value = classOf(column) === 'text' ? writer.text(column) : writer.wholeText(column);
    return [
      `(SELECT ${index} AS i, 'v' AS k, ${value} AS v, COUNT(*) AS n, ${writer.asDouble('NULL')} AS m FROM ${writer.source()}
        WHERE ${writer.column(column)} IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT ${TOP_VALUES})`,
    ];
  }
  const key = axis.bins ? `CAST(${axisSql(writer, axis)} AS ${intType(writer)})` : axisSql(writer, axis);
  const histogram = `(SELECT ${index} AS i, 'v' AS k, ${textOf(writer, key)} AS v, COUNT(*) AS n, ${writer.asDouble('NULL')} AS m
    FROM ${writer.source()} WHERE ${writer.column(column)} IS NOT NULL GROUP BY v)`;
  return classOf(column) === 'number' ? [histogram, medianPart(writer, { column, index })] : [histogram];
}

function medianPart(
  writer: StatementWriter,
  { column, index }: { column: ExploredColumn; index: number },
): string {
  return `(SELECT ${index} AS i, 'm' AS k, ${textOf(writer, 'NULL')} AS v, COUNT(*) AS n,
    AVG(CASE WHEN place IN (FLOOR((filled + 1) / 2), FLOOR((filled + 2) / 2)) THEN y END) AS m
    FROM (SELECT y, ROW_NUMBER() OVER (ORDER BY y) AS place, COUNT(*) OVER () AS filled
      FROM (SELECT ${writer.double(column)} AS y FROM ${writer.source()} WHERE ${writer.column(column)} IS NOT NULL) AS present) AS placed)`;
}

function intType({ dialect }: StatementWriter): string {
  return dialect === 'postgres' ? 'bigint' : 'SIGNED';
}

function textOf({ dialect }: StatementWriter, expression: string): string {
  return dialect === 'postgres'
    ? `CAST(${expression} AS text) COLLATE "C"`
    : `CAST(${expression} AS CHAR) COLLATE utf8mb4_bin`;
}

function fill({ column, profile, axis }: Measured, rows: SqlValue[][]): void {
  for (const [, kind, , , median] of rows)
    if (kind === 'm') profile.median = numberCell(median) as number | null;
  const values = rows
    .filter(([, kind]) => kind === 'v')
    .map(([, , value, count]) => ({ value, count: Number(count) }));
  if (!axis) {
    const top = values.map(({ value, count }) => ({ value: topCell(column, value), rows: count }));
    profile.top = top.sort((a, b) => b.rows - a.rows || (String(a.value) < String(b.value) ? -1 : 1));
    return;
  }
  const groups = values
    .map(({ value, count }) => ({ keys: [value], cells: [axisCell(axis, value)], value: count, rows: count }))
    .sort((a, b) => (a.cells[0]! < b.cells[0]! ? -1 : 1));
  profile.histogram = withEmptyBins(groups, axis).map(({ keys, cells, rows: count }) => ({
    from: cells[0],
    to: axisEnd(axis, keys[0]),
    rows: count,
  }));
}

/** Truth values come as text: `true`, `t` or `1`. */
function topCell(column: ExploredColumn, value: SqlValue): ChartCell {
  return classOf(column) === 'boolean' ? value === 'true' || value === 't' || value === '1' : String(value);
}
