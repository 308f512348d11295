import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { backoffMs, TroubleNotice } from '../base/retry.js';
import { formatDuration } from '../base/text.js';

const BACKOFF = { firstMs: 500, maxMs: 30_000 };

interface Hold {
  attempts: number;
  untilMs: number;
  notice: TroubleNotice;
}

/** Tables that another session holds (a lock, a deadlock) while the database itself works: the others go on meanwhile. */
export class HeldTables {
  readonly #log: Log;
  readonly #holds = new Map<string, Hold>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Is it too early for another attempt? */
  holds(table: string): boolean {
    return (this.#holds.get(table)?.untilMs ?? 0) > performance.now();
  }

  /** When the next table may be tried again, in milliseconds from now. */
  nextInMs(): number {
    const times = [...this.#holds.values()].map(({ untilMs }) => untilMs - performance.now());
    return Math.max(0, Math.min(...times));
  }

  /** Notes another failed attempt, and answers how many there were. */
  hold(table: string, error: unknown): number {
    const hold = this.#holds.get(table) ?? { attempts: 0, untilMs: 0, notice: new TroubleNotice() };
    this.#holds.set(table, hold);
    hold.attempts++;
    hold.untilMs = performance.now() + backoffMs(hold.attempts, BACKOFF);
    hold.notice.failed(() =>
      this.#log.error(
        `Table ${table} cannot be loaded for now: ${messageOf(error)}; other tables go on, loading resumes by itself`,
      ),
    );
    return hold.attempts;
  }

  /** A load went through. */
  works(table: string): void {
    const hold = this.#holds.get(table);
    this.#holds.delete(table);
    hold?.notice.recovered((ms) =>
      this.#log.info(`Table ${table} can be loaded again after ${formatDuration(ms)}`),
    );
  }
}
