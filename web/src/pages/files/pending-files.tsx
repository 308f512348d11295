import type { Overview } from '../../../../src/server/api/files.js';
import { PENDING } from '../../lib/file-words.js';
import { formatBytes, formatNumber, formatTime, plural } from '../../lib/format.js';
import { TableBox } from '../../parts/table-box.js';

/** The files that are on their way, by name. Nothing where there are none. */
export function PendingFiles({ overview }: { overview: Overview | undefined }) {
  if (!overview || overview.pending.length === 0) return null;
  const { live, pending } = overview;
  const inInput = live.waiting + live.being_written + live.without_marker + live.postponed;
  const total = inInput + live.waiting_to_load + live.converting.reduce((sum, { files }) => sum + files, 0);
  const more = total - pending.length;
  return (
    <section class="stack" aria-labelledby="pending-title">
      <h2 id="pending-title">On their way</h2>
      <TableBox label="Files on their way" class="pending-box">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {pending.map(({ name, state, bytes, rows, arrived_at: arrived, pid }) => (
              <tr key={`${state === 'waiting_to_load'}${name}`}>
                <td class="file-name">{name}</td>
                <td>
                  <span class={`badge ${PENDING[state].tone}`}>{PENDING[state].title}</span>
                  {pid !== null && <span class="soft"> by process {pid}</span>}
                </td>
                <td class="number">{bytes === null ? plural(rows ?? 0, 'row') : formatBytes(bytes)}</td>
                <td>{arrived === null ? '' : formatTime(arrived)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {more > 0 && <p class="soft">and {formatNumber(more)} more</p>}
    </section>
  );
}
