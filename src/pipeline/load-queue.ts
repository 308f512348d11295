import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, messageOf } from '../base/errors.js';
import { fileOps, fingerprintText, moveIntoOwnFolder, sha256Of, writeFileAtomic } from '../base/files.js';
import type { Log } from '../base/log.js';
import { backoffMs, pause, TroubleNotice } from '../base/retry.js';
import { formatDuration, plural } from '../base/text.js';
import { datasetFor } from '../config/dataset-for.js';
import type { Dataset, Folders, TableSpec } from '../config/settings.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Engine } from '../load/engine.js';
import { ensureLedgerTable, loadKey } from '../load/ledger-table.js';
import { type FileToLoad, type LoadOutcome, loadFiles } from '../load/load-files.js';
import { readParquetInfo } from '../load/parquet-source.js';
import { ensureTable } from '../load/table.js';
import type { ReadyFile } from '../watch/types.js';
import type { ConvertedFile } from './convert-file.js';
import { type Published, reportPathOf } from './publish.js';

export interface LoadQueueOptions {
  engine: Engine;
  tables: Readonly<Record<string, TableSpec>>;
  datasets: readonly Dataset[];
  identity: 'name_and_content' | 'content';
  folders: Folders;
  ledger: Ledger;
  log: Log;
  root: string;
  /** The COPY text of a Parquet file for a table. */
  copyTextOf(file: string, table: TableSpec): AsyncIterable<Uint8Array>;
  /** The watcher of the output folder may forget a file, or offer it again later. */
  release(name: string, retryInMs?: number): void;
}

/** A Parquet file that waits to be loaded. */
interface Waiting extends FileToLoad {
  /** Name and path in the output folder. */
  name: string;
  path: string;
  fingerprint: string;
  /** Record in the local ledger. */
  recordId: number;
}

/** Files and rows that one transaction takes at most. */
const MAX_GROUP_FILES = 64;
const MAX_GROUP_ROWS = 1_000_000;

const BACKOFF = { firstMs: 500, maxMs: 30_000 };

/** Not a Parquet file yet? A writer that does not rename is given this long after its last change, in milliseconds. */
const PATIENCE_MS = 5000;

/** Counts since the start. */
export interface LoadTotals {
  loaded: number;
  rows: number;
  refused: number;
}

/** Loads Parquet files in order, several to a transaction, and waits while the database is away. */
export class LoadQueue {
  readonly totals: LoadTotals = { loaded: 0, rows: 0, refused: 0 };
  readonly #options: LoadQueueOptions;
  readonly #waiting: Waiting[] = [];
  /** Names that wait or are being loaded. */
  readonly #known = new Set<string>();
  /** Parquet files that are done with: name to fingerprint. */
  readonly #settled: Map<string, string>;
  readonly #readyTables = new Set<string>();
  readonly #trouble = new TroubleNotice();
  readonly #stop = new AbortController();
  #attempt = 0;
  #loop: Promise<void> | undefined;
  #reading: Promise<void> = Promise.resolve();
  #idleWaiters: (() => void)[] = [];

  constructor(options: LoadQueueOptions) {
    this.#options = options;
    this.#settled = options.ledger.settledParquet();
  }

  /** Files that wait or are being loaded. */
  get waiting(): number {
    return this.#known.size;
  }

  /** The database is away at the moment. */
  get isAway(): boolean {
    return this.#trouble.active;
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
      for (const { parquet, result } of published) await this.#offerOwn(parquet, result);
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
    await this.#reading;
    await this.#loop;
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

  async #offerOwn(parquet: string, result: ConvertedFile): Promise<void> {
    const name = path.basename(parquet);
    if (this.#known.has(name)) return;
    const { sha256, dataset, counts } = result;
    await this.#enqueue({ name, path: parquet, file: result.name, sha256, dataset, rows: counts.rows_out });
  }

  async #offerOne(file: ReadyFile): Promise<void> {
    const { name } = file;
    if (this.#known.has(name)) return this.#options.release(name);
    const fingerprint = fingerprintText(file);
    if (this.#settled.get(name) === fingerprint) return this.#options.release(name);
    try {
      const identity = await this.#identify(file);
      if (identity) await this.#enqueue({ name, path: file.path, ...identity });
      else this.#options.release(name, 1000);
    } catch (error) {
      if (error instanceof DropgateError) await this.#park({ name, path: file.path }, error);
      else
        this.#options.log.error(
          `Cannot look at ${this.#shown(file.path)}: ${messageOf(error)}; trying again`,
        );
      this.#options.release(name, error instanceof DropgateError ? undefined : 10_000);
    }
  }

  /** Which rows are these? Undefined when the file may still be in the making. */
  async #identify(
    file: ReadyFile,
  ): Promise<Pick<Waiting, 'file' | 'sha256' | 'dataset' | 'rows'> | undefined> {
    if (file.kind === 'other') throw new DropgateError('not_regular_file', 'the entry is not a regular file');
    const info = await readParquetInfo(file.path).catch((error: unknown) => {
      if (Date.now() - file.mtimeMs < PATIENCE_MS) return undefined;
      throw error;
    });
    if (!info) return undefined;
    const { metadata, rows } = info;
    const dataset = metadata['dropgate.dataset'];
    if (dataset !== undefined && metadata['dropgate.sha256'] !== undefined) {
      return {
        file: metadata['dropgate.source'] ?? file.name,
        sha256: metadata['dropgate.sha256'],
        dataset,
        rows,
      };
    }
    const claimed = this.#claimant(file.name);
    if (claimed === undefined) throw new DropgateError('no_table', `no dataset claims ${file.name}`);
    return { file: file.name, sha256: await sha256Of(file.path), dataset: claimed, rows };
  }

  /** The dataset of somebody else's Parquet file: that of its own name, or of a CSV file of this name. */
  #claimant(name: string): string | undefined {
    const stem = name.replace(/\.parquet$/i, '');
    if (Object.hasOwn(this.#options.tables, stem)) return stem;
    return datasetFor(this.#options.datasets, `${stem}.csv`).dataset?.name;
  }

  async #enqueue(found: Omit<Waiting, 'fingerprint' | 'recordId' | 'loadKey'>): Promise<void> {
    const { ledger, identity, tables } = this.#options;
    const fingerprint = fingerprintText(await fs.promises.lstat(found.path, { bigint: true }));
    const recordId = ledger.findByParquet(found.name)?.id ?? this.#addRecord(found);
    if (!Object.hasOwn(tables, found.dataset)) return this.#settle({ name: found.name, fingerprint });
    this.#known.add(found.name);
    this.#waiting.push({ ...found, fingerprint, recordId, loadKey: loadKey({ identity, ...found }) });
  }

  #addRecord(found: Pick<Waiting, 'file' | 'sha256' | 'dataset' | 'rows' | 'name'>): number {
    const now = new Date().toISOString();
    return this.#options.ledger.add({
      name: found.file,
      sha256: found.sha256,
      dataset: found.dataset,
      state: 'converted',
      code: null,
      message: null,
      bytesIn: 0,
      bytesOut: 0,
      rowsIn: found.rows,
      rowsOut: found.rows,
      droppedMissing: 0,
      droppedDuplicate: 0,
      setAside: 0,
      parquet: found.name,
      original: null,
      convertMs: null,
      arrivedAt: now,
      judgedAt: now,
    });
  }

  /** Nothing more is to be done with this Parquet file as it is. */
  #settle({ name, fingerprint }: { name: string; fingerprint: string }): void {
    this.#settled.set(name, fingerprint);
    this.#options.ledger.settleParquet(name, fingerprint);
    this.#options.release(name);
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
          await this.#readyTable(table).catch((error: unknown) => {
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
      const group = this.#nextGroup();
      try {
        await this.#loadGroup(group);
        this.#waiting.splice(0, group.length);
        this.#recovered();
      } catch (error) {
        await this.#waitForDatabase(error);
      }
      this.#tellIdle();
    }
  }

  /** The first file and those right behind it that go into the same table. */
  #nextGroup(): Waiting[] {
    const { dataset } = this.#waiting[0];
    const group: Waiting[] = [];
    let rows = 0;
    for (const file of this.#waiting) {
      rows += file.rows;
      if (file.dataset !== dataset || group.length === MAX_GROUP_FILES) break;
      if (group.length > 0 && rows > MAX_GROUP_ROWS) break;
      group.push(file);
    }
    return group;
  }

  /** Loads or parks every file of the group; throws when the database is away. */
  async #loadGroup(group: Waiting[]): Promise<void> {
    const { engine, tables } = this.#options;
    const table = tables[group[0].dataset];
    const present = await this.#withoutVanished(group);
    const startedAt = performance.now();
    let outcomes: LoadOutcome[];
    try {
      await this.#readyTable(table);
      outcomes = await loadFiles({
        engine,
        table,
        files: present,
        copyTextOf: (file) => this.#options.copyTextOf(file.path, table),
      });
    } catch (error) {
      if (engine.classify(error) === 'transient') throw error;
      outcomes = present.map(() => ({ status: 'refused', rows: 0, error: asRefusal(error) }));
    }
    const durationMs = performance.now() - startedAt;
    for (let i = 0; i < present.length; i++)
      await this.#conclude(present[i], outcomes[i], { table, durationMs, of: present.length });
  }

  /** A Parquet file that somebody took away before it was loaded cannot be loaded; its original is in the archive. */
  async #withoutVanished(group: Waiting[]): Promise<Waiting[]> {
    const present: Waiting[] = [];
    for (const file of group) {
      if (fs.existsSync(file.path)) {
        present.push(file);
        continue;
      }
      this.#known.delete(file.name);
      this.#options.log.warning(
        `${this.#shown(file.path)} was removed before it was loaded; drop its original again`,
      );
      this.#options.release(file.name);
    }
    return present;
  }

  /** Once for each table, and again after the database was away: it may be another one now. */
  async #readyTable(table: TableSpec): Promise<void> {
    if (this.#readyTables.has(table.name)) return;
    const { engine, log } = this.#options;
    await ensureLedgerTable(engine);
    const state = await ensureTable(engine, table);
    if (state === 'created') log.info(`Created table ${table.name} in ${engine.address}`);
    this.#readyTables.add(table.name);
  }

  async #conclude(
    file: Waiting,
    outcome: LoadOutcome,
    { table, durationMs, of }: { table: TableSpec; durationMs: number; of: number },
  ): Promise<void> {
    this.#known.delete(file.name);
    if (outcome.status === 'refused') {
      this.#readyTables.delete(table.name);
      await this.#park(
        file,
        outcome.error ?? new DropgateError('load_refused', 'the database refused the rows'),
      );
      return;
    }
    const { ledger, log } = this.#options;
    ledger.inTransaction(() => {
      ledger.markLoaded(file.recordId, new Date().toISOString());
      this.#settle(file);
    });
    const shown = this.#shown(file.path);
    if (outcome.status === 'already_loaded') {
      log.info(`${shown} is in ${table.name} already; nothing to load`, {
        event: 'already_loaded',
        file: file.name,
      });
      return;
    }
    this.totals.loaded++;
    this.totals.rows += outcome.rows;
    const time =
      of === 1
        ? formatDuration(durationMs)
        : `${formatDuration(durationMs)} for ${plural(of, 'file')} together`;
    log.info(`Loaded ${shown} into ${table.name}: ${plural(outcome.rows, 'row')}, ${time}`, {
      event: 'loaded',
      file: file.name,
      table: table.name,
      rows: outcome.rows,
    });
  }

  /** Puts aside a Parquet file that no retry can load, with a report beside it. */
  async #park(file: { name: string; path: string; recordId?: number }, error: DropgateError): Promise<void> {
    this.totals.refused++;
    const { folders, ledger, log } = this.#options;
    const extension = path.extname(file.name);
    await fileOps.mkdir(folders.outputFailed, { recursive: true });
    const moved = await moveIntoOwnFolder(file.path, folders.outputFailed, {
      stem: path.basename(file.name, extension),
      extension,
    });
    const { code, message, hint } = error;
    const report = {
      file: file.name,
      verdict: 'failed',
      code,
      message,
      hint,
      reported_at: new Date().toISOString(),
    };
    await writeFileAtomic(reportPathOf(moved.path), `${JSON.stringify(report, null, 2)}\n`);
    const recordId = file.recordId ?? ledger.findByParquet(file.name)?.id;
    if (recordId !== undefined) ledger.markLoadFailed(recordId, { code, message });
    this.#options.release(file.name);
    log.error(
      `Cannot load ${this.#shown(file.path)}: ${message} [${code}]; ${hint} Moved to ${this.#shown(moved.path)}`,
      {
        event: 'load_failed',
        file: file.name,
        code,
      },
    );
  }

  async #waitForDatabase(error: unknown): Promise<void> {
    this.#attempt++;
    this.#readyTables.clear();
    const { engine, log } = this.#options;
    this.#trouble.failed(() =>
      log.error(
        `The database ${engine.address} cannot be used: ${messageOf(error)} [database_unreachable]; ` +
          `${plural(this.#waiting.length, 'file')} wait, conversion goes on, loading resumes by itself`,
      ),
    );
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
    await pause(backoffMs(this.#attempt, BACKOFF), this.#stop.signal);
  }

  #recovered(): void {
    this.#attempt = 0;
    const { engine, log } = this.#options;
    this.#trouble.recovered((ms) =>
      log.info(`The database ${engine.address} works again after ${formatDuration(ms)}`),
    );
  }

  #tellIdle(): void {
    if (this.#known.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #shown(file: string): string {
    return path.relative(this.#options.root, file) || file;
  }
}

function asRefusal(error: unknown): DropgateError {
  return error instanceof DropgateError
    ? error
    : new DropgateError('load_refused', messageOf(error), { cause: error });
}
