import type { SqlResult } from '../../../src/server/api/sql.js';
import type { Cell, Plot, PlotColumn } from './plot.js';

/** More points than this are no plot for a first look. */
const MAX_POINTS = 1000;
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const TIME = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?$/;

/** How the columns of a result can be drawn. */
export function describeColumns({ columns, rows }: SqlResult): PlotColumn[] {
  return columns.map((name, index) => ({ name, title: name, type: typeOf(rows.map((row) => row[index])) }));
}

/** What is chosen to be drawn. */
export interface PlotChoice {
  kind: 'bar' | 'line' | 'scatter';
  x: string;
  y: string;
  /** Column that splits the rows by colour; '' is none. */
  series: string;
}

/**
 * The column of most different values that is no number, by the last number; where its values repeat, another column
 * tells the rows apart. Undefined where there is nothing to draw.
 */
export function suggestPlot({ rows }: SqlResult, columns: PlotColumn[]): PlotChoice | undefined {
  const distinct = (column: PlotColumn) => new Set(rows.map((row) => row[columns.indexOf(column)])).size;
  const numbers = columns.filter(({ type }) => type === 'number');
  const others = columns
    .filter(({ type }) => type !== 'number')
    .sort((one, other) => distinct(other) - distinct(one));
  const y = numbers.at(-1);
  const x = others[0] ?? numbers[0];
  if (rows.length === 0 || !x || !y || x === y) return undefined;
  const kind = x.type === 'time' ? 'line' : x.type === 'number' ? 'scatter' : 'bar';
  const series = kind !== 'scatter' && distinct(x) < rows.length ? (others[1]?.name ?? '') : '';
  return { kind, x: x.name, y: y.name, series };
}

/** The plot of the rows, of the first of them where there are many. */
export function plotOf({ rows }: SqlResult, columns: PlotColumn[], choice: PlotChoice): Plot {
  const { kind, x, y, series } = choice;
  const names = [...new Set([x, y, ...(series === '' ? [] : [series])])];
  const indexes = names.map((name) => columns.findIndex((column) => column.name === name));
  return {
    ...{ kind, x, y, ...(series !== '' && { series }) },
    title: `${y} by ${x}`,
    columns: indexes.map((index) => columns[index]),
    rows: rows
      .slice(0, MAX_POINTS)
      .map((row) => indexes.map((index) => plotCell(columns[index], row[index]))),
  };
}

function plotCell({ type }: PlotColumn, cell: Cell): Cell {
  return type === 'number' && cell !== null ? Number(cell) : cell;
}

function typeOf(cells: Cell[]): PlotColumn['type'] {
  const given = cells.filter((cell) => cell !== null);
  if (given.length === 0) return 'category';
  if (given.every((cell) => typeof cell === 'number' || (typeof cell === 'string' && NUMBER.test(cell))))
    return 'number';
  return given.every((cell) => typeof cell === 'string' && TIME.test(cell)) ? 'time' : 'category';
}
