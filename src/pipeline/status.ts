import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import { fingerprintText, ignoreErrno } from '../base/files.js';
import { formatDuration } from '../base/text.js';
import { VERSION } from '../base/version.js';
import type { DatabaseSettings, Settings } from '../config/settings.js';
import { type FileRecord, Ledger, type LedgerActivity } from '../ledger/ledger.js';
import { holderOf, isLocked } from '../ledger/lock.js';
import type { Engine } from '../load/engine.js';
import { isEmbeddedServing, openEngine } from '../load/open-engine.js';
import { isDelimitedName, isIgnoredName, isParquetName } from '../watch/names.js';
import { scanFolderOnce } from '../watch/scan-once.js';
import { listFailed, readFailure } from './failed-files.js';

/** How everything stands; `dropgate status --json` prints it as it is. Times are ISO 8601 in UTC. */
export interface Status {
  /** Of the program. */
  version: string;
  /** Absolute path of the root folder. */
  root: string;
  checked_at: string;
  /** The process that holds the lock of the folders: `run`, `once`, or a `query` on the embedded database. */
  daemon: { running: boolean; pid: number | null };
  database: DatabaseStatus;
  /** Files in the input folder. */
  pending: {
    /** All of them. */
    files: number;
    /** Complete: they wait for their turn or are in hand. */
    ready: number;
    ready_bytes: number;
    /** They were still changing, or a process holds them open for writing. */
    being_written: number;
    /** Complete, but their marker is missing (`ready: marker`). */
    without_marker: number;
  };
  /** Files that lie in the two folders for failed files now. */
  failed: {
    /** Files that could not be converted, and how many there are of each reason code (`unknown`: no report). */
    files: number;
    by_code: Record<string, number>;
    /** Parquet files that could not be loaded. */
    parquet_files: number;
    parquet_by_code: Record<string, number>;
    /** `*.rejected.csv`: rows that were left out of files that passed. */
    rejected_files: number;
  };
  /** Parquet files in the output folder that are not in a table yet; 0 when nothing is to be loaded. */
  waiting_to_load: number;
  /** Since the local ledger began. */
  loaded: { files: number; rows: number };
  activity: { last_hour: Activity; last_24_hours: Activity };
  /** The files that were judged last, the newest first. */
  latest: LatestFile[];
  /** Things that could not be found out, and why. */
  warnings: string[];
}

export interface DatabaseStatus {
  engine: DatabaseSettings['engine'];
  /** Without the password; null when there is no database. */
  address: string | null;
  /**
   * - `reachable`, `unreachable`: it answers, or why it does not is in `message`
   * - `closed`: the embedded database is in no process at the moment; the next that needs it opens it
   * - `none`: nothing is loaded
   */
  state: 'reachable' | 'unreachable' | 'closed' | 'none';
  message: string | null;
}

/** What was done in a stretch of time. */
export interface Activity {
  files_converted: number;
  files_failed: number;
  files_duplicate: number;
  /** Rows and bytes of the converted files. */
  rows_converted: number;
  bytes_converted: number;
  files_loaded: number;
  rows_loaded: number;
}

export interface LatestFile {
  name: string;
  dataset: string | null;
  /** `converted` waits to be loaded (or stays so, when nothing is loaded); see the ledger. */
  state: FileRecord['state'];
  code: string | null;
  rows_in: number;
  rows_out: number;
  judged_at: string;
  loaded_at: string | null;
}

export interface StatusOptions {
  /** How long the database may take to answer. */
  databaseTimeoutMs?: number;
}

const DATABASE_TIMEOUT_MS = 3000;
/** Longest wait to see whether files that changed a moment ago stand still. */
const MAX_SETTLE_MS = 2000;
const LATEST_FILES = 10;
const HOUR_MS = 3_600_000;

/** Finds out how everything stands, beside a running daemon or without one. Changes nothing. */
export async function readStatus(
  settings: Settings,
  { databaseTimeoutMs = DATABASE_TIMEOUT_MS }: StatusOptions = {},
): Promise<Status> {
  const warnings: string[] = [];
  const [database, pending] = await Promise.all([
    databaseStatus(settings.database, databaseTimeoutMs),
    countPending(settings, warnings),
  ]);
  const ledger = openLedger(settings, warnings);
  try {
    return {
      version: VERSION,
      root: settings.root,
      checked_at: new Date().toISOString(),
      daemon: runningProcess(settings),
      database,
      pending,
      failed: await countFailed(settings, ledger),
      waiting_to_load: await countWaiting(settings, ledger),
      ...history(ledger),
      warnings,
    };
  } finally {
    ledger?.close();
  }
}

/** The process that works on the folders. */
export function runningProcess({ folders }: Settings): Status['daemon'] {
  const running = isLocked(folders.state);
  return { running, pid: (running && holderOf(folders.state)) || null };
}

async function databaseStatus(database: DatabaseSettings, timeoutMs: number): Promise<DatabaseStatus> {
  const { engine: name } = database;
  if (name === 'none') return { engine: name, address: null, state: 'none', message: null };
  if (name === 'embedded') {
    const isServed = await isEmbeddedServing(database.socketDir);
    return {
      engine: name,
      address: database.dataDir,
      state: isServed ? 'reachable' : 'closed',
      message: null,
    };
  }
  const engine = openEngine(database);
  const message = await silenceOf(engine, timeoutMs);
  return {
    engine: name,
    address: engine.address,
    state: message === undefined ? 'reachable' : 'unreachable',
    message: message ?? null,
  };
}

/** Why the database does not answer; undefined when it does. `connect` would create a schema that is missing. */
async function silenceOf(engine: Engine, timeoutMs: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${formatDuration(timeoutMs)}`), timeoutMs);
  });
  const answer = engine.readOnly('SELECT 1', { timeoutMs }).then(() => undefined, messageOf);
  const message = await Promise.race([answer, timeout]);
  clearTimeout(timer);
  // Not waited for: a server that does not answer would keep us.
  engine.close().catch(() => undefined);
  return message;
}

async function countPending(settings: Settings, warnings: string[]): Promise<Status['pending']> {
  const { folders, watch } = settings;
  try {
    const { ready, unready } = await scanFolderOnce({
      folder: folders.input,
      accepts: isDelimitedName,
      settleMs: watch.settleMs,
      ready: watch.ready,
      polling: watch.polling,
      maxWaitMs: Math.min(watch.settleMs * 2, MAX_SETTLE_MS),
      onFault: ({ message }) => warnings.push(message),
    });
    const unmarked = unready.filter(({ reason }) => reason === 'no_marker').length;
    return {
      files: ready.length + unready.length,
      ready: ready.length,
      ready_bytes: ready.reduce((sum, { size }) => sum + size, 0),
      being_written: unready.length - unmarked,
      without_marker: unmarked,
    };
  } catch (error) {
    const isMissing = errnoOf((error as DropgateError).cause) === 'ENOENT';
    if (!(error instanceof DropgateError)) throw error;
    if (!isMissing) warnings.push(error.message);
    return { files: 0, ready: 0, ready_bytes: 0, being_written: 0, without_marker: 0 };
  }
}

function openLedger({ folders }: Settings, warnings: string[]): Ledger | undefined {
  try {
    return Ledger.openExisting(path.join(folders.state, 'ledger.db'));
  } catch (error) {
    warnings.push(`The local ledger cannot be read, so the history is missing: ${messageOf(error)}`);
    return undefined;
  }
}

/** What lies there now counts; the ledger spares us to open every report. */
async function countFailed({ folders }: Settings, ledger: Ledger | undefined): Promise<Status['failed']> {
  const codes = ledger?.failedPlaces() ?? new Map<string, string>();
  const found = { files: 0, by_code: {}, parquet_files: 0, parquet_by_code: {}, rejected_files: 0 };
  for (const { kind, path: file } of await listFailed(folders)) {
    if (kind === 'rejected') {
      found.rejected_files++;
      continue;
    }
    const known = kind === 'parquet' ? undefined : codes.get(path.relative(folders.input, file));
    const code = known ?? (await readFailure(file))?.code ?? 'unknown';
    if (kind === 'parquet') found.parquet_files++;
    else found.files++;
    countUp(kind === 'parquet' ? found.parquet_by_code : found.by_code, code);
  }
  return found;
}

function countUp(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

async function countWaiting({ folders, database }: Settings, ledger: Ledger | undefined): Promise<number> {
  if (database.engine === 'none') return 0;
  const settled = ledger?.settledParquet() ?? new Map<string, string>();
  const names = await fs.promises.readdir(folders.output).catch(ignoreErrno<string[]>([], 'ENOENT'));
  let waiting = 0;
  for (const name of names) {
    if (!isParquetName(name) || isIgnoredName(name)) continue;
    const stats = await fs.promises
      .lstat(path.join(folders.output, name), { bigint: true })
      .catch(ignoreErrno(undefined, 'ENOENT'));
    if (stats && !stats.isDirectory() && settled.get(name) !== fingerprintText(stats)) waiting++;
  }
  return waiting;
}

function history(ledger: Ledger | undefined): Pick<Status, 'loaded' | 'activity' | 'latest'> {
  const since = (ms: number) => asActivity(ledger?.activity(new Date(Date.now() - ms).toISOString()));
  const summary = ledger?.summary();
  return {
    loaded: { files: summary?.byState.loaded ?? 0, rows: summary?.rowsLoaded ?? 0 },
    activity: { last_hour: since(HOUR_MS), last_24_hours: since(24 * HOUR_MS) },
    latest: (ledger?.latest(LATEST_FILES) ?? []).map(asLatest),
  };
}

function asActivity(activity: LedgerActivity | undefined): Activity {
  return {
    files_converted: activity?.converted ?? 0,
    files_failed: activity?.failed ?? 0,
    files_duplicate: activity?.duplicates ?? 0,
    rows_converted: activity?.rows ?? 0,
    bytes_converted: activity?.bytes ?? 0,
    files_loaded: activity?.loaded ?? 0,
    rows_loaded: activity?.rowsLoaded ?? 0,
  };
}

function asLatest(record: FileRecord): LatestFile {
  return {
    name: record.name,
    dataset: record.dataset,
    state: record.state,
    code: record.code,
    rows_in: record.rowsIn,
    rows_out: record.rowsOut,
    judged_at: record.judgedAt,
    loaded_at: record.loadedAt,
  };
}
