import { type BigIntStats, type Dirent, lstatSync } from 'node:fs';
import fs from 'node:fs/promises';
import { type EventRequest, type EventSource, listenToFolder } from './folder-events.js';
import { findOpenWriters, type WriterTarget } from './open-writers.js';

/** Everything the watcher asks of the system, so that tests can make each call fail. */
export interface FolderPort {
  readdir(folder: string): Promise<Dirent[]>;
  /** The names as bytes, for those that are not valid UTF-8. */
  readdirRaw(folder: string): Promise<Buffer[]>;
  /** Undefined, or ENOENT, when there is nothing of this name. */
  lstat(path: string): Promise<BigIntStats | undefined>;
  stat(path: string): Promise<BigIntStats>;
  /** With all folders above it; no error when it exists. */
  mkdir(folder: string): Promise<void>;
  listen(request: EventRequest): Promise<EventSource>;
  /** @returns pid of a process that holds the file open for writing, by path */
  findOpenWriters(targets: readonly WriterTarget[]): Promise<Map<string, number>>;
}

/** The real system, patient with a folder on another machine: every call waits in a thread. */
export const patientPort: FolderPort = {
  readdir: (folder) => fs.readdir(folder, { withFileTypes: true }),
  readdirRaw: (folder) => fs.readdir(folder, { encoding: 'buffer' }),
  lstat: (path) => fs.lstat(path, { bigint: true }),
  stat: (path) => fs.stat(path, { bigint: true }),
  mkdir: async (folder) => {
    await fs.mkdir(folder, { recursive: true });
  },
  listen: listenToFolder,
  findOpenWriters: (targets) => findOpenWriters(targets),
};

/**
 * The real system. A look at a file of a local folder takes some microseconds, where handing it to a thread and hearing of
 * it takes 50; whoever looks at many lets others have their turn in between.
 */
export const systemPort: FolderPort = {
  ...patientPort,
  // An error would cost more than the look.
  lstat: async (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
};
