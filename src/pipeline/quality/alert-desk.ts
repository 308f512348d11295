import { messageOf } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import type { AlertSettings } from '../../config/settings.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { DriftRecord } from '../../ledger/quality-store.js';
import { LabelledCounts } from '../tally.js';
import { ALERT_KINDS, type Alert, AlertGroups, type AlertKind } from './alert.js';
import { Webhook } from './webhook.js';

export interface AlertDeskOptions {
  settings: AlertSettings;
  ledger: Ledger;
  log: Log;
  root: string;
  /** Names of the datasets. */
  datasets: readonly string[];
}

/** What an alert without a dataset is about. */
const DATABASE_KINDS: ReadonlySet<AlertKind> = new Set(['database_away', 'database_back']);
/** Findings that are kept of a moment; more than that are one trouble. */
const MAX_PENDING_FINDINGS = 1000;
/** A ledger that cannot be written is tried again after this. */
const RETRY_MS = 10_000;

/** Gathers alerts, counts them, writes them into the ledger, and has them delivered. */
export class AlertDesk {
  /** Since the start. Kinds that can come begin with 0, so that Prometheus sees the first one. */
  readonly counts = new LabelledCounts<{ kind: string; dataset: string }>();
  readonly #options: AlertDeskOptions;
  readonly #webhook: Webhook | undefined;
  readonly #gathered = new AlertGroups();
  readonly #findings: DriftRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: AlertDeskOptions) {
    this.#options = options;
    const { settings, ledger, log, root, datasets } = options;
    for (const kind of ALERT_KINDS) {
      const about = DATABASE_KINDS.has(kind) ? [''] : datasets;
      for (const dataset of about) this.counts.add({ kind, dataset }, 0);
    }
    const { webhook } = settings;
    const store = ledger.quality;
    if (webhook !== undefined)
      this.#webhook = new Webhook({ settings: { ...settings, webhook }, store, log, root });
  }

  /** Delivers what an earlier run left. */
  start(): void {
    if (this.#webhook) {
      this.#webhook.wake();
      return;
    }
    const { quality } = this.#options.ledger;
    const left = quality.waitingAlerts().map(({ id }) => id);
    if (left.length > 0) quality.settleAlerts(left, 'given_up');
  }

  /** Takes an alert; those about the same that come soon after it are told together with it. */
  raise(alert: Alert): void {
    this.#count(alert);
    this.#gathered.add(alert);
    this.#schedule(this.#options.settings.gatherMs);
  }

  /** Takes what was found out about a file. */
  note(finding: DriftRecord): void {
    if (this.#findings.length < MAX_PENDING_FINDINGS) this.#findings.push(finding);
    this.#schedule(this.#options.settings.gatherMs);
  }

  /** Writes an alert down at once, together with what `work` writes: both are there after a crash, or neither. */
  raiseWith(alert: Alert, work: () => void): void {
    const { ledger } = this.#options;
    const groups = new AlertGroups();
    groups.add(alert);
    ledger.inTransaction(() => {
      work();
      this.#write(groups);
    });
    this.#count(alert);
    this.#webhook?.wake();
  }

  /** Writes down what is gathered and gives the webhook a moment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#flush();
    await this.#webhook?.close();
  }

  #count({ kind, dataset = '' }: Alert): void {
    this.counts.add({ kind, dataset });
  }

  #schedule(inMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => this.#flush(), inMs);
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#gathered.size === 0 && this.#findings.length === 0) return;
    const { ledger, log } = this.#options;
    try {
      ledger.inTransaction(() => {
        this.#write(this.#gathered);
        for (const finding of this.#findings) ledger.quality.addFinding(finding);
      });
    } catch (error) {
      log.warning(
        `Alerts cannot be written into the local ledger for now: ${messageOf(error)}; trying again`,
      );
      this.#schedule(RETRY_MS);
      return;
    }
    this.#gathered.clear();
    this.#findings.length = 0;
    this.#webhook?.wake();
  }

  #write(groups: AlertGroups): void {
    const delivery = this.#webhook ? 'waiting' : 'none';
    for (const alert of groups.all()) this.#options.ledger.quality.addAlert({ ...alert, delivery });
  }
}
