import { openKernel, reserveMemory } from '../base/kernel.js';
import type { Vector } from '../base/vector.js';

/** What `kernel/hash.ts` exports; all places are offsets in its memory, in bytes. */
interface KernelExports {
  memory: WebAssembly.Memory;
  hashTexts(count: number, offsets: number, bytes: number, seed: number, out: number): void;
  hashFixed(count: number, width: number, bytes: number, seed: number, out: number): void;
  beginLong(seed: number, length: number): void;
  takeLong(bytes: number, length: number): void;
  endLong(out: number): void;
  hashNull(seed: number, out: number): void;
  joinIds(rows: number, ids: number, table: number, out: number): void;
  joinHashes(rows: number, hashes: number, nulls: number, none: number, out: number): void;
  sketchIds(rows: number, ids: number, sketches: number): void;
  areDistinct(rows: number, sketches: number, slots: number, slotBits: number): number;
}

/** 32-bit words of a hash. */
export const HASH_WORDS = 4;
const WORD_BYTES = 4;
const HASH_BYTES = HASH_WORDS * WORD_BYTES;

/** Rows, or values, that are hashed at a time: their hashes stay in the processor's nearest cache. */
export const BLOCK_ROWS = 1024;
/** Twice as many slots as rows. */
const SLOT_BITS = Math.log2(2 * BLOCK_ROWS);

const SEED_AT = 0;
const NONE_AT = SEED_AT + HASH_BYTES;
const IDS_AT = NONE_AT + HASH_BYTES;
const OUT_AT = IDS_AT + BLOCK_ROWS * WORD_BYTES;
/** Hashes of the values of a block, one a row. */
const HASHES_AT = OUT_AT + BLOCK_ROWS * HASH_BYTES;
const NULLS_AT = HASHES_AT + BLOCK_ROWS * HASH_BYTES;
const OFFSETS_AT = NULLS_AT + BLOCK_ROWS;
const SLOTS_AT = OFFSETS_AT + (BLOCK_ROWS + 1) * WORD_BYTES;
const BYTES_AT = Math.ceil((SLOTS_AT + (WORD_BYTES << SLOT_BITS)) / HASH_BYTES) * HASH_BYTES;
/** Room for the bytes of values, and for what may be read behind them. */
const BYTES = 1 << 17;
const TABLES_AT = BYTES_AT + BYTES + HASH_BYTES;

/** Memory that grew beyond this for tables is given back. */
const MAX_KEPT_BYTES = 4 << 20;

/** Hashes of a dictionary's values, that of NULL first, in the kernel's memory. */
export interface HashTable {
  at: number;
  /** Hashes that there is room for. */
  capacity: number;
  /** Values whose hashes are there. */
  count: number;
}

/** The inner loops of hashing in WebAssembly, with a memory of their own: see `kernel/hash.ts`. */
export class HashKernel {
  #exports = openKernel<KernelExports>('hash');
  #bytes = new Uint8Array(0);
  #ids = new Uint32Array(0);
  #offsets = new Uint32Array(0);
  /** Where the next table goes. */
  #top = TABLES_AT;

  constructor() {
    this.#reserve(0);
  }

  /** Forgets all tables. */
  forget(): void {
    this.#top = TABLES_AT;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#exports = openKernel('hash');
    this.#reserve(0);
  }

  /** Sets the seed of what is hashed next. */
  set seed(words: Int32Array) {
    this.#bytes.set(new Uint8Array(words.buffer, words.byteOffset, HASH_BYTES), SEED_AT);
    this.#exports.hashNull(SEED_AT, NONE_AT);
  }

  /** A table that knows NULL. @throws RangeError when the system has no memory for it */
  newTable(): HashTable {
    const table = { at: this.#allocate(1), capacity: 1, count: 0 };
    this.#bytes.copyWithin(table.at, NONE_AT, NONE_AT + HASH_BYTES);
    return table;
  }

  /** Hashes the values that a table does not have yet. @throws RangeError when the system has no memory for them */
  learn(table: HashTable, values: Vector): void {
    if (values.length + 1 > table.capacity) this.#grow(table, values.length + 1);
    for (let to = 0; table.count < values.length; table.count = to) {
      to = Math.min(table.count + BLOCK_ROWS, values.length);
      this.#hashValues(values, { from: table.count, to, out: table.at + (table.count + 1) * HASH_BYTES });
    }
  }

  /** Begins a block of rows, of which nothing is known. */
  beginRows(count: number): void {
    this.#bytes.fill(0, OUT_AT, OUT_AT + count * HASH_BYTES);
  }

  /** Joins values of a column in dictionary mode, one id a row. */
  joinIds(ids: Uint32Array, { at }: HashTable): void {
    this.#ids.set(ids);
    this.#exports.joinIds(ids.length, IDS_AT, at, OUT_AT);
  }

  /** Joins the values `from..to` of a column in plain mode, one a row. */
  joinValues(values: Vector, { from, to, nulls }: { from: number; to: number; nulls?: Uint8Array }): void {
    this.#hashValues(values, { from, to, out: HASHES_AT });
    if (nulls) this.#bytes.set(nulls.subarray(from, to), NULLS_AT);
    this.#exports.joinHashes(to - from, HASHES_AT, nulls ? NULLS_AT : 0, NONE_AT, OUT_AT);
  }

  /** Hashes of the rows of the block, HASH_WORDS words each; valid until the next call. */
  hashes(count: number): Int32Array {
    return new Int32Array(this.#bytes.buffer, OUT_AT, count * HASH_WORDS);
  }

  /** Joins ids to the sketches of the rows of a block: a word for each. */
  sketchIds(ids: Uint32Array): void {
    this.#ids.set(ids);
    this.#exports.sketchIds(ids.length, IDS_AT, OUT_AT);
  }

  /** Do the sketches of the block differ from each other? */
  areSketchesDistinct(count: number): boolean {
    this.#bytes.fill(0, SLOTS_AT, SLOTS_AT + (WORD_BYTES << SLOT_BITS));
    return this.#exports.areDistinct(count, OUT_AT, SLOTS_AT, SLOT_BITS) !== 0;
  }

  /** Writes the hashes of the values `from..to`, a block at most. */
  #hashValues(values: Vector, { from, to, out }: { from: number; to: number; out: number }): void {
    const { width, bytes, offsets } = values;
    if (width > 0) {
      this.#bytes.set(bytes.subarray(from * width, to * width), BYTES_AT);
      this.#exports.hashFixed(to - from, width, BYTES_AT, SEED_AT, out);
      return;
    }
    for (let first = from; first < to; ) {
      let end = to;
      // Half as many where they are too many.
      while (offsets[end] - offsets[first] > BYTES && end - first > 1) end = first + ((end - first) >> 1);
      const place = out + (first - from) * HASH_BYTES;
      if (offsets[end] - offsets[first] > BYTES)
        this.#hashLong(bytes.subarray(offsets[first], offsets[end]), place);
      else this.#hashTexts(values, { from: first, to: end, out: place });
      first = end;
    }
  }

  #hashTexts({ bytes, offsets }: Vector, { from, to, out }: { from: number; to: number; out: number }): void {
    this.#offsets.set(offsets.subarray(from, to + 1));
    this.#bytes.set(bytes.subarray(offsets[from], offsets[to]), BYTES_AT);
    this.#exports.hashTexts(to - from, OFFSETS_AT, BYTES_AT, SEED_AT, out);
  }

  #hashLong(text: Uint8Array, out: number): void {
    this.#exports.beginLong(SEED_AT, text.length);
    for (let at = 0; at < text.length; at += BYTES) {
      const piece = text.subarray(at, at + BYTES);
      this.#bytes.set(piece, BYTES_AT);
      this.#exports.takeLong(BYTES_AT, piece.length);
    }
    this.#exports.endLong(out);
  }

  /** Doubled, so that a table that grows is copied seldom. */
  #grow(table: HashTable, needed: number): void {
    const capacity = Math.max(needed, table.capacity * 2);
    const at = this.#allocate(capacity);
    this.#bytes.copyWithin(at, table.at, table.at + (table.count + 1) * HASH_BYTES);
    Object.assign(table, { at, capacity });
  }

  #allocate(hashes: number): number {
    const at = this.#top;
    this.#reserve(hashes * HASH_BYTES);
    this.#top += hashes * HASH_BYTES;
    return at;
  }

  #reserve(bytes: number): void {
    const { memory } = this.#exports;
    reserveMemory(memory, this.#top + bytes);
    if (this.#bytes.buffer === memory.buffer) return;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#ids = new Uint32Array(memory.buffer, IDS_AT, BLOCK_ROWS);
    this.#offsets = new Uint32Array(memory.buffer, OFFSETS_AT, BLOCK_ROWS + 1);
  }
}
