import { useState } from 'preact/hooks';
import type { FileStory, SourceLine, StoryViolation } from '../../../../src/server/api/files.js';
import { codeTitle } from '../../lib/file-words.js';
import { formatNumber, plural } from '../../lib/format.js';
import { TableBox } from '../../parts/table-box.js';

const STEP = 100;

/** What is wrong in a file, beside the lines where it is. */
export function Violations({ story }: { story: FileStory }) {
  const { violations, violations_not_listed: notListed, violations_by_code: byCode } = story;
  const [shown, setShown] = useState(STEP);
  const codes = Object.entries(byCode);
  const hasFailed = story.state === 'failed';
  if (codes.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="violations-title">
      <div class="row">
        <h2 id="violations-title">{hasFailed ? 'Violations' : 'Rows that were left out'}</h2>
        {codes.map(([code, count]) => (
          <span key={code} class={`badge ${hasFailed ? 'bad' : 'warn'}`}>
            {formatNumber(count)} {codeTitle(code)}
          </span>
        ))}
      </div>
      {!hasFailed && story.hint && <p class="soft">{story.hint}</p>}
      {story.is_hidden && <p class="soft">Lines and values are hidden: the file has private columns.</p>}
      {violations.length === 0 ? (
        <p class="soft">The report is not there any more; the counts are from the ledger.</p>
      ) : (
        <ViolationTable violations={violations.slice(0, shown)} />
      )}
      {violations.length > shown && (
        <div>
          <button type="button" class="button" onClick={() => setShown(shown + STEP)}>
            Show {formatNumber(Math.min(STEP, violations.length - shown))} more of{' '}
            {formatNumber(violations.length)}
          </button>
        </div>
      )}
      {notListed > 0 && <p class="soft">The report does not list {plural(notListed, 'more violation')}.</p>}
    </section>
  );
}

function ViolationTable({ violations }: { violations: StoryViolation[] }) {
  return (
    <TableBox label="List of violations">
      <table class="table violations">
        <thead>
          <tr>
            <th scope="col" class="number">
              Line
            </th>
            <th scope="col">Column</th>
            <th scope="col">What is wrong, and where</th>
          </tr>
        </thead>
        <tbody>
          {violations.map((violation) => (
            <tr key={keyOf(violation)}>
              <td class="number">{formatNumber(violation.line)}</td>
              <td>{violation.column || <span class="soft">whole row</span>}</td>
              <td class="wrong">
                {violation.message}{' '}
                <span class="soft">
                  ({codeTitle(violation.code)}, {violation.rule})
                </span>
                {violation.source && <Source line={violation.source} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** A record may break several rules, but a column of it each of them only once. */
function keyOf({ line, byte_offset: offset, column, code, rule }: StoryViolation): string {
  return [line, offset, column, code, rule].join();
}

/** The record as it stands in the file; line breaks show as signs. */
function Source({ line }: { line: SourceLine }) {
  const isWhole = line.before === '' && line.cell === '' && line.after !== '' && !line.is_cut_left;
  return (
    <code class="source">
      {line.is_cut_left && <span class="soft">…</span>}
      {visible(line.before)}
      {isWhole ? null : <mark>{line.cell === '' ? '(empty)' : visible(line.cell)}</mark>}
      {visible(line.after)}
      {line.is_cut_right && <span class="soft">…</span>}
    </code>
  );
}

function visible(text: string): string {
  return text.replace(/\r?\n|\r/g, '↵').replaceAll('\t', '⇥');
}
