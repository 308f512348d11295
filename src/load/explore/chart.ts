import { DropgateError } from '../../base/errors.js';
import type { QueryResult, SqlDialect, SqlValue } from '../engine.js';
import {
  type Axis,
  axisCell,
  axisColumn,
  axisEnd,
  axisSql,
  type Bounds,
  boundsOf,
  boundsStatement,
  type Division,
  divided,
  numberCell,
} from './axis.js';
import type { Aggregate, ChartCell, ChartColumn, ChartData, ChartSpec } from './chart-spec.js';
import { classOf, type ExploredColumn, type ExploredTable, findColumn } from './column.js';
import { whereSql } from './filter-sql.js';
import { BOX_COLUMNS, boxStatement, groupStatement, sampleStatement } from './group-sql.js';
import { keepLargest, sortedGroups, withEmptyBins } from './groups.js';
import { type ReadyStatement, StatementWriter } from './statement.js';

/** Where a chart's rows come from. */
export interface ChartSource {
  dialect: SqlDialect;
  table: ExploredTable;
  /** Runs one statement that only reads. */
  read(statement: ReadyStatement): Promise<QueryResult>;
}

/** How many colours can be told apart. */
const MAX_COLOURS = 8;
const MAX_CATEGORIES = { default: 30, most: 1000 };
const MAX_POINTS = { default: 2000, most: 10_000 };
const MAX_LINE_POINTS = 1000;

/**
 * The figures of a chart, computed by the database: rows are grouped there, and at most a few thousand come back.
 * @throws DropgateError `usage` when the spec does not fit the table; as `read`
 */
export function chartData(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  switch (spec.kind) {
    case 'scatter':
      return scatter(source, spec);
    case 'box':
      return box(source, spec);
    case 'heat':
      return heat(source, spec);
    case 'histogram':
      return histogram(source, spec);
    case 'number':
      return number(source, spec);
    default:
      return barsOrLine(source, spec);
  }
}

async function barsOrLine(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const isLine = spec.kind === 'line';
  const most = limitOf(spec, isLine ? { default: MAX_LINE_POINTS, most: MAX_LINE_POINTS } : MAX_CATEGORIES);
  const x = await axisFor(source, spec, {
    name: wanted(spec, 'x'),
    division: {
      bins: spec.bins,
      unit: spec.unit,
      enough: isLine ? 12 : 4,
      most: isLine ? 400 : Math.max(most, 40),
    },
  });
  const measure = measureOf(source, spec, spec.y);
  const colour = await colourAxis(source, spec);
  const answer = await askGroups(source, { spec, axes: colour ? [x, colour] : [x], measure, most });
  const columns: ChartColumn[] = [
    axisColumn(x, 'x'),
    ...(colour ? [axisColumn(colour, 'series')] : []),
    measure.shown,
  ];
  const rows = answer.groups.map(({ cells, value }) => [...cells, value]);
  return {
    ...answer.counts,
    kind: spec.kind,
    columns,
    rows,
    ...drawnBy(colour),
  };
}

/** Which columns are drawn how: from x to y, and in colours where there are some. */
function drawnBy(colour: Axis | undefined): Pick<ChartData, 'x' | 'y' | 'series'> {
  return { x: 'x', y: 'y', ...(colour && { series: 'series' }) };
}

async function histogram(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const name = wanted(spec, 'x');
  const column = findColumn(source.table, name);
  const type = classOf(column);
  if (type !== 'number' && type !== 'time')
    throw unfit(column, 'A histogram wants a column of numbers or times.');
  const division: Division = { bins: spec.bins, unit: spec.unit, isBinned: true, enough: 8, most: 60 };
  const x = await axisFor(source, spec, { name, division });
  const colour = await colourAxis(source, spec);
  const axes = colour ? [x, colour] : [x];
  const measure = measureOf(source, { ...spec, aggregate: 'count' }, undefined);
  const answer = await askGroups(source, {
    spec,
    axes,
    measure,
    most: MAX_CATEGORIES.most,
    present: [column],
  });
  const rows = withEmptyBins(answer.groups, x).map(({ cells, keys, value }) => [
    cells[0],
    axisEnd(x, keys[0]),
    ...cells.slice(1),
    value,
  ]);
  const columns: ChartColumn[] = [
    axisColumn(x, 'x'),
    { name: 'to', title: 'up to', type: axisColumn(x, 'to').type },
    ...(colour ? [axisColumn(colour, 'series')] : []),
    measure.shown,
  ];
  return {
    ...answer.counts,
    kind: spec.kind,
    columns,
    rows,
    ...drawnBy(colour),
  };
}

async function heat(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const most = limitOf(spec, MAX_CATEGORIES);
  const division: Division = { bins: spec.bins, unit: spec.unit, enough: 4, most: 40 };
  const x = await axisFor(source, spec, { name: wanted(spec, 'x'), division });
  const y = await axisFor(source, spec, { name: wanted(spec, 'y'), division });
  const measure = measureOf(source, spec, spec.colour);
  const answer = await askGroups(source, { spec, axes: [x, y], measure, most, mostOfSecond: most });
  const columns = [axisColumn(x, 'x'), axisColumn(y, 'y'), { ...measure.shown, name: 'value' }];
  const rows = answer.groups.map(({ cells, value }) => [...cells, value]);
  return { ...answer.counts, kind: spec.kind, columns, rows, x: 'x', y: 'y', value: 'value' };
}

async function number(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const measure = measureOf(source, spec, spec.y);
  const answer = await askGroups(source, { spec, axes: [], measure, most: 1 });
  const value = answer.groups[0]?.value ?? null;
  return { ...answer.counts, kind: 'number', columns: [measure.shown], rows: [[value]], x: 'y', y: 'y' };
}

async function box(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const { dialect, table, read } = source;
  const most = limitOf(spec, MAX_CATEGORIES);
  const column = numberColumn(table, wanted(spec, 'y'));
  const division: Division = { bins: spec.bins, unit: spec.unit, enough: 4, most: 40 };
  const x = spec.x === undefined ? undefined : await axisFor(source, spec, { name: spec.x, division });
  const colour = await colourAxis(source, spec);
  const axes = [x, colour].filter((axis) => axis !== undefined);
  const writer = new StatementWriter(dialect, table);
  const where = whereSql(writer, { table, filters: spec.filters ?? [], present: [column] });
  const { rows: found } = await read(boxStatement(writer, { axes, column, where }));
  const all = found.map((row) => ({
    keys: row.slice(0, axes.length),
    cells: axes.map((axis, index) => axisCell(axis, row[index])),
    value: null,
    rows: Number(row[axes.length]),
    numbers: row.slice(axes.length, axes.length + BOX_COLUMNS.length).map(numberCell),
  }));
  const kept = keepLargest(all, { most: [most, MAX_COLOURS], total: Number(found[0]?.at(-1) ?? 0) });
  const groups = sortedGroups(kept.groups, axes);
  const columns: ChartColumn[] = [
    x ? axisColumn(x, 'x') : { name: 'x', title: '', type: 'category' },
    ...(colour ? [axisColumn(colour, 'series')] : []),
    ...BOX_COLUMNS.map((name) => ({ name, title: boxTitle(name, column), type: 'number' as const })),
  ];
  const rows = groups.map(({ cells, numbers }) => [...(x ? [] : ['all']), ...cells, ...numbers]);
  const series = colour && { series: 'series' };
  return { ...countsOf(source, kept), kind: 'box', columns, rows, x: 'x', y: 'median', ...series };
}

function boxTitle(name: (typeof BOX_COLUMNS)[number], column: ExploredColumn): string {
  if (name === 'median') return column.name;
  const titles = {
    rows: 'Rows',
    min: 'Smallest',
    low: 'Lower whisker',
    q1: 'First quartile',
    q3: 'Third quartile',
  };
  const upper = { high: 'Upper whisker', max: 'Largest', outliers: 'Beyond the whiskers' };
  return { ...titles, ...upper }[name];
}

async function scatter(source: ChartSource, spec: ChartSpec): Promise<ChartData> {
  const { dialect, table, read } = source;
  const [x, y] = [wanted(spec, 'x'), wanted(spec, 'y')].map((name) => pointColumn(table, name));
  const colour = await colourAxis(source, spec);
  const writer = new StatementWriter(dialect, table);
  const points = [x, y].map((column) => pointSql(writer, column));
  const expressions = colour ? [...points, axisSql(writer, colour)] : points;
  const where = whereSql(writer, { table, filters: spec.filters ?? [], present: [x, y] });
  const most = limitOf(spec, MAX_POINTS);
  const { rows: found } = await read(sampleStatement(writer, { expressions, where, most }));
  const sampled = found.map((row) => ({
    keys: row.slice(2, 3),
    cells: colour ? [axisCell(colour, row[2])] : [],
    value: null,
    rows: 1,
    point: [pointCell(x, row[0]), pointCell(y, row[1])],
  }));
  const total = Number(found[0]?.at(-1) ?? 0);
  const kept = keepLargest(sampled, { most: [MAX_COLOURS], total });
  const groups = colour ? sortedGroups(kept.groups, [colour]) : kept.groups;
  return {
    ...countsOf(source, kept),
    kind: 'scatter',
    columns: [pointAxis(x, 'x'), pointAxis(y, 'y'), ...(colour ? [axisColumn(colour, 'series')] : [])],
    rows: groups.map(({ point, cells }) => [...point, ...cells]),
    ...drawnBy(colour),
  };
}

function pointColumn(table: ExploredTable, name: string): ExploredColumn {
  const column = findColumn(table, name);
  const type = classOf(column);
  if (type === 'number' || type === 'time') return column;
  throw unfit(column, 'A scatter plot wants columns of numbers or times.');
}

function pointSql(writer: StatementWriter, column: ExploredColumn): string {
  return classOf(column) === 'time' ? writer.isoTime(writer.column(column)) : writer.double(column);
}

function pointCell(column: ExploredColumn, value: SqlValue): ChartCell {
  return classOf(column) === 'time' ? (value as string) : numberCell(value);
}

function pointAxis(column: ExploredColumn, name: string): ChartColumn {
  return { name, title: column.name, type: classOf(column) === 'time' ? 'time' : 'number' };
}

interface GroupQuestion {
  spec: ChartSpec;
  axes: Axis[];
  measure: Measure;
  /** Categories of the first axis. */
  most: number;
  mostOfSecond?: number;
  /** Columns that must have a value. */
  present?: ExploredColumn[];
}

async function askGroups(source: ChartSource, question: GroupQuestion) {
  const { dialect, table, read } = source;
  const { spec, axes, measure, most, mostOfSecond = MAX_COLOURS, present } = question;
  const writer = new StatementWriter(dialect, table);
  const where = whereSql(writer, { table, filters: spec.filters ?? [], present });
  const { rows } = await read(groupStatement(writer, { axes, measure, where }));
  const at = axes.length;
  const all = rows.map((row) => ({
    keys: row.slice(0, at),
    cells: axes.map((axis, index) => axisCell(axis, row[index])),
    value: numberCell(row[at]),
    rows: Number(row[at + 1]),
  }));
  const total = Number(rows[0]?.[at + 3] ?? 0);
  const kept = keepLargest(all, { most: [most, mostOfSecond], total });
  return { groups: sortedGroups(kept.groups, axes), counts: countsOf(source, kept) };
}

function countsOf(
  { table }: ChartSource,
  {
    total,
    rowsLeftOut,
    categoriesLeftOut,
  }: { total: number; rowsLeftOut: number; categoriesLeftOut: number },
) {
  const { firstRows } = table;
  return { rowsRead: total, rowsLeftOut, categoriesLeftOut, ...(firstRows !== undefined && { firstRows }) };
}

interface Measure {
  aggregate: Aggregate;
  column?: ExploredColumn;
  shown: ChartColumn;
}

const MEASURE_TITLES: Record<Aggregate, (name: string) => string> = {
  count: (name) => `Values of ${name}`,
  sum: (name) => `Sum of ${name}`,
  avg: (name) => `Mean of ${name}`,
  min: (name) => `Smallest ${name}`,
  max: (name) => `Largest ${name}`,
  median: (name) => `Median of ${name}`,
  distinct: (name) => `Distinct values of ${name}`,
};

/** Without a column rows are counted; of a column the mean is taken when nothing else is said. */
function measureOf({ table }: ChartSource, spec: ChartSpec, name: string | undefined): Measure {
  if (name === undefined) {
    if (spec.aggregate && spec.aggregate !== 'count')
      throw new DropgateError(
        'usage',
        `The aggregate "${spec.aggregate}" wants a column; only rows can be counted.`,
      );
    return { aggregate: 'count', shown: { name: 'y', title: 'Rows', type: 'number' } };
  }
  const { aggregate = 'avg' } = spec;
  const isAny = aggregate === 'count' || aggregate === 'distinct';
  const column = isAny ? findColumn(table, name) : numberColumn(table, name);
  return { aggregate, column, shown: { name: 'y', title: MEASURE_TITLES[aggregate](name), type: 'number' } };
}

function numberColumn(table: ExploredTable, name: string): ExploredColumn {
  const column = findColumn(table, name);
  const type = classOf(column);
  if (type === 'number' || type === 'boolean') return column;
  throw unfit(column, 'This wants a column of numbers.');
}

/** A colour with many numbers gets bins; times are put together so that few colours are needed. */
async function colourAxis(source: ChartSource, spec: ChartSpec): Promise<Axis | undefined> {
  if (spec.colour === undefined) return undefined;
  return axisFor(source, spec, {
    name: spec.colour,
    division: { enough: 2, most: MAX_COLOURS, bins: undefined },
  });
}

/** Decides how a column is divided, asking for its range where that is needed. */
async function axisFor(
  source: ChartSource,
  spec: ChartSpec,
  { name, division }: { name: string; division: Division },
): Promise<Axis> {
  const column = findColumn(source.table, name);
  const type = classOf(column);
  const isClear = type === 'text' || type === 'boolean' || (type === 'time' && division.unit !== undefined);
  return divided(column, isClear ? undefined : await askBounds(source, spec, column), division);
}

async function askBounds(
  source: ChartSource,
  spec: ChartSpec,
  column: ExploredColumn,
): Promise<Bounds | undefined> {
  const { dialect, table, read } = source;
  const writer = new StatementWriter(dialect, table);
  const where = whereSql(writer, { table, filters: spec.filters ?? [] });
  const { rows } = await read(boundsStatement(writer, { column, where }));
  return boundsOf(rows[0]);
}

function limitOf({ limit }: ChartSpec, { default: usual, most }: { default: number; most: number }): number {
  return Math.min(limit ?? usual, most);
}

function wanted(spec: ChartSpec, axis: 'x' | 'y'): string {
  const name = spec[axis];
  if (name !== undefined) return name;
  throw new DropgateError('usage', `A chart of kind "${spec.kind}" wants a column for "${axis}".`);
}

function unfit(column: ExploredColumn, what: string): DropgateError {
  return new DropgateError(
    'usage',
    `${what} Column "${column.name}" is of type ${column.type.kind.toUpperCase()}.`,
  );
}
