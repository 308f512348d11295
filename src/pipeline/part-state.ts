/** Counters that threads wait for. */
const MARKED = 0;
const MERGED = 1;
const NEXT = 2;
const ABORTED = 3;
const SLOTS = 4;

/** A thread that waits looks up so often whether the work was given up, should it have missed the call. */
const MAX_WAIT_MS = 1000;

/** Thrown in all threads once one of them has given up. */
export class PartsAborted extends Error {}

/** What threads that share one file tell each other, in shared memory. */
export class PartState {
  /** To be sent to the other threads. */
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array;

  constructor(buffer = new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#slots = new Int32Array(buffer);
  }

  /** Has a thread given up? */
  get isAborted(): boolean {
    return Atomics.load(this.#slots, ABORTED) !== 0;
  }

  /** Takes the next part that nobody has taken. */
  take(): number {
    return Atomics.add(this.#slots, NEXT, 1);
  }

  /** Resolves when the repeated rows of all parts before `part` are marked. */
  untilMarked(part: number): Promise<void> {
    return this.#until(MARKED, part);
  }

  /** The repeated rows of the next part are marked. */
  marked(): void {
    this.#advance(MARKED);
  }

  /** Resolves when at least `count` parts, from the first, have been merged. */
  untilMerged(count: number): Promise<void> {
    return this.#until(MERGED, count);
  }

  /** The next part has been merged. */
  merged(): void {
    this.#advance(MERGED);
  }

  /** All threads shall give up. */
  abort(): void {
    Atomics.store(this.#slots, ABORTED, 1);
    for (const slot of [MARKED, MERGED]) Atomics.notify(this.#slots, slot);
  }

  #advance(slot: number): void {
    Atomics.add(this.#slots, slot, 1);
    Atomics.notify(this.#slots, slot);
  }

  /** @throws PartsAborted */
  async #until(slot: number, count: number): Promise<void> {
    for (;;) {
      if (this.isAborted) throw new PartsAborted('another thread has given up');
      const seen = Atomics.load(this.#slots, slot);
      if (seen >= count) return;
      const waiting = Atomics.waitAsync(this.#slots, slot, seen, MAX_WAIT_MS);
      if (waiting.async) await waiting.value;
    }
  }
}
