import type {
  Aggregate,
  ChartAnswer,
  ChartFilter,
  ChartKind,
  ChartSpec,
  QueryAnswer,
  Table,
  TableColumn,
  TimeUnit,
} from '../../../src/server/api/data.js';
import type { Plot, PlotKind } from './plot.js';

export const CHART_CHOICES: { kind: PlotKind; label: string }[] = [
  { kind: 'bar', label: 'Bar' },
  { kind: 'line', label: 'Line' },
  { kind: 'histogram', label: 'Histogram' },
  { kind: 'box', label: 'Box' },
  { kind: 'scatter', label: 'Scatter' },
  { kind: 'heat', label: 'Heat map' },
];

export const AGGREGATE_LABELS: Record<Aggregate, string> = {
  count: 'Number of',
  sum: 'Sum of',
  avg: 'Mean of',
  min: 'Smallest',
  max: 'Largest',
  median: 'Median of',
  distinct: 'Distinct values of',
};

const UNITS: TimeUnit[] = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'];

/** The address of a chart's figures. */
export function chartPath(spec: ChartSpec): string {
  return `/api/chart?${chartQuery(spec)}`;
}

/** A spec as parameters; the table is one of them. */
export function chartQuery({ filters, ...rest }: ChartSpec): URLSearchParams {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) query.set(key, String(value));
  if (filters && filters.length > 0) query.set('filters', JSON.stringify(filters));
  return query;
}

/** Which columns can stand where, for a kind of chart. */
export function choicesOf({ columns }: Table, kind: ChartKind) {
  const shown = columns.filter((column) => !column.is_hidden);
  const measurable = shown.filter((column) => column.class === 'number' || column.class === 'boolean');
  const points = shown.filter((column) => column.class === 'number' || column.class === 'time');
  const isPoints = kind === 'scatter' || kind === 'histogram';
  return {
    x: isPoints ? points : shown,
    y: kind === 'scatter' ? points : kind === 'heat' ? shown : measurable,
    colour: shown,
    measured: measurable,
    all: shown,
  };
}

/**
 * The chart that an address asks for. What it leaves open, or what the table does not have, becomes a sensible choice, so
 * that there is always something to look at.
 */
export function specOf(table: Table, query: URLSearchParams): ChartSpec {
  const kind = CHART_CHOICES.find((choice) => choice.kind === query.get('kind'))?.kind ?? 'bar';
  const choices = choicesOf(table, kind);
  const named = (key: string, among: TableColumn[]) =>
    among.find(({ name }) => name === query.get(key))?.name;
  const aggregate = (Object.keys(AGGREGATE_LABELS) as Aggregate[]).find(
    (name) => name === query.get('aggregate'),
  );
  const measured = aggregate === 'distinct' || aggregate === 'count' ? choices.all : choices.measured;
  const common = { table: table.name, kind, ...whenGiven('filters', filtersOf(query, choices.all)) };
  const colour = whenGiven('colour', named('colour', choices.colour));
  const x = named('x', choices.x) ?? choices.x[0]?.name;
  const sizes = {
    ...whenGiven('bins', binsOf(query)),
    ...whenGiven(
      'unit',
      UNITS.find((unit) => unit === query.get('unit')),
    ),
  };
  switch (kind) {
    case 'histogram':
      return { ...common, x, ...colour, ...sizes };
    case 'box':
      return {
        ...common,
        ...whenGiven('x', named('x', choices.x)),
        y: named('y', choices.y) ?? choices.y.at(-1)?.name,
        ...colour,
        ...sizes,
      };
    case 'scatter':
      return { ...common, x, y: named('y', choices.y) ?? choices.y.at(-1)?.name, ...colour };
    case 'heat': {
      const value = named('colour', measured);
      const measure = value === undefined ? {} : { colour: value, aggregate: aggregate ?? 'avg' };
      return { ...common, x, y: named('y', choices.y) ?? choices.y[1]?.name ?? x, ...measure, ...sizes };
    }
    default: {
      const y = named('y', measured);
      const measure = y === undefined ? {} : { y, aggregate: aggregate ?? 'avg' };
      return { ...common, x, ...measure, ...colour, ...sizes };
    }
  }
}

function whenGiven<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function binsOf(query: URLSearchParams): number | undefined {
  const bins = Number(query.get('bins'));
  return Number.isInteger(bins) && bins >= 2 && bins <= 200 ? bins : undefined;
}

function filtersOf(query: URLSearchParams, columns: TableColumn[]): ChartFilter[] | undefined {
  try {
    const filters: unknown = JSON.parse(query.get('filters') ?? '[]');
    if (!Array.isArray(filters)) return undefined;
    const known = (filters as ChartFilter[]).filter((filter) =>
      columns.some(({ name }) => name === filter?.column),
    );
    return known.length > 0 ? known : undefined;
  } catch {
    return undefined;
  }
}

/** What a chart shows, in words: `Mean of g3 by studytime and sex`. */
export function titleOf({ kind, x, y, colour, aggregate, table }: ChartSpec): string {
  const and = (...names: (string | undefined)[]) => names.filter((name) => name !== undefined).join(' and ');
  switch (kind) {
    case 'histogram':
      return `Distribution of ${x}${colour ? ` by ${colour}` : ''}`;
    case 'box':
      return `${y}${x || colour ? ` by ${and(x, colour)}` : ` of ${table}`}`;
    case 'scatter':
      return `${and(x, y)}${colour ? ` by ${colour}` : ''}`;
    case 'heat':
      return `${colour ? `${AGGREGATE_LABELS[aggregate ?? 'avg']} ${colour}` : 'Rows'} by ${and(x, y)}`;
    default:
      return `${y ? `${AGGREGATE_LABELS[aggregate ?? 'avg']} ${y}` : 'Rows'} by ${and(x, colour)}`;
  }
}

/** Titles that stand in place of the names of columns. */
export interface PlotTitles {
  title: string;
  x_title?: string;
  y_title?: string;
  colour_title?: string;
  stacked?: boolean;
}

/** The drawing of a chart's figures. */
export function plotOfChart(answer: ChartAnswer, titles: PlotTitles): Plot {
  const { kind, rows, x, y, series, value } = answer;
  const given: Record<string, string | undefined> = {
    [x]: titles.x_title,
    [y]: titles.y_title,
    [(kind === 'heat' ? value : series) ?? '']: titles.colour_title,
  };
  const columns = answer.columns.map((column) => ({ ...column, title: given[column.name] ?? column.title }));
  return {
    kind: kind as PlotKind,
    title: titles.title,
    columns,
    rows,
    x,
    y,
    series,
    value,
    isStacked: titles.stacked,
  };
}

/** Longer titles of columns do not fit beside an axis. */
const MAX_AXIS_CHARACTERS = 36;

/** The drawing of a query's result; undefined when it is only a table. */
export function plotOfQuery({ query, columns, plot }: QueryAnswer): Plot | undefined {
  if (!plot) return undefined;
  const short = columns.map((column) => ({
    ...column,
    title: column.title.length > MAX_AXIS_CHARACTERS ? column.name.replaceAll('_', ' ') : column.title,
  }));
  const { kind, x, y, series, rows } = plot;
  return { kind, title: query.title, columns: short, rows, x, y, series };
}
