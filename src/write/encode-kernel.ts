import { openKernel, reserveMemory } from '../base/kernel.js';

/** What `kernel/encode.ts` exports; all places are offsets in its memory, in bytes. */
interface KernelExports {
  memory: WebAssembly.Memory;
  beginNumbers(): void;
  number(count: number, ids: number, numbers: number, numberOf: number, usedValues: number): number;
  hybrid(count: number, values: number, bitWidth: number, out: number): number;
}

const WORD_BYTES = 4;
/** Ids that are numbered at a time: they stay in the processor's cache. */
const BLOCK_IDS = 4096;
const IDS_AT = 0;
const NUMBERS_AT = IDS_AT + BLOCK_IDS * WORD_BYTES;
/** Room for numbers, and for values, to begin with. */
const FIRST_ROOM = 4096;
/** A header for each eight values, and words that reach beyond the end. */
const GROUP_HEADER_BYTES = 5;
const GROUP = 8;
const SLACK_BYTES = 64;

/** Runs of up to so many values may be encoded while the arrays of a numbering are in use. */
export const KEPT_RUN_VALUES = 32 * 1024;
const KEPT_RUN_BYTES = KEPT_RUN_VALUES * WORD_BYTES + encodedBytes(KEPT_RUN_VALUES, 32);

/** That many bytes an encoded run takes at most, and what may be written behind it. */
function encodedBytes(count: number, bitWidth: number): number {
  return Math.ceil(count / GROUP) * (bitWidth + GROUP_HEADER_BYTES) + SLACK_BYTES;
}

/** Values of a column that were numbered anew; both arrays are valid until the next numbering. */
export interface Numbering {
  /** The new number of each. */
  numbers: Uint32Array;
  /** The values that occur, in the order of their numbers. */
  usedValues: Uint32Array;
}

/** The inner loops of the encoder in WebAssembly, with a memory of their own: see `kernel/encode.ts`. */
class EncodeKernel {
  readonly #exports = openKernel<KernelExports>('encode');
  #bytes = new Uint8Array(0);
  #block = new Uint32Array(0);
  /** Rows and values that there is room for. */
  #rows = FIRST_ROOM;
  #values = FIRST_ROOM;

  constructor() {
    this.#reserve(this.#runAt + KEPT_RUN_BYTES);
  }

  /** Numbers ids below `valueCount` anew, in order of first use. @throws RangeError when the system has no memory for it */
  number(ids: Uint32Array, valueCount: number): Numbering {
    this.#makeRoom(ids.length, valueCount);
    this.#bytes.fill(0, this.#numberOfAt, this.#numberOfAt + valueCount * WORD_BYTES);
    this.#exports.beginNumbers();
    let size = 0;
    for (let from = 0; from < ids.length; from += BLOCK_IDS) {
      const some = ids.subarray(from, from + BLOCK_IDS);
      this.#block.set(some);
      const numbersAt = NUMBERS_AT + from * WORD_BYTES;
      size = this.#exports.number(some.length, IDS_AT, numbersAt, this.#numberOfAt, this.#usedValuesAt);
    }
    return {
      numbers: new Uint32Array(this.#bytes.buffer, NUMBERS_AT, ids.length),
      usedValues: new Uint32Array(this.#bytes.buffer, this.#usedValuesAt, size),
    };
  }

  /**
   * Encodes values, be it numbers of the last numbering or others; see `kernel/encode.ts`. The result is valid until the next call,
   * which ends a numbering if there are more than {@link KEPT_RUN_VALUES}.
   * @throws RangeError when the system has no memory for it
   */
  hybrid(values: Uint32Array, bitWidth: number): Uint8Array {
    const count = values.length;
    const isOwn = values.buffer === this.#bytes.buffer;
    const outAt = this.#runAt + (isOwn ? 0 : count * WORD_BYTES);
    this.#reserve(outAt + encodedBytes(count, bitWidth));
    if (!isOwn) new Uint32Array(this.#bytes.buffer, this.#runAt, count).set(values);
    const end = this.#exports.hybrid(count, isOwn ? values.byteOffset : this.#runAt, bitWidth, outAt);
    return this.#bytes.subarray(outAt, end);
  }

  /** Where the number of each value stands. */
  get #numberOfAt(): number {
    return NUMBERS_AT + this.#rows * WORD_BYTES;
  }

  get #usedValuesAt(): number {
    return this.#numberOfAt + this.#values * WORD_BYTES;
  }

  /** Behind everything that belongs to a numbering. */
  get #runAt(): number {
    return this.#usedValuesAt + this.#values * WORD_BYTES;
  }

  #makeRoom(rows: number, values: number): void {
    if (rows > this.#rows) this.#rows = Math.max(rows, this.#rows * 2);
    if (values > this.#values) this.#values = Math.max(values, this.#values * 2);
    this.#reserve(this.#runAt + KEPT_RUN_BYTES);
  }

  #reserve(bytes: number): void {
    const { memory } = this.#exports;
    reserveMemory(memory, bytes);
    if (this.#bytes.buffer === memory.buffer) return;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#block = new Uint32Array(memory.buffer, IDS_AT, BLOCK_IDS);
  }
}

let opened: EncodeKernel | undefined;

/** That of this thread. One suffices: encoding runs from beginning to end without a pause. */
export function encodeKernel(): EncodeKernel {
  opened ??= new EncodeKernel();
  return opened;
}
