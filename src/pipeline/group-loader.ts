import { DropgateError, messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { TableSpec } from '../config/settings.js';
import type { Engine } from '../load/engine.js';
import { type FileToLoad, type LoadOutcome, loadFiles, Withdrawn } from '../load/load-files.js';
import type { CopyPiece } from '../load/parquet-source.js';
import { TargetTables } from './target-tables.js';

/** A Parquet file on its way into a table. */
export interface GroupFile extends FileToLoad {
  /** Name and path in the output folder. */
  name: string;
  path: string;
  /** Of the Parquet file, see `fingerprintText`. */
  fingerprint: string;
  /** Its rows, where they need not be read from the file. */
  text?: { readonly bytes: Uint8Array | undefined };
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
  copyTextOf(paths: string[], table: TableSpec): CopySource;
}

/** COPY text that is decoded from the moment it is made. */
export interface CopySource extends AsyncIterable<CopyPiece> {
  /** Nobody is going to read it. */
  cancel(): void;
}

/** What the loader tells of a group on its way. */
export interface GroupListener {
  /** The database has been handed rows, and is busy with them; told after each piece. */
  onFlow(): void;
  /** All rows of the group have been decoded, while the database still has to take some of them. */
  onDecoded(): void;
  /** See `LoadRequest`; `more` adds the files to the group. */
  mayCommit(): Promise<void>;
  more(): Promise<GroupFile[]>;
}

interface GroupRequest {
  group: GroupFile[];
  table: TableSpec;
  listener: GroupListener;
}

/** Loads groups of files, and tells trouble of a file's disk from trouble of the database. */
export class GroupLoader {
  /** Which tables are known to be as declared. */
  readonly tables: TargetTables;
  readonly #options: GroupLoaderOptions;
  /** The text of a group that is to be loaded next. */
  #ahead: { files: readonly GroupFile[]; text: CopySource } | undefined;
  /** Why files could not be read in the attempt in hand. */
  readonly #faults = new Map<GroupFile, unknown>();

  constructor(options: GroupLoaderOptions) {
    this.#options = options;
    this.tables = new TargetTables(options);
  }

  /** Begins to decode a group that is likely to be loaded next. */
  prepare(files: readonly GroupFile[], table: TableSpec): void {
    this.forgetAhead();
    // Each of them is loaded by itself.
    if (table.mode === 'replace' && files.length > 1) return;
    this.#ahead = { files, text: this.#textOf(files, table) };
  }

  /** Nothing is going to be loaded next. */
  forgetAhead(): void {
    this.#ahead?.text.cancel();
    this.#ahead = undefined;
  }

  /** The group that is being decoded already. */
  get prepared(): readonly GroupFile[] {
    return this.#ahead?.files ?? [];
  }

  /** An outcome a file. @throws what `engine.classify` calls transient, when it is the database's */
  async load(
    group: GroupFile[],
    { table, ...listener }: { table: TableSpec } & GroupListener,
  ): Promise<GroupOutcome[]> {
    const request = { group, table, listener };
    // Decoding begins while the transaction does.
    if (!areSame(this.prepared, group)) this.prepare(group, table);
    try {
      let outcomes = await this.#attempt(request);
      if (await this.#mendTable(table, outcomes)) outcomes = await this.#attempt(request);
      return outcomes.map((outcome, i) => this.#withFault(outcome, group[i]));
    } catch (error) {
      if (this.#faults.size === 0 || error instanceof Withdrawn) throw error;
      return group.map((file) =>
        this.#faults.has(file)
          ? { status: 'unreadable', fault: this.#faults.get(file) }
          : { status: 'undone' },
      );
    }
  }

  async #attempt({ group, table, listener }: GroupRequest): Promise<LoadOutcome[]> {
    const { engine } = this.#options;
    this.#faults.clear();
    try {
      await this.tables.ensure(table);
      const copyTextOf = (files: GroupFile[]) => this.#rowsOf(files, { group, table, listener });
      const mayCommit = () => listener.mayCommit();
      const more = () => listener.more();
      // What was converted in this run was looked for in the local ledger.
      const areNew = table.mode === 'append' && group.every(({ text }) => text?.bytes !== undefined);
      return await loadFiles({ engine, table, files: group, copyTextOf, areNew, mayCommit, more });
    } catch (error) {
      if (error instanceof Withdrawn || engine.classify(error) === 'transient') throw error;
      return group.map(({ rows }) => ({ status: 'refused', rows, error: asRefusal(error) }));
    }
  }

  /** The rows of files, with the reason kept when one cannot be read, or changed before all of it had been read. */
  async *#rowsOf(files: GroupFile[], { group, table, listener }: GroupRequest): AsyncGenerator<Uint8Array> {
    let done = 0;
    try {
      for await (const { bytes, ended } of this.#takeAhead(files) ?? this.#textOf(files, table)) {
        if (bytes.length > 0) yield bytes;
        listener.onFlow();
        for (const fingerprint of ended) {
          if (fingerprint !== files[done].fingerprint)
            throw new Error(`${files[done].name} changed while it was read`);
          done++;
        }
      }
      if (files.at(-1) === group.at(-1)) listener.onDecoded();
    } catch (error) {
      // A reason code is a verdict on the file, not trouble of its disk.
      if (!(error instanceof DropgateError)) this.#faults.set(files[done], error);
      throw error;
    }
  }

  /** The text that is being decoded already, when it is that of these files; any other one is of no use any more. */
  #takeAhead(files: readonly GroupFile[]): CopySource | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const isMeant = ahead !== undefined && areSame(ahead.files, files);
    if (!isMeant) ahead?.text.cancel();
    return isMeant ? ahead.text : undefined;
  }

  #textOf(files: readonly GroupFile[], table: TableSpec): CopySource {
    const inMemory = textInMemory(files);
    if (inMemory) return inMemory;
    return this.#options.copyTextOf(
      files.map((file) => file.path),
      table,
    );
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

/** The rows of files whose text is at hand; undefined when that of one is not. */
function textInMemory(files: readonly GroupFile[]): CopySource | undefined {
  const pieces: CopyPiece[] = [];
  for (const { text, fingerprint } of files) {
    if (!text?.bytes) return undefined;
    const last = pieces.at(-1);
    const joined = last && adjoined(last.bytes, text.bytes);
    if (joined) pieces[pieces.length - 1] = { bytes: joined, ended: [...last.ended, fingerprint] };
    else pieces.push({ bytes: text.bytes, ended: [fingerprint] });
  }
  return {
    cancel: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield* pieces;
    },
  };
}

/** Two texts as one, when one lies right behind the other. */
function adjoined(text: Uint8Array, next: Uint8Array): Uint8Array | undefined {
  const isBehind = text.buffer === next.buffer && text.byteOffset + text.length === next.byteOffset;
  return isBehind ? new Uint8Array(text.buffer, text.byteOffset, text.length + next.length) : undefined;
}

function areSame(files: readonly GroupFile[], others: readonly GroupFile[]): boolean {
  return files.length === others.length && files.every((file, i) => file === others[i]);
}

/** A refusal with a reason code, whatever it was that refused. */
export function asRefusal(error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  return new DropgateError('load_refused', messageOf(error), { cause: error });
}
