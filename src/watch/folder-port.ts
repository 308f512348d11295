import { type BigIntStats, type Dir, type Dirent, lstatSync, opendirSync } from 'node:fs';
import fs from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventRequest, type EventSource, listenToFolder } from './folder-events.js';
import { findOpenWriters, type WriterTarget } from './open-writers.js';

/** Everything the watcher asks of the system, so that tests can make each call fail. */
export interface FolderPort {
  /** The entries, some at a time: all 100,000 of a large folder at once are 50 MB. */
  readdir(folder: string): Promise<AsyncIterable<Dirent[]>>;
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

/** About a millisecond of a local disk. */
const BATCH_ENTRIES = 1024;

/** The real system, patient with a folder on another machine: every call waits in a thread. */
export const patientPort: FolderPort = {
  readdir: async (folder) => readPatiently(await fs.opendir(folder, { bufferSize: BATCH_ENTRIES })),
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
  readdir: async (folder) => readPromptly(opendirSync(folder, { bufferSize: BATCH_ENTRIES })),
  // An error would cost more than the look.
  lstat: async (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
};

async function* readPatiently(dir: Dir): AsyncGenerator<Dirent[]> {
  for await (const entry of dir) yield [entry];
}

async function* readPromptly(dir: Dir): AsyncGenerator<Dirent[]> {
  try {
    for (let batch = nextEntries(dir); batch.length > 0; batch = nextEntries(dir)) {
      yield batch;
      await nextTurn();
    }
  } finally {
    dir.closeSync();
  }
}

function nextEntries(dir: Dir): Dirent[] {
  const batch: Dirent[] = [];
  while (batch.length < BATCH_ENTRIES) {
    const entry = dir.readSync();
    if (entry === null) break;
    batch.push(entry);
  }
  return batch;
}
