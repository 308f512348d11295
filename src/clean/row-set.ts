import { HASH_WORDS } from './row-hash.js';

const FIRST_SLOTS = 1024;
/** A table that a large file made larger than this is given back. */
const MAX_SPARE_SLOTS = 1 << 16;

/**
 * A set of row hashes that tells whether a row is new. Open addressing at a load of at most one half, so that it takes 24
 * to 48 bytes for each row.
 */
export class RowSet {
  /** HASH_WORDS words for each row. */
  #rows = new Int32Array(FIRST_SLOTS * HASH_WORDS);
  #count = 0;
  /** Row number + 1, or 0. */
  #slots = new Int32Array(FIRST_SLOTS);

  /** Number of different rows. */
  get size(): number {
    return this.#count;
  }

  clear(): void {
    if (this.#slots.length > MAX_SPARE_SLOTS) {
      this.#slots = new Int32Array(FIRST_SLOTS);
      this.#rows = new Int32Array(FIRST_SLOTS * HASH_WORDS);
    } else if (this.#count > 0) {
      this.#slots.fill(0);
    }
    this.#count = 0;
  }

  /** Adds the row whose hash is `hashes[at..at + HASH_WORDS)`; false when it is there already. */
  add(hashes: Int32Array, at: number): boolean {
    const rows = this.#rows;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashes[at] & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = (slots[slot] - 1) * HASH_WORDS;
      if (
        rows[other] === hashes[at] &&
        rows[other + 1] === hashes[at + 1] &&
        rows[other + 2] === hashes[at + 2] &&
        rows[other + 3] === hashes[at + 3]
      ) {
        return false;
      }
    }
    this.#append(hashes, at);
    slots[slot] = this.#count;
    if (this.#count * 2 > slots.length) this.#growSlots();
    return true;
  }

  #append(hashes: Int32Array, at: number): void {
    const end = this.#count * HASH_WORDS;
    if (end + HASH_WORDS > this.#rows.length) {
      const next = new Int32Array(this.#rows.length * 2);
      next.set(this.#rows);
      this.#rows = next;
    }
    for (let i = 0; i < HASH_WORDS; i++) this.#rows[end + i] = hashes[at + i];
    this.#count++;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#count; row++) {
      let slot = this.#rows[row * HASH_WORDS] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}
