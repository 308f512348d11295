import { useEffect, useRef, useState } from 'preact/hooks';
import type { UploadAnswer } from '../../../src/server/api/upload.js';
import { formatBytes, formatTime, plural } from '../lib/format.js';
import { isFailedUpload } from '../lib/send-file.js';
import { session } from '../lib/session.js';
import {
  addUploads,
  dismissEnded,
  dismissUpload,
  repeatUpload,
  type Upload,
  uploads,
} from '../lib/uploads.js';
import '../style/upload.css';

/**
 * Where files are dropped or chosen, and what becomes of them. Nothing for viewers, who may not upload.
 * @param asName the one file that is taken gets this name: a corrected file takes the place of the one that failed
 */
export function UploadBox({ asName }: { asName?: string }) {
  if (!session.value || session.value.role === 'viewer') return null;
  const shown = uploads.value.filter(({ name }) => asName === undefined || name === asName);
  return (
    <section class="stack" aria-label={asName === undefined ? 'Upload files' : 'Upload a corrected file'}>
      <DropZone asName={asName} />
      {shown.length > 0 && <UploadList shown={shown} />}
    </section>
  );
}

function DropZone({ asName }: { asName?: string }) {
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined) => {
    if (files?.length) addUploads(asName === undefined ? [...files] : [files[0]], asName);
  };
  const isOver = useDropping(take);
  return (
    <div class={`dropzone${isOver ? ' over' : ''}`}>
      <span>
        {asName === undefined ? 'Drop CSV files anywhere on this page' : `Drop the corrected ${asName} here`},
        or
      </span>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        {asName === undefined ? 'Choose files' : 'Choose the corrected file'}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple={asName === undefined}
        accept=".csv,.tsv,.txt,.gz"
        onChange={({ currentTarget }) => {
          take(currentTarget.files);
          // The same file may be chosen again.
          currentTarget.value = '';
        }}
      />
    </div>
  );
}

/** Takes files that are dropped on the page, wherever on it; says whether some hover above it. */
function useDropping(take: (files: FileList | undefined) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      // Else the browser would open the file.
      event.preventDefault();
      setIsOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setIsOver(false);
      latest.current(event.dataTransfer?.files);
    };
    window.addEventListener('dragover', onOver);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, []);
  return isOver;
}

function UploadList({ shown }: { shown: readonly Upload[] }) {
  const hasEnded = shown.some(({ state }) => state === 'done' || state === 'failed');
  return (
    <div class="stack">
      <ul class="uploads" aria-live="polite">
        {shown.map((one) => (
          <UploadRow key={one.id} upload={one} />
        ))}
      </ul>
      {hasEnded && shown.length > 1 && (
        <div class="row">
          <button type="button" class="button quiet" onClick={dismissEnded}>
            Clear the list
          </button>
        </div>
      )}
    </div>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const { id, name, file, state } = upload;
  const isUnsent = state === 'queued' || state === 'sending';
  return (
    <li class="upload">
      <div class="upload-head">
        <div class="row">
          <span class="upload-name">{name}</span>
          <span class="soft">{formatBytes(file.size)}</span>
          <State upload={upload} />
        </div>
        <button type="button" class="button quiet" onClick={() => dismissUpload(id)}>
          {isUnsent ? 'Cancel' : <span aria-hidden="true">×</span>}
          <span class="visually-hidden">
            {isUnsent ? ' ' : 'Dismiss '}
            {name}
          </span>
        </button>
      </div>
      {(isUnsent || state === 'checking') && <Progress upload={upload} />}
      <Outcome upload={upload} />
    </li>
  );
}

function Progress({ upload: { name, file, state, sentBytes } }: { upload: Upload }) {
  const label = `Sending ${name}`;
  // Without a value it shows that something goes on.
  if (state === 'checking') return <progress class="progress" aria-label={`Checking ${name}`} />;
  return <progress class="progress" aria-label={label} max={Math.max(1, file.size)} value={sentBytes} />;
}

const STATES: Record<string, [kind: string, text: string]> = {
  waiting: ['info', 'delivered'],
  converted: ['info', 'converted'],
  loaded: ['good', 'loaded'],
  duplicate: ['warn', 'duplicate'],
};

function State({ upload: { file, state, sentBytes, answer, problem } }: { upload: Upload }) {
  if (state === 'queued') return <span class="badge">queued</span>;
  if (state === 'sending') {
    const percent = file.size === 0 ? 100 : Math.floor((100 * sentBytes) / file.size);
    return <span class="badge info">{percent} % sent</span>;
  }
  if (state === 'checking') return <span class="badge info">being checked</span>;
  if (answer) {
    const [kind, text] = STATES[answer.state];
    return <span class={`badge ${kind}`}>{text}</span>;
  }
  return <span class="badge bad">{problem && isFailedUpload(problem) ? 'failed' : 'not delivered'}</span>;
}

function Outcome({ upload: { answer, problem, ...upload } }: { upload: Upload }) {
  if (answer) {
    return (
      <p class="upload-text">
        {sentence(answer)}{' '}
        <a href={answer.link}>{answer.state === 'waiting' ? 'Find it in the list' : 'See the file'}</a>
      </p>
    );
  }
  if (!problem) return null;
  const { detail, hint, status } = problem;
  return (
    <p class="upload-text">
      {detail[0].toUpperCase() + detail.slice(1)}. <span class="soft">{hint}</span>{' '}
      {isFailedUpload(problem) && <a href={problem.link}>See the violations</a>}
      {MAY_PASS.has(status) && (
        <button type="button" class="button" onClick={() => repeatUpload(upload)}>
          Send again
        </button>
      )}
    </p>
  );
}

/** No connection, a name that is taken, a folder or a disk that has trouble. */
const MAY_PASS = new Set([0, 409, 503, 507]);

function sentence({ message, rows, earlier }: UploadAnswer): string {
  if (earlier) {
    return `The same content was delivered as ${earlier.name} (${formatTime(earlier.judged_at)}); it is not loaded again.`;
  }
  const leftOut = rows ? rows.in - rows.out : 0;
  return `${message}${leftOut > 0 ? `; ${plural(leftOut, 'row')} left out` : ''}.`;
}
