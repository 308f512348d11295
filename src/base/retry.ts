/** Exponential back-off with full jitter, so that many waiting programs do not come back at the same instant. */
export interface BackoffOptions {
  /** First delay in milliseconds, before jitter. */
  firstMs: number;
  /** Longest delay in milliseconds. */
  maxMs: number;
}

/** Delay before attempt `attempt` (1 for the first retry): between half and all of the exponential step. */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffOptions): number {
  const step = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return step / 2 + (Math.random() * step) / 2;
}

/** Resolves after `milliseconds`, or at once when `signal` aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}

/**
 * Tells a repeated trouble once, then at most every `everyMs`, and once more when it is over.
 * One instance a kind of trouble.
 */
export class TroubleNotice {
  readonly #everyMs: number;
  #since: number | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #silent = 0;

  constructor(everyMs = 30_000) {
    this.#everyMs = everyMs;
  }

  /** True while the trouble lasts. */
  get active(): boolean {
    return this.#since !== undefined;
  }

  /** Notes one more failure; calls `tell` with the number of untold ones when it is time to. */
  failed(tell: (repeats: number) => void): void {
    const now = performance.now();
    this.#since ??= now;
    if (now - this.#toldAt < this.#everyMs) {
      this.#silent++;
      return;
    }
    tell(this.#silent);
    this.#toldAt = now;
    this.#silent = 0;
  }

  /** Notes that it works again; calls `tell` with the length of the trouble in milliseconds if there was one. */
  recovered(tell: (durationMs: number) => void): void {
    if (this.#since === undefined) return;
    tell(performance.now() - this.#since);
    this.#since = undefined;
    this.#toldAt = Number.NEGATIVE_INFINITY;
    this.#silent = 0;
  }
}
