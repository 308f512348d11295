import type { DropgateError } from '../base/errors.js';
import type { Published } from './publish.js';

/** A Parquet file whose rows are in their table. */
export interface LoadedParquet {
  /** Name in the output folder. */
  parquet: string;
  table: string;
  rows: number;
  /** They were there before: nothing was loaded. */
  isRepeated: boolean;
}

/** A Parquet file that no retry can load. */
export interface RefusedParquet {
  /** Name in the output folder. */
  parquet: string;
  /** Undefined for a file that is no Parquet file of ours. */
  dataset: string | undefined;
  error: DropgateError;
}

/**
 * Hears what becomes of files, in the main thread, at the moment at which the log is told. It must be quick, and must
 * not throw.
 */
export interface Observer {
  /** A file was converted, has failed, or was recognised as delivered before. */
  judged?(one: Published): void;
  /** The files of a task were given their names and places. */
  published?(task: { files: number; durationMs: number }): void;
  loaded?(file: LoadedParquet): void;
  refused?(file: RefusedParquet): void;
  /** A transaction of files was loaded, or refused. */
  transacted?(group: { files: number; durationMs: number }): void;
}

/** Tells several observers what one is told. */
export class Observers implements Required<Observer> {
  readonly #all = new Set<Observer>();

  /** @returns its undoing */
  add(observer: Observer): () => void {
    this.#all.add(observer);
    return () => this.#all.delete(observer);
  }

  judged(one: Published): void {
    for (const observer of this.#all) observer.judged?.(one);
  }

  published(task: { files: number; durationMs: number }): void {
    for (const observer of this.#all) observer.published?.(task);
  }

  loaded(file: LoadedParquet): void {
    for (const observer of this.#all) observer.loaded?.(file);
  }

  refused(file: RefusedParquet): void {
    for (const observer of this.#all) observer.refused?.(file);
  }

  transacted(group: { files: number; durationMs: number }): void {
    for (const observer of this.#all) observer.transacted?.(group);
  }
}
