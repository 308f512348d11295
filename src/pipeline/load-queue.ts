import fs from 'node:fs';
import path from 'node:path';
import { crashPoint } from '../base/crash-point.js';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import { fingerprintText, isAbsent } from '../base/files.js';
import type { Log } from '../base/log.js';
import { backoffMs, pause, TroubleNotice } from '../base/retry.js';
import { formatDuration, plural } from '../base/text.js';
import type { Dataset, Folders, TableSpec } from '../config/settings.js';
import type { Ledger } from '../ledger/ledger.js';
import { isContention } from '../load/classify.js';
import type { Engine } from '../load/engine.js';
import { loadKey } from '../load/ledger-table.js';
import type { LoadOutcome } from '../load/load-files.js';
import type { ReadyFile } from '../watch/types.js';
import { Chores } from './chores.js';
import { asRefusal, type GroupFile, GroupLoader } from './group-loader.js';
import { HeldTables } from './held-tables.js';
import { type FoundParquet, LoadRecords } from './load-records.js';
import type { Observers } from './observer.js';
import { parkParquet } from './park-parquet.js';
import { identifyParquet } from './parquet-identity.js';
import type { Published } from './publish.js';

export interface LoadQueueOptions {
  engine: Engine;
  tables: Readonly<Record<string, TableSpec>>;
  datasets: readonly Dataset[];
  identity: 'name_and_content' | 'content';
  folders: Folders;
  ledger: Ledger;
  log: Log;
  observers: Observers;
  root: string;
  /** The COPY text of a Parquet file for a table. */
  copyTextOf(file: string, table: TableSpec): AsyncIterable<Uint8Array>;
  /** The watcher of the output folder may forget a file, or offer it again later. */
  release(name: string, retryInMs?: number): void;
}

/** A Parquet file that waits to be loaded. */
interface Waiting extends GroupFile, FoundParquet {
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
const MAX_GROUP_FILES = 64;
const MAX_GROUP_ROWS = 1_000_000;

const BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** Attempts to read a Parquet file on a disk that has trouble, before it is put aside. */
const MAX_READ_ATTEMPTS = 5;
/** Somebody who waits for the queue is sent away when a busy database (a deadlock, a lock) has refused so often. */
const MAX_PATIENCE = 3;

/** Counts since the start. */
export interface LoadTotals {
  loaded: number;
  rows: number;
  refused: number;
}

/** How the database is, as the last work with it has shown. */
export interface DatabaseCondition {
  /** `opening`: not reached yet since the start; `away`: it is tried again and again. */
  state: 'opening' | 'working' | 'away';
  /** Why it cannot be used. */
  message?: string;
  /** When it was first found so, milliseconds since the epoch. */
  sinceMs?: number;
}

/** Loads Parquet files in order, several to a transaction, and waits while the database is away. */
export class LoadQueue {
  readonly totals: LoadTotals = { loaded: 0, rows: 0, refused: 0 };
  readonly #options: LoadQueueOptions;
  #waiting: Waiting[] = [];
  /** Members of the above that are done with. */
  readonly #gone = new Set<Waiting>();
  /** Names that wait or are being loaded. */
  readonly #known = new Set<string>();
  /** Parquet files that are done with: name to fingerprint. */
  readonly #settled: Map<string, string>;
  readonly #loader: GroupLoader;
  readonly #trouble = new TroubleNotice();
  readonly #held: HeldTables;
  readonly #chores: Chores;
  readonly #records: LoadRecords;
  /** Files that cannot be put aside for now. */
  readonly #refused = new Set<string>();
  readonly #rereads = new Set<NodeJS.Timeout>();
  readonly #stop = new AbortController();
  #isAbandoned = false;
  #attempt = 0;
  #condition: DatabaseCondition = { state: 'opening' };
  #loop: Promise<void> | undefined;
  #reading: Promise<void> = Promise.resolve();
  #idleWaiters: (() => void)[] = [];

  constructor(options: LoadQueueOptions) {
    this.#options = options;
    this.#settled = options.ledger.settledParquet();
    this.#loader = new GroupLoader(options);
    this.#held = new HeldTables(options.log);
    this.#chores = new Chores(options.log);
    this.#records = new LoadRecords(options.ledger);
  }

  /** Files that wait or are being loaded. */
  get waiting(): number {
    return this.#known.size;
  }

  /** The database is away at the moment. */
  get isAway(): boolean {
    return this.#trouble.active;
  }

  /** How the database is. */
  get condition(): DatabaseCondition {
    return this.#condition;
  }

  /** Files that wait, the next one first; only to be looked at. */
  get queued(): readonly Readonly<FoundParquet>[] {
    return this.#waiting;
  }

  /** Reaches the database and makes or compares the tables before the first file is there; keeps trying. */
  open(): void {
    if (this.#loop) return;
    this.#loop = this.#prepare().finally(() => {
      this.#loop = undefined;
      this.#start();
    });
  }

  /** Files that the conversion has just published. */
  offerConverted(published: Extract<Published, { kind: 'converted' }>[]): void {
    this.#inTurn(async () => {
      for (const one of published) await this.#offerOwn(one);
    });
  }

  /** Files that the watcher found in the output folder: ours from before a restart, or anybody's. */
  offerFound(files: readonly ReadyFile[]): void {
    this.#inTurn(async () => {
      for (const file of files) await this.#offerOne(file);
    });
  }

  /** Resolves when nothing waits any more, or when the database is away (`once` does not wait for it for ever). */
  async idle(): Promise<void> {
    await this.#reading;
    if (this.#known.size === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Resolves when the transaction in hand has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#chores.stop();
    for (const timer of this.#rereads) clearTimeout(timer);
    await this.#reading;
    await this.#loop;
  }

  /** The transaction in hand is going to be cut off: what comes of it says nothing about its files. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Offers are taken one after the other, in the order in which they come. */
  #inTurn(work: () => Promise<void>): void {
    this.#reading = this.#reading
      .then(work)
      .catch((error: unknown) =>
        this.#options.log.error(`Cannot queue files for loading: ${messageOf(error)}`),
      )
      .then(() => this.#start());
  }

  async #offerOwn({ parquet, result }: Extract<Published, { kind: 'converted' }>): Promise<void> {
    const { name: file, sha256, dataset, counts } = result;
    const found = { name: path.basename(parquet), path: parquet, file, sha256, dataset };
    try {
      await this.#enqueue({ ...found, rows: counts.rows_out, counts });
    } catch (error) {
      // The watcher of the folder will come upon it, when it is there.
      if (errnoOf(error) !== 'ENOENT') this.#tellUnseen(found, error);
    }
  }

  async #offerOne(file: ReadyFile): Promise<void> {
    const { name } = file;
    const { release } = this.#options;
    if (this.#refused.has(name)) return;
    if (this.#known.has(name) || this.#settled.get(name) === fingerprintText(file)) return release(name);
    try {
      const identity = await identifyParquet(file, this.#options);
      if (identity) await this.#enqueue({ ...identity, name, path: file.path });
      else release(name, 1000);
    } catch (error) {
      if (error instanceof DropgateError) return this.#refuse(file, error);
      if (errnoOf(error) !== 'ENOENT') this.#tellUnseen(file, error);
      release(name, 10_000);
    }
  }

  #tellUnseen(file: { path: string }, error: unknown): void {
    this.#options.log.error(`Cannot look at ${this.#shown(file.path)}: ${messageOf(error)}; trying again`);
  }

  async #enqueue(found: FoundParquet): Promise<void> {
    const { identity, tables, ledger, release } = this.#options;
    const { name } = found;
    const fingerprint = fingerprintText(await fs.promises.lstat(found.path, { bigint: true }));
    if (this.#known.has(name)) return;
    if (this.#settled.get(name) === fingerprint) return release(name);
    if (!Object.hasOwn(tables, found.dataset)) {
      this.#settled.set(name, fingerprint);
      ledger.settleParquet(name, fingerprint);
      return release(name);
    }
    this.#known.add(name);
    this.#waiting.push({ ...found, fingerprint, loadKey: loadKey({ identity, ...found }), faults: 0 });
  }

  #start(): void {
    if (this.#loop || this.#waiting.length === 0 || this.#stop.signal.aborted) return;
    this.#loop = this.#run().finally(() => {
      this.#loop = undefined;
      this.#start();
    });
  }

  async #prepare(): Promise<void> {
    const { engine, tables, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await engine.connect();
        for (const table of Object.values(tables)) {
          await this.#loader.tables.ensure(table).catch((error: unknown) => {
            if (engine.classify(error) === 'transient') throw error;
            log.error(`Table ${table.name} cannot be loaded: ${messageOf(error)}`);
          });
        }
        this.#recovered();
        return;
      } catch (error) {
        await this.#waitForDatabase(error);
      }
    }
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const next = this.#nextGroup();
      if (next.length === 0) {
        await pause(this.#held.nextInMs(), this.#stop.signal);
        continue;
      }
      const group = await this.#withoutVanished(next);
      try {
        if (group.length > 0) await this.#loadGroup(group);
      } catch (error) {
        if (this.#isAbandoned) return;
        await this.#fail(group, error);
      }
      this.#sweepWaiting();
      this.#tellIdle();
    }
  }

  /** The first file whose table is not held up, and those right behind it that go into the same one. */
  #nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    let rows = 0;
    for (const file of this.#waiting) {
      if (this.#held.holds(file.dataset)) continue;
      rows += file.rows;
      if (group.length > 0 && (file.dataset !== group[0].dataset || rows > MAX_GROUP_ROWS)) break;
      group.push(file);
      if (group.length === MAX_GROUP_FILES) break;
    }
    return group;
  }

  async #fail([{ dataset }]: Waiting[], error: unknown): Promise<void> {
    if (!isContention(error)) return this.#waitForDatabase(error);
    if (this.#held.hold(dataset, error) >= MAX_PATIENCE) this.#sendAway();
  }

  /** What is done with leaves the queue, mostly at its head. */
  #sweepWaiting(): void {
    let atHead = 0;
    while (this.#gone.delete(this.#waiting[atHead])) atHead++;
    this.#waiting.splice(0, atHead);
    if (this.#gone.size === 0) return;
    this.#waiting = this.#waiting.filter((file) => !this.#gone.has(file));
    this.#gone.clear();
  }

  /** A Parquet file that somebody took away before it was loaded cannot be loaded; its original is in the archive. */
  async #withoutVanished(group: Waiting[]): Promise<Waiting[]> {
    const { log } = this.#options;
    const present: Waiting[] = [];
    for (const file of group) {
      const stats = await fs.promises.lstat(file.path, { bigint: true }).catch(() => undefined);
      if (stats && fingerprintText(stats) === file.fingerprint) {
        present.push(file);
        continue;
      }
      if (!stats) this.#tellVanished(file);
      else {
        this.#forget(file);
        log.warning(`${this.#shown(file.path)} was replaced before it was loaded; the new one is looked at`);
        this.#inTurn(() => this.#offerOne(readyFile(file, stats)));
      }
    }
    return present;
  }

  #tellVanished(file: Waiting): void {
    const { log, release } = this.#options;
    this.#forget(file);
    log.warning(`${this.#shown(file.path)} was removed before it was loaded; drop its original again`);
    release(file.name);
  }

  /** Loads or refuses every file of the group; throws when the database is away. */
  async #loadGroup(group: Waiting[]): Promise<void> {
    const table = this.#options.tables[group[0].dataset];
    const startedAt = performance.now();
    const outcomes = await this.#loader.load(group, table);
    if (this.#isAbandoned && outcomes.some(({ status }) => status !== 'loaded')) return;
    this.#recovered();
    this.#held.works(table.name);
    crashPoint('committed');
    const durationMs = performance.now() - startedAt;
    this.#options.observers.transacted({ files: group.length, durationMs });
    for (const [i, file] of group.entries()) {
      const outcome = outcomes[i];
      if (outcome.status === 'undone') continue;
      if (outcome.status === 'unreadable') await this.#readLater(file, outcome.fault);
      else if (outcome.status === 'refused') await this.#refuse(file, asRefusal(outcome.error));
      else {
        const { status, rows } = outcome;
        await this.#loaded(file, { status, rows, table, durationMs, of: group.length });
      }
    }
  }

  async #loaded(
    file: Waiting,
    load: { status: LoadOutcome['status']; rows: number; table: TableSpec; durationMs: number; of: number },
  ): Promise<void> {
    const { log, observers, release } = this.#options;
    const { status, rows, table, durationMs, of } = load;
    const shown = this.#shown(file.path);
    // 1. The local record. The database has the truth, so that it may come later.
    this.#settled.set(file.name, file.fingerprint);
    await this.#chores.do(`write into the local ledger that ${shown} is loaded`, () =>
      this.#records.loaded(file),
    );
    crashPoint('load-recorded');
    this.#forget(file);
    // 2. A word about it.
    const isRepeated = status === 'already_loaded';
    observers.loaded({ parquet: file.name, table: table.name, rows, isRepeated });
    if (isRepeated) {
      const fields = { event: 'already_loaded', file: file.name };
      log.info(`${shown} is in ${table.name} already; nothing to load`, fields);
    } else {
      this.totals.loaded++;
      this.totals.rows += rows;
      const together = of === 1 ? '' : ` for ${plural(of, 'file')} together`;
      log.info(
        `Loaded ${shown} into ${table.name}: ${plural(rows, 'row')}, ${formatDuration(durationMs)}${together}`,
        { event: 'loaded', file: file.name, table: table.name, rows },
      );
    }
    release(file.name);
  }

  /** No retry can load this file: it is told and put aside, now or as soon as the disk allows. */
  async #refuse(file: { name: string; path: string }, error: DropgateError): Promise<void> {
    const { folders, log, observers, release } = this.#options;
    const shown = this.#shown(file.path);
    const dataset = isWaiting(file) ? file.dataset : undefined;
    if (isWaiting(file) && (await isAbsent(file.path))) return this.#tellVanished(file);
    this.totals.refused++;
    this.#refused.add(file.name);
    if (isWaiting(file)) this.#forget(file);
    const { code, message, hint } = error;
    log.error(
      `Cannot load ${shown}: ${message} [${code}]; ${hint} It goes to ${this.#shown(folders.outputFailed)}`,
      {
        event: 'load_failed',
        file: file.name,
        code,
      },
    );
    observers.refused({ parquet: file.name, dataset, error });
    await this.#chores.do(`put ${shown} aside`, async () => {
      this.#records.refused(file, error);
      crashPoint('load-refused');
      await parkParquet(file, { folder: folders.outputFailed, error });
      this.#refused.delete(file.name);
      release(file.name);
    });
  }

  /** A file that cannot be read now is tried again, while the others go on; for ever it is not. */
  async #readLater(file: Waiting, fault: unknown): Promise<void> {
    this.#gone.add(file);
    if (++file.faults >= MAX_READ_ATTEMPTS) {
      await this.#refuse(file, new DropgateError('unreadable', `it cannot be read: ${messageOf(fault)}`));
      return;
    }
    const shown = this.#shown(file.path);
    this.#options.log.warning(`Cannot read ${shown} for now: ${messageOf(fault)}; trying again`);
    const timer = setTimeout(
      () => {
        this.#rereads.delete(timer);
        this.#waiting.push({ ...file });
        this.#start();
      },
      backoffMs(file.faults, BACKOFF),
    );
    this.#rereads.add(timer);
  }

  #forget(file: Waiting): void {
    this.#known.delete(file.name);
    this.#gone.add(file);
  }

  async #waitForDatabase(error: unknown): Promise<void> {
    this.#attempt++;
    this.#loader.tables.forget();
    const { engine, log } = this.#options;
    const sinceMs = this.#condition.sinceMs ?? Date.now();
    this.#condition = { state: 'away', message: messageOf(error), sinceMs };
    this.#trouble.failed(() =>
      log.error(
        `The database ${engine.address} cannot be used: ${messageOf(error)} [database_unreachable]; ` +
          `${plural(this.#waiting.length, 'file')} wait, conversion goes on, loading resumes by itself`,
      ),
    );
    const isAway = error instanceof DropgateError && error.code === 'database_unreachable';
    if (isAway || this.#attempt >= MAX_PATIENCE) this.#sendAway();
    await pause(backoffMs(this.#attempt, BACKOFF), this.#stop.signal);
  }

  #recovered(): void {
    this.#attempt = 0;
    this.#condition = { state: 'working' };
    const { engine, log } = this.#options;
    this.#trouble.recovered((ms) =>
      log.info(`The database ${engine.address} works again after ${formatDuration(ms)}`),
    );
  }

  #tellIdle(): void {
    if (this.#known.size === 0) this.#sendAway();
  }

  #sendAway(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #shown(file: string): string {
    return path.relative(this.#options.root, file) || file;
  }
}

function isWaiting(file: { name: string; path: string }): file is Waiting {
  return 'loadKey' in file;
}

function readyFile({ name, path: file }: FoundParquet, stats: fs.BigIntStats): ReadyFile {
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
