import { Vector } from '../base/vector.js';

/** Start value of {@link hashStep}: FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
export const HASH_SEED = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;

/** Hash of `source[start..end)`, the same that the scanner computes while it looks for the end of a field. */
export function hashBytes(source: Uint8Array, start: number, end: number): number {
  let hash = HASH_SEED;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i], HASH_PRIME);
  return hash;
}

const FIRST_SLOTS = 64;

/**
 * The distinct byte strings of one column, numbered in order of first appearance. Open addressing with linear
 * probing at a load of at most one half; the bytes of each value are kept once.
 */
export class ByteDictionary {
  /** The distinct values, UTF-8, by id. */
  readonly values = new Vector('bytes', 32);
  #hashes = new Int32Array(32);
  /** id + 1, or 0 for a free slot. */
  #slots = new Int32Array(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;

  /** Number of distinct values. */
  get count(): number {
    return this.values.length;
  }

  /** The id of `source[start..end)`, which is added when it was not seen before. `hash` is its {@link hashBytes}. */
  idOf(source: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const offsets = this.values.offsets;
    const bytes = this.values.bytes;
    const size = end - start;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = slots[slot] - 1;
      if (id < 0) return this.#add(source, start, end, hash, slot);
      if (this.#hashes[id] === hash) {
        const from = offsets[id];
        if (offsets[id + 1] - from === size) {
          let i = 0;
          while (i < size && bytes[from + i] === source[start + i]) i++;
          if (i === size) return id;
        }
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Forgets all values and keeps the memory. */
  clear(): void {
    this.values.clear();
    this.#slots.fill(0);
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.values.length;
    this.values.pushBytes(source, start, end);
    if (id >= this.#hashes.length) this.#growHashes();
    this.#hashes[id] = hash;
    this.#slots[slot] = id + 1;
    if ((id + 1) * 2 > this.#slots.length) this.#growSlots();
    return id;
  }

  #growHashes(): void {
    const next = new Int32Array(this.#hashes.length * 2);
    next.set(this.#hashes);
    this.#hashes = next;
  }

  #growSlots(): void {
    const size = this.#slots.length * 2;
    const slots = new Int32Array(size);
    const mask = size - 1;
    for (let id = 0; id < this.values.length; id++) {
      const hash = this.#hashes[id];
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}
