/** Remembers answers that were expensive; whoever asks while one is on its way waits for the same. */
export class Memo<T> {
  readonly #most: number;
  readonly #maxAgeMs: number;
  /** In the order of their last use. */
  readonly #entries = new Map<string, { answer: Promise<T>; bornMs: number }>();

  /** Keeps at most `most` answers, the last used ones, each at most `maxAgeMs`. */
  constructor({ most, maxAgeMs }: { most: number; maxAgeMs: number }) {
    this.#most = most;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The answer for `key`, by `work` when it is not known. Failures are not remembered. */
  get(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    const entry = known && performance.now() - known.bornMs < this.#maxAgeMs ? known : this.#begin(key, work);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(oldest);
    }
    return entry.answer;
  }

  #begin(key: string, work: () => Promise<T>) {
    const entry = { answer: work(), bornMs: performance.now() };
    entry.answer.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }
}
