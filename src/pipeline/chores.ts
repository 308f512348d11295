import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { backoffMs, TroubleNotice } from '../base/retry.js';
import { formatDuration } from '../base/text.js';

const BACKOFF = { firstMs: 1000, maxMs: 60_000 };

/**
 * Small things that must be done in the end, and that hold up nothing meanwhile: each is tried at once, and again with
 * growing pauses when the surroundings (disk, rights) fail.
 */
export class Chores {
  readonly #log: Log;
  readonly #trouble = new TroubleNotice();
  readonly #waiting = new Set<NodeJS.Timeout>();
  #isStopped = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Does `work`, now or later. Resolves after the first try; never rejects.
   * @param what for the log: `put output_parquet/a.parquet aside`
   */
  do(what: string, work: () => void | Promise<void>): Promise<void> {
    return this.#try(what, work, 1);
  }

  /** Tries no more. What is left is found by the next start. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#waiting) clearTimeout(timer);
  }

  async #try(what: string, work: () => void | Promise<void>, attempt: number): Promise<void> {
    try {
      await work();
      if (this.#waiting.size === 0) {
        this.#trouble.recovered((ms) =>
          this.#log.info(`What could not be done for ${formatDuration(ms)} is done`),
        );
      }
    } catch (error) {
      this.#trouble.failed(() =>
        this.#log.error(`Cannot ${what} for now: ${messageOf(error)}; the work goes on, trying again`),
      );
      if (!this.#isStopped) this.#later(what, work, attempt);
    }
  }

  #later(what: string, work: () => void | Promise<void>, attempt: number): void {
    const timer = setTimeout(
      () => {
        this.#waiting.delete(timer);
        void this.#try(what, work, attempt + 1);
      },
      backoffMs(attempt, BACKOFF),
    );
    this.#waiting.add(timer);
  }
}
