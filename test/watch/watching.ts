import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FolderPort, systemPort } from '../../src/watch/folder-port.js';
import { FolderWatcher, type FolderWatcherOptions } from '../../src/watch/folder-watcher.js';
import { isDelimitedName } from '../../src/watch/names.js';
import type { ReadyFile, WatchFault, WatchRecovery } from '../../src/watch/types.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

/** A running watcher and everything that it said and did. */
export interface Watching {
  watcher: FolderWatcher;
  folder: string;
  /** In the order of arrival at the consumer, with the time on the clock of `performance.now()`. */
  batches: { files: ReadyFile[]; atMs: number }[];
  /** Names offered so far, each as often as it was offered. */
  offered(): string[];
  faults: WatchFault[];
  recoveries: WatchRecovery[];
  calls: Calls;
}

/** What was asked of the file system. */
export interface Calls {
  readdir: string[];
  lstat: string[];
}

/** Waits until at least `count` files were offered, counting each offer. */
export function untilOffered(watching: Watching, count: number): Promise<boolean> {
  return waitFor(`${count} files offered`, () => watching.offered().length >= count);
}

/** A port without events: only listings find anything. */
export const deaf: Pick<FolderPort, 'listen'> = { listen: async () => ({ close: async () => undefined }) };

/** A new empty folder to watch. */
export function watchedFolder(): string {
  const folder = join(tempDir(), 'input');
  mkdirSync(folder);
  return folder;
}

/** Starts a watcher with short times; it is stopped when the test ends. */
export async function startWatching(options: Partial<FolderWatcherOptions> = {}): Promise<Watching> {
  const watching = makeWatching(options);
  await watching.watcher.start();
  return watching;
}

/** The same, not yet started. */
export function makeWatching({ port, ...options }: Partial<FolderWatcherOptions> = {}): Watching {
  const folder = options.folder ?? watchedFolder();
  const calls: Calls = { readdir: [], lstat: [] };
  const watching: Omit<Watching, 'watcher'> = {
    folder,
    batches: [],
    offered: () => watching.batches.flatMap(({ files }) => files.map(({ name }) => name)),
    faults: [],
    recoveries: [],
    calls,
  };
  const watcher = new FolderWatcher({
    folder,
    accepts: isDelimitedName,
    settleMs: 100,
    ready: 'settle',
    polling: false,
    rescanMs: 60_000,
    onReady: (files) => watching.batches.push({ files, atMs: performance.now() }),
    onFault: (fault) => watching.faults.push(fault),
    onRecovered: (recovery) => watching.recoveries.push(recovery),
    port: countingPort(calls, port),
    ...options,
  });
  onTestFinished(() => watcher.stop());
  return { watcher, ...watching };
}

function countingPort(calls: Calls, port: Partial<FolderPort> = {}): Partial<FolderPort> {
  const real = { ...systemPort, ...port };
  return {
    ...port,
    readdir: (folder) => {
      calls.readdir.push(folder);
      return real.readdir(folder);
    },
    lstat: (path) => {
      calls.lstat.push(basename(path));
      return real.lstat(path);
    },
  };
}
