import { randomBytes } from 'node:crypto';
import type { TypedColumn, Vector } from '../base/vector.js';

/** 32-bit words of a row's hash. 128 bits: two different rows of 10^9 collide with a probability below 10^-20. */
const LANES = 4;
const FIRST_SLOTS = 1024;
/** A table that grew beyond this for one large file is given back, so that small files need not empty it. */
const MAX_SPARE_SLOTS = 1 << 16;

/** Odd multipliers, one a lane (from the finaliser of MurmurHash3 and its relatives). */
const MIX = [0x85ebca6b | 0, 0xc2b2ae35 | 0, 0x27d4eb2f | 0, 0x165667b1 | 0];

/**
 * Finds rows of one file whose every value equals that of an earlier row. Rows are known by a 128-bit hash of
 * their values, salted for each process so that nobody can prepare two rows that collide. Values are hashed once
 * for each distinct one where the column is in dictionary mode.
 */
export class DuplicateFinder {
  readonly #salt = new Int32Array(new Uint8Array(randomBytes(LANES * 4)).buffer);
  /** LANES words for each row seen. */
  #rows = new Int32Array(FIRST_SLOTS * LANES);
  #count = 0;
  /** Row number + 1, or 0. */
  #slots = new Int32Array(FIRST_SLOTS);
  #batch = new Int32Array(0);
  readonly #dictionaryHashes = new Map<Vector, { words: Int32Array; count: number }>();

  /** Forgets all rows; the hashes of dictionary values stay valid as long as the dictionaries do. */
  clear(): void {
    this.#count = 0;
    if (this.#slots.length <= MAX_SPARE_SLOTS) {
      this.#slots.fill(0);
      return;
    }
    this.#slots = new Int32Array(FIRST_SLOTS);
    this.#rows = new Int32Array(FIRST_SLOTS * LANES);
    this.#batch = new Int32Array(0);
  }

  /** Forgets everything, when dictionaries were emptied. */
  forgetDictionaries(): void {
    this.#dictionaryHashes.clear();
  }

  /**
   * Looks at the rows of a batch in order. Rows with a non-zero flag are passed over; every other row that was
   * seen before gets `mark` as its flag. Answers how many.
   */
  mark(
    columns: readonly TypedColumn[],
    batch: { rowCount: number; flags: Uint8Array; mark: number },
  ): number {
    const { rowCount, flags, mark } = batch;
    this.#hashRows(columns, rowCount);
    let found = 0;
    for (let row = 0; row < rowCount; row++) {
      if (flags[row] !== 0) continue;
      if (this.#addRow(row * LANES)) continue;
      flags[row] = mark;
      found++;
    }
    return found;
  }

  #hashRows(columns: readonly TypedColumn[], rowCount: number): void {
    if (this.#batch.length < rowCount * LANES) this.#batch = new Int32Array(rowCount * LANES * 2);
    const batch = this.#batch;
    for (let i = 0; i < rowCount * LANES; i++) batch[i] = this.#salt[i & (LANES - 1)];
    for (const column of columns) {
      if (column.ids) this.#mixDictionary(column.ids, column.values, rowCount);
      else this.#mixPlain(column, rowCount);
    }
  }

  #mixDictionary(ids: Uint32Array, values: Vector, rowCount: number): void {
    const words = this.#wordsOf(values);
    const batch = this.#batch;
    for (let row = 0, at = 0; row < rowCount; row++, at += LANES) {
      // Entry 0 is the hash of NULL, so that NULL_ID + 1 wraps to it.
      const from = ((ids[row] + 1) >>> 0) * LANES;
      batch[at] = mixed(batch[at], words[from], MIX[0]);
      batch[at + 1] = mixed(batch[at + 1], words[from + 1], MIX[1]);
      batch[at + 2] = mixed(batch[at + 2], words[from + 2], MIX[2]);
      batch[at + 3] = mixed(batch[at + 3], words[from + 3], MIX[3]);
    }
  }

  #mixPlain(column: TypedColumn, rowCount: number): void {
    const { values, nulls } = column;
    const words = new Int32Array(LANES);
    const target = { words, at: 0, salt: this.#salt };
    const batch = this.#batch;
    for (let row = 0, at = 0; row < rowCount; row++, at += LANES) {
      if (nulls !== undefined && nulls[row] === 1) words.fill(0);
      else hashValue(values, row, target);
      for (let lane = 0; lane < LANES; lane++)
        batch[at + lane] = mixed(batch[at + lane], words[lane], MIX[lane]);
    }
  }

  /** LANES words for NULL and then for each value of a dictionary; extended as the dictionary grows. */
  #wordsOf(values: Vector): Int32Array {
    let known = this.#dictionaryHashes.get(values);
    if (!known) {
      known = { words: new Int32Array((values.length + 1) * LANES * 2), count: 0 };
      this.#dictionaryHashes.set(values, known);
    }
    if (known.words.length < (values.length + 1) * LANES) {
      const next = new Int32Array((values.length + 1) * LANES * 2);
      next.set(known.words);
      known.words = next;
    }
    for (; known.count < values.length; known.count++) {
      hashValue(values, known.count, {
        words: known.words,
        at: (known.count + 1) * LANES,
        salt: this.#salt,
      });
    }
    return known.words;
  }

  /** Adds the row whose hash lies at `at` of the batch; false when it is there already. */
  #addRow(at: number): boolean {
    const batch = this.#batch;
    const mask = this.#slots.length - 1;
    let slot = batch[at] & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = (this.#slots[slot] - 1) * LANES;
      const rows = this.#rows;
      if (
        rows[other] === batch[at] &&
        rows[other + 1] === batch[at + 1] &&
        rows[other + 2] === batch[at + 2] &&
        rows[other + 3] === batch[at + 3]
      ) {
        return false;
      }
    }
    if ((this.#count + 1) * LANES > this.#rows.length) this.#growRows();
    for (let lane = 0; lane < LANES; lane++) this.#rows[this.#count * LANES + lane] = batch[at + lane];
    this.#slots[slot] = ++this.#count;
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return true;
  }

  #growRows(): void {
    const next = new Int32Array(this.#rows.length * 2);
    next.set(this.#rows);
    this.#rows = next;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#count; row++) {
      let slot = this.#rows[row * LANES] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}

function mixed(state: number, word: number, multiplier: number): number {
  const x = Math.imul(state ^ word, multiplier);
  return ((x << 13) | (x >>> 19)) ^ word;
}

/** Writes a salted 128-bit hash of value `index` to `words[at..at + 4)`; never all zero, which stands for NULL. */
function hashValue(
  values: Vector,
  index: number,
  { words, at, salt }: { words: Int32Array; at: number; salt: Int32Array },
): void {
  const start = values.width === 0 ? values.offsets[index] : index * values.width;
  const end = values.width === 0 ? values.offsets[index + 1] : start + values.width;
  let a = salt[0] ^ (end - start);
  let b = salt[1];
  let c = salt[2];
  let d = salt[3];
  for (let i = start; i < end; i++) {
    const byte = values.bytes[i];
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
    c = (Math.imul(c, 31) + byte) | 0;
    d = Math.imul(d ^ (byte + (d >>> 15)), 0xc2b2ae35);
  }
  words[at] = finished(a ^ (d >>> 7));
  words[at + 1] = finished(b ^ (c >>> 9));
  words[at + 2] = finished(c ^ (a >>> 11));
  words[at + 3] = finished(d ^ (b >>> 13)) | 1;
}

function finished(word: number): number {
  let x = word ^ (word >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
