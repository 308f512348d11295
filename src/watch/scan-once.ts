import { DropgateError, messageOf } from '../base/errors.js';
import { quoteValue } from '../base/text.js';
import { byArrival } from './arrivals.js';
import type { FolderPort } from './folder-port.js';
import { FolderWatcher } from './folder-watcher.js';
import type { ReadyFile, UnreadyFile, WatchFault } from './types.js';

export interface ScanOptions {
  folder: string;
  accepts(name: string): boolean;
  settleMs: number;
  ready: 'settle' | 'marker';
  /** A network mount: no file's age is trusted. */
  polling: boolean;
  /** Longest wait for files that are still being written. */
  maxWaitMs: number;
  /** See `FolderWatcherOptions`. */
  doneBefore?(names: readonly string[]): ReadonlyMap<string, string>;
  /** Hears of files that cannot be looked at, and of unusable names. */
  onFault(fault: WatchFault): void;
  /** Replaced in part by tests. */
  port?: Partial<FolderPort>;
}

export interface ScanResult {
  /** In order of arrival: by mtime, then name. */
  ready: ReadyFile[];
  /** What is left behind, and why. */
  unready: UnreadyFile[];
}

/**
 * Lists a folder once and waits until everything in it is complete, at most `maxWaitMs`. Files that come meanwhile are
 * not looked at.
 * @throws DropgateError `unreadable` when the folder cannot be listed
 */
export async function scanFolderOnce({
  maxWaitMs,
  onFault,
  port,
  ...options
}: ScanOptions): Promise<ScanResult> {
  const batches: ReadyFile[][] = [];
  const folderFaults: WatchFault[] = [];
  const watcher = new FolderWatcher({
    ...options,
    rescanMs: Number.POSITIVE_INFINITY,
    onReady: (files) => batches.push(files),
    onFault: (fault) => {
      if (fault.kind === 'folder') folderFaults.push(fault);
      else onFault(fault);
    },
    onRecovered: () => undefined,
    port: { ...port, listen: async () => ({ close: async () => undefined }) },
  });
  await watcher.start();
  if (folderFaults.length === 0) await withinTime(watcher.idle(), maxWaitMs);
  const unready = watcher.unready();
  await watcher.stop();
  if (folderFaults.length > 0) throw asError(folderFaults[0]);
  return { ready: batches.flat().sort(byArrival), unready };
}

function asError({ path, hint, cause }: WatchFault): DropgateError {
  const message = `The folder ${quoteValue(path, 300)} cannot be listed: ${messageOf(cause)}`;
  return new DropgateError('unreadable', message, { hint, cause });
}

async function withinTime(work: Promise<void>, maxMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, maxMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
