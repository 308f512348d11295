import type { FileStory, StoryDialect } from '../../../../src/server/api/files.js';
import { delimiterTitle, originTitle } from '../../lib/file-words.js';
import { formatBytes, formatNumber } from '../../lib/format.js';

/** Rows that add up, sizes, and how the file is written. */
export function StoryFacts({ story }: { story: FileStory }) {
  return (
    <div class="facts">
      <section class="card stack">
        <h2>Rows</h2>
        <RowCounts story={story} />
      </section>
      <section class="card stack">
        <h2>File</h2>
        <Sizes story={story} />
      </section>
      {story.dialect && (
        <section class="card stack">
          <h2>How it is written</h2>
          <Dialect dialect={story.dialect} />
        </section>
      )}
    </div>
  );
}

function RowCounts({ story }: { story: FileStory }) {
  const parts: [string, number][] = [
    ['Rows out', story.rows_out],
    ['Dropped: a value is missing', story.dropped_missing],
    ['Dropped: repeats another row', story.dropped_duplicate],
    ['Set aside', story.set_aside],
  ];
  return (
    <table class="sum">
      <tbody>
        {parts.map(([title, rows], i) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            <td class="number">
              {i > 0 && <span class="soft">+ </span>}
              {formatNumber(rows)}
            </td>
          </tr>
        ))}
        <tr class="total">
          <th scope="row">Rows in</th>
          <td class="number">
            <span class="soft">= </span>
            {formatNumber(story.rows_in)}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Sizes({ story }: { story: FileStory }) {
  const { bytes_in: bytesIn, bytes_out: bytesOut, parquet, sha256 } = story;
  const share =
    bytesIn > 0 && bytesOut > 0 ? ` (${formatNumber(Math.round((bytesOut / bytesIn) * 100))} %)` : '';
  return (
    <dl class="fact-list">
      <dt>Size</dt>
      <dd>{formatBytes(bytesIn)}</dd>
      {bytesOut > 0 && (
        <>
          <dt>Parquet</dt>
          <dd>
            {formatBytes(bytesOut)}
            {share}
          </dd>
        </>
      )}
      {parquet !== null && (
        <>
          <dt>Parquet file</dt>
          <dd class="file-name">{parquet}</dd>
        </>
      )}
      {sha256 !== '' && (
        <>
          <dt>SHA-256</dt>
          <dd>
            <code class="break">{sha256}</code>
          </dd>
        </>
      )}
    </dl>
  );
}

function Dialect({ dialect }: { dialect: StoryDialect }) {
  const { encoding, delimiter, quote, header } = dialect;
  const facts: [string, string, string][] = [
    ['Encoding', encoding.value, encoding.origin],
    ['Delimiter', delimiterTitle(dialect), delimiter.origin],
    ['Quote', quote.value || 'none', quote.origin],
    ['Header', header.value, header.origin],
  ];
  return (
    <dl class="fact-list">
      {facts.map(([title, value, origin]) => (
        <>
          <dt key={`${title} term`}>{title}</dt>
          <dd key={title}>
            {value} <span class="soft">({originTitle(origin)})</span>
          </dd>
        </>
      ))}
    </dl>
  );
}
