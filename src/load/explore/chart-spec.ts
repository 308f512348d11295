import type { TimeUnit } from './scale.js';

export const CHART_KINDS = ['bar', 'line', 'histogram', 'box', 'scatter', 'heat', 'number'] as const;
export type ChartKind = (typeof CHART_KINDS)[number];

export const AGGREGATES = ['count', 'sum', 'avg', 'min', 'max', 'median', 'distinct'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export const FILTER_OPERATORS = [
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'in',
  'contains',
  'is_null',
  'not_null',
] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** Keeps the rows in which a column compares with a value. Values are text, in the notation of the column's type. */
export interface ChartFilter {
  column: string;
  op: FilterOperator;
  /** A list for `in`; nothing for `is_null` and `not_null`. `ne` keeps rows without a value. */
  value?: string | string[];
}

/** What a chart shows of a table, before anything is known about the values. */
export interface ChartSpec {
  kind: ChartKind;
  /** Not for `number`; for `box` optional. */
  x?: string;
  /**
   * What is measured; without it rows are counted. For `scatter` and `heat` the second axis. Not for `histogram`.
   */
  y?: string;
  aggregate?: Aggregate;
  /** Splits by colour. For `heat` the column that is measured. */
  colour?: string;
  filters?: ChartFilter[];
  /** About so many bins for axes with numbers. */
  bins?: number;
  /** For axes with times. */
  unit?: TimeUnit;
  /** At most so many categories (the largest), or points of a scatter plot. */
  limit?: number;
}

/** A cell of an answer. */
export type ChartCell = string | number | boolean | null;

export interface ChartColumn {
  name: string;
  title: string;
  type: 'category' | 'number' | 'time';
}

/** Rows and the columns that make the axes. */
export interface ChartData {
  kind: ChartKind;
  columns: ChartColumn[];
  rows: ChartCell[][];
  x: string;
  y: string;
  series?: string;
  value?: string;
  /** Rows of the table that the filters keep. */
  rowsRead: number;
  /** Of these, rows that the chart does not show: in smaller categories, without a value, or not in the sample. */
  rowsLeftOut: number;
  categoriesLeftOut: number;
  /** Set when only the first rows of a big table were read. */
  firstRows?: number;
}
