import type { BigIntStats } from 'node:fs';
import type { ReadyFile } from '../watch/types.js';
import type { GroupFile } from './group-loader.js';
import type { FoundParquet } from './load-records.js';
import type { RowsText } from './rows-text.js';

/** A Parquet file that waits to be loaded. */
export interface Waiting extends GroupFile, FoundParquet {
  name: string;
  path: string;
  file: string;
  sha256: string;
  dataset: string;
  rows: number;
  /**
   * - `settled`: it is complete
   * - `settling`: its rows may go to the database, and stay if it settles
   * - `held`: nothing is done before it settles
   */
  stage: 'settled' | 'settling' | 'held';
  /** Of a file that settles, see `AheadFile`. */
  ticket?: number;
  /** Its rows as COPY text, where it was converted lately. */
  text?: RowsText;
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
  /** By name, those that wait, are being loaded, or are to be tried again. */
  readonly #known = new Map<string, Waiting>();

  /** Files in the queue, those in hand included. */
  get length(): number {
    return this.#files.length;
  }

  /** Is there one that can be loaded, now or when its table is not held up any more? */
  get canGo(): boolean {
    return this.#files.some(({ stage }) => stage !== 'held');
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

  named(name: string): Waiting | undefined {
    return this.#known.get(name);
  }

  has(file: Waiting): boolean {
    return this.#known.get(file.name) === file;
  }

  push(file: Waiting): void {
    this.#known.set(file.name, file);
    this.#files.push(file);
  }

  /**
   * The first file whose table is not held up, and those right behind it that go into the same one. Files that settle come
   * when no other one waits.
   * @param inHand files that are being loaded, and do not wait any more
   */
  nextGroup(isHeldUp: (table: string) => boolean, inHand: readonly Waiting[] = []): Waiting[] {
    const taken = new Set(inHand);
    const canTake = (file: Waiting) => !taken.has(file) && !this.#gone.has(file) && !isHeldUp(file.dataset);
    const group = this.#groupOf((file) => file.stage === 'settled' && canTake(file));
    if (group.length > 0) return group;
    return this.#groupOf((file) => file.stage === 'settling' && canTake(file));
  }

  #groupOf(canTake: (file: Waiting) => boolean): Waiting[] {
    const group: Waiting[] = [];
    let rows = 0;
    for (const file of this.#files) {
      if (!canTake(file)) continue;
      rows += file.rows;
      if (group.length > 0 && (!goTogether(file, group[0]) || rows > MAX_GROUP_ROWS)) break;
      group.push(file);
      if (group.length === MAX_GROUP_FILES) break;
    }
    return group;
  }

  /** It leaves the queue at the next `sweep`, to be pushed again or released later. */
  suspend(file: Waiting): void {
    file.text?.release();
    this.#gone.add(file);
  }

  /** It is done with, and has left the queue. */
  release(file: Waiting): void {
    if (this.has(file)) this.#known.delete(file.name);
  }

  /** It is done with, and leaves the queue at the next `sweep`. */
  forget(file: Waiting): void {
    file.text?.release();
    this.release(file);
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

/** Into the same table, and both from memory or both from the disk. */
export function goTogether(file: Waiting, other: Waiting): boolean {
  return file.dataset === other.dataset && (file.text === undefined) === (other.text === undefined);
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
