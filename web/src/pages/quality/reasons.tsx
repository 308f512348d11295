import type { FailureCount, QualityReport, ViolationCount } from '../../../../src/server/api/quality.js';
import { codeTitle } from '../../lib/file-words.js';
import { formatNumber } from '../../lib/format.js';
import { TableBox } from '../../parts/table-box.js';

/** Why files failed, and why rows were left out. */
export function Reasons({ reasons, violations }: Pick<QualityReport, 'reasons' | 'violations'>) {
  return (
    <div class="quality-columns">
      <section class="card stack">
        <h2>Failed files</h2>
        {reasons.length === 0 ? <p>No file has failed in this time.</p> : <FailedTable reasons={reasons} />}
      </section>
      <section class="card stack">
        <h2>Rows left out</h2>
        {violations.length === 0 ? (
          <p>No row was left out in this time.</p>
        ) : (
          <ViolationTable violations={violations} />
        )}
      </section>
    </div>
  );
}

function FailedTable({ reasons }: { reasons: FailureCount[] }) {
  return (
    <TableBox label="Failed files by reason">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">Dataset</th>
            <th scope="col" class="number">
              Files
            </th>
          </tr>
        </thead>
        <tbody>
          {reasons.map(({ dataset, stage, code, files }) => (
            <tr key={`${stage} ${dataset} ${code}`}>
              <td>
                <a href={listAddress({ dataset, stage, code })}>{codeTitle(code)}</a>
                {stage === 'load' && <span class="soft"> (while loading)</span>}
              </td>
              <td>{dataset ?? '–'}</td>
              <td class="number">{formatNumber(files)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** The files of a reason, in the list. */
function listAddress({ dataset, stage, code }: Omit<FailureCount, 'files'>): string {
  const query = new URLSearchParams({ state: stage === 'load' ? 'load_failed' : 'failed', code });
  if (dataset !== null) query.set('dataset', dataset);
  return `/?${query}`;
}

function ViolationTable({ violations }: { violations: ViolationCount[] }) {
  return (
    <TableBox label="Rows left out by reason and column">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">Column</th>
            <th scope="col">Dataset</th>
            <th scope="col" class="number">
              Times
            </th>
            <th scope="col" class="number">
              Files
            </th>
          </tr>
        </thead>
        <tbody>
          {violations.map(({ dataset, code, column, files, violations: times }) => (
            <tr key={`${dataset} ${code} ${column}`}>
              <td>{codeTitle(code)}</td>
              <td>{column ?? '(whole row)'}</td>
              <td>{dataset ?? '–'}</td>
              <td class="number">{formatNumber(times)}</td>
              <td class="number">{formatNumber(files)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
