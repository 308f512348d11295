import type { Log } from '../base/log.js';
import type { Settings } from '../config/settings.js';
import { isDelimitedName, isParquetName } from '../watch/names.js';
import { scanFolderOnce } from '../watch/scan-once.js';
import type { ReadyFile, WatchFault } from '../watch/types.js';
import { openPipeline, type Pipeline } from './app.js';
import { ArchiveKeeper } from './archive.js';
import type { LoadQueue } from './load-queue.js';

/** What one pass over the folders came to. */
export interface OnceOutcome {
  converted: number;
  failed: number;
  duplicates: number;
  rows: number;
  bytes: number;
  loaded: number;
  rowsLoaded: number;
  refused: number;
  /** Parquet files that still wait because the database is away. */
  notLoaded: number;
  /** Files that were still being written, or could not be converted for now; they stay where they are. */
  leftBehind: string[];
}

export interface OnceOptions {
  settings: Settings;
  log: Log;
  /** Hears of the joined pipeline and the files found, for a progress display. */
  onStart?: (pipeline: Pipeline, files: readonly ReadyFile[]) => void;
}

/** Longest wait for files that are still being written. */
const MAX_SETTLE_MS = 30_000;
/** How often a file whose turn must come again is tried. */
const MAX_ROUNDS = 20;

/** Converts and loads everything that is there now. Errors: `locked`, `unreadable` for a folder. */
export async function runOnce({ settings, log, onStart }: OnceOptions): Promise<OnceOutcome> {
  const again = new Map<string, number>();
  const pipeline = await openPipeline({
    settings,
    log,
    releases: {
      input: (name, retryInMs) => {
        if (retryInMs === undefined) again.delete(name);
        else again.set(name, retryInMs);
      },
      output: () => undefined,
    },
  });
  const { intake, loads, quality } = pipeline;
  try {
    // 1. Parquet files of earlier runs go first, so that tables grow in order.
    if (loads) loads.offerFound((await scanOutput(settings, log, loads)).ready);
    // 2. The files that are there.
    const { ready, unready } = await scanInput(settings, log);
    onStart?.(pipeline, ready);
    intake.offer(ready);
    await intake.idle();
    // 3. Files that changed while they were read, or whose disk was full for a moment.
    for (let round = 1; again.size > 0 && round < MAX_ROUNDS; round++)
      await retry(pipeline, { again, ready });
    await loads?.idle();
    quality.check();
    const { archive, state } = settings.folders;
    const { archiveDays } = settings.intake;
    await new ArchiveKeeper({ archive, archiveDays, stateFolder: state, log }).sweep();
    return {
      ...intake.totals,
      loaded: loads?.totals.loaded ?? 0,
      rowsLoaded: loads?.totals.rows ?? 0,
      refused: loads?.totals.refused ?? 0,
      notLoaded: loads?.waiting ?? 0,
      leftBehind: [...unready.map(({ name }) => name), ...again.keys()],
    };
  } finally {
    await pipeline.close();
  }
}

function scanInput(settings: Settings, log: Log) {
  const { folders, watch } = settings;
  return scanFolderOnce({
    ...commonOptions(settings, log),
    folder: folders.input,
    accepts: isDelimitedName,
    ready: watch.ready,
  });
}

function scanOutput(settings: Settings, log: Log, loads: LoadQueue) {
  return scanFolderOnce({
    ...commonOptions(settings, log),
    folder: settings.folders.output,
    accepts: isParquetName,
    ready: 'settle',
    doneBefore: (names) => loads.settledAmong(names),
  });
}

function commonOptions({ watch: { settleMs, polling } }: Settings, log: Log) {
  return {
    settleMs,
    polling,
    maxWaitMs: MAX_SETTLE_MS,
    onFault: ({ message, hint }: WatchFault) => log.error(`${message} ${hint}`),
  };
}

async function retry(
  { intake }: Pipeline,
  { again, ready }: { again: Map<string, number>; ready: readonly ReadyFile[] },
): Promise<void> {
  const waitMs = Math.max(...again.values());
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  const files = ready.filter(({ name }) => again.has(name));
  again.clear();
  intake.offer(files);
  await intake.idle();
}
