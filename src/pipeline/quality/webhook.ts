import os from 'node:os';
import { errnoOf, messageOf } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { backoffMs, pause, TroubleNotice } from '../../base/retry.js';
import { formatDuration, plural } from '../../base/text.js';
import { VERSION } from '../../base/version.js';
import type { AlertSettings } from '../../config/settings.js';
import type { AlertRecord, NewAlert, QualityStore } from '../../ledger/quality-store.js';
import { AlertGroups } from './alert.js';

/** The body of a message to the webhook. docs/quality.md describes it. */
export interface WebhookMessage {
  version: 1;
  /** The same when the message is sent again: the ids of its first and its last alert. */
  id: string;
  host: string;
  /** Absolute path of the root folder. */
  root: string;
  sent_at: string;
  /** The alerts in words, a line each; what chat programs show. */
  text: string;
  alerts: {
    kind: string;
    dataset: string | null;
    code: string | null;
    count: number;
    message: string;
    files: string[];
    first_at: string;
    last_at: string;
  }[];
}

export interface WebhookOptions {
  settings: AlertSettings & { webhook: string };
  store: QualityStore;
  log: Log;
  root: string;
}

/** Alerts of the ledger that one message takes. */
const MAX_ALERTS_PER_MESSAGE = 500;
const RETRY = { firstMs: 1000, maxMs: 300_000 };
/** Longest wait that a receiver may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** What a shutdown gives the last message. */
const CLOSE_MS = 2000;
/** Answers of receivers that may be all right later. */
const PASSING = new Set([408, 425, 429]);

/** What came of one try to send a message. */
type Outcome =
  | { kind: 'delivered' }
  | { kind: 'refused'; reason: string }
  | { kind: 'later'; reason: string; afterMs?: number };

/**
 * Delivers the alerts that wait in the ledger, in order, one message at a time, until the receiver takes them. The address
 * comes from the configuration alone, and no redirect is followed.
 */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #trouble = new TroubleNotice();
  readonly #stop = new AbortController();
  readonly #shown: string;
  #loop: Promise<void> | undefined;
  #nextAtMs = 0;
  #attempt = 0;

  constructor(options: WebhookOptions) {
    this.#options = options;
    const { protocol, host } = new URL(options.settings.webhook);
    // Paths and parameters of such addresses are secrets.
    this.#shown = `${protocol}//${host}/…`;
  }

  /** There may be alerts to deliver. */
  wake(): void {
    if (this.#loop || this.#stop.signal.aborted) return;
    this.#loop = this.#deliverAll().finally(() => {
      this.#loop = undefined;
    });
  }

  /** Gives what waits one more chance, unless the receiver is in trouble; the rest is sent after the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.race([this.#loop, pause(CLOSE_MS)]);
    const isInTrouble = this.#loop !== undefined || this.#attempt > 0;
    if (!isInTrouble) await this.#deliverNext(CLOSE_MS);
  }

  async #deliverAll(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(this.#nextAtMs - performance.now(), signal);
      if (signal.aborted || !(await this.#deliverNext(this.#options.settings.timeoutMs))) return;
    }
  }

  /** Tries to deliver the next message. False when there is none. */
  async #deliverNext(timeoutMs: number): Promise<boolean> {
    const { store, settings, log } = this.#options;
    const alerts = store.waitingAlerts().slice(0, MAX_ALERTS_PER_MESSAGE);
    if (alerts.length === 0) return false;
    const outcome = await this.#send(this.#compose(alerts), timeoutMs);
    if (outcome.kind === 'later') {
      this.#attempt++;
      const { reason, afterMs } = outcome;
      this.#nextAtMs = performance.now() + Math.max(afterMs ?? 0, backoffMs(this.#attempt, RETRY));
      this.#trouble.failed(() =>
        log.warning(
          `Alerts cannot be delivered to ${this.#shown} for now: ${reason}; they wait, trying again`,
        ),
      );
      return true;
    }
    const isDelivered = outcome.kind === 'delivered';
    store.settleAlerts(
      alerts.map(({ id }) => id),
      isDelivered ? 'delivered' : 'given_up',
    );
    this.#attempt = 0;
    this.#nextAtMs = performance.now() + settings.intervalMs;
    if (!isDelivered) {
      const count = plural(alerts.length, 'alert');
      log.error(
        `${count} were refused by ${this.#shown}: ${outcome.reason}; look at alerts.webhook in dropgate.yaml`,
      );
    }
    this.#trouble.recovered((ms) =>
      log.info(`Alerts are delivered to ${this.#shown} again after ${formatDuration(ms)}`),
    );
    return true;
  }

  #compose(waiting: readonly AlertRecord[]): WebhookMessage {
    const groups = new AlertGroups();
    for (const alert of waiting) groups.merge(alert);
    const alerts = groups.all();
    return {
      version: 1,
      id: `${waiting[0].id}-${waiting[waiting.length - 1].id}`,
      host: os.hostname(),
      root: this.#options.root,
      sent_at: new Date().toISOString(),
      text: alerts.map(lineOf).join('\n'),
      alerts: alerts.map(({ kind, dataset, code, count, message, files, firstAt, lastAt }) => {
        return { kind, dataset, code, count, message, files, first_at: firstAt, last_at: lastAt };
      }),
    };
  }

  async #send(message: WebhookMessage, timeoutMs: number): Promise<Outcome> {
    const { webhook, token } = this.#options.settings;
    try {
      const response = await fetch(webhook, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': `dropgate/${VERSION}`,
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(message),
      });
      await response.body?.cancel();
      return outcomeOf(response);
    } catch (error) {
      const isTimeout = (error as Error).name === 'TimeoutError';
      const reason = isTimeout ? `no answer within ${formatDuration(timeoutMs)}` : faultOf(error);
      return { kind: 'later', reason };
    }
  }
}

function outcomeOf({ status, headers }: Response): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `it answered ${status}`;
  if (status >= 500 || PASSING.has(status)) {
    const seconds = Number(headers.get('Retry-After'));
    const afterMs = seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
    return { kind: 'later', reason, afterMs };
  }
  return {
    kind: 'refused',
    reason: status >= 300 && status < 400 ? `${reason}, and redirects are not followed` : reason,
  };
}

/** The code says it without an address in it. */
function faultOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return errnoOf(cause) ?? errnoOf(error) ?? messageOf(error);
}

/** `student_data: 999 files failed [wrong_type], first: …`. */
function lineOf({ dataset, count, message }: Omit<NewAlert, 'delivery'>): string {
  const times = count === 1 ? '' : ` (${plural(count, 'time')}, this was the first)`;
  return `${dataset === null ? '' : `${dataset}: `}${message}${times}`;
}
