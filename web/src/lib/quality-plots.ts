import type {
  ColumnTrend,
  DriftFinding,
  QualityReport,
  QualityTotals,
} from '../../../src/server/api/quality.js';
import type { Cell, Plot } from './plot.js';
import { METRICS } from './quality-words.js';

type Measure = [name: string, numberOf: (totals: QualityTotals) => number];

const FILES: Measure[] = [
  ['converted', ({ converted }) => converted],
  ['failed', ({ failed, load_failed }) => failed + load_failed],
  ['seen before', ({ duplicates }) => duplicates],
];
const ROWS: Measure[] = [['left out', ({ left_out }) => left_out]];

/** Files over time, by what became of them. */
export function filesPlot(report: QualityReport): Plot {
  return overTime(report, { title: 'Files over time', unit: 'Files', measures: FILES });
}

/** Rows that were left out over time. */
export function leftOutPlot(report: QualityReport): Plot {
  return overTime(report, { title: 'Rows left out over time', unit: 'Rows', measures: ROWS });
}

function overTime(
  { series, since, until, bucket }: QualityReport,
  { title, unit, measures }: { title: string; unit: string; measures: Measure[] },
): Plot {
  const isShort = Date.parse(until) - Date.parse(since) <= 2 * 86_400_000;
  const sums = new Map<string, number[]>(
    stretches({ since, until, isShort }).map((name) => [name, measures.map(() => 0)]),
  );
  for (const totals of series) {
    const name = stretchOf(new Date(totals.at), { isShort, isUtc: bucket === 'day' });
    const known = sums.get(name);
    if (known) for (const [i, [, numberOf]] of measures.entries()) known[i] += numberOf(totals);
  }
  const rows = [...sums].flatMap(([name, values]) =>
    measures.map(([measure], i): Cell[] => [name, measure, values[i]]),
  );
  return {
    kind: 'bar',
    title,
    columns: [
      { name: 'time', title: isShort ? 'Hour' : 'Day', type: 'time' },
      { name: 'what', title: 'What', type: 'category' },
      { name: 'count', title: unit, type: 'number' },
    ],
    rows,
    x: 'time',
    y: 'count',
    series: 'what',
    isStacked: true,
  };
}

/** All stretches of time, so that those in which nothing happened are seen. */
function stretches({ since, until, isShort }: { since: string; until: string; isShort: boolean }): string[] {
  const stepMs = isShort ? 3_600_000 : 86_400_000;
  const names = new Set<string>();
  for (let at = Date.parse(since); at < Date.parse(until); at += stepMs)
    names.add(stretchOf(new Date(at), { isShort }));
  names.add(stretchOf(new Date(until), { isShort }));
  return [...names];
}

/** `2026-11-22` or `22, 06:00`, in the viewer's zone; days that the server has put together are days in UTC. */
function stretchOf(at: Date, { isShort, isUtc = false }: { isShort: boolean; isUtc?: boolean }): string {
  const two = (number: number) => String(number).padStart(2, '0');
  if (isShort) return `${two(at.getDate())}, ${two(at.getHours())}:00`;
  if (isUtc) return at.toISOString().slice(0, 10);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `2026-11-22 13:34:06` by the viewer's clock. */
function localTime(iso: string): string {
  const at = new Date(iso);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

/** One metric of a column in the last files. */
export function trendPlot({ column, points }: ColumnTrend, metric: DriftFinding['metric']): Plot {
  const numberOf = (point: ColumnTrend['points'][number]): number | null => {
    if (metric === 'null_share') return point.rows === 0 ? null : (point.nulls / point.rows) * 100;
    return metric === 'mean' ? point.mean : point.distinct;
  };
  const isShare = metric === 'null_share';
  return {
    kind: 'line',
    title: `${column}: ${METRICS[metric]} of the last files`,
    columns: [
      { name: 'at', title: 'Judged', type: 'time' },
      { name: 'value', title: METRICS[metric], type: 'number', ...(isShare && { unit: '%' }) },
    ],
    rows: points.map((point): Cell[] => [localTime(point.judged_at), numberOf(point)]),
    x: 'at',
    y: 'value',
  };
}
