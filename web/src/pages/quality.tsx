import { useMemo } from 'preact/hooks';
import type { QualityReport } from '../../../src/server/api/quality.js';
import { formatNumber } from '../lib/format.js';
import { useApi } from '../lib/load.js';
import { filesPlot, leftOutPlot } from '../lib/quality-plots.js';
import { DAYS, reportAddress } from '../lib/quality-words.js';
import { location, setQuery } from '../lib/router.js';
import { Chart } from '../parts/chart.js';
import { Empty, ProblemNotice } from '../parts/notice.js';
import { Alerts, Expected } from './quality/alerts.js';
import { Findings } from './quality/findings.js';
import { Reasons } from './quality/reasons.js';
import '../style/quality.css';

/** How good the files were: over time, by reason, what was unusual, what is late, and who was told. */
export default function QualityPage() {
  const { query } = location.value;
  const [time, dataset] = [query.get('time'), query.get('dataset')];
  const address = useMemo(() => reportAddress(query), [time, dataset]);
  const { data, problem } = useApi<QualityReport>(address);
  return (
    <>
      <div class="row quality-head">
        <h1>Quality</h1>
        <Filters datasets={data?.datasets ?? []} />
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {data && <Report report={data} />}
    </>
  );
}

function Filters({ datasets }: { datasets: string[] }) {
  const { query } = location.value;
  return (
    <div class="row quality-filters">
      <label class="field">
        Dataset
        <select
          class="input"
          value={query.get('dataset') ?? ''}
          onChange={(event) => setQuery({ dataset: event.currentTarget.value })}
        >
          <option value="">All</option>
          {datasets.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Time
        <select
          class="input"
          value={query.get('time') ?? '30d'}
          onChange={(event) => setQuery({ time: event.currentTarget.value })}
        >
          {Object.entries(DAYS).map(([key, { title }]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Report({ report }: { report: QualityReport }) {
  const { totals, findings, alerts, expected } = report;
  const files = totals.converted + totals.failed + totals.duplicates;
  const plots = useMemo(() => ({ files: filesPlot(report), leftOut: leftOutPlot(report) }), [report]);
  if (files === 0 && alerts.length === 0 && expected.length === 0) {
    return (
      <Empty title="No files in this time">
        <p>
          <a href="/">Drop a file</a>, or choose a longer time.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <Figures report={report} />
      <div class="quality-columns">
        <section class="card stack">
          <h2>Files</h2>
          <Chart plot={plots.files} heightPx={240} />
        </section>
        <section class="card stack">
          <h2>Rows left out</h2>
          <Chart plot={plots.leftOut} heightPx={240} />
        </section>
      </div>
      <Expected expected={expected} />
      <Findings findings={findings} />
      <Reasons {...report} />
      <Alerts alerts={alerts} />
    </>
  );
}

function Figures({ report }: { report: QualityReport }) {
  const { totals, findings } = report;
  const { converted, failed, load_failed, rows, left_out } = totals;
  const share = rows + left_out === 0 ? 0 : (left_out / (rows + left_out)) * 100;
  const unusual = new Set(findings.map(({ file_id }) => file_id)).size;
  const figures: [title: string, value: string, more: string, isBad?: boolean][] = [
    ['Files converted', formatNumber(converted), `${formatNumber(rows)} rows`],
    [
      'Files failed',
      formatNumber(failed + load_failed),
      `${formatNumber(load_failed)} while loading`,
      failed + load_failed > 0,
    ],
    ['Rows left out', formatNumber(left_out), `${formatNumber(Number(share.toPrecision(2)))} % of all rows`],
    ['Unusual files', formatNumber(unusual), 'see the list below'],
  ];
  return (
    <dl class="figures">
      {figures.map(([title, value, more, isBad]) => (
        <div key={title} class="card">
          <dt>{title}</dt>
          <dd class={isBad ? 'figure bad' : 'figure'}>{value}</dd>
          <dd class="soft">{more}</dd>
        </div>
      ))}
    </dl>
  );
}
