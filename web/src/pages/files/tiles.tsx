import type { ComponentChildren } from 'preact';
import type { LiveState, Overview } from '../../../../src/server/api/files.js';
import { formatBytes, formatNumber, formatTime, plural } from '../../lib/format.js';
import { live } from '../../lib/live.js';

/** The numbers of the moment. */
export function Tiles({ overview }: { overview: Overview | undefined }) {
  const state = live.value ?? overview?.live;
  return (
    <section class="tiles" aria-label="The state of things">
      <Tile title="Waiting" value={state?.waiting}>
        {waitingText(state)}
      </Tile>
      <Tile title="Converting" value={state && sum(state.converting.map(({ files }) => files))}>
        {state?.converting.map((task) => (
          <Progress key={task.name} task={task} />
        ))}
      </Tile>
      <Tile
        title={state?.database.state === 'none' ? 'Loading is off' : 'Loading'}
        value={state?.waiting_to_load}
      >
        {state && databaseText(state)}
      </Tile>
      <Tile
        title="In the failed folders"
        value={overview && overview.failed.files + overview.failed.parquet_files}
        href="/?state=failed,load_failed"
        tone={overview && overview.failed.files + overview.failed.parquet_files > 0 ? 'bad' : undefined}
      >
        {overview && overview.failed.rejected_files > 0 && (
          <>and {plural(overview.failed.rejected_files, 'file')} of rows left out</>
        )}
      </Tile>
      <Tile title="Loaded today" value={overview?.loaded.files}>
        {overview && plural(overview.loaded.rows, 'row')}
      </Tile>
    </section>
  );
}

interface TileProps {
  title: string;
  value: number | undefined;
  href?: string;
  tone?: string;
  children?: ComponentChildren;
}

function Tile({ title, value, href, tone, children }: TileProps) {
  const number = value === undefined ? '–' : formatNumber(value);
  return (
    <div class="card tile">
      <h2 class="tile-title">{href ? <a href={href}>{title}</a> : title}</h2>
      <p class={`tile-value ${tone ?? ''}`}>{number}</p>
      <div class="tile-more soft">{children}</div>
    </div>
  );
}

function waitingText(state: LiveState | undefined): string {
  if (!state) return '';
  const parts = [
    [state.being_written, 'still being written'],
    [state.without_marker, 'without marker'],
    [state.postponed, 'to be tried again'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${formatNumber(count)} ${what}`)
    .join(', ');
}

function Progress({ task }: { task: LiveState['converting'][number] }) {
  const { name, files, share, rows_read: rows, bytes_read: read } = task;
  if (files > 1)
    return (
      <div class="tile-line">
        {name} and {plural(files - 1, 'other')}
      </div>
    );
  return (
    <div class="tile-line">
      <span class="file-name">{name}</span>
      {share !== null && <progress max={1} value={share} aria-label={`Progress of ${name}`} />}
      {rows > 0 && (
        <span>
          {plural(rows, 'row')}, {formatBytes(read)}
        </span>
      )}
    </div>
  );
}

function databaseText({ database }: LiveState): string {
  switch (database.state) {
    case 'none':
      return 'Files are converted only';
    case 'opening':
      return 'The database is being opened';
    case 'away':
      return 'The database is away';
    default:
      return `Database: ${database.engine}`;
  }
}

/** Says that the database cannot be used, as long as that is so. */
export function DatabaseNotice({ overview }: { overview: Overview | undefined }) {
  const database = (live.value ?? overview?.live)?.database;
  if (database?.state !== 'away') return null;
  return (
    <div class="notice" role="alert">
      <strong>The database cannot be used{database.since && ` since ${formatTime(database.since)}`}</strong>
      <span class="break">
        {database.address}: {database.message}
      </span>
      <span class="soft">Files are converted all the same. Loading resumes by itself; nothing is lost.</span>
    </div>
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
