import fs from 'node:fs';
import type { Piscina } from 'piscina';
import { crashPoint } from '../base/crash-point.js';
import { DropgateError, messageOf } from '../base/errors.js';
import { pathFrom } from '../base/files.js';
import type { Log } from '../base/log.js';
import { backoffMs, TroubleNotice } from '../base/retry.js';
import { formatDuration, plural } from '../base/text.js';
import type { AheadFile, ReadyFile } from '../watch/types.js';
import { Chores } from './chores.js';
import type { ConvertedFile, ConvertResult } from './convert-file.js';
import {
  type Candidate,
  ConvertQueue,
  MAX_HELD_GROUPS,
  MAX_TASK_BYTES,
  MAX_TASK_FILES,
} from './convert-queue.js';
import type { ConvertTask } from './convert-worker.js';
import { failedOutright } from './failed-outright.js';
import { Lender } from './lender.js';
import type { Observers } from './observer.js';
import { PART_SIZES } from './part-sizes.js';
import type { Judged, Published, Publisher } from './publish.js';
import type { TextRooms } from './rows-text.js';
import { TaskProgress } from './task-progress.js';
import { tellVerdict } from './tell-verdict.js';

export interface IntakeOptions {
  /** Workers that run convert-worker. */
  pool: Piscina;
  workers: number;
  publisher: Publisher;
  log: Log;
  observers: Observers;
  /** For the rows of small files as COPY text; absent when nothing is loaded. */
  textRooms?: TextRooms;
  /** For paths in messages. */
  root: string;
  /** The file is done with (no `retryInMs`), or is to be offered again. */
  release(name: string, retryInMs?: number): void;
  /** New Parquet files, in order. */
  onConverted(files: Extract<Published, { kind: 'converted' }>[]): void;
  /** No small files are on their way any more, see `isBringing`. */
  onAllBrought(): void;
}

/** How often the log tells how far a long file is. */
const HEARTBEAT_MS = 10_000;

const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** Attempts for a file that cannot be opened or read, before it is judged unreadable. */
const MAX_READ_ATTEMPTS = 4;
/** So many files are looked for whenever one of them is done, to see whether their sender took them away. */
const FEW_FILES = 100;
/** Workers that a file may take down with it before it is failed. */
const MAX_DEATHS = 2;

/** Counts since the start, for progress and for the exit code. */
export interface IntakeTotals {
  converted: number;
  failed: number;
  duplicates: number;
  rows: number;
  bytes: number;
}

/** Takes ready files in order of arrival, has them converted by the workers, publishes and tells the result. */
export class Intake {
  readonly totals: IntakeTotals = { converted: 0, failed: 0, duplicates: 0, rows: 0, bytes: 0 };
  readonly #options: IntakeOptions;
  readonly #queue = new ConvertQueue();
  /** Tasks that are not concluded, and threads that are lent. */
  #running = 0;
  /** Those of them that keep a thread busy. */
  #converting = 0;
  /** Tasks of small files, and what was held of such, until they are published. */
  #bringing = 0;
  #isStopped = false;
  #isAbandoned = false;
  #publishing: Promise<void> = Promise.resolve();
  readonly #trouble = new TroubleNotice();
  /** Files that could not be converted for now, and how often not. */
  readonly #troubled = new Map<string, { attempts: number; path: string }>();
  readonly #chores: Chores;
  readonly #readAttempts = new Map<string, number>();
  /** How often a worker died with the file in hand; such a file travels alone. */
  readonly #deaths = new Map<string, number>();
  #idleWaiters: (() => void)[] = [];
  readonly #inHand = new Set<TaskProgress>();
  readonly #lender: Lender;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#chores = new Chores(options.log);
    this.#lender = new Lender({
      pool: options.pool,
      isIdle: () => !this.#queue.hasNext && this.#converting < options.workers,
      onLent: () => {
        this.#running++;
        this.#converting++;
      },
      onBack: () => {
        this.#running--;
        this.#converting--;
        this.#pump();
      },
    });
  }

  /** Bytes and rows of unfinished files that the workers have read so far. */
  get inHand(): { bytes: number; rows: number } {
    let bytes = 0;
    let rows = 0;
    for (const task of this.#inHand) {
      bytes += task.bytes;
      rows += task.rows;
    }
    return { bytes, rows };
  }

  /** What the workers have in hand. */
  get tasks(): Iterable<TaskProgress> {
    return this.#inHand;
  }

  /** Files that wait for a worker. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Files that the workers have in hand. */
  get converting(): number {
    let files = 0;
    for (const task of this.#inHand) files += task.files.length;
    return files;
  }

  /** Files wait or are in hand. */
  get isBusy(): boolean {
    return this.#running > 0 || this.waiting > 0;
  }

  /** Small files are being converted or published, which takes a moment. */
  get isBringing(): boolean {
    return this.#bringing > 0;
  }

  offer(files: readonly ReadyFile[]): void {
    const held = this.#queue.add(files);
    for (let i = 0; i < held.length; i += MAX_TASK_FILES)
      void this.#runHeld(held.slice(i, i + MAX_TASK_FILES));
    this.#pump();
  }

  /** Files that still settle: they are converted when there is nothing else to do, and published when they are offered. */
  readAhead(files: readonly AheadFile[]): void {
    if (this.#isStopped) return;
    this.#queue.addAhead(files);
    this.#pump();
  }

  /** Something stirred at files that were to be read ahead. */
  loseAhead(tickets: readonly number[]): void {
    void this.#discard(this.#queue.lose(tickets));
  }

  /** Resolves when nothing waits and nothing is in hand. */
  idle(): Promise<void> {
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes no more files; resolves when those in hand are published. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#chores.stop();
    await Promise.all([this.idle(), this.#discard(this.#queue.clear())]);
  }

  /** The workers are going to be ended with what they have in hand, which is done again at the next start. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /**
   * A thread goes on while the files that it converted are published, but does not run far ahead. All that is held may settle at
   * once, and no thread waits until that is published.
   */
  get #hasFreeThread(): boolean {
    const { workers } = this.#options;
    return this.#converting < workers && this.#running < 2 * workers + MAX_HELD_GROUPS;
  }

  #pump(): void {
    while (!this.#isStopped && this.#hasFreeThread && this.#queue.hasNext) {
      this.#running++;
      void this.#runTask(this.#takeTask());
    }
    if (this.#queue.hasNext) this.#lender.callBack();
    else this.#lender.lend();
    if (this.isBusy) {
      this.#heartbeat ??= setInterval(() => this.#tellProgress(), HEARTBEAT_MS);
      return;
    }
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Whoever follows the log sees that a long file is getting on. */
  #tellProgress(): void {
    for (const task of this.#inHand) {
      if (performance.now() - task.startedAtMs < HEARTBEAT_MS) continue;
      const description = task.describe((file) => this.#shown(file));
      if (description !== undefined) this.#options.log.info(`Converting ${description}`);
    }
  }

  #takeTask(): Candidate[] {
    const { workers } = this.#options;
    return this.#queue.take({ workers, isAlone: ({ name }) => this.#deaths.has(name) });
  }

  async #runTask(task: readonly Candidate[]): Promise<void> {
    const isSmall = task[0].file.size <= MAX_TASK_BYTES;
    if (isSmall) this.#bringing++;
    try {
      const results = await this.#convert(task.map(({ file }) => file));
      const judged = this.#judge(task, results);
      this.#pump();
      await this.#concludeInTurn(judged);
    } catch (error) {
      const settled = this.#giveUp(task);
      if (settled.length > 0 && !this.#isAbandoned) this.#postpone(settled, error);
    } finally {
      if (isSmall) this.#noteBrought();
      this.#running--;
      this.#pump();
    }
  }

  /** Files that were converted ahead are settled. */
  async #runHeld(held: readonly Candidate[]): Promise<void> {
    this.#running++;
    this.#bringing++;
    try {
      await this.#concludeInTurn(held.map(({ file, result }) => ({ file, result: result! })));
    } finally {
      this.#noteBrought();
      this.#running--;
      this.#pump();
    }
  }

  #noteBrought(): void {
    if (--this.#bringing === 0) this.#options.onAllBrought();
  }

  /** What became of files that are settled; the others are held, or were converted in vain. */
  #judge(task: readonly Candidate[], results: readonly ConvertResult[]): Judged[] {
    const judged: Judged[] = [];
    for (const [i, candidate] of task.entries()) {
      const result = results[i];
      const isVerdict = result.status === 'converted' || result.status === 'failed';
      if (candidate.isSettled) judged.push({ file: candidate.file, result });
      else if (isVerdict) this.#queue.hold(candidate, result);
      else this.#queue.giveUp(candidate);
    }
    void this.#discard(task.filter(({ isLost }) => isLost));
    return judged;
  }

  #discard(candidates: readonly Candidate[]): Promise<void> {
    return this.#options.publisher.discard(candidates.flatMap(({ result }) => result ?? []));
  }

  /** No thread could convert them. Answers those of them that are settled. */
  #giveUp(task: readonly Candidate[]): ReadyFile[] {
    for (const candidate of task) if (!candidate.isSettled) this.#queue.giveUp(candidate);
    return task.flatMap(({ isSettled, file }) => (isSettled ? [file] : []));
  }

  /** One task is published at a time, so that names are chosen and duplicates are found in one order. */
  async #concludeInTurn(judged: readonly Judged[]): Promise<void> {
    const turn = this.#publishing.then(() => this.#conclude(judged));
    this.#publishing = turn.catch(() => undefined);
    await turn.catch(async (error: unknown) => {
      await this.#options.publisher.discard(judged.map(({ result }) => result));
      if (!this.#isAbandoned)
        this.#postpone(
          judged.map(({ file }) => file),
          error,
        );
    });
  }

  /** Has a worker convert the files. A worker that dies of them is blamed on the file, if it was alone. */
  async #convert(files: readonly ReadyFile[]): Promise<ConvertResult[]> {
    const progress = new TaskProgress(files);
    const task: ConvertTask = {
      files: files.map(({ name, path: file }) => ({ name, path: file })),
      progress: progress.counters,
    };
    this.#inHand.add(progress);
    this.#converting++;
    const isLarge = files[0].size >= PART_SIZES.minFileBytes;
    const desk = isLarge ? this.#lender.openDesk() : undefined;
    const { pool, textRooms } = this.#options;
    const room = isLarge ? undefined : textRooms?.lend(files.reduce((sum, { size }) => sum + size, 0));
    let converted: ConvertedFile[] = [];
    try {
      const results: ConvertResult[] = await pool.run(
        { ...task, helpers: desk?.port, textRoom: room } satisfies ConvertTask,
        desk && { transferList: [desk.port] },
      );
      converted = results.filter(({ status }) => status === 'converted') as ConvertedFile[];
      return results;
    } catch (error) {
      if (this.#isAbandoned) throw error;
      for (const { name } of files) this.#deaths.set(name, (this.#deaths.get(name) ?? 0) + 1);
      if (files.length > 1 || this.#deaths.get(files[0].name)! < MAX_DEATHS) throw error;
      this.#deaths.delete(files[0].name);
      const internal = new DropgateError(
        'internal',
        `a worker ended while it converted the file: ${messageOf(error)}`,
      );
      return [failedOutright({ name: files[0].name, error: internal })];
    } finally {
      this.#inHand.delete(progress);
      this.#converting--;
      desk?.close();
      if (room) textRooms!.share(converted, room);
    }
  }

  async #conclude(judged: readonly Judged[]): Promise<void> {
    const { publisher, observers, log, onConverted, release } = this.#options;
    const startedAtMs = performance.now();
    // 1. What is no verdict.
    const final = judged.filter((one) => this.#isFinal(one));
    // 2. Names and places.
    const published = await publisher.publish(final, ({ file, result }, error) => {
      void publisher.discard([result]);
      this.#postpone([file], error);
      // Moved, but not seen to be: nobody will offer it again.
      if (!fs.existsSync(file.path)) this.#finishVanished(file);
    });
    // 3. What there is to tell.
    for (const one of published) this.#count(one);
    const shown = (file: string) => this.#shown(file);
    log.together(() => {
      for (const one of published) tellVerdict(one, { log, shown });
    });
    for (const one of published) observers.judged(one);
    crashPoint('verdict-told');
    const converted = published.filter((one) => one.kind === 'converted');
    if (converted.length > 0) onConverted(converted);
    // 4. Told and done.
    await this.#chores.do('write the local ledger', () => publisher.confirm(published));
    crashPoint('original-recorded');
    observers.published({ files: published.length, durationMs: performance.now() - startedAtMs });
    for (const { file } of published) {
      release(file.name);
      this.#recovered(file.name);
    }
  }

  /** Is this a verdict? Everything else is released to be looked at again. */
  #isFinal({ file, result }: Judged): boolean {
    switch (result.status) {
      case 'converted':
        return true;
      case 'failed':
        return !this.#isWorthAnotherAttempt(file, result.report.code);
      case 'gone':
        this.#finishVanished(file);
        this.#options.release(file.name);
        return false;
      case 'changed':
        this.#options.release(file.name, 0);
        return false;
      case 'incomplete':
        this.#options.release(file.name, 500);
        return false;
      case 'fault':
        this.#postpone([file], new Error(result.message));
        return false;
    }
  }

  /** It was put away by a try that failed behind that, or its sender took it back. */
  #finishVanished({ name, path: file }: ReadyFile): void {
    const { publisher } = this.#options;
    void this.#chores.do(`finish ${this.#shown(file)}`, async () => {
      await publisher.finishVanished(name);
      this.#recovered(name);
    });
  }

  /** Rights and disks are sometimes mended while we look; after a few attempts the file is judged. */
  #isWorthAnotherAttempt(file: ReadyFile, code: string | null): boolean {
    if (code !== 'unreadable') return false;
    const attempts = (this.#readAttempts.get(file.name) ?? 0) + 1;
    if (attempts >= MAX_READ_ATTEMPTS) {
      this.#readAttempts.delete(file.name);
      return false;
    }
    this.#readAttempts.set(file.name, attempts);
    this.#options.release(file.name, backoffMs(attempts, RETRY));
    return true;
  }

  /** The surroundings failed: nothing is lost, the files are tried again later. */
  #postpone(files: readonly ReadyFile[], error: unknown): void {
    const names = files.length === 1 ? this.#shown(files[0].path) : plural(files.length, 'file');
    this.#trouble.failed((repeats) => {
      const again = repeats > 0 ? ` (${plural(repeats, 'more failure')} since the last notice)` : '';
      const code = error instanceof DropgateError ? ` [${error.code}]` : '';
      this.#options.log.error(
        `Cannot convert ${names} for now: ${messageOf(error)}${code}; nothing is lost, trying again${again}`,
      );
    });
    for (const { name, path: file } of files) {
      const attempts = (this.#troubled.get(name)?.attempts ?? 0) + 1;
      this.#troubled.set(name, { attempts, path: file });
      this.#options.release(name, backoffMs(attempts, RETRY));
    }
  }

  /** The trouble is over when every file that it held up is done, or gone. */
  #recovered(name: string): void {
    this.#troubled.delete(name);
    if (!this.#trouble.active || this.#troubled.size > FEW_FILES) return;
    for (const [troubled, { path: file }] of this.#troubled) {
      if (!fs.existsSync(file)) this.#troubled.delete(troubled);
    }
    if (this.#troubled.size > 0) return;
    this.#trouble.recovered((ms) =>
      this.#options.log.info(`Conversion works again after ${formatDuration(ms)}`),
    );
  }

  /** The file has its verdict: it counts, and whatever trouble there was with it is forgotten. */
  #count(one: Published): void {
    const { totals } = this;
    this.#readAttempts.delete(one.file.name);
    this.#deaths.delete(one.file.name);
    if (one.kind === 'failed') totals.failed++;
    else if (one.kind === 'duplicate') totals.duplicates++;
    else {
      totals.converted++;
      totals.rows += one.result.counts.rows_out;
      totals.bytes += one.result.bytesIn;
    }
  }

  #shown(file: string): string {
    return pathFrom(this.#options.root, file);
  }
}
