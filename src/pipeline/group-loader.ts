import { DropgateError, messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { TableSpec } from '../config/settings.js';
import type { Engine } from '../load/engine.js';
import { type FileToLoad, type LoadOutcome, loadFiles } from '../load/load-files.js';
import type { CopyPiece } from '../load/parquet-source.js';
import { TargetTables } from './target-tables.js';

/** A Parquet file on its way into a table. */
export interface GroupFile extends FileToLoad {
  /** Name and path in the output folder. */
  name: string;
  path: string;
  /** Of the Parquet file, see `fingerprintText`. */
  fingerprint: string;
}

/**
 * What became of a file of a group, besides what the database says of it:
 * - `unreadable`: its disk has trouble; `fault` says which
 * - `undone`: another file of its transaction was unreadable
 */
export type GroupOutcome = LoadOutcome | { status: 'unreadable'; fault: unknown } | { status: 'undone' };

export interface GroupLoaderOptions {
  engine: Engine;
  log: Log;
  /** The COPY text of Parquet files, one after the other, for a table. */
  copyTextOf(paths: string[], table: TableSpec): AsyncIterable<CopyPiece>;
}

/** Loads groups of files, and tells trouble of a file's disk from trouble of the database. */
export class GroupLoader {
  /** Which tables are known to be as declared. */
  readonly tables: TargetTables;
  readonly #options: GroupLoaderOptions;
  /** Why files could not be read in the attempt in hand. */
  readonly #faults = new Map<GroupFile, unknown>();

  constructor(options: GroupLoaderOptions) {
    this.#options = options;
    this.tables = new TargetTables(options);
  }

  /** An outcome a file. @throws what `engine.classify` calls transient, when it is the database's */
  async load(group: readonly GroupFile[], table: TableSpec): Promise<GroupOutcome[]> {
    try {
      let outcomes = await this.#attempt(group, table);
      if (await this.#mendTable(table, outcomes)) outcomes = await this.#attempt(group, table);
      return outcomes.map((outcome, i) => this.#withFault(outcome, group[i]));
    } catch (error) {
      if (this.#faults.size === 0) throw error;
      return group.map((file) =>
        this.#faults.has(file)
          ? { status: 'unreadable', fault: this.#faults.get(file) }
          : { status: 'undone' },
      );
    }
  }

  async #attempt(group: readonly GroupFile[], table: TableSpec): Promise<LoadOutcome[]> {
    const { engine } = this.#options;
    this.#faults.clear();
    try {
      await this.tables.ensure(table);
      const copyTextOf = (files: GroupFile[]) => this.#rowsOf(files, table);
      return await loadFiles({ engine, table, files: [...group], copyTextOf });
    } catch (error) {
      if (engine.classify(error) === 'transient') throw error;
      return group.map(({ rows }) => ({ status: 'refused', rows, error: asRefusal(error) }));
    }
  }

  /** The rows of files, with the reason kept when one cannot be read, or changed before all of it had been read. */
  async *#rowsOf(files: GroupFile[], table: TableSpec): AsyncGenerator<Uint8Array> {
    let done = 0;
    try {
      const paths = files.map((file) => file.path);
      for await (const { bytes, ended } of this.#options.copyTextOf(paths, table)) {
        if (bytes.length > 0) yield bytes;
        for (const fingerprint of ended) {
          if (fingerprint !== files[done].fingerprint)
            throw new Error(`${files[done].name} changed while it was read`);
          done++;
        }
      }
    } catch (error) {
      // A reason code is a verdict on the file, not trouble of its disk.
      if (!(error instanceof DropgateError)) this.#faults.set(files[done], error);
      throw error;
    }
  }

  /**
   * Somebody may have dropped or altered the table under us: then the refusals say so, or the table is made anew and
   * true is answered, for another attempt.
   */
  async #mendTable(table: TableSpec, outcomes: LoadOutcome[]): Promise<boolean> {
    const refused = outcomes.filter(({ status }) => status === 'refused');
    if (refused.length === 0) return false;
    try {
      return await this.tables.ensureAgain(table);
    } catch (error) {
      if (this.#options.engine.classify(error) === 'transient') throw error;
      for (const outcome of refused) outcome.error = asRefusal(error);
      return false;
    }
  }

  #withFault(outcome: LoadOutcome, file: GroupFile): GroupOutcome {
    if (outcome.status !== 'refused' || !this.#faults.has(file)) return outcome;
    return { status: 'unreadable', fault: this.#faults.get(file) };
  }
}

/** A refusal with a reason code, whatever it was that refused. */
export function asRefusal(error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  return new DropgateError('load_refused', messageOf(error), { cause: error });
}
