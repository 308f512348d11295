import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import { fingerprintText, pathFrom } from '../base/files.js';
import type { Log } from '../base/log.js';
import type { Dataset, TableSpec } from '../config/settings.js';
import type { Ledger } from '../ledger/ledger.js';
import { loadKey } from '../load/ledger-table.js';
import type { AheadFile, ReadyFile } from '../watch/types.js';
import type { ParquetLook } from './copy-worker.js';
import type { FoundParquet } from './load-records.js';
import { identifyParquet } from './parquet-identity.js';
import type { Published } from './publish.js';
import type { RowsText } from './rows-text.js';
import type { Waiting, WaitingFiles } from './waiting-files.js';

type Converted = Extract<Published, { kind: 'converted' }>;
/** A file with its state, see `fingerprintText`. */
type Candidate = FoundParquet & { fingerprint: string; text?: RowsText };

/** So many are looked at first; loading begins with them. */
const FIRST_LOOK_FILES = 64;
/** As many are looked at together then, since decoding what is loaded comes before looking on. */
const LOOK_FILES = 256;

export interface LoadOffersOptions {
  tables: Readonly<Record<string, TableSpec>>;
  datasets: readonly Dataset[];
  identity: 'name_and_content' | 'content';
  ledger: Ledger;
  log: Log;
  root: string;
  release(name: string, retryInMs?: number): void;
  /** What Parquet files say of themselves: a look a file. */
  lookInto(paths: string[]): Promise<ParquetLook[]>;
  /** Where files go that are to be loaded. */
  waiting: WaitingFiles;
  /** The conversion is about to tell of a Parquet file of this name. */
  isNaming(name: string): boolean;
  /** A file of this name is being put aside. */
  isRefused(name: string): boolean;
  /** No retry can load this file. */
  refuse(file: ReadyFile, error: DropgateError): Promise<void>;
  /** Files wait that did not before. */
  onWaiting(): void;
}

/** Decides which of the Parquet files that are offered wait to be loaded, one offer after the other, in their order. */
export class LoadOffers {
  readonly #options: LoadOffersOptions;
  /** Parquet files that are done with and not yet known to be so in the ledger, which remembers all others: name to fingerprint. */
  readonly #settled = new Map<string, string>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: LoadOffersOptions) {
    this.#options = options;
  }

  /** Takes no offer before this has come about. */
  after(event: Promise<void>): void {
    this.#inTurn(() => event);
  }

  /** Files that the conversion has just published. */
  converted(published: readonly Converted[]): void {
    this.#inTurn(async () => {
      const settled = this.settledAmong(published.map(({ parquet }) => path.basename(parquet)));
      for (const one of published) {
        const found = this.#lookAt(one);
        const isWaiting = found !== undefined && this.#enqueue(found, settled);
        if (!isWaiting) one.result.text?.release();
      }
    });
  }

  /** Files that were found in the output folder. Loading begins with the first of many while the others are looked at. */
  found(files: readonly ReadyFile[]): void {
    this.#inTurn(() => this.#takeInLooks(files, (some) => this.#takeFound(some)));
  }

  /** Files that settle. Those that go into a table by appending wait already; about all others there is time to find out. */
  ahead(files: readonly AheadFile[]): void {
    const foreign = files.filter(({ name }) => !this.#options.isNaming(name));
    this.#inTurn(async () => {
      const settled = this.settledAmong(foreign.map(({ name }) => name));
      const { waiting, isRefused } = this.#options;
      const fresh = foreign.filter((file) => {
        const isDone = settled.get(file.name) === fingerprintText(file);
        return file.kind === 'file' && !isDone && !waiting.knows(file.name) && !isRefused(file.name);
      });
      await this.#takeInLooks(fresh, async (some) => {
        const looks = await this.#options.lookInto(some.map((file) => file.path));
        for (const [i, file] of some.entries()) await this.#identifyAhead(file, looks[i]);
      });
    });
  }

  /** Something stirred at files that settled. */
  lost(tickets: readonly number[]): void {
    this.#inTurn(async () => {
      const lost = new Set(tickets);
      for (const file of this.#options.waiting.files) {
        if (file.ticket !== undefined && lost.has(file.ticket) && file.stage !== 'settled')
          this.#options.waiting.forget(file);
      }
    });
  }

  /** Resolves when all that was offered has been looked at. */
  taken(): Promise<void> {
    return this.#last;
  }

  /** The file is done with as it is now, which the ledger does not know yet. */
  settle({ name, fingerprint }: { name: string; fingerprint: string }): void {
    this.#settled.set(name, fingerprint);
  }

  /** The ledger knows. */
  settled({ name }: { name: string }): void {
    this.#settled.delete(name);
  }

  /** Fingerprints of those that are done with. What the ledger cannot tell now, `dropgate_loads` does: such a file is not loaded again. */
  settledAmong(names: readonly string[]): Map<string, string> {
    let settled: Map<string, string>;
    try {
      settled = this.#options.ledger.settledAmong(names);
    } catch {
      settled = new Map();
    }
    for (const name of names) {
      const fingerprint = this.#settled.get(name);
      if (fingerprint !== undefined) settled.set(name, fingerprint);
    }
    return settled;
  }

  #inTurn(work: () => Promise<void>): void {
    this.#last = this.#last
      .then(work)
      .catch((error: unknown) =>
        this.#options.log.error(`Cannot queue files for loading: ${messageOf(error)}`),
      )
      .then(() => this.#options.onWaiting());
  }

  /** As many at a time as are looked at together. */
  async #takeInLooks<T>(files: readonly T[], take: (some: T[]) => Promise<void>): Promise<void> {
    let count = FIRST_LOOK_FILES;
    for (let at = 0; at < files.length; at += count, count = LOOK_FILES) {
      await take(files.slice(at, at + count));
      this.#options.onWaiting();
    }
  }

  #lookAt({ parquet, result }: Converted): Candidate | undefined {
    const { name: file, sha256, dataset, counts, text } = result;
    const found = { name: path.basename(parquet), path: parquet, file, sha256, dataset };
    try {
      const fingerprint = fingerprintText(fs.lstatSync(parquet, { bigint: true }));
      return { ...found, rows: counts.rows_out, counts, fingerprint, text };
    } catch (error) {
      // The watcher of the folder will come upon it, when it is there.
      if (errnoOf(error) !== 'ENOENT') this.#tellUnseen(found, error);
      return undefined;
    }
  }

  async #takeFound(files: readonly ReadyFile[]): Promise<void> {
    const settled = this.settledAmong(files.map(({ name }) => name));
    const fresh: ReadyFile[] = [];
    for (const file of files) {
      if (!this.#isFresh(file, settled)) continue;
      // A pipe would keep whoever opens it waiting.
      if (file.kind === 'file') fresh.push(file);
      else
        await this.#options.refuse(
          file,
          new DropgateError('not_regular_file', 'the entry is not a regular file'),
        );
    }
    if (fresh.length === 0) return;
    const looks = await this.#options.lookInto(fresh.map((file) => file.path));
    for (const [i, file] of fresh.entries()) await this.#identify(file, looks[i]);
  }

  #isFresh(file: ReadyFile, settled: ReadonlyMap<string, string>): boolean {
    const { name } = file;
    const { release, waiting, isRefused } = this.#options;
    if (isRefused(name)) return false;
    const fingerprint = fingerprintText(file);
    const isAsItWas = (known: Waiting) => known.ticket === file.ticket && known.fingerprint === fingerprint;
    if (this.#concludes(name, isAsItWas)) return false;
    if (!waiting.knows(name) && settled.get(name) !== fingerprint) return true;
    release(name);
    return false;
  }

  /** A file that waited while it settled has done so, when it is as it was; then there is nothing left to do. */
  #concludes(name: string, isAsItWas: (known: Waiting) => boolean): boolean {
    const { waiting } = this.#options;
    const known = waiting.named(name);
    if (!known || known.stage === 'settled') return false;
    if (isAsItWas(known)) known.stage = 'settled';
    else waiting.forget(known);
    return known.stage === 'settled';
  }

  async #identify(file: ReadyFile, look: ParquetLook): Promise<void> {
    const { name } = file;
    const { release, refuse } = this.#options;
    const fingerprint = fingerprintText(file);
    try {
      const identity = await identifyParquet(file, { ...this.#options, look });
      // Should it have changed since it was found, that shows before it is loaded.
      if (identity)
        this.#enqueue({ ...identity, name, path: file.path, fingerprint }, this.settledAmong([name]));
      else release(name, 1000);
    } catch (error) {
      if (error instanceof DropgateError) return refuse(file, error);
      if (errnoOf(error) !== 'ENOENT') this.#tellUnseen(file, error);
      release(name, 10_000);
    }
  }

  /** What cannot be identified now is looked at again when it has settled. */
  async #identifyAhead(file: AheadFile, look: ParquetLook): Promise<void> {
    const { tables } = this.#options;
    if (look.kind !== 'label') return;
    const found = await identifyParquet(file, { ...this.#options, look }).catch(() => undefined);
    if (!found || !Object.hasOwn(tables, found.dataset) || tables[found.dataset].mode !== 'append') return;
    const { name, path: place, ticket } = file;
    const candidate = { ...found, name, path: place, fingerprint: fingerprintText(file) };
    this.#wait(candidate, { stage: 'settling', ticket });
  }

  /** Answers whether it waits now. */
  #enqueue(found: Candidate, settled: ReadonlyMap<string, string>): boolean {
    const { tables, ledger, release, waiting } = this.#options;
    const { name, fingerprint } = found;
    // Whoever made it says that it is complete.
    if (this.#concludes(name, (known) => known.fingerprint === fingerprint) || waiting.knows(name))
      return false;
    if (settled.get(name) === fingerprint) {
      release(name);
      return false;
    }
    if (!Object.hasOwn(tables, found.dataset)) {
      ledger.settleParquet([{ name, fingerprint }]);
      release(name);
      return false;
    }
    this.#wait(found, { stage: 'settled' });
    return true;
  }

  #wait(found: Candidate, how: Pick<Waiting, 'stage' | 'ticket'>): void {
    const { identity, waiting } = this.#options;
    waiting.push({ ...found, loadKey: loadKey({ identity, ...found }), ...how, faults: 0 });
  }

  #tellUnseen(file: { path: string }, error: unknown): void {
    const { log, root } = this.#options;
    log.error(`Cannot look at ${pathFrom(root, file.path)}: ${messageOf(error)}; trying again`);
  }
}
