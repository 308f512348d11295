import { messageOf } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { TroubleNotice } from '../../base/retry.js';
import { formatDuration } from '../../base/text.js';
import type { Settings } from '../../config/settings.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { DatabaseCondition } from '../load-queue.js';
import type { Observer, RefusedParquet } from '../observer.js';
import type { Published } from '../publish.js';
import { AlertDesk } from './alert-desk.js';
import { DriftWatch } from './drift-watch.js';
import { ExpectationWatch } from './expectation-watch.js';

export interface QualityOptions {
  settings: Settings;
  ledger: Ledger;
  log: Log;
  /** Undefined when nothing is loaded. */
  database(): { address: string; condition: DatabaseCondition } | undefined;
  /** Files wait or are in hand, which may be those that are missed. */
  isBusy(): boolean;
}

const TICK_MS = 1000;
/** Longest wait for the files in hand before somebody is told that one is late. */
const MAX_PATIENCE_MS = 60_000;
/** A tick that comes so much later than it should was slept through; the clock may also have been set. */
const MAX_GAP_MS = 30_000;

/** Watches how good the files are: alerts of failures, of unusual and late files, and of a database that is away. */
export class Quality implements Observer {
  readonly desk: AlertDesk;
  readonly expectations: ExpectationWatch;
  readonly #options: QualityOptions;
  readonly #drift: DriftWatch;
  readonly #trouble = new TroubleNotice();
  #timer: NodeJS.Timeout | undefined;
  #lastTickMs = Date.now();
  /** Nobody is told of late files before this, by the steady clock, as long as files are in hand. */
  #patientUntilMs = performance.now() + MAX_PATIENCE_MS;
  #isPatient = true;
  #isAwayTold = false;

  constructor(options: QualityOptions) {
    this.#options = options;
    const { settings, ledger, log } = options;
    const { root, datasets } = settings;
    this.desk = new AlertDesk({
      settings: settings.alerts,
      ledger,
      log,
      root,
      datasets: datasets.map(({ name }) => name),
    });
    this.#drift = new DriftWatch({ settings, ledger, log, desk: this.desk });
    this.expectations = new ExpectationWatch({ datasets, ledger, log, desk: this.desk });
    this.#guarded(() => this.expectations.start(Date.now()));
  }

  /** Begins to look at clock and database, and delivers the alerts of an earlier run. */
  start(): void {
    this.#options.ledger.quality.forgetOldCounts();
    this.desk.start();
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  judged(one: Published): void {
    this.#guarded(() => {
      const { name, arrivedAtMs } = one.file;
      const dataset = one.kind === 'failed' ? one.result.report.dataset : one.result.dataset;
      if (dataset !== null) this.expectations.arrived(dataset, { arrivalMs: arrivedAtMs, file: name });
      if (one.kind === 'converted') this.#drift.compare(one);
      if (one.kind !== 'failed') return;
      const { code, message } = one.result.report;
      this.desk.raise({
        kind: 'file_failed',
        dataset: dataset ?? undefined,
        code: code ?? undefined,
        file: name,
        message: `${name} has failed${this.#drift.isPrivate(dataset) ? '' : `: ${message}`} [${code}]`,
      });
    });
  }

  refused({ parquet, dataset, error }: RefusedParquet): void {
    this.#guarded(() => {
      const { code, message } = error;
      const told = this.#drift.isPrivate(dataset ?? null) ? '' : `: ${message}`;
      const text = `${parquet} cannot be loaded${told} [${code}]`;
      this.desk.raise({ kind: 'load_failed', dataset, code, file: parquet, message: text });
    });
  }

  /** Tells what is late now, and has alerts of an earlier run delivered: for a run that ends by itself. */
  check(): void {
    this.#guarded(() => {
      this.desk.start();
      this.expectations.check(Date.now());
    });
  }

  /** Looks at clock and database once. */
  tick(): void {
    this.#guarded(() => {
      this.#checkDatabase();
      if (this.#mayJudge()) this.expectations.check(Date.now());
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.desk.close();
  }

  /**
   * After the start, a sleep, or a change of the clock, the file that is missed may lie in the folder or be in hand:
   * first what is there is taken.
   */
  #mayJudge(): boolean {
    const now = Date.now();
    const gapMs = now - this.#lastTickMs;
    this.#lastTickMs = now;
    if (gapMs > MAX_GAP_MS || gapMs < 0) {
      this.#isPatient = true;
      this.#patientUntilMs = performance.now() + MAX_PATIENCE_MS;
      return false;
    }
    if (!this.#isPatient) return true;
    if (this.#options.isBusy() && performance.now() < this.#patientUntilMs) return false;
    this.#isPatient = false;
    return false;
  }

  #checkDatabase(): void {
    const database = this.#options.database();
    if (!database) return;
    const { address, condition } = database;
    if (condition.state === 'away') {
      const awayMs = Date.now() - (condition.sinceMs ?? Date.now());
      if (this.#isAwayTold || awayMs < this.#options.settings.alerts.databaseAwayMs) return;
      this.#isAwayTold = true;
      const message = `the database ${address} is away for ${formatDuration(awayMs)}; files are converted and wait`;
      this.desk.raise({ kind: 'database_away', code: 'database_unreachable', message });
    } else if (this.#isAwayTold && condition.state === 'working') {
      this.#isAwayTold = false;
      this.desk.raise({ kind: 'database_back', message: `the database ${address} works again` });
    }
  }

  /** What goes wrong here must not stop any file; it is told, and goes on. */
  #guarded(work: () => void): void {
    try {
      work();
      this.#trouble.recovered(() => this.#options.log.info('Quality is watched again'));
    } catch (error) {
      this.#trouble.failed(() =>
        this.#options.log.warning(`Quality cannot be watched for now: ${messageOf(error)}; trying again`),
      );
    }
  }
}
