/** Random numbers that are the same for the same seed (mulberry32), so that every run has the same inputs. */
export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit) {
    return Math.floor((this.uint32() / 4_294_967_296) * limit);
  }

  /** True once in `times`, on average. */
  oneIn(times) {
    return this.below(times) === 0;
  }
}
