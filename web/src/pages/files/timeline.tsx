import type { FileStory } from '../../../../src/server/api/files.js';
import { formatDuration, formatNumber, formatTime, plural } from '../../lib/format.js';

interface Step {
  title: string;
  /** ISO 8601; null for what has not come yet, or whose time is not known. */
  at: string | null;
  text?: string;
  tone: 'done' | 'bad' | 'open';
}

/** What happened to a file and when. */
export function Timeline({ story }: { story: FileStory }) {
  return (
    <section class="card stack">
      <h2>What happened</h2>
      <ol class="timeline">
        {stepsOf(story).map(({ title, at, text, tone }) => (
          <li key={title} class={tone}>
            <strong>{title}</strong>
            {at && <time dateTime={at}>{formatTime(at)}</time>}
            {text && <span class="soft break">{text}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function stepsOf(story: FileStory): Step[] {
  return [{ title: 'Arrived', at: story.arrived_at, tone: 'done' }, judged(story), ...loaded(story)];
}

function judged(story: FileStory): Step {
  const { state, judged_at: at, convert_ms: ms, rows_out: rows, original } = story;
  const place = original === null ? 'it is gone from the folder' : `the original is in ${original}`;
  if (state === 'failed') return { title: 'Failed', at, tone: 'bad', text: capitalised(place) };
  if (state === 'duplicate')
    return { title: 'Recognised as delivered before', at, tone: 'done', text: capitalised(place) };
  if (ms === null)
    return { title: 'Found in the output folder', at, tone: 'done', text: plural(rows, 'row') };
  return {
    title: 'Converted',
    at,
    tone: 'done',
    text: `${plural(rows, 'row')} in ${formatDuration(ms)}; ${place}`,
  };
}

function loaded(story: FileStory): Step[] {
  const {
    state,
    loaded_at: at,
    load_failed_at: failedAt,
    judged_at: judgedAt,
    rows_out: rows,
    dataset,
  } = story;
  switch (state) {
    case 'loaded': {
      const afterMs = at === null ? 0 : Date.parse(at) - Date.parse(judgedAt);
      return [
        {
          title: 'Loaded',
          at,
          tone: 'done',
          text: `${formatNumber(rows)} rows into ${dataset}, ${formatDuration(afterMs)} later`,
        },
      ];
    }
    case 'load_failed':
      return [
        {
          title: 'Loading failed',
          at: failedAt,
          tone: 'bad',
          text: 'The Parquet file was put aside with a report',
        },
      ];
    case 'converted':
      return [
        {
          title: 'Not loaded',
          at: null,
          tone: 'open',
          text: 'It waits for the database, or nothing is to be loaded',
        },
      ];
    default:
      return [];
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
