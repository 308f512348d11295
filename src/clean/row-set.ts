import { HASH_WORDS } from './row-hash.js';

const FIRST_SLOTS = 1024;
/** A table that a large file made larger than this is given back. */
const MAX_SPARE_SLOTS = 1 << 16;
/** Slots that a set of its own, or a shared one, has at most: 16 MB. More rows than fit are for the disk. */
export const MAX_SLOTS = 1 << 20;
/** Share of the slots that may be taken. */
const MAX_LOAD = 0.75;
const TWO_32 = 0x1_0000_0000;

/** Memory of a set that several threads use, one at a time. */
export interface SharedRows {
  /** HASH_WORDS words for each slot, all 0 in a free one. */
  slots: SharedArrayBuffer;
  /** Number of rows, in one Int32. */
  count: SharedArrayBuffer;
}

/** Memory for a set of about so many rows, as far as memory is meant for that; pages of it are used only as rows come. */
export function shareRows(rows: number, maxSlots = MAX_SLOTS): SharedRows {
  const slots = Math.min(Math.ceil(rows / MAX_LOAD), maxSlots);
  const bytes = slots * HASH_WORDS * Int32Array.BYTES_PER_ELEMENT;
  return { slots: new SharedArrayBuffer(bytes), count: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
}

/**
 * A set of row hashes that tells whether a row is new: open addressing with linear probing, the hashes themselves in the
 * slots, so that a row costs one look at memory and 16 bytes by 0.75. One of its own grows by doubling, up to a bound; one
 * in shared memory does not grow.
 */
export class RowSet {
  #slots: Int32Array;
  readonly #count: Int32Array;
  readonly #maxRows: number;

  constructor(shared?: SharedRows, maxSlots = MAX_SLOTS) {
    const first = Math.min(FIRST_SLOTS, maxSlots) * HASH_WORDS;
    this.#slots = shared ? new Int32Array(shared.slots) : new Int32Array(first);
    this.#count = shared ? new Int32Array(shared.count) : new Int32Array(1);
    this.#maxRows = Math.floor((shared ? this.#slots.length / HASH_WORDS : maxSlots) * MAX_LOAD);
  }

  /** Number of different rows. */
  get size(): number {
    return this.#count[0];
  }

  /** Nothing more can be added. */
  get isFull(): boolean {
    return this.#count[0] >= this.#maxRows;
  }

  /** Is the row there whose hash is `hashes[at..at + HASH_WORDS)`? */
  has(hashes: Int32Array, at: number): boolean {
    return this.#slots[slotOf(this.#slots, hashes, at) + HASH_WORDS - 1] !== 0;
  }

  clear(): void {
    if (this.#slots.length > MAX_SPARE_SLOTS * HASH_WORDS)
      this.#slots = new Int32Array(FIRST_SLOTS * HASH_WORDS);
    else if (this.size > 0) this.#slots.fill(0);
    this.#count[0] = 0;
  }

  /**
   * Adds the row whose hash is `hashes[at..at + HASH_WORDS)`; false when it is there already.
   * @throws RangeError when the set is full
   */
  add(hashes: Int32Array, at: number): boolean {
    const slots = this.#slots;
    const slot = slotOf(slots, hashes, at);
    // No hash has an even last word.
    if (slots[slot + HASH_WORDS - 1] !== 0) return false;
    if (this.isFull) throw new RangeError('the set of rows is full');
    for (let i = 0; i < HASH_WORDS; i++) slots[slot + i] = hashes[at + i];
    this.#count[0]++;
    if (this.#count[0] * HASH_WORDS >= this.#slots.length * MAX_LOAD && !this.isFull) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += HASH_WORDS) {
      if (old[at + HASH_WORDS - 1] === 0) continue;
      const slot = slotOf(this.#slots, old, at);
      for (let i = 0; i < HASH_WORDS; i++) this.#slots[slot + i] = old[at + i];
    }
  }
}

/** Offset of the slot that holds the row, or of the free one where it belongs. */
function slotOf(slots: Int32Array, hashes: Int32Array, at: number): number {
  const first = hashes[at];
  const count = slots.length / HASH_WORDS;
  let slot = Math.floor(((first >>> 0) / TWO_32) * count) * HASH_WORDS;
  while (slots[slot + HASH_WORDS - 1] !== 0) {
    if (
      slots[slot] === first &&
      slots[slot + 1] === hashes[at + 1] &&
      slots[slot + 2] === hashes[at + 2] &&
      slots[slot + 3] === hashes[at + 3]
    ) {
      return slot;
    }
    slot += HASH_WORDS;
    if (slot === slots.length) slot = 0;
  }
  return slot;
}
