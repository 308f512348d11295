import { useEffect, useState } from 'preact/hooks';
import type { FileStory, FileSummary, RetryAnswer } from '../../../../src/server/api/files.js';
import { ApiError, api, type Problem } from '../../lib/api.js';
import { codeTitle, STATES } from '../../lib/file-words.js';
import { formatNumber, formatTime } from '../../lib/format.js';
import { useReloadOnChange } from '../../lib/live.js';
import { useApi } from '../../lib/load.js';
import { location } from '../../lib/router.js';
import { session } from '../../lib/session.js';
import { ProblemNotice } from '../../parts/notice.js';
import { UploadBox } from '../../parts/upload.js';
import { StoryFacts } from './story-facts.js';
import { Timeline } from './timeline.js';
import { Violations } from './violations.js';

const RELOAD_MS = 2000;

/** The story of one delivery. */
export function StoryPage({ id }: { id: string }) {
  const { data: story, problem, reload } = useApi<FileStory>(`/api/files/${id}`);
  useReloadOnChange(reload, { everyMs: RELOAD_MS });
  useEffect(() => {
    if (story) document.title = `${story.name} · Dropgate`;
  }, [story?.name]);
  const back = location.value.query.toString();
  return (
    <>
      <nav aria-label="Back">
        <a href={back ? `/?${back}` : '/'}>← All files</a>
      </nav>
      {problem && problem.status !== 0 && <ProblemNotice problem={problem} />}
      {story && <Story story={story} reload={reload} />}
    </>
  );
}

function Story({ story, reload }: { story: FileStory; reload(): void }) {
  const { name, state, dataset } = story;
  return (
    <>
      <header class="stack">
        <div class="row">
          <h1 class="file-name">{name}</h1>
          <span class={`badge ${STATES[state].tone}`}>{STATES[state].title}</span>
          {dataset !== null && <span class="soft">Dataset {dataset}</span>}
        </div>
        <Actions story={story} reload={reload} />
      </header>
      {story.code !== null && (
        <div class="notice">
          <strong>{codeTitle(story.code)}</strong>
          <span class="break">{story.message}</span>
          {story.hint && <span>{story.hint}</span>}
        </div>
      )}
      {state === 'failed' && <UploadBox asName={name} />}
      <Timeline story={story} />
      <StoryFacts story={story} />
      <Violations story={story} />
      <Notes story={story} />
      <OtherDeliveries story={story} />
    </>
  );
}

const DOWNLOADS = {
  rejected: 'Download rejected rows',
  original: 'Download original',
  report: 'Download report',
  parquet: 'Download Parquet',
};

function Actions({ story, reload }: { story: FileStory; reload(): void }) {
  return (
    <div class="row">
      <Retry story={story} reload={reload} />
      {(Object.keys(DOWNLOADS) as (keyof typeof DOWNLOADS)[])
        .filter((what) => story.downloads.includes(what))
        .map((what) => (
          <a key={what} class="button" href={`/api/files/${story.id}/${what}`} download>
            {DOWNLOADS[what]}
          </a>
        ))}
    </div>
  );
}

function Retry({ story: { id, can_retry: canRetry }, reload }: { story: FileStory; reload(): void }) {
  const [problem, setProblem] = useState<Problem | undefined>();
  const [sentBack, setSentBack] = useState<string | undefined>();
  const isAllowed = session.value?.role !== 'viewer';
  const retry = async () => {
    setProblem(undefined);
    try {
      const { name } = await api<RetryAnswer>(`/api/files/${id}/retry`, { method: 'POST' });
      setSentBack(name);
      reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.problem);
    }
  };
  return (
    <>
      {canRetry && isAllowed && (
        <button type="button" class="button primary" onClick={retry}>
          Retry
        </button>
      )}
      <div class="retry-answer" role="status">
        {sentBack && `Sent back as ${sentBack}, to be tried again. It is a new delivery in the list.`}
      </div>
      {problem && <ProblemNotice problem={problem} />}
    </>
  );
}

const NOTE_KINDS: Record<string, string> = {
  preamble: 'above the table, no row',
  repeated_header: 'the header again, no row',
  footer: 'below the table, no row',
  mended_record: 'breaks the rules of its file, was mended',
  another_header: 'looks like the header of a further table, was taken as a row',
};

function Notes({ story: { notes, notes_total: total } }: { story: FileStory }) {
  if (total === 0) return null;
  return (
    <section class="card stack">
      <h2>Lines that are no records, were mended, or are doubtful</h2>
      <ul class="plain-list">
        {notes.map(({ line, kind, text }) => (
          <li key={line}>
            Line {formatNumber(line)}: <code class="break">{text}</code>{' '}
            <span class="soft">({NOTE_KINDS[kind] ?? codeTitle(kind)})</span>
          </li>
        ))}
      </ul>
      {total > notes.length && <p class="soft">and {formatNumber(total - notes.length)} more</p>}
    </section>
  );
}

function OtherDeliveries({ story: { same_name: sameName, repeats } }: { story: FileStory }) {
  if (sameName.length === 0 && !repeats) return null;
  return (
    <section class="card stack">
      {repeats && (
        <p>
          The same content was delivered before as{' '}
          <a class="file-name" href={`/files/${repeats.id}`}>
            {repeats.name}
          </a>{' '}
          on {formatTime(repeats.judged_at)}; it is not loaded twice.
        </p>
      )}
      {sameName.length > 0 && (
        <>
          <h2>Other deliveries of this name</h2>
          <ul class="plain-list">
            {sameName.map((file) => (
              <li key={file.id} class="row">
                <a href={`/files/${file.id}`}>{formatTime(file.arrived_at)}</a>
                <Outcome file={file} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Outcome({ file: { state, code, rows_out: rows } }: { file: FileSummary }) {
  const { title, tone } = STATES[state];
  return (
    <>
      <span class={`badge ${tone}`}>{title}</span>
      <span class="soft">{code === null ? `${formatNumber(rows)} rows` : codeTitle(code)}</span>
    </>
  );
}
