/** A value as the API gives it: 64-bit integers beyond the safe ones, dates and times are text. */
export type Cell = string | number | boolean | null;

export type PlotKind = 'bar' | 'line' | 'histogram' | 'box' | 'scatter' | 'heat';

/** A column of what is plotted. */
export interface PlotColumn {
  name: string;
  /** As axes and tables call it. */
  title: string;
  /** `time`: ISO 8601 text, in UTC where it has a time of day. */
  type: 'category' | 'number' | 'time';
  unit?: string;
}

/**
 * Rows and how to draw them. Some kinds want columns of certain names besides `x`, `y` and `series`:
 * - histogram: `x` is the beginning of a bin, `to` its end, `y` the height
 * - box: `x` is a category; `min`, `low`, `q1`, `median`, `q3`, `high`, `max` are the box, its whiskers (`low`, `high`) and
 *   the extremes; `y` is any of these
 * - heat: `x` and `y` are the axes, `value` is the shade
 */
export interface Plot {
  kind: PlotKind;
  /** The accessible name, and the name of downloaded files. */
  title: string;
  columns: PlotColumn[];
  rows: Cell[][];
  x: string;
  y: string;
  /** Column that splits the rows by colour. */
  series?: string;
  value?: string;
  /** Bars of several colours stand on each other instead of side by side. */
  isStacked?: boolean;
}

/** The rows alone, as a table shows them. */
export type Figures = Pick<Plot, 'title' | 'columns' | 'rows'>;

const NUMBER = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

/** A cell for people: `1,234.5`, `(no value)`. */
export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '(no value)';
  if (cell === '') return '(empty)';
  return typeof cell === 'number' ? NUMBER.format(cell) : String(cell);
}

/** A number for a calculation; NaN for what is none. */
export function cellNumber(cell: Cell | undefined): number {
  return cell === null || cell === undefined || cell === '' ? Number.NaN : Number(cell);
}

/** The column's title with its unit. */
export function axisTitle({ title, unit }: PlotColumn): string {
  return unit ? `${title} (${unit})` : title;
}

/** Values of a column in the order of their first row, each once. */
export function distinctCells(plot: Plot, name: string): Cell[] {
  const index = indexOf(plot, name);
  return [...new Set(plot.rows.map((row) => row[index]))];
}

/** @throws when the plot has no such column, which is a mistake in the program */
export function indexOf({ columns }: Plot, name: string): number {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`The plot has no column ${name}`);
  return index;
}

/** The rows as CSV (RFC 4180), with the titles as header. */
export function plotCsv({ columns, rows }: Figures): string {
  const lines = [columns.map(axisTitle), ...rows].map((line) => line.map(csvCell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** A formula in a cell must not come alive in a spreadsheet. */
function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a plot shows, in a sentence for those who do not see it. */
export function plotSummary(plot: Plot): string {
  const titleOf = (name: string) => axisTitle(plot.columns[indexOf(plot, name)]);
  const by = plot.series ? `, by ${titleOf(plot.series)}` : '';
  const axes =
    plot.kind === 'heat' && plot.value
      ? `${titleOf(plot.value)} by ${titleOf(plot.x)} and ${titleOf(plot.y)}`
      : `${titleOf(plot.y)} by ${titleOf(plot.x)}`;
  return `${plot.title}. ${KIND_NAMES[plot.kind]}: ${axes}${by}. ${plot.rows.length} rows; the table holds the same figures.`;
}

export const KIND_NAMES: Record<PlotKind, string> = {
  bar: 'Bar chart',
  line: 'Line chart',
  histogram: 'Histogram',
  box: 'Box plot',
  scatter: 'Scatter plot',
  heat: 'Heat map',
};
