import type { SqlType } from './sql-type.js';

/**
 * How values of a type are stored in memory, which is also Parquet's physical type.
 * `fixed` is a byte string of a fixed width (UUID: 16; decimals beyond 18 digits: 16, big-endian two's complement).
 */
export type Physical = 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'bytes' | 'fixed';

/** The id of a NULL in {@link TypedColumn.ids}. */
export const NULL_ID = 0xffffffff;

/** Width of `fixed` values in bytes, for UUID and wide decimals alike. */
export const FIXED_WIDTH = 16;

const DECIMAL_INT32_DIGITS = 9;
const DECIMAL_INT64_DIGITS = 18;

/** The physical representation of a logical type. Dates are days, times and timestamps microseconds since 1970. */
export function physicalOf(type: SqlType): Physical {
  switch (type.kind) {
    case 'boolean':
      return 'boolean';
    case 'smallint':
    case 'integer':
    case 'date':
      return 'int32';
    case 'bigint':
    case 'time':
    case 'timestamp':
      return 'int64';
    case 'decimal':
      if (type.precision! <= DECIMAL_INT32_DIGITS) return 'int32';
      return type.precision! <= DECIMAL_INT64_DIGITS ? 'int64' : 'fixed';
    case 'real':
      return 'float';
    case 'double':
      return 'double';
    case 'uuid':
      return 'fixed';
    default:
      return 'bytes';
  }
}

/**
 * A growable sequence of values of one physical kind. Fixed-width values lie in `bytes` in little-endian order
 * exactly as Parquet's PLAIN encoding wants them (boolean: one byte each, 0 or 1); a `bytes` value i is
 * `bytes[offsets[i] .. offsets[i + 1])`, UTF-8.
 */
export class Vector {
  readonly physical: Physical;
  /** Bytes of one value; 0 for variable-length `bytes`. */
  readonly width: number;
  /** Number of values. */
  length = 0;
  /** How often all values were forgotten. */
  clears = 0;
  bytes: Uint8Array;
  /** Only for `bytes`: length + 1 offsets into `bytes` are valid. */
  offsets: Uint32Array;
  #view: DataView;

  constructor(physical: Physical, capacity = 16) {
    this.physical = physical;
    this.width = WIDTHS[physical];
    this.bytes = new Uint8Array(Math.max(16, capacity * (this.width || 8)));
    this.offsets = new Uint32Array(this.width === 0 ? capacity + 1 : 0);
    this.#view = new DataView(this.bytes.buffer);
  }

  /**
   * Makes room for so many more values, of byte strings for their offsets only. Hot loops may then write values to
   * {@link bytes} or {@link view}, the ends of byte strings to {@link offsets}, and count them in {@link length}.
   */
  reserveValues(count: number): void {
    if (this.width > 0) this.#reserveAt(this.length * this.width, count * this.width);
    else while (this.length + count >= this.offsets.length) this.offsets = grown(this.offsets);
  }

  /** Number of bytes in use. */
  get byteLength(): number {
    return this.width === 0 ? this.offsets[this.length] : this.length * this.width;
  }

  /** Forgets all values and keeps the memory. */
  clear(): void {
    this.length = 0;
    this.clears++;
  }

  pushBoolean(value: boolean): void {
    this.#reserve(1);
    this.bytes[this.length++] = value ? 1 : 0;
  }

  pushInt32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.length++ * 4, value, true);
  }

  /** Appends an integer of magnitude at most 2^53. */
  pushSafeInteger(value: number): void {
    this.#reserve(8);
    putSafeInteger(this.#view, this.length++ * 8, value);
  }

  pushBigInt(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.length++ * 8, value, true);
  }

  pushFloat(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.length++ * 4, value, true);
  }

  pushDouble(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length++ * 8, value, true);
  }

  /** Appends `source[start..end)`; for `fixed` the range is exactly {@link FIXED_WIDTH} long. */
  pushBytes(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const at = this.byteLength;
    this.#reserveAt(at, size);
    const target = this.bytes;
    if (size < 24) for (let i = 0; i < size; i++) target[at + i] = source[start + i];
    else target.set(source.subarray(start, end), at);
    this.#closeBytes(at + size);
  }

  /** Makes room for `size` bytes at offset `at` of {@link bytes}; a word of four may then be stored at each of them. */
  reserveBytes(at: number, size: number): void {
    this.#reserveAt(at, size);
  }

  /** The bytes as numbers; replaced, as {@link bytes} is, when the vector grows. */
  get view(): DataView {
    return this.#view;
  }

  /** Appends a text as UTF-8. */
  pushText(text: string): void {
    const at = this.byteLength;
    this.#reserveAt(at, text.length * 3);
    const { written } = ENCODER.encodeInto(text, this.bytes.subarray(at));
    this.#closeBytes(at + written);
  }

  /** Appends a zero or an empty byte string, as the placeholder of a NULL in plain mode. */
  pushZero(): void {
    const width = this.width;
    const at = this.byteLength;
    this.#reserveAt(at, width);
    this.bytes.fill(0, at, at + width);
    this.#closeBytes(at);
  }

  int32At(index: number): number {
    return this.#view.getInt32(index * 4, true);
  }

  bigIntAt(index: number): bigint {
    return this.#view.getBigInt64(index * 8, true);
  }

  floatAt(index: number): number {
    return this.#view.getFloat32(index * 4, true);
  }

  doubleAt(index: number): number {
    return this.#view.getFloat64(index * 8, true);
  }

  /** The bytes of value `index`, without a copy. */
  bytesAt(index: number): Uint8Array {
    if (this.width > 0) return this.bytes.subarray(index * this.width, (index + 1) * this.width);
    return this.bytes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** The bytes of value `index` in memory of their own. */
  copyAt(index: number): Uint8Array {
    if (this.width > 0) return this.bytes.slice(index * this.width, (index + 1) * this.width);
    return this.bytes.slice(this.offsets[index], this.offsets[index + 1]);
  }

  /** Appends values `from..to` of another vector of the same kind. */
  pushRange(other: Vector, from: number, to: number): void {
    const count = to - from;
    const start = this.width === 0 ? other.offsets[from] : from * this.width;
    const end = this.width === 0 ? other.offsets[to] : to * this.width;
    const at = this.byteLength;
    this.#reserveAt(at, end - start);
    this.bytes.set(other.bytes.subarray(start, end), at);
    if (this.width === 0) {
      while (this.length + count >= this.offsets.length) this.offsets = grown(this.offsets);
      const shift = at - start;
      for (let i = 1; i <= count; i++) this.offsets[this.length + i] = other.offsets[from + i] + shift;
    }
    this.length += count;
  }

  #closeBytes(end: number): void {
    this.length++;
    if (this.width > 0) return;
    if (this.length >= this.offsets.length) this.offsets = grown(this.offsets);
    this.offsets[this.length] = end;
  }

  #reserve(width: number): void {
    this.#reserveAt(this.length * width, width);
  }

  #reserveAt(at: number, size: number): void {
    if (at + size + SLACK_BYTES <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.bytes.length * 2, at + size + SLACK_BYTES));
    next.set(this.bytes.subarray(0, at));
    this.bytes = next;
    this.#view = new DataView(next.buffer);
  }
}

/** A dictionary of which something is remembered by value. It may have grown since, but must not have begun anew. */
export class KnownDictionary {
  readonly #values: Vector;
  readonly #clears: number;

  constructor(values: Vector) {
    this.#values = values;
    this.#clears = values.clears;
  }

  /** Is it still the dictionary of this column? */
  isOf({ ids, values }: TypedColumn): boolean {
    return ids !== undefined && this.#values === values && this.#clears === values.clears;
  }
}

const TWO_32 = 0x1_0000_0000;

/** Stores an integer of magnitude at most 2^53 in eight bytes, as `int64` values lie in a {@link Vector}. */
export function putSafeInteger(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  view.setUint32(at, value - high * TWO_32, true);
  view.setInt32(at + 4, high, true);
}

const ENCODER = new TextEncoder();

/** Room behind the values, so that words of four bytes can be loaded and stored up to their end. */
const SLACK_BYTES = 3;

const WIDTHS: Record<Physical, number> = {
  boolean: 1,
  int32: 4,
  int64: 8,
  float: 4,
  double: 8,
  bytes: 0,
  fixed: FIXED_WIDTH,
};

function grown(array: Uint32Array): Uint32Array {
  const next = new Uint32Array(array.length * 2);
  next.set(array);
  return next;
}

/**
 * One column of a batch of rows on its way into Parquet, in one of two modes.
 * - Dictionary mode: `ids[row]` is the index of the row's value in `values`, or {@link NULL_ID}. `values` may hold
 *   values that no row of this batch uses; no two of its values are equal.
 * - Plain mode: `ids` is absent, `values` holds one value per row; a row with `nulls[row] = 1` is NULL and its
 *   value (a placeholder) is to be skipped. `nulls` absent means that no row is NULL.
 */
export interface TypedColumn {
  ids?: Uint32Array;
  values: Vector;
  nulls?: Uint8Array;
  /** Dictionary mode: true where it is known that no row is NULL; otherwise that has to be found out. */
  isFull?: boolean;
}

/** A declared output column. */
export interface ColumnSpec {
  name: string;
  type: SqlType;
  /** NULLs can occur; Parquet's OPTIONAL. */
  nullable: boolean;
}
