import type { BigIntStats } from 'node:fs';
import type { ReadyFile } from '../watch/types.js';
import type { GroupFile } from './group-loader.js';
import type { FoundParquet } from './load-records.js';

/** A Parquet file that waits to be loaded. */
export interface Waiting extends GroupFile, FoundParquet {
  name: string;
  path: string;
  file: string;
  sha256: string;
  dataset: string;
  rows: number;
  /** How often it could not be read, while the database was there. */
  faults: number;
}

/** Files and rows that one transaction takes at most. */
const MAX_GROUP_FILES = 512;
const MAX_GROUP_ROWS = 1_000_000;

/** The files that wait to be loaded, in order. */
export class WaitingFiles {
  #files: Waiting[] = [];
  /** Members of the above that are done with. */
  readonly #gone = new Set<Waiting>();
  /** Names that wait, are being loaded, or are to be tried again. */
  readonly #known = new Set<string>();

  /** Files in the queue, those in hand included. */
  get length(): number {
    return this.#files.length;
  }

  /** The next one first. */
  get files(): readonly Waiting[] {
    return this.#files;
  }

  /** Files that are not done with. */
  get unfinished(): number {
    return this.#known.size;
  }

  knows(name: string): boolean {
    return this.#known.has(name);
  }

  push(file: Waiting): void {
    this.#known.add(file.name);
    this.#files.push(file);
  }

  /**
   * The first file whose table is not held up, and those right behind it that go into the same one.
   * @param inHand files that are being loaded, and do not wait any more
   */
  nextGroup(isHeldUp: (table: string) => boolean, inHand: readonly Waiting[] = []): Waiting[] {
    const group: Waiting[] = [];
    const taken = new Set(inHand);
    let rows = 0;
    for (const file of this.#files) {
      if (taken.has(file) || isHeldUp(file.dataset)) continue;
      rows += file.rows;
      if (group.length > 0 && (file.dataset !== group[0].dataset || rows > MAX_GROUP_ROWS)) break;
      group.push(file);
      if (group.length === MAX_GROUP_FILES) break;
    }
    return group;
  }

  /** It leaves the queue at the next `sweep`, to be pushed again or released later. */
  suspend(file: Waiting): void {
    this.#gone.add(file);
  }

  /** It is done with, and has left the queue. */
  release(file: Waiting): void {
    this.#known.delete(file.name);
  }

  /** It is done with, and leaves the queue at the next `sweep`. */
  forget(file: Waiting): void {
    this.#known.delete(file.name);
    this.#gone.add(file);
  }

  /** What is done with leaves the queue, mostly at its head. */
  sweep(): void {
    let atHead = 0;
    while (this.#gone.delete(this.#files[atHead])) atHead++;
    this.#files.splice(0, atHead);
    if (this.#gone.size === 0) return;
    this.#files = this.#files.filter((file) => !this.#gone.has(file));
    this.#gone.clear();
  }
}

/** Has it been identified? What cannot be is refused by its name alone. */
export function isWaiting(file: { name: string; path: string }): file is Waiting {
  return 'loadKey' in file;
}

/** A file that took the place of one that waited, as the watcher would offer it. */
export function readyFile({ name, path: file }: FoundParquet, stats: BigIntStats): ReadyFile {
  const { size, mtimeNs, ino, dev } = stats;
  return {
    name,
    path: file,
    kind: stats.isFile() ? 'file' : 'other',
    size: Number(size),
    mtimeMs: Number(mtimeNs) / 1e6,
    mtimeNs,
    ino,
    dev,
    arrivedAtMs: Date.now(),
  };
}
