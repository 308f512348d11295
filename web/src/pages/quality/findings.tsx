import { useMemo } from 'preact/hooks';
import type { ColumnTrend, DriftFinding } from '../../../../src/server/api/quality.js';
import { formatNumber, formatTime } from '../../lib/format.js';
import { useApi } from '../../lib/load.js';
import { trendPlot } from '../../lib/quality-plots.js';
import { METRICS, metricText } from '../../lib/quality-words.js';
import { location, setQuery } from '../../lib/router.js';
import { Chart } from '../../parts/chart.js';
import { ProblemNotice } from '../../parts/notice.js';
import { TableBox } from '../../parts/table-box.js';

/** What was unlike the last files, each with its usual range. */
export function Findings({ findings }: { findings: DriftFinding[] }) {
  return (
    <section class="card stack">
      <h2>Unusual values</h2>
      <p class="soft">
        Each file is compared with the last 30 of its dataset. An unusual file is loaded all the same.
      </p>
      {findings.length === 0 ? (
        <p>Nothing unusual in this time.</p>
      ) : (
        <TableBox label="Unusual values">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">Column</th>
                <th scope="col">What</th>
                <th scope="col" class="number">
                  Value
                </th>
                <th scope="col" class="number">
                  Usual range
                </th>
                <th scope="col">Found</th>
              </tr>
            </thead>
            <tbody>
              {findings.map((finding) => (
                <FindingRow
                  key={`${finding.file_id} ${finding.column} ${finding.metric}`}
                  finding={finding}
                />
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
      <Trend />
    </section>
  );
}

function FindingRow({ finding }: { finding: DriftFinding }) {
  const { file, file_id, dataset, column, metric, value, low, high, compared, found_at } = finding;
  const range =
    low === null ? metricText(metric, low) : `${metricText(metric, low)} to ${metricText(metric, high)}`;
  return (
    <tr>
      <td>
        <a href={`/files/${file_id}`}>{file}</a>
        <div class="soft">{dataset}</div>
      </td>
      <td>
        {column === null || value === null ? (
          (column ?? '(whole rows)')
        ) : (
          <button
            type="button"
            class="button quiet column-button"
            onClick={() => setQuery({ of: dataset, column, metric }, { replace: true })}
          >
            {column}
          </button>
        )}
      </td>
      <td>{METRICS[metric]}</td>
      <td class="number">
        <strong>{metricText(metric, value)}</strong>
      </td>
      <td class="number" title={`of ${formatNumber(compared)} files`}>
        {range}
      </td>
      <td>{formatTime(found_at)}</td>
    </tr>
  );
}

/** The column that was chosen in the table, over the last files. */
function Trend() {
  const { query } = location.value;
  const [dataset, column, metric] = ['of', 'column', 'metric'].map((key) => query.get(key));
  const isAsked = dataset !== null && column !== null && metric !== null && Object.hasOwn(METRICS, metric);
  const address = isAsked
    ? `/api/quality/trend?${new URLSearchParams({ dataset: dataset!, column: column! })}`
    : undefined;
  const { data, problem } = useApi<ColumnTrend>(address);
  const plot = useMemo(() => data && trendPlot(data, metric as DriftFinding['metric']), [data, metric]);
  if (!isAsked) return null;
  return (
    <div class="stack" aria-live="polite">
      <div class="row">
        <h3>{`${column}: ${METRICS[metric as DriftFinding['metric']]} in the last files of ${dataset}`}</h3>
        <button
          type="button"
          class="button quiet"
          onClick={() => setQuery({ of: undefined, column: undefined, metric: undefined }, { replace: true })}
        >
          Close
        </button>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {plot && <Chart plot={plot} heightPx={240} />}
    </div>
  );
}
