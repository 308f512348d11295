import { Arrivals } from './arrivals.js';
import { HeldBack } from './held-back.js';
import type { FirstLook, Inspector } from './inspector.js';
import type { SettleBook } from './settle.js';

export interface AdmissionOptions {
  book: SettleBook;
  inspector: Inspector;
  settleMs: number;
  /** So many files are followed, or in the consumer's hands, before others are held back. */
  maxFollowed: number;
}

/** While files settle, so many others keep the consumer busy, at a file a millisecond. */
const FILES_PER_SETTLE_MS = 2;
/** Files that do not settle in this time after the settle time do not hold up those behind them. */
const PATIENCE_MS = 1000;

/**
 * Lets new files into the settle book. To follow a file takes 1 KB, so of very many only the first are followed and handed on; the
 * others are held back, in order of arrival, until there is room. A file that is held back is looked at again when its turn comes,
 * and has to settle from then on, so whatever happens to it meanwhile needs no attention.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limit: number;
  readonly #held = new HeldBack();
  #admittedAtMs = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#limit = options.maxFollowed + FILES_PER_SETTLE_MS * options.settleMs;
  }

  /** The files that are held back, in order. Only to be looked at. */
  get held(): HeldBack {
    return this.#held;
  }

  /** When files that are held back can be let in; Infinity when there are none, or no room as long as none is released. */
  nextAtMs(): number {
    if (this.#held.size === 0) return Number.POSITIVE_INFINITY;
    const { settling, offered } = this.#options.book.counts();
    if (offered > this.#limit / 2) return Number.POSITIVE_INFINITY;
    if (offered + settling <= this.#limit / 2) return 0;
    return this.#admittedAtMs + this.#options.settleMs + PATIENCE_MS;
  }

  /** Has new files followed, or holds them back. */
  async takeIn(names: readonly string[], first?: FirstLook): Promise<void> {
    const { book, inspector } = this.#options;
    const { settling, offered } = book.counts();
    const isRoomy = this.#held.size === 0 && settling + offered + names.length <= this.#limit;
    if (isRoomy) return inspector.examine(names, first);
    const arrivals = new Arrivals(names.length);
    await inspector.survey(names, arrivals);
    for (const file of arrivals.inOrder()) this.#held.push(file);
  }

  /** Lets the first of those in that are held back. */
  async letIn(): Promise<void> {
    const { book, inspector } = this.#options;
    const files = this.#held.take(this.#limit / 2);
    const arrivedAtMs = new Map(files.map((file) => [file.name, file.arrivedAtMs]));
    const names = [...arrivedAtMs.keys()];
    await inspector.examine(names, { arrivedAtMs });
    this.#admittedAtMs = performance.now();
    book.settleTogether(this.#admittedAtMs, names);
  }
}
