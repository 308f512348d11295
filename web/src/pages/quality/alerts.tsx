import type { ExpectedFile, QualityAlert } from '../../../../src/server/api/quality.js';
import { formatNumber, formatTime } from '../../lib/format.js';
import { ALERTS, DELIVERIES } from '../../lib/quality-words.js';
import { TableBox } from '../../parts/table-box.js';

/** When the next files are due. */
export function Expected({ expected }: { expected: ExpectedFile[] }) {
  return (
    <section class="card stack">
      <h2>Expected files</h2>
      {expected.length === 0 ? (
        <p class="soft">
          No file is waited for. With <code>expect</code> in schema.yaml you are told when one does not come.
        </p>
      ) : (
        <ul class="plain-list expected">
          {expected.map(({ dataset, due_at, overdue_at, is_late }) => (
            <li key={dataset} class="row">
              <strong>{dataset}</strong>
              <span class={`badge ${is_late ? 'bad' : 'good'}`}>{is_late ? 'Late' : 'In time'}</span>
              <span>{is_late ? `was due ${formatTime(due_at)}` : `next due ${formatTime(due_at)}`}</span>
              {!is_late && overdue_at !== due_at && (
                <span class="soft">{`late from ${formatTime(overdue_at)}`}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What somebody was told, or should have been. */
export function Alerts({ alerts }: { alerts: QualityAlert[] }) {
  return (
    <section class="card stack">
      <h2>Alerts</h2>
      {alerts.length === 0 ? (
        <p>No alerts in this time.</p>
      ) : (
        <TableBox label="Alerts">
          <table class="table alerts">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Dataset</th>
                <th scope="col" class="number">
                  Times
                </th>
                <th scope="col">Message</th>
                <th scope="col">Webhook</th>
              </tr>
            </thead>
            <tbody>
              {alerts.map((alert) => (
                <AlertRow key={alert.id} alert={alert} />
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </section>
  );
}

function AlertRow({ alert }: { alert: QualityAlert }) {
  const { kind, dataset, count, message, files, last_at, delivery } = alert;
  const { title, tone } = ALERTS[kind] ?? { title: kind, tone: '' };
  const [first] = files;
  return (
    <tr>
      <td>{formatTime(last_at)}</td>
      <td>
        <span class={`badge ${tone}`}>{title}</span>
      </td>
      <td>{dataset ?? '–'}</td>
      <td class="number">{formatNumber(count)}</td>
      <td class="message">
        {message}
        {first !== undefined && (
          <>
            {' '}
            <a href={`/?${new URLSearchParams({ name: first })}`}>Find the file</a>
          </>
        )}
      </td>
      <td class="soft">{DELIVERIES[delivery]}</td>
    </tr>
  );
}
