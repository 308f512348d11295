import type { Log } from '../../base/log.js';
import { formatDuration } from '../../base/text.js';
import type { Dataset, Expectation } from '../../config/settings.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { ExpectationState } from '../../ledger/quality-store.js';
import type { AlertDesk } from './alert-desk.js';
import { firstDue, isOverdue, nextDue } from './expectation.js';

/** Knows when the next file of each dataset is due, and tells once that it did not come, and once that it did. */
export class ExpectationWatch {
  readonly #options: { datasets: readonly Dataset[]; ledger: Ledger; log: Log; desk: AlertDesk };
  readonly #rules = new Map<string, Expectation>();
  readonly #states = new Map<string, ExpectationState>();

  constructor(options: { datasets: readonly Dataset[]; ledger: Ledger; log: Log; desk: AlertDesk }) {
    this.#options = options;
    for (const { name, expect } of options.datasets) if (expect) this.#rules.set(name, expect);
  }

  /** What is waited for, by dataset. */
  get states(): ReadonlyMap<string, ExpectationState> {
    return this.#states;
  }

  /** Goes on where an earlier run was, as long as the rules are the same. */
  start(nowMs: number): void {
    const { quality } = this.#options.ledger;
    for (const [dataset, expectation] of this.#rules) {
      const rule = JSON.stringify(expectation);
      const known = quality.expectation(dataset);
      if (known?.rule === rule) {
        this.#states.set(dataset, known);
        continue;
      }
      const last = quality.lastArrival(dataset);
      const lastArrivalMs = last === undefined ? undefined : Date.parse(last);
      const state = { dataset, rule, dueMs: firstDue(expectation, { nowMs, lastArrivalMs }), isLate: false };
      quality.setExpectation(state);
      this.#states.set(dataset, state);
    }
  }

  /** A file of a dataset has come, whatever becomes of it. */
  arrived(dataset: string, { arrivalMs, file }: { arrivalMs: number; file: string }): void {
    const state = this.#states.get(dataset);
    if (!state) return;
    const { dueMs, isLate } = state;
    const due = nextDue(this.#rules.get(dataset)!, { dueMs, isLate, arrivalMs });
    if (due === dueMs && !isLate) return;
    const next = { ...state, dueMs: due, isLate: false };
    if (isLate) {
      const late = formatDuration(Math.max(0, arrivalMs - dueMs));
      const message = `${file} has come, ${late} after it was due`;
      this.#options.desk.raiseWith({ kind: 'arrived', dataset, file, message }, () => this.#save(next));
      this.#options.log.info(`A late file of ${dataset} has come: ${message}`, {
        event: 'arrived',
        dataset,
        file,
      });
    } else this.#save(next);
    this.#states.set(dataset, next);
  }

  /** Tells of files that did not come in time. */
  check(nowMs: number): void {
    for (const [dataset, state] of this.#states) {
      const { dueMs, isLate } = state;
      if (isLate || !isOverdue(this.#rules.get(dataset)!, { dueMs, nowMs })) continue;
      const next = { ...state, isLate: true };
      const message = `no file has come that was due ${new Date(dueMs).toISOString()}`;
      this.#options.desk.raiseWith({ kind: 'late', dataset, message }, () => this.#save(next));
      this.#states.set(dataset, next);
      this.#options.log.warning(`${dataset} is late: ${message}`, { event: 'late', dataset });
    }
  }

  #save(state: ExpectationState): void {
    this.#options.ledger.quality.setExpectation(state);
  }
}
