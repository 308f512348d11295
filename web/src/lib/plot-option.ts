import type { EChartsCoreOption } from 'echarts/core';
import type { ChartTheme } from './chart-theme.js';
import {
  axisTitle,
  type Cell,
  cellNumber,
  cellText,
  distinctCells,
  indexOf,
  type Plot,
  type PlotColumn,
} from './plot.js';

/** What a drawing is made from. */
export interface PlotFrame {
  plot: Plot;
  theme: ChartTheme;
  widthPx: number;
  /** Without titles of axes and legend: beside a text that says it. */
  isSmall?: boolean;
}

/** Characters of a label are about this wide. */
const LABEL_CHARACTER_PX = 7;
/** Longer labels of bars are read better from the side. */
const MAX_LABEL_CHARACTERS = 24;
const MAX_CELL_LABELS = 120;

/** The drawing of a plot in the words of ECharts. */
export function plotOption(frame: PlotFrame): EChartsCoreOption {
  const { plot, theme } = frame;
  const base = {
    animation: false,
    useUTC: true,
    color: theme.palette,
    textStyle: { fontFamily: theme.font, color: theme.text },
    grid: {
      left: 8,
      right: 16,
      top: plot.series && !frame.isSmall ? 40 : 16,
      bottom: 8,
      ...outerBounds(frame),
    },
    tooltip: tooltipOf(frame),
    ...(plot.series && !frame.isSmall && { legend: legendOf(frame) }),
  };
  switch (plot.kind) {
    case 'bar':
      return { ...base, ...barParts(frame) };
    case 'histogram':
      return { ...base, ...histogramParts(frame) };
    case 'line':
    case 'scatter':
      return { ...base, ...pointParts(frame) };
    case 'box':
      return { ...base, ...boxParts(frame) };
    case 'heat':
      return { ...base, ...heatParts(frame) };
  }
}

/** The room beside the axes is for their labels and titles, whatever these are. */
function outerBounds({ isSmall }: PlotFrame) {
  return { outerBoundsMode: 'same', outerBoundsContain: isSmall ? 'axisLabel' : 'all' };
}

function tooltipOf({ plot, theme }: PlotFrame) {
  const isAxis = plot.kind === 'bar' || plot.kind === 'histogram' || plot.kind === 'line';
  return {
    // Drawn on the canvas: tooltips of HTML come with inline styles, which the Content-Security-Policy forbids.
    renderMode: 'richText',
    confine: true,
    trigger: isAxis ? 'axis' : 'item',
    axisPointer: { type: plot.kind === 'line' ? 'line' : 'shadow' },
    backgroundColor: theme.surfaceRaised,
    borderColor: theme.lineStrong,
    textStyle: { color: theme.text, fontFamily: theme.font, fontSize: 13 },
    valueFormatter: (value: unknown) => cellText(value as Cell),
  };
}

function legendOf({ plot, theme }: PlotFrame) {
  return {
    type: 'scroll',
    top: 0,
    left: 0,
    itemWidth: 14,
    itemHeight: 10,
    textStyle: { color: theme.text, fontFamily: theme.font },
    pageTextStyle: { color: theme.textSoft },
    pageIconColor: theme.text,
    pageIconInactiveColor: theme.line,
    data: seriesOf(plot).map(({ name }) => name),
  };
}

interface Series {
  name: string;
  rows: Cell[][];
}

/** The rows of each colour; a number alone would not say what it counts. */
function seriesOf(plot: Plot): Series[] {
  if (!plot.series) return [{ name: columnOf(plot, plot.y).title, rows: plot.rows }];
  const index = indexOf(plot, plot.series);
  const { title } = plot.columns[index];
  const groups = Map.groupBy(plot.rows, (row) => row[index]);
  return [...groups].map(([cell, rows]) => ({
    name: typeof cell === 'string' && !/^\d/.test(cell) ? cellText(cell) : `${title}: ${cellText(cell)}`,
    rows,
  }));
}

function columnOf(plot: Plot, name: string): PlotColumn {
  return plot.columns[indexOf(plot, name)];
}

function axisBase({ theme, isSmall }: PlotFrame, column: PlotColumn) {
  return {
    name: isSmall ? undefined : axisTitle(column),
    nameLocation: 'middle',
    nameGap: 26,
    nameTextStyle: { color: theme.textSoft, fontSize: 13 },
    axisLabel: { color: theme.textSoft, fontSize: isSmall ? 11 : 12, hideOverlap: true },
    axisLine: { show: true, lineStyle: { color: theme.lineStrong } },
    axisTick: { show: false },
    splitLine: { show: false },
  };
}

function valueAxis(frame: PlotFrame, column: PlotColumn, { fromZero = true } = {}) {
  const base = axisBase(frame, column);
  return {
    ...base,
    type: 'value',
    scale: !fromZero,
    splitNumber: frame.isSmall ? 2 : undefined,
    axisLine: { show: false },
    splitLine: { show: true, lineStyle: { color: frame.theme.line } },
    axisLabel: { ...base.axisLabel, formatter: (value: number) => shortNumber(value) },
  };
}

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 });
const PLAIN = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

function shortNumber(value: number): string {
  return Math.abs(value) >= 10_000 ? SHORT.format(value) : PLAIN.format(value);
}

function categoryAxis(frame: PlotFrame, column: PlotColumn, labels: string[]) {
  const base = axisBase(frame, column);
  return { ...base, type: 'category', data: labels, axisLabel: { ...base.axisLabel, formatter: shortened } };
}

function shortened(label: string): string {
  return label.length > MAX_LABEL_CHARACTERS ? `${label.slice(0, MAX_LABEL_CHARACTERS - 1)}…` : label;
}

function barParts(frame: PlotFrame) {
  const { plot, widthPx } = frame;
  const [x, y] = [columnOf(plot, plot.x), columnOf(plot, plot.y)];
  const categories = distinctCells(plot, plot.x);
  const labels = categories.map((cell) =>
    x.type === 'time' ? String(cell ?? '(no value)') : cellText(cell),
  );
  const longest = Math.max(0, ...labels.map((label) => Math.min(label.length, MAX_LABEL_CHARACTERS)));
  const isLying =
    x.type === 'category' &&
    labels.length <= 30 &&
    longest * LABEL_CHARACTER_PX * labels.length > widthPx * 0.9;
  const series = seriesOf(plot).map(({ name, rows }) => ({
    type: 'bar',
    name,
    data: valuesAt(frame, { categories, rows }),
    barMaxWidth: 48,
    ...(plot.isStacked && { stack: 'all' }),
  }));
  const categoryPart = categoryAxis(frame, x, labels);
  const valuePart = valueAxis(frame, y);
  return isLying
    ? { xAxis: valuePart, yAxis: { ...categoryPart, inverse: true }, series }
    : { xAxis: categoryPart, yAxis: valuePart, series };
}

function valuesAt({ plot }: PlotFrame, { categories, rows }: { categories: Cell[]; rows: Cell[][] }) {
  const [xIndex, yIndex] = [indexOf(plot, plot.x), indexOf(plot, plot.y)];
  const values = new Map(rows.map((row) => [row[xIndex], row[yIndex]]));
  return categories.map((category) => values.get(category) ?? null);
}

function histogramParts(frame: PlotFrame) {
  const { plot } = frame;
  const [from, to] = [indexOf(plot, plot.x), indexOf(plot, 'to')];
  const [x, y] = [columnOf(plot, plot.x), columnOf(plot, plot.y)];
  const bins = distinctCells(plot, plot.x);
  const ends = new Map(plot.rows.map((row) => [row[from], row[to]]));
  const labels = bins.map((bin) => binLabel(bin, ends.get(bin) ?? null));
  const series = seriesOf(plot).map(({ name, rows }) => ({
    type: 'bar',
    name,
    data: valuesAt(frame, { categories: bins, rows }),
    barCategoryGap: '4%',
    stack: 'all',
  }));
  return { xAxis: categoryAxis(frame, x, labels), yAxis: valueAxis(frame, y), series };
}

/** `3` for a bin of one value, `10 – 20` (without 20) for a wider one, a date for time. */
function binLabel(from: Cell, to: Cell): string {
  if (typeof from !== 'number') return cellText(from);
  return to === null || to === from ? cellText(from) : `${cellText(from)} – ${cellText(to)}`;
}

function pointParts(frame: PlotFrame) {
  const { plot } = frame;
  const [x, y] = [columnOf(plot, plot.x), columnOf(plot, plot.y)];
  const [xIndex, yIndex] = [indexOf(plot, plot.x), indexOf(plot, plot.y)];
  const isLine = plot.kind === 'line';
  const categories = distinctCells(plot, plot.x);
  const place = (cell: Cell) => (x.type === 'category' ? categories.indexOf(cell) : position(x, cell));
  const xAxis =
    x.type === 'category'
      ? categoryAxis(frame, x, categories.map(cellText))
      : x.type === 'time'
        ? { ...axisBase(frame, x), type: 'time' }
        : valueAxis(frame, x, { fromZero: false });
  const yAxis =
    y.type === 'time' ? { ...axisBase(frame, y), type: 'time' } : valueAxis(frame, y, { fromZero: isLine });
  const series = seriesOf(plot).map(({ name, rows }) => ({
    type: isLine ? 'line' : 'scatter',
    name,
    data: rows.map((row) => [place(row[xIndex]), position(y, row[yIndex])]),
    ...(isLine
      ? { symbolSize: 6, showSymbol: rows.length <= 60, lineStyle: { width: 2 } }
      : { symbolSize: 8, itemStyle: { opacity: 0.55 } }),
  }));
  return { xAxis, yAxis: yAxis, series };
}

/** Where a value stands on an axis: text without a zone is UTC, as all of the API is. */
function position({ type }: PlotColumn, cell: Cell): number | null {
  if (cell === null) return null;
  if (type !== 'time') return cellNumber(cell);
  const text = String(cell).replace(' ', 'T');
  return Date.parse(/T.*(?:Z|[+-]\d\d(?::?\d\d)?)$/.test(text) || !text.includes('T') ? text : `${text}Z`);
}

const BOX_PARTS = ['low', 'q1', 'median', 'q3', 'high'];

function boxParts(frame: PlotFrame) {
  const { plot, theme } = frame;
  const [x, y] = [columnOf(plot, plot.x), columnOf(plot, plot.y)];
  const categories = distinctCells(plot, plot.x);
  const groups = seriesOf(plot);
  const boxes = groups.map(({ name, rows }, index) => ({
    type: 'boxplot',
    name,
    data: categories.map((category) => fiveNumbers(plot, { rows, category })),
    boxWidth: [6, 40],
    itemStyle: {
      color: theme.surface,
      borderColor: theme.palette[index % theme.palette.length],
      borderWidth: 1.5,
    },
  }));
  // Extremes stand in the middle of a category, so with several boxes in it they would belong to none.
  const extremes = groups.length > 1 ? [] : [extremesOf(frame, categories)];
  return {
    xAxis: categoryAxis(frame, x, categories.map(cellText)),
    yAxis: valueAxis(frame, y, { fromZero: false }),
    series: [...boxes, ...extremes],
  };
}

function fiveNumbers(plot: Plot, { rows, category }: { rows: Cell[][]; category: Cell }): number[] {
  const xIndex = indexOf(plot, plot.x);
  const row = rows.find((candidate) => candidate[xIndex] === category);
  return BOX_PARTS.map((part) => (row ? cellNumber(row[indexOf(plot, part)]) : Number.NaN));
}

/** The smallest and the largest value where they lie beyond the whiskers. */
function extremesOf({ plot, theme }: PlotFrame, categories: Cell[]) {
  const at = (row: Cell[], name: string) => cellNumber(row[indexOf(plot, name)]);
  const data = plot.rows.flatMap((row) => {
    const place = categories.indexOf(row[indexOf(plot, plot.x)]);
    const points: number[][] = [];
    if (at(row, 'min') < at(row, 'low')) points.push([place, at(row, 'min')]);
    if (at(row, 'max') > at(row, 'high')) points.push([place, at(row, 'max')]);
    return points;
  });
  return { type: 'scatter', name: 'Extreme', data, symbolSize: 6, itemStyle: { color: theme.palette[1] } };
}

function heatParts(frame: PlotFrame) {
  const { plot, theme, isSmall } = frame;
  const value = columnOf(plot, plot.value!);
  const [x, y] = [columnOf(plot, plot.x), columnOf(plot, plot.y)];
  const [xs, ys] = [distinctCells(plot, plot.x), distinctCells(plot, plot.y)];
  const [xIndex, yIndex, valueIndex] = [plot.x, plot.y, plot.value!].map((name) => indexOf(plot, name));
  const data = plot.rows.map((row) => [
    xs.indexOf(row[xIndex]),
    ys.indexOf(row[yIndex]),
    row[valueIndex] === null ? null : cellNumber(row[valueIndex]),
  ]);
  const shades = data.map(([, , shade]) => shade).filter((shade): shade is number => shade !== null);
  const [min, max] = [Math.min(...shades), Math.max(...shades)];
  return {
    grid: { left: 8, right: 16, top: 16, bottom: isSmall ? 8 : 56, ...outerBounds(frame) },
    xAxis: categoryAxis(frame, x, xs.map(cellText)),
    yAxis: categoryAxis(frame, y, ys.map(cellText)),
    visualMap: {
      show: !isSmall,
      min: Number.isFinite(min) ? min : 0,
      max: Number.isFinite(max) ? max : 1,
      calculable: false,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemHeight: 160,
      text: [`${axisTitle(value)}: ${cellText(max)}`, cellText(min)],
      textStyle: { color: theme.textSoft },
      inRange: { color: [theme.surfaceRaised, theme.accent] },
    },
    series: [
      {
        type: 'heatmap',
        name: value.title,
        // The number in a cell: on strong shades in the colour of the ground.
        data: data.map((cell) => ({
          value: cell,
          label: { color: Number(cell[2]) > min + (max - min) * 0.5 ? theme.surface : theme.text },
        })),
        itemStyle: { borderColor: theme.line, borderWidth: 1 },
        label: {
          show: !isSmall && data.length <= MAX_CELL_LABELS && frame.widthPx > 500,
          formatter: ({ value: [, , shade] }: { value: (number | null)[] }) =>
            shade === null ? '' : shortNumber(Math.round(shade * 100) / 100),
        },
      },
    ],
  };
}
