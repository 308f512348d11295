/* What the routes of the data page answer. */

/** 64-bit integers beyond the safe ones, decimals, dates and times are text. */
export type Cell = string | number | boolean | null;

export type ColumnClass = 'number' | 'time' | 'boolean' | 'text';

export interface TableColumn {
  name: string;
  /** In SQL: `VARCHAR(10)`. */
  type: string;
  class: ColumnClass;
  /** Its values are hidden from whoever asks. */
  is_hidden: boolean;
}

export interface Table {
  name: string;
  columns: TableColumn[];
  /** Null while the table is not there: nothing was loaded into it yet. */
  rows: number | null;
  /** There are too many rows to count them; `rows` is the number that was loaded. */
  is_estimate: boolean;
  /** Files that were loaded. */
  loads: number;
  last_loaded_at: string | null;
}

export interface Tables {
  tables: Table[];
}

export interface ColumnProfile extends TableColumn {
  nulls: number;
  /** All below is null or empty for a hidden column. */
  distinct: number | null;
  min: Cell;
  max: Cell;
  mean: number | null;
  median: number | null;
  histogram: { from: Cell; to: Cell; rows: number }[];
  top: { value: Cell; rows: number }[];
}

export interface TableProfile {
  table: Table;
  /** Fewer than the table has when only its first rows were looked at. */
  profiled_rows: number;
  columns: ColumnProfile[];
}

/** Some rows, in the order in which the database has them. */
export interface TableRows {
  columns: string[];
  rows: Cell[][];
  offset: number;
}

export type ChartKind = 'bar' | 'line' | 'histogram' | 'box' | 'scatter' | 'heat' | 'number';
export type Aggregate = 'count' | 'sum' | 'avg' | 'min' | 'max' | 'median' | 'distinct';
export type TimeUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute';
export type FilterOperator =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'in'
  | 'contains'
  | 'is_null'
  | 'not_null';

export interface ChartFilter {
  column: string;
  op: FilterOperator;
  value?: string | string[];
}

/** The parameters of `GET /api/chart`; `filters` is JSON text there. */
export interface ChartSpec {
  table: string;
  kind: ChartKind;
  x?: string;
  y?: string;
  aggregate?: Aggregate;
  colour?: string;
  filters?: ChartFilter[];
  bins?: number;
  unit?: TimeUnit;
  limit?: number;
}

export interface ChartColumn {
  name: string;
  title: string;
  type: 'category' | 'number' | 'time';
}

/** The figures of a chart, and which of their columns are drawn how. */
export interface ChartAnswer {
  kind: ChartKind;
  columns: ChartColumn[];
  rows: Cell[][];
  x: string;
  y: string;
  series?: string;
  value?: string;
  /** Rows that the filters keep. */
  rows_read: number;
  /** Of these, rows that are not shown. */
  rows_left_out: number;
  categories_left_out: number;
  /** Set when only the first rows of a big table were read. */
  first_rows?: number;
}

export interface Query {
  name: string;
  title: string;
  question: string;
}

export interface Queries {
  queries: Query[];
}

export interface QueryAnswer {
  query: Query;
  columns: ChartColumn[];
  rows: Cell[][];
  /** There were more rows. */
  is_cut: boolean;
  /** How to draw it, when it can be drawn. */
  plot: { kind: 'bar' | 'line'; x: string; y: string; series?: string; rows: Cell[][] } | null;
}
