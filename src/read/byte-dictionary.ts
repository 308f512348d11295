import { Vector } from '../base/vector.js';

/** Values up to this length are known by two words, all of their bytes; longer ones by a hash. */
const SHORT_BYTES = 7;
const HASH_SEED = 0x811c9dc5 | 0;

/*
 * A slot holds four words: the id, two words that know the value, and its length + 1, which is 0 in a free slot.
 * The two words are the value itself, little-endian and filled with zeros, or the hash of a longer value and 0.
 */
const SLOT_WORDS_LOG2 = 2;
const SLOT_WORDS = 1 << SLOT_WORDS_LOG2;
const FIRST = 1;
const SECOND = 2;
const TAG = 3;
const FIRST_SLOTS_LOG2 = 6;

/**
 * The distinct byte strings of one column, numbered in order of first appearance. Open addressing with linear
 * probing at a load of at most one half; the bytes of each value are kept once.
 */
export class ByteDictionary {
  /** The distinct values, UTF-8, by id. */
  readonly values = new Vector('bytes', 32);
  #slots = new Int32Array(1 << (FIRST_SLOTS_LOG2 + SLOT_WORDS_LOG2));
  /** How far a 32-bit hash is shifted to give a slot. */
  #shift = 32 - FIRST_SLOTS_LOG2;

  /** Number of distinct values. */
  get count(): number {
    return this.values.length;
  }

  /** The id of the value `source[start..end)`, which is added when it was not seen before. */
  idOf(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const isShort = length <= SHORT_BYTES;
    const first = isShort ? wordAt(source, start, end) : hashOf(source, start, end);
    const second = isShort ? wordAt(source, start + 4, end) : 0;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = slotOf(first, second, this.#shift);
    for (; slots[at + TAG] !== 0; at = (at + SLOT_WORDS) & mask) {
      if (slots[at + FIRST] !== first || slots[at + SECOND] !== second || slots[at + TAG] !== length + 1)
        continue;
      if (isShort || this.#equals(slots[at], source, start, end)) return slots[at];
    }
    return this.#add({ first, second, length, source, start }, at);
  }

  #equals(id: number, source: Uint8Array, start: number, end: number): boolean {
    const { bytes, offsets } = this.values;
    const shift = offsets[id] - start;
    for (let i = start; i < end; i++) if (bytes[i + shift] !== source[i]) return false;
    return true;
  }

  #add({ first, second, length, source, start }: NewValue, at: number): number {
    const id = this.values.length;
    this.values.pushBytes(source, start, start + length);
    const slots = this.#slots;
    slots[at] = id;
    slots[at + FIRST] = first;
    slots[at + SECOND] = second;
    slots[at + TAG] = length + 1;
    if ((id + 1) * 2 > slots.length >> SLOT_WORDS_LOG2) this.#grow();
    return id;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const mask = slots.length - 1;
    this.#shift--;
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      if (old[from + TAG] === 0) continue;
      let at = slotOf(old[from + FIRST], old[from + SECOND], this.#shift);
      while (slots[at + TAG] !== 0) at = (at + SLOT_WORDS) & mask;
      for (let word = 0; word < SLOT_WORDS; word++) slots[at + word] = old[from + word];
    }
    this.#slots = slots;
  }
}

/** A value that is looked for, and may have to be added. */
interface NewValue {
  first: number;
  second: number;
  length: number;
  source: Uint8Array;
  start: number;
}

/** Where in the slots the search for a value begins. The highest bits of a product depend on all bits of its factor. */
function slotOf(first: number, second: number, shift: number): number {
  return (Math.imul(first ^ Math.imul(second, 0x85ebca6b), 0x9e3779b1) >>> shift) << SLOT_WORDS_LOG2;
}

function hashOf(source: Uint8Array, start: number, end: number): number {
  let hash = HASH_SEED;
  for (let at = start; at < end; at += 4) {
    const mixed = Math.imul(hash ^ wordAt(source, at, end), 0x9e3779b1);
    hash = mixed ^ (mixed >>> 15);
  }
  return hash;
}

/** Up to four bytes of `source[at..end)` as a little-endian word, filled with zeros. */
function wordAt(source: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) word = (word << 8) | source[i];
  return word;
}
