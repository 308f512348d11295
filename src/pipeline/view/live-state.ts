import type { Daemon } from '../daemon.js';

/** How the pipeline stands at this moment, from what it has in memory. */
export interface LiveState {
  /** Changes whenever a delivery was written down or moved on. */
  revision: number;
  /** Complete files that wait for a worker. */
  waiting: number;
  /** Files that still change, or that a process holds open for writing. */
  beingWritten: number;
  /** Complete, but their marker is missing (`ready: marker`). */
  withoutMarker: number;
  /** To be tried again after trouble. */
  postponed: number;
  converting: ConvertingTask[];
  /** Parquet files that wait to be loaded or are being loaded. */
  waitingToLoad: number;
  database: DatabaseState;
}

/** Files that one worker has in hand together. */
export interface ConvertingTask {
  /** The first of them. */
  name: string;
  files: number;
  /** Size of all of them. */
  bytes: number;
  /** Decoded bytes and rows of the file in hand that were read so far. */
  bytesRead: number;
  rowsRead: number;
  /** How much of the only file that is; undefined for several files, and for a packed one. */
  share?: number;
  /** Milliseconds since it began. */
  forMs: number;
}

export interface DatabaseState {
  engine: string;
  /** Without the password; null when there is none. */
  address: string | null;
  /**
   * - `none`: nothing is loaded
   * - `opening`: it was not reached yet since the start
   * - `working`, `away`: as the last work with it has shown
   */
  state: 'none' | 'opening' | 'working' | 'away';
  /** Why it cannot be used. */
  message: string | null;
  /** Since when, ISO 8601 in UTC. */
  since: string | null;
}

/** A file on its way. */
export interface PendingFile {
  name: string;
  state:
    | 'being_written'
    | 'held_open'
    | 'without_marker'
    | 'waiting'
    | 'converting'
    | 'postponed'
    | 'waiting_to_load';
  /** Bytes; null for what waits to be loaded. */
  bytes: number | null;
  /** Rows of what waits to be loaded. */
  rows: number | null;
  /** ISO 8601 in UTC; null for what waits to be loaded. */
  arrivedAt: string | null;
  /** The process that holds it open. */
  pid: number | null;
}

/** Looks at the running pipeline. Costs some microseconds, however many files there are. */
export function liveState({ pipeline, input }: Daemon): LiveState {
  const { ledger, intake, loads } = pipeline;
  const counts = input.counts();
  return {
    revision: ledger.changes,
    waiting: intake.waiting + input.heldBackCount,
    beingWritten: counts.settling,
    withoutMarker: counts.unmarked,
    postponed: counts.waiting,
    converting: [...intake.tasks].map(describeTask),
    waitingToLoad: loads?.waiting ?? 0,
    database: databaseState(pipeline),
  };
}

type Pipeline = Daemon['pipeline'];
type Task = Pipeline['intake']['tasks'] extends Iterable<infer T> ? T : never;

function describeTask({ files, bytes, rows, startedAtMs }: Task): ConvertingTask {
  const [first] = files;
  const hasShare = files.length === 1 && first.size > 0 && !/\.gz$/i.test(first.name);
  return {
    name: first.name,
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    bytesRead: bytes,
    rowsRead: rows,
    share: hasShare ? Math.min(1, bytes / first.size) : undefined,
    forMs: performance.now() - startedAtMs,
  };
}

function databaseState({ settings, engine, loads }: Pipeline): DatabaseState {
  const condition = loads?.condition;
  return {
    engine: settings.database.engine,
    address: engine?.address ?? null,
    state: condition?.state ?? 'none',
    message: condition?.message ?? null,
    since: condition?.sinceMs === undefined ? null : new Date(condition.sinceMs).toISOString(),
  };
}

/** Files on their way by name, those first that came first; at most `limit` of them. */
export function pendingFiles(daemon: Daemon, limit: number): PendingFile[] {
  return [...pendingInput(daemon, limit), ...pendingLoads(daemon, limit)].slice(0, limit);
}

function pendingInput({ pipeline, input }: Daemon, limit: number): PendingFile[] {
  const inHand = new Set<string>();
  for (const { files } of pipeline.intake.tasks) for (const { name } of files) inHand.add(name);
  const pending: PendingFile[] = [];
  for (const { name, state, version, arrivedAtMs, heldBy } of input.known()) {
    if (pending.length === limit) break;
    pending.push({
      name,
      state: heldBy ? 'held_open' : state === 'offered' && inHand.has(name) ? 'converting' : STATES[state],
      bytes: Number(version.size),
      rows: null,
      arrivedAt: new Date(arrivedAtMs).toISOString(),
      pid: heldBy?.pid ?? null,
    });
  }
  for (const { name, size, arrivedAtMs } of input.heldBack()) {
    if (pending.length === limit) break;
    const arrivedAt = new Date(arrivedAtMs).toISOString();
    pending.push({ name, state: 'waiting', bytes: size, rows: null, arrivedAt, pid: null });
  }
  return pending;
}

const STATES = {
  settling: 'being_written',
  unmarked: 'without_marker',
  offered: 'waiting',
  waiting: 'postponed',
} as const;

function pendingLoads({ pipeline }: Daemon, limit: number): PendingFile[] {
  const queued = pipeline.loads?.queued.slice(0, limit) ?? [];
  return queued.map(({ name, counts }) => ({
    name,
    state: 'waiting_to_load',
    bytes: null,
    rows: counts.rows_out,
    arrivedAt: null,
    pid: null,
  }));
}
