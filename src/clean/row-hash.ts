import type { TypedColumn, Vector } from '../base/vector.js';

/** 32-bit words of a hash. 127 bits: two different rows of 10^9 collide with a probability below 10^-19. */
export const HASH_WORDS = 4;
const HASH_WORDS_LOG2 = 2;

/** Odd multipliers and, different for each word, rotations; see {@link hashValue}. */
const FACTORS = [0x85ebca6b | 0, 0xc2b2ae35 | 0, 0x27d4eb2f | 0, 0x165667b1 | 0] as const;
const ROTATIONS = [5, 11, 17, 23] as const;

/** The secret that hashes depend on, so that nobody can prepare two rows that collide: HASH_WORDS random words. */
export type HashSalt = Int32Array;

/** The hashes of one column's dictionary: HASH_WORDS words for NULL, then for each value. */
interface DictionaryHashes {
  values: Vector;
  words: Int32Array;
  /** Values whose hashes are known. */
  count: number;
}

/**
 * Hashes rows: a 128-bit hash for each value of each column, all of them joined by exclusive or (tabulation hashing). Equal
 * rows have equal hashes under the same salt, whatever modes their columns are in. In dictionary mode a value is hashed
 * once, and a cell costs one look-up.
 */
export class RowHasher {
  readonly #salt: HashSalt;
  readonly #dictionaries: (DictionaryHashes | undefined)[] = [];

  constructor(salt: HashSalt) {
    this.#salt = salt;
  }

  /** Forgets hashes of dictionary values; to be called when dictionaries were emptied. */
  forgetDictionaries(): void {
    this.#dictionaries.length = 0;
  }

  /** Writes the hashes of rows `0..rowCount` to `out`, HASH_WORDS words a row; the last word of each is odd. */
  hash(columns: readonly TypedColumn[], rowCount: number, out: Int32Array): void {
    out.fill(0, 0, rowCount * HASH_WORDS);
    columns.forEach((column, index) => {
      if (column.ids) joinDictionary(column.ids, this.#wordsOf(column.values, index), { rowCount, out });
      else joinPlain(column, this.#seedOf(index), { rowCount, out });
    });
    for (let at = HASH_WORDS - 1; at < rowCount * HASH_WORDS; at += HASH_WORDS) out[at] |= 1;
  }

  #wordsOf(values: Vector, index: number): Int32Array {
    let known = this.#dictionaries[index];
    if (known?.values !== values) {
      known = { values, words: new Int32Array((values.length + 1) * HASH_WORDS * 2), count: 0 };
      hashNull(this.#seedOf(index), known.words);
      this.#dictionaries[index] = known;
    }
    if (known.count < values.length) this.#learn(known, index);
    return known.words;
  }

  #learn(known: DictionaryHashes, index: number): void {
    const { values } = known;
    if (known.words.length < (values.length + 1) * HASH_WORDS) {
      const next = new Int32Array((values.length + 1) * HASH_WORDS * 2);
      next.set(known.words);
      known.words = next;
    }
    const seed = this.#seedOf(index);
    for (; known.count < values.length; known.count++) {
      hashValue({ values, seed }, known.count, known.words, (known.count + 1) * HASH_WORDS);
    }
  }

  /** A salt for each column, so that the same value in two columns is two things. */
  #seedOf(index: number): Int32Array {
    return this.#salt.map((word, i) => finished(word ^ Math.imul(index + 1, FACTORS[i])));
  }
}

/**
 * Writes a word for each of rows `0..rowCount` of one batch to `out`, of columns in dictionary mode only: rows whose words differ
 * are different, since equal values of a column have one id.
 */
export function sketchRows(columns: readonly TypedColumn[], rowCount: number, out: Int32Array): void {
  out.fill(0, 0, rowCount);
  for (const { ids } of columns) if (ids) joinIds(ids, { rowCount, out });
}

interface Rows {
  rowCount: number;
  out: Int32Array;
}

function joinDictionary(ids: Uint32Array, words: Int32Array, { rowCount, out }: Rows): void {
  for (let row = 0, at = 0; row < rowCount; row++, at += HASH_WORDS) {
    // Entry 0 is the hash of NULL: NULL_ID + 1 is 2^32, which a shift makes 0.
    const from = (ids[row] + 1) << HASH_WORDS_LOG2;
    out[at] ^= words[from];
    out[at + 1] ^= words[from + 1];
    out[at + 2] ^= words[from + 2];
    out[at + 3] ^= words[from + 3];
  }
}

function joinIds(ids: Uint32Array, { rowCount, out }: Rows): void {
  for (let row = 0; row < rowCount; row++)
    out[row] = Math.imul(rotated(out[row], ROTATIONS[0]) ^ ids[row], FACTORS[0]);
}

function joinPlain({ values, nulls }: TypedColumn, seed: Int32Array, { rowCount, out }: Rows): void {
  const source = { values, seed };
  const words = new Int32Array(HASH_WORDS);
  for (let row = 0, at = 0; row < rowCount; row++, at += HASH_WORDS) {
    if (nulls !== undefined && nulls[row] === 1) hashNull(seed, words);
    else hashValue(source, row, words, 0);
    out[at] ^= words[0];
    out[at + 1] ^= words[1];
    out[at + 2] ^= words[2];
    out[at + 3] ^= words[3];
  }
}

/** NULL is what no value can be: a text of length -1. */
function hashNull(seed: Int32Array, words: Int32Array): void {
  for (let i = 0; i < HASH_WORDS; i++) words[i] = finished(seed[i] ^ -1);
}

interface HashSource {
  values: Vector;
  seed: Int32Array;
}

/**
 * Writes the hash of value `index` to `words[at..at + HASH_WORDS)`. Four hashes of 32 bits run side by side over words of
 * the value. A difference that one of them lets through to the next word for sure (the highest bit before the
 * multiplication) is another bit in each of them, since each rotates by another number.
 */
function hashValue({ values, seed }: HashSource, index: number, words: Int32Array, at: number): void {
  const { width, offsets, view } = values;
  const start = width === 0 ? offsets[index] : index * width;
  const end = width === 0 ? offsets[index + 1] : start + width;
  const length = end - start;
  let a = seed[0] ^ length;
  let b = seed[1] ^ length;
  let c = seed[2] ^ length;
  let d = seed[3] ^ length;
  for (let from = start; from < end; from += 4) {
    const word = end - from >= 4 ? view.getInt32(from, true) : lastWord(values.bytes, from, end);
    a = Math.imul(rotated(a ^ word, ROTATIONS[0]), FACTORS[0]);
    b = Math.imul(rotated(b ^ word, ROTATIONS[1]), FACTORS[1]);
    c = Math.imul(rotated(c ^ word, ROTATIONS[2]), FACTORS[2]);
    d = Math.imul(rotated(d ^ word, ROTATIONS[3]), FACTORS[3]);
  }
  words[at] = finished(a + d);
  words[at + 1] = finished(b ^ a);
  words[at + 2] = finished(c + b);
  words[at + 3] = finished(d ^ c);
}

/** One to three bytes as a word. */
function lastWord(bytes: Uint8Array, from: number, end: number): number {
  let word = bytes[from];
  if (end - from > 1) word |= bytes[from + 1] << 8;
  if (end - from > 2) word |= bytes[from + 2] << 16;
  return word;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Spreads every bit over the whole word (the finaliser of MurmurHash3). */
function finished(word: number): number {
  let x = word ^ (word >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
