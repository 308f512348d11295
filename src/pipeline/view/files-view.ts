import path from 'node:path';
import type { Log } from '../../base/log.js';
import { openThreadPool } from '../../base/thread-pool.js';
import type { Buckets, FileQuery, FoundFiles, Throughput } from '../../ledger/file-search.js';
import type { FileRecord } from '../../ledger/ledger.js';
import type { Daemon } from '../daemon.js';
import { retryFailed } from '../retry.js';
import { type Download, downloadName } from './file-places.js';
import { type LiveState, liveState, type PendingFile, pendingFiles } from './live-state.js';
import type { LookUpData, LookUps, Totals } from './look-up-worker.js';
import { type OpenFile, openForReading } from './open-file.js';
import { retryPlace, type Story } from './story.js';

/** What became of every file, and what is under way. */
export interface FilesView {
  /** How it stands at this moment; cheap. */
  live(): LiveState;
  /** Files on their way, at most `limit` of them. */
  pending(limit: number): PendingFile[];
  /** What failed and what was loaded since `since`, ISO 8601 in UTC. */
  totals(since: string): Promise<Totals>;
  throughput(buckets: Buckets): Promise<Throughput>;
  search(query: FileQuery): Promise<FoundFiles>;
  /** Reason codes that deliveries failed with. */
  codes(): Promise<string[]>;
  /** Undefined when there is no delivery of this id. */
  story(id: number): Promise<Story | undefined>;
  /**
   * Opens what there is to download; undefined when there is no such thing (any more). `check` is asked before, and may throw.
   */
  open(id: number, what: Download, check: (record: FileRecord) => void): Promise<Opened | undefined>;
  /** Sends a failed file back to be tried again. Undefined when there is no delivery of this id. */
  retry(id: number, log: Log): Promise<Retried | undefined>;
  close(): Promise<void>;
}

/** An open file to be sent to somebody. */
export interface Opened extends OpenFile {
  /** The delivery that it belongs to. */
  record: FileRecord;
  /** The name under which it is to be saved. */
  name: string;
}

/** The name that the file got in the folder that it came from, or why it was not sent back. */
export type Retried = { name: string } | { refused: string; hint: string };

/** The thread ends when nobody has asked for so long: to start it costs as much as converting some dozen files. */
const IDLE_MS = 600_000;

/** The view on the files of a running daemon. Whatever takes longer is looked up in a thread that ends when it is idle. */
export function openFilesView(daemon: Daemon): FilesView {
  const { settings } = daemon.pipeline;
  const { folders, datasets, limits } = settings;
  const data: LookUpData = { ledgerFile: path.join(folders.state, 'ledger.db'), folders, datasets, limits };
  const thread = openThreadPool({
    worker: './look-up-worker.js',
    caller: import.meta.url,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    workerData: data,
  });
  const lookUp = <Q extends keyof LookUps>(question: Q, ask: LookUps[Q]['ask']) =>
    thread.run({ question, ask }) as Promise<LookUps[Q]['answer']>;
  return {
    live: () => liveState(daemon),
    pending: (limit) => pendingFiles(daemon, limit),
    totals: (since) => lookUp('totals', since),
    throughput: (buckets) => lookUp('throughput', buckets),
    search: (query) => lookUp('search', query),
    codes: () => lookUp('codes', undefined),
    story: (id) => lookUp('story', id),
    open: async (id, what, check) => {
      const found = await lookUp('places', id);
      if (found) check(found.record);
      const file = found?.places[what];
      const opened = file && (await openForReading(file));
      return opened ? { ...opened, record: found.record, name: downloadName(what, found.record) } : undefined;
    },
    retry: async (id, log) => {
      const found = await lookUp('places', id);
      if (!found) return undefined;
      const place = retryPlace(found.record, found.places);
      if (place === undefined) return notThere(found.record);
      const { moved, kept } = await retryFailed({ settings, names: [place], all: false, log });
      if (moved.length > 0) return { name: path.basename(moved[0].to) };
      return kept.length > 0 ? notMovable(kept[0].reason) : notThere(found.record);
    },
    close: () => thread.destroy(),
  };
}

function notThere({ name, state }: FileRecord): Retried {
  if (state !== 'failed' && state !== 'load_failed')
    return { refused: `${name} has not failed`, hint: 'Only failed files can be tried again.' };
  return {
    refused: `${name} is no longer in the failed folder`,
    hint: 'It was sent back or taken away; look for a newer delivery of this name.',
  };
}

function notMovable(reason: string): Retried {
  return {
    refused: `The file cannot be moved: ${reason}`,
    hint: 'Check the rights on the folders and the health of the disk, then try again.',
  };
}
