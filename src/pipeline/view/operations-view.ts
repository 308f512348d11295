import type { FolderWatcher } from '../../watch/folder-watcher.js';
import type { Daemon } from '../daemon.js';
import type { Observer } from '../observer.js';
import type { Tally } from '../tally.js';

/** How the daemon is doing, for those who run it. */
export interface OperationsView {
  /** Counts since the start. */
  tally: Tally;
  /** Hears what becomes of files; answers the undoing. */
  observe(observer: Observer): () => void;
  /** How everything stands now. */
  condition(): Condition;
}

/** How the daemon is doing at a moment. */
export interface Condition {
  /** Files on their way, by what they wait for. */
  queues: {
    /** They are still changing, or a process holds them open for writing. */
    settling: number;
    /** Complete, but their marker is missing. */
    without_marker: number;
    /** They wait for a worker: complete ones, and those behind them that are only counted yet, as there are so many. */
    ready: number;
    converting: number;
    /** To be tried again. */
    postponed: number;
    /** Parquet files that wait to be loaded, or are being loaded. */
    loading: number;
  };
  /** When the file came that waits longest in the input folder, milliseconds since the epoch; undefined when none waits. */
  oldestArrivalMs: number | undefined;
  /** Undefined when nothing is loaded. */
  database: { engine: string; address: string; isAway: boolean } | undefined;
  /** The watched folders and what troubles them. */
  folders: { folder: 'input' | 'output'; path: string; trouble: FolderTrouble[] }[];
}

/** Trouble of a watched folder that lasts. */
export interface FolderTrouble {
  /** It cannot be listed: no file is taken. Otherwise the work goes on, if more slowly. */
  isBlocking: boolean;
  message: string;
  hint: string;
}

/** The view on a running daemon. */
export function openOperationsView(daemon: Daemon): OperationsView {
  const { pipeline } = daemon;
  return {
    tally: pipeline.tally,
    observe: (observer) => pipeline.observers.add(observer),
    condition: () => conditionOf(daemon),
  };
}

function conditionOf({ pipeline, input, output }: Daemon): Condition {
  const { settings, intake, loads, engine } = pipeline;
  const { settling, unmarked, waiting } = input.counts();
  return {
    queues: {
      settling,
      without_marker: unmarked,
      ready: intake.waiting + input.heldBackCount,
      converting: intake.converting,
      postponed: waiting,
      loading: loads?.waiting ?? 0,
    },
    oldestArrivalMs: oldestArrivalMs(input),
    database: engine && {
      engine: settings.database.engine,
      address: engine.address,
      isAway: loads?.condition.state === 'away',
    },
    folders: [
      { folder: 'input', path: settings.folders.input, trouble: troubleOf(input) },
      ...(output
        ? [{ folder: 'output' as const, path: settings.folders.output, trouble: troubleOf(output) }]
        : []),
    ],
  };
}

/** Files without their marker are not waited for. */
function oldestArrivalMs(watcher: FolderWatcher): number | undefined {
  const [firstHeldBack] = watcher.heldBack();
  let oldestMs = firstHeldBack?.arrivedAtMs ?? Number.POSITIVE_INFINITY;
  for (const { state, arrivedAtMs } of watcher.known()) {
    if (state !== 'unmarked') oldestMs = Math.min(oldestMs, arrivedAtMs);
  }
  return oldestMs === Number.POSITIVE_INFINITY ? undefined : oldestMs;
}

function troubleOf(watcher: FolderWatcher): FolderTrouble[] {
  return watcher
    .faults()
    .map(({ kind, message, hint }) => ({ isBlocking: kind === 'folder', message, hint }));
}
