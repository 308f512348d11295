import { type Axis, axisSql } from './axis.js';
import type { Aggregate } from './chart-spec.js';
import type { ExploredColumn } from './column.js';
import type { ReadyStatement, StatementWriter } from './statement.js';

/** More groups than this are no chart; the largest are kept. */
const MAX_GROUPS = 10_000;

/** What is asked of each group of rows. */
export interface Grouping {
  axes: Axis[];
  measure: { aggregate: Aggregate; column?: ExploredColumn };
  where: string;
}

/** Columns of the answer behind those of the axes. */
export const GROUP_COLUMNS = ['value', 'rows', 'groups', 'total'] as const;

/**
 * One row a group: the axes, the measure, the number of rows, and on every row the number of groups and of all rows. The
 * largest groups come first.
 */
export function groupStatement(writer: StatementWriter, grouping: Grouping): ReadyStatement {
  const { axes, measure, where } = grouping;
  const names = axes.map((_, index) => `d${index}`);
  const keys = axes.map((axis, index) => `${axisSql(writer, axis)} AS d${index}`);
  const inner = [...keys, `${innerValue(writer, grouping)} AS y`];
  const rows = `(SELECT ${inner.join(', ')} FROM ${writer.source()}${where}) AS grouped`;
  const source = measure.aggregate === 'median' ? placed(rows, names) : rows;
  const outer = [...names, `${measureSql(writer, grouping)} AS v`, 'COUNT(*) AS n'];
  const windows = ['COUNT(*) OVER () AS group_count', 'SUM(COUNT(*)) OVER () AS total'];
  const groups = names.length > 0 ? ` GROUP BY ${names.join(', ')} ORDER BY n DESC, ${names.join(', ')}` : '';
  const columns = [...outer, ...windows].join(', ');
  return writer.finish(`SELECT ${columns} FROM ${source}${groups} LIMIT ${MAX_GROUPS}`);
}

/** The measured value of a row. */
function innerValue(writer: StatementWriter, { measure: { aggregate, column } }: Grouping): string {
  if (!column) return '1';
  if (aggregate === 'count' || aggregate === 'distinct') return writer.comparable(column);
  return aggregate === 'sum' || aggregate === 'avg' ? writer.summand(column) : writer.double(column);
}

function measureSql(writer: StatementWriter, { measure: { aggregate, column } }: Grouping): string {
  if (!column) return 'COUNT(*)';
  switch (aggregate) {
    case 'count':
      return 'COUNT(y)';
    case 'distinct':
      return 'COUNT(DISTINCT y)';
    case 'sum':
      return writer.asDouble('SUM(y)');
    case 'avg':
      return `${writer.asDouble('SUM(y)')} / NULLIF(COUNT(y), 0)`;
    case 'min':
      return 'MIN(y)';
    case 'max':
      return 'MAX(y)';
    case 'median':
      return 'AVG(CASE WHEN place IN (FLOOR((filled + 1) / 2), FLOOR((filled + 2) / 2)) THEN y END)';
  }
}

/** Numbers the values of each group in their order, those that are missing last. */
function placed(rows: string, names: string[]): string {
  const partition = names.length > 0 ? `PARTITION BY ${names.join(', ')}` : '';
  const columns = [...names, 'y'].join(', ');
  return `(SELECT ${columns}, ROW_NUMBER() OVER (${partition} ORDER BY y IS NULL, y) AS place,
    COUNT(y) OVER (${partition}) AS filled FROM ${rows}) AS placed`;
}

/** Columns of the answer to {@link boxStatement} behind those of the axes. */
export const BOX_COLUMNS = ['rows', 'min', 'low', 'q1', 'median', 'q3', 'high', 'max', 'outliers'] as const;

/**
 * One row a group with the five numbers of a box plot. Quartiles lie between two values where they fall between them
 * (as PERCENTILE_CONT does), whiskers end at the last value within 1.5 times the height of the box (Tukey).
 */
export function boxStatement(
  writer: StatementWriter,
  { axes, column, where }: { axes: Axis[]; column: ExploredColumn; where: string },
): ReadyStatement {
  const names = axes.map((_, index) => `d${index}`);
  const keys = axes.map((axis, index) => `${axisSql(writer, axis)} AS d${index}`);
  const inner = [...keys, `${writer.double(column)} AS y`].join(', ');
  const rows = `(SELECT ${inner} FROM ${writer.source()}${where}) AS grouped`;
  const partition = names.length > 0 ? `PARTITION BY ${names.join(', ')}` : '';
  const kept = [...names, 'y'].join(', ');
  const quartiles = [1, 2, 3].map(
    (quarter) => `SUM(${quartileShare(quarter)}) OVER (${partition}) AS q${quarter}`,
  );
  const boxes = `(SELECT ${kept}, ${quartiles.join(', ')} FROM ${placed(rows, names)}) AS boxes`;
  const outer = [
    ...names,
    'COUNT(*) AS n',
    'MIN(y)',
    'MIN(CASE WHEN y >= q1 - 1.5 * (q3 - q1) THEN y END)',
    'MIN(q1)',
    'MIN(q2)',
    'MIN(q3)',
    'MAX(CASE WHEN y <= q3 + 1.5 * (q3 - q1) THEN y END)',
    'MAX(y)',
    'SUM(CASE WHEN y < q1 - 1.5 * (q3 - q1) OR y > q3 + 1.5 * (q3 - q1) THEN 1 ELSE 0 END)',
    'COUNT(*) OVER () AS group_count',
    'SUM(COUNT(*)) OVER () AS total',
  ];
  const groups = names.length > 0 ? ` GROUP BY ${names.join(', ')} ORDER BY n DESC, ${names.join(', ')}` : '';
  return writer.finish(`SELECT ${outer.join(', ')} FROM ${boxes}${groups} LIMIT ${MAX_GROUPS}`);
}

/** What a value adds to a quartile: it lies `at` places behind the first value. */
function quartileShare(quarter: number): string {
  const at = `((filled - 1) * ${quarter / 4})`;
  return `CASE WHEN place - 1 = FLOOR(${at}) THEN y * (1 - (${at} - FLOOR(${at})))
    WHEN place - 2 = FLOOR(${at}) THEN y * (${at} - FLOOR(${at})) ELSE 0 END`;
}

/** At most `most` rows from the whole of the table, one out of so many; and how many there are. */
export function sampleStatement(
  writer: StatementWriter,
  { expressions, where, most }: { expressions: string[]; where: string; most: number },
): ReadyStatement {
  const named = expressions.map((expression, index) => `${expression} AS e${index}`);
  const names = expressions.map((_, index) => `e${index}`).join(', ');
  const rows = `SELECT ${named.join(', ')}, ROW_NUMBER() OVER () AS place, COUNT(*) OVER () AS total FROM ${writer.source()}${where}`;
  return writer.finish(
    `SELECT ${names}, total FROM (${rows}) AS sampled WHERE MOD(place - 1, CEIL(total / ${most}.0)) = 0 LIMIT ${most}`,
  );
}
