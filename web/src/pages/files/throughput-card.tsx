import { useMemo, useState } from 'preact/hooks';
import type { Throughput, ThroughputRange } from '../../../../src/server/api/files.js';
import { formatBytes, plural } from '../../lib/format.js';
import { useReloadOnChange } from '../../lib/live.js';
import { useApi } from '../../lib/load.js';
import type { Cell, Plot } from '../../lib/plot.js';
import { Chart } from '../../parts/chart.js';

const RANGES: Record<ThroughputRange, string> = { hour: 'Hour', day: 'Day', week: 'Week', month: 'Month' };
const RELOAD_MS = 5000;
const HEIGHT_PX = 180;

/** Files over time. */
export function ThroughputCard() {
  const [range, setRange] = useState<ThroughputRange>('day');
  const { data, reload } = useApi<Throughput>(`/api/throughput?range=${range}`);
  useReloadOnChange(reload, { everyMs: RELOAD_MS });
  // Drawn anew only when a figure has changed.
  const figures = JSON.stringify(data);
  const plot = useMemo(() => data && plotOf(data), [figures]);
  return (
    <section class="card stack" aria-labelledby="throughput-title">
      <div class="row">
        <h2 id="throughput-title">Throughput</h2>
        <span class="soft">{data && totalText(data)}</span>
        <fieldset class="choice">
          <legend class="visually-hidden">Stretch of time</legend>
          {Object.entries(RANGES).map(([key, title]) => (
            <button
              key={key}
              type="button"
              class="button quiet"
              aria-pressed={key === range}
              onClick={() => setRange(key as ThroughputRange)}
            >
              {title}
            </button>
          ))}
        </fieldset>
      </div>
      <div class="throughput">{plot && <Chart plot={plot} heightPx={HEIGHT_PX} />}</div>
    </section>
  );
}

function totalText({ files, failed, rows, bytes }: Throughput): string {
  return `${plural(sum(files), 'file')} converted, ${plural(sum(rows), 'row')}, ${formatBytes(sum(bytes))}; ${plural(sum(failed), 'failure')}`;
}

function plotOf({ range, from, bucket_ms: bucketMs, files, failed }: Throughput): Plot {
  const fromMs = Date.parse(from);
  const labels = files.map((_, i) => label(fromMs + i * bucketMs, range));
  const rows: Cell[][] = [];
  for (const [i, at] of labels.entries()) rows.push([at, 'converted', files[i]], [at, 'failed', failed[i]]);
  return {
    kind: 'bar',
    title: `Files by time, last ${range}`,
    columns: [
      { name: 'time', title: 'Time', type: 'category' },
      { name: 'outcome', title: 'Outcome', type: 'category' },
      { name: 'files', title: 'Files', type: 'number' },
    ],
    rows,
    x: 'time',
    y: 'files',
    series: 'outcome',
    isStacked: true,
  };
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

function label(atMs: number, range: ThroughputRange): string {
  return (range === 'week' || range === 'month' ? DAY_AND_CLOCK : CLOCK).format(atMs);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
