import fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crashPoint } from '../base/crash-point.js';
import { DropgateError, messageOf } from '../base/errors.js';
import { fingerprintText, isAbsent, pathFrom } from '../base/files.js';
import type { Log } from '../base/log.js';
import { backoffMs, pause, TroubleNotice } from '../base/retry.js';
import { formatDuration, plural } from '../base/text.js';
import type { Dataset, Folders, TableSpec } from '../config/settings.js';
import type { Ledger } from '../ledger/ledger.js';
import { isContention } from '../load/classify.js';
import type { Engine } from '../load/engine.js';
import { Withdrawn } from '../load/load-files.js';
import type { AheadFile, ReadyFile } from '../watch/types.js';
import { Chores } from './chores.js';
import type { ParquetLook } from './copy-worker.js';
import { asRefusal, type CopySource, GroupLoader } from './group-loader.js';
import { HeldTables } from './held-tables.js';
import { LoadOffers } from './load-offers.js';
import { type FoundParquet, LoadRecords } from './load-records.js';
import type { Observers } from './observer.js';
import { parkParquet } from './park-parquet.js';
import type { Published } from './publish.js';
import { SettlingGroup } from './settling-group.js';
import { goTogether, isWaiting, readyFile, type Waiting, WaitingFiles } from './waiting-files.js';

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
  /** The COPY text of Parquet files, one after the other, for a table. */
  copyTextOf(paths: string[], table: TableSpec): CopySource;
  /** Small files are on their way through the conversion: they will be offered in a moment. */
  areMoreComing(): boolean;
  /** The conversion is about to tell of a Parquet file of this name. */
  isNaming(name: string): boolean;
  /** What Parquet files say of themselves: a look a file. */
  lookInto(paths: string[]): Promise<ParquetLook[]>;
  /** The watcher of the output folder may forget a file, or offer it again later. */
  release(name: string, retryInMs?: number): void;
}

/** A file whose rows are in the table, by this load or by an earlier one. */
interface Loaded {
  file: Waiting;
  isNew: boolean;
  rows: number;
}

/** How files are written down that were loaded. */
interface RecordHow {
  /** The database takes rows of the next group meanwhile, and has to be handed more. */
  isFlowing: boolean;
}

/** The files that a transaction began with. */
interface Transaction {
  first: readonly Waiting[];
  startedAtMs: number;
}

const BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** Attempts to read a Parquet file on a disk that has trouble, before it is put aside. */
const MAX_READ_ATTEMPTS = 5;
/** No file joins a transaction that has so many. */
const MAX_JOINED_FILES = 512;
/** For so long files that have settled join a transaction whose own have. What is told of them waits for its end. */
const MAX_JOINING_MS = 1000;
/** A transaction to which no file has come to join it is not kept waiting for longer than this. */
const MAX_PATIENT_MS = 500;
/** So many files are written down, and told, before the database is handed more rows: that takes about 2 ms. */
const FILES_TO_RECORD = 32;
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
  readonly #waiting = new WaitingFiles();
  readonly #offers: LoadOffers;
  readonly #loader: GroupLoader;
  readonly #trouble = new TroubleNotice();
  readonly #held: HeldTables;
  readonly #chores: Chores;
  readonly #records: LoadRecords;
  /** Files that cannot be put aside for now. */
  readonly #refused = new Set<string>();
  readonly #rereads = new Set<NodeJS.Timeout>();
  readonly #stop = new AbortController();
  readonly #settling = new SettlingGroup({ waiting: this.#waiting, signal: this.#stop.signal });
  /** The group in hand, when all of its rows have been decoded. */
  #decoded: readonly Waiting[] | undefined;
  /** What is left to be written down of the files that were loaded last. */
  #unrecorded: ((how: RecordHow) => Promise<void>) | undefined;
  #recording: Promise<void> = Promise.resolve();
  #isAbandoned = false;
  #attempt = 0;
  #condition: DatabaseCondition = { state: 'opening' };
  #loop: Promise<void> | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: LoadQueueOptions) {
    this.#options = options;
    this.#offers = new LoadOffers({
      ...options,
      waiting: this.#waiting,
      isRefused: (name) => this.#refused.has(name),
      refuse: (file, error) => this.#refuse(file, error),
      onWaiting: () => {
        this.#settling.changed();
        this.#prepareNext();
        this.#start();
      },
    });
    this.#loader = new GroupLoader(options);
    this.#held = new HeldTables(options.log);
    this.#chores = new Chores(options.log);
    this.#records = new LoadRecords(options.ledger);
  }

  /** Files that wait or are being loaded. */
  get waiting(): number {
    return this.#waiting.unfinished;
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
    return this.#waiting.files;
  }

  /** Reaches the database and makes or compares the tables before the first file is there; keeps trying. */
  open(): void {
    if (this.#loop) return;
    this.#loop = this.#prepare().finally(() => {
      this.#loop = undefined;
      this.#start();
    });
  }

  /** Nothing that is offered is taken before this has come about, which must not fail. */
  offerAfter(event: Promise<void>): void {
    this.#offers.after(event);
  }

  /** Fingerprints of those Parquet files that are done with, by name. */
  settledAmong(names: readonly string[]): ReadonlyMap<string, string> {
    return this.#offers.settledAmong(names);
  }

  /** Is a file of this name complete, and to be loaded as soon as it is its turn? */
  isToLoad(name: string): boolean {
    return this.#waiting.named(name)?.stage === 'settled';
  }

  /** Files that the conversion has just published. */
  offerConverted(published: Extract<Published, { kind: 'converted' }>[]): void {
    this.#offers.converted(published);
  }

  /** Nothing of what was coming will come. */
  noMoreAreComing(): void {
    this.#settling.changed();
  }

  /** Files that the watcher found in the output folder: ours from before a restart, or anybody's. */
  offerFound(files: readonly ReadyFile[]): void {
    this.#offers.found(files);
  }

  /** Files that the watcher believes to be complete, while they settle. */
  offerAhead(files: readonly AheadFile[]): void {
    this.#offers.ahead(files);
  }

  /** Something stirred at files that were offered ahead. */
  loseAhead(tickets: readonly number[]): void {
    this.#offers.lost(tickets);
  }

  /** Resolves when nothing waits any more, or when the database is away (`once` does not wait for it for ever). */
  async idle(): Promise<void> {
    await this.#offers.taken();
    if (this.#waiting.unfinished === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Resolves when the transaction in hand has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#chores.stop();
    for (const timer of this.#rereads) clearTimeout(timer);
    await this.#offers.taken();
    await this.#loop;
  }

  /** The transaction in hand is going to be cut off: what comes of it says nothing about its files. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #start(): void {
    if (this.#loop || this.#stop.signal.aborted) return;
    this.#waiting.sweep();
    if (!this.#waiting.canGo) return;
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
    while (this.#waiting.canGo && !this.#stop.signal.aborted) {
      this.#waiting.sweep();
      const next = this.#nextGroup();
      if (next.length === 0) {
        await this.#record();
        await pause(this.#held.nextInMs(), this.#stop.signal);
        continue;
      }
      const group = this.#withoutVanished(next);
      try {
        if (group.length > 0) await this.#loadGroup(group);
      } catch (error) {
        if (this.#isAbandoned) return;
        if (error instanceof Withdrawn) this.#hold(group);
        else await this.#fail(group, error);
      }
      this.#waiting.sweep();
      if (!this.#waiting.canGo) await this.#record();
      this.#tellIdle();
    }
    this.#loader.forgetAhead();
    await this.#record();
  }

  /** As much as is being decoded already, if anything is: what has joined the queue since goes into the group after it. */
  #nextGroup(inHand?: readonly Waiting[]): Waiting[] {
    const group = this.#waiting.nextGroup((table) => this.#held.holds(table), inHand);
    const prepared = this.#loader.prepared as readonly Waiting[];
    const isStill = prepared[0] === group[0] && prepared.every((file) => this.#waiting.has(file));
    return isStill && prepared.length > 0 ? [...prepared] : group;
  }

  /**
   * Files that join the transaction in hand: while its first files settle, or it is young, all that are ready by then. Those that are
   * being converted are waited for, as the database still has work.
   */
  async #moreFor(group: Waiting[], { first, startedAtMs }: Transaction): Promise<Waiting[]> {
    let more: Waiting[] = [];
    const leftOf = (milliseconds: number) => startedAtMs + milliseconds - performance.now();
    const hasRoom = group.length < MAX_JOINED_FILES;
    const isWorkThere = (): boolean => {
      const isSettling = first.some(({ stage }) => stage !== 'settled');
      const canJoin = hasRoom && (isSettling || leftOf(MAX_JOINING_MS) > 0);
      const next = canJoin ? this.#nextGroup(group) : [];
      // What has settled does not wait for what has not.
      const isWelcome = isSettling || next.every(({ stage }) => stage === 'settled');
      more = isWelcome && next.length > 0 && goTogether(next[0], group[0]) ? next : [];
      return more.length > 0;
    };
    const patienceMs = () =>
      hasRoom && group[0].text && this.#options.areMoreComing() ? leftOf(MAX_PATIENT_MS) : 0;
    await this.#settling.settled(group, { isWorkThere, patienceMs });
    group.push(...more);
    if (more.length > 0) this.#decoded = undefined;
    return more;
  }

  /** Files that did not settle as they were: they are loaded when they have. */
  #hold(group: readonly Waiting[]): void {
    for (const file of group) if (file.stage === 'settling') file.stage = 'held';
  }

  /** While the database takes the last rows of a group, the next one is decoded, as soon as there is one. */
  #prepareNext(): void {
    if (!this.#decoded || this.#loader.prepared.length > 0 || this.#stop.signal.aborted) return;
    const next = this.#waiting.nextGroup((table) => this.#held.holds(table), this.#decoded);
    if (next.length > 0) this.#loader.prepare(next, this.#options.tables[next[0].dataset]);
  }

  async #fail([{ dataset }]: Waiting[], error: unknown): Promise<void> {
    if (!isContention(error)) return this.#waitForDatabase(error);
    if (this.#held.hold(dataset, error) >= MAX_PATIENCE) this.#sendAway();
  }

  /** A Parquet file that somebody took away before it was loaded cannot be loaded; its original is in the archive. */
  #withoutVanished(group: Waiting[]): Waiting[] {
    return group.filter((file) => {
      const stats = statsOf(file.path);
      if (stats && fingerprintText(stats) === file.fingerprint) return true;
      if (file.stage !== 'settled') {
        this.#waiting.forget(file);
        return false;
      }
      if (stats) this.#takeReplaced(file, stats);
      else this.#tellVanished(file);
      return false;
    });
  }

  #takeReplaced(file: Waiting, stats: fs.BigIntStats): void {
    this.#waiting.forget(file);
    this.#options.log.warning(
      `${this.#shown(file.path)} was replaced before it was loaded; the new one is looked at`,
    );
    this.#offers.found([readyFile(file, stats)]);
  }

  #tellVanished(file: Waiting): void {
    const { log, release } = this.#options;
    this.#waiting.forget(file);
    log.warning(`${this.#shown(file.path)} was removed before it was loaded; drop its original again`);
    release(file.name);
  }

  /** Loads or refuses every file of the group; throws when the database is away. */
  async #loadGroup(group: Waiting[]): Promise<void> {
    const table = this.#options.tables[group[0].dataset];
    const startedAtMs = performance.now();
    const first = [...group];
    const outcomes = await this.#loader
      .load(group, {
        table,
        onFlow: () => void this.#record({ isFlowing: true }),
        onDecoded: () => {
          this.#decoded = group;
          this.#prepareNext();
        },
        mayCommit: () => this.#settling.settled(group),
        more: async () => (table.mode === 'append' ? this.#moreFor(group, { first, startedAtMs }) : []),
      })
      .finally(() => {
        this.#decoded = undefined;
        return this.#record();
      });
    if (this.#isAbandoned && outcomes.some(({ status }) => status !== 'loaded')) return;
    this.#recovered();
    this.#held.works(table.name);
    crashPoint('committed');
    const durationMs = performance.now() - startedAtMs;
    this.#options.observers.transacted({ files: group.length, durationMs });
    const loaded: Loaded[] = [];
    for (const [i, file] of group.entries()) {
      const outcome = outcomes[i];
      if (outcome.status === 'undone') continue;
      // Whatever is wrong with it, it is not complete yet.
      if (file.stage !== 'settled' && outcome.status !== 'loaded' && outcome.status !== 'already_loaded') {
        this.#hold([file]);
        continue;
      }
      if (outcome.status === 'unreadable') await this.#readLater(file, outcome.fault);
      else if (outcome.status === 'refused') await this.#refuse(file, asRefusal(outcome.error));
      else loaded.push({ file, isNew: outcome.status === 'loaded', rows: outcome.rows });
    }
    for (const { file } of loaded) this.#waiting.suspend(file);
    if (loaded.length > 0) this.#unrecorded = (how) => this.#loaded(loaded, { table, durationMs, ...how });
  }

  /** Writes down what was loaded last: the database has the truth, so that this may wait until it has more to do. */
  #record(how: RecordHow = { isFlowing: false }): Promise<void> {
    const record = this.#unrecorded;
    this.#unrecorded = undefined;
    if (record) this.#recording = record(how);
    return this.#recording;
  }

  /**
   * While the database has to be handed rows, a few files at a time. It is told first: a run that is killed then tells it once more,
   * and does not pass over it in silence.
   */
  async #loaded(
    loaded: readonly Loaded[],
    { table, durationMs, isFlowing }: { table: TableSpec; durationMs: number } & RecordHow,
  ): Promise<void> {
    for (const { file } of loaded) this.#offers.settle(file);
    const together = loaded.length === 1 ? '' : ` for ${plural(loaded.length, 'file')} together`;
    const took = `${formatDuration(durationMs)}${together}`;
    const atOnce = isFlowing ? FILES_TO_RECORD : loaded.length;
    for (let at = 0; at < loaded.length; at += atOnce) {
      if (at > 0) await nextTurn();
      const some = loaded.slice(at, at + atOnce);
      // 1. A word about each.
      this.#options.log.together(() => {
        for (const one of some) this.#tellLoaded(one, { table, took });
      });
      crashPoint('load-told');
      // 2. The local record.
      await this.#recordLoaded(some.map(({ file }) => file));
    }
  }

  async #recordLoaded(files: readonly Waiting[]): Promise<void> {
    const what = files.length === 1 ? this.#shown(files[0].path) : plural(files.length, 'file');
    await this.#chores.do(`note in the local ledger that the rows of ${what} are loaded`, () => {
      this.#records.loaded(files);
      for (const file of files) this.#offers.settled(file);
    });
    crashPoint('load-recorded');
    for (const file of files) {
      this.#waiting.release(file);
      this.#options.release(file.name);
    }
  }

  #tellLoaded(
    { file: { name, path: file }, isNew, rows }: Loaded,
    { table, took }: { table: TableSpec; took: string },
  ): void {
    const { log, observers } = this.#options;
    const shown = this.#shown(file);
    observers.loaded({ parquet: name, table: table.name, rows, isRepeated: !isNew });
    if (!isNew) {
      log.info(`${shown} is in ${table.name} already; nothing to load`, {
        event: 'already_loaded',
        file: name,
      });
      return;
    }
    this.totals.loaded++;
    this.totals.rows += rows;
    const fields = { event: 'loaded', file: name, table: table.name, rows };
    log.info(`Loaded ${shown} into ${table.name}: ${plural(rows, 'row')}, ${took}`, fields);
  }

  /** No retry can load this file: it is told and put aside, now or as soon as the disk allows. */
  async #refuse(file: { name: string; path: string }, error: DropgateError): Promise<void> {
    const { folders, log, observers, release } = this.#options;
    const shown = this.#shown(file.path);
    const dataset = isWaiting(file) ? file.dataset : undefined;
    if (isWaiting(file) && (await isAbsent(file.path))) return this.#tellVanished(file);
    this.totals.refused++;
    this.#refused.add(file.name);
    if (isWaiting(file)) this.#waiting.forget(file);
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
    this.#waiting.suspend(file);
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
    if (this.#waiting.unfinished === 0) this.#sendAway();
  }

  #sendAway(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #shown(file: string): string {
    return pathFrom(this.#options.root, file);
  }
}

/** Undefined for a file that is not there, or cannot be looked at. */
function statsOf(file: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(file, { bigint: true });
  } catch {
    return undefined;
  }
}
