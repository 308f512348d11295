import { isKernelRefusal, openKernel, reserveMemory } from '../base/kernel.js';

/** What `kernel/join.ts` exports; all places are offsets in its memory, in bytes. */
interface KernelExports {
  memory: WebAssembly.Memory;
  join(ids: number, stop: number, slots: number, out: number, limit: number): number;
  textEnd(): number;
}

const SLOT_BYTES = 16;
/** Longest cell that takes one slot only. */
const MAX_SHORT_BYTES = SLOT_BYTES - 1;
const IS_LONG = 255;

/** Cells that are joined at a time: their numbers, and mostly their text, stay in the processor's cache. */
const BLOCK_CELLS = 4096;
const OUT_BYTES = 1 << 17;
/** Most memory for cells. */
const MAX_CELL_BYTES = 8 << 20;

/** Cells of COPY text, kept in the memory of `kernel/join.ts`, which joins them. */
export class JoinKernel {
  readonly #exports: KernelExports;
  /** Cells of a block: whole rows of `width` cells. */
  readonly blockCells: number;
  readonly #outAt: number;
  readonly #slotsAt: number;
  /** Slots in use. */
  #top = 0;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  /** Numbers of the cells that are to be joined. Another array after cells were added. */
  ids = new Uint32Array(0);

  private constructor(exports: KernelExports, width: number) {
    this.#exports = exports;
    this.blockCells = Math.max(1, Math.floor(BLOCK_CELLS / width)) * width;
    this.#outAt = this.blockCells * Uint32Array.BYTES_PER_ELEMENT;
    this.#slotsAt = Math.ceil((this.#outAt + OUT_BYTES) / SLOT_BYTES) * SLOT_BYTES;
  }

  /** A kernel for rows of so many cells; undefined where the processor has no SIMD, or the system no memory for it. */
  static open(width: number): JoinKernel | undefined {
    try {
      const kernel = new JoinKernel(openKernel<KernelExports>('join'), width);
      return kernel.#hasRoomFor(0) ? kernel : undefined;
    } catch (error) {
      if (isKernelRefusal(error)) return undefined;
      throw error;
    }
  }

  /** Where the next cell goes; given to `truncate`, all cells that were added since are forgotten. */
  get top(): number {
    return this.#top;
  }

  truncate(top: number): void {
    this.#top = top;
  }

  /** Bytes that cells take. */
  get byteLength(): number {
    return this.#top * SLOT_BYTES;
  }

  /** Adds the cell `source[start..end)`, and answers its number; undefined when there is no room for it. */
  add(source: Uint8Array, start: number, end: number): number | undefined {
    const size = end - start;
    const isLong = size > MAX_SHORT_BYTES;
    const slots = isLong ? 1 + Math.ceil(size / SLOT_BYTES) : 1;
    if (size > OUT_BYTES || !this.#hasRoomFor(slots)) return undefined;
    const number = this.#top;
    const at = this.#slotsAt + number * SLOT_BYTES;
    if (isLong) this.#view.setUint32(at, size, true);
    this.#bytes[at + SLOT_BYTES - 1] = isLong ? IS_LONG : size;
    this.#bytes.set(source.subarray(start, end), isLong ? at + SLOT_BYTES : at);
    this.#top += slots;
    return number;
  }

  /** Writes the first `count` of {@link ids} into `room` from `at` on. Answers where they end; undefined when there is no room. */
  join(count: number, room: Uint8Array, at: number): number | undefined {
    const stop = count * Uint32Array.BYTES_PER_ELEMENT;
    let end = at;
    for (let next = 0; next < stop; ) {
      next = this.#exports.join(next, stop, this.#slotsAt, this.#outAt, this.#outAt + OUT_BYTES);
      const size = this.#exports.textEnd() - this.#outAt;
      if (size > room.length - end) return undefined;
      room.set(this.#bytes.subarray(this.#outAt, this.#outAt + size), end);
      end += size;
    }
    return end;
  }

  #hasRoomFor(slots: number): boolean {
    const needed = (this.#top + slots) * SLOT_BYTES;
    if (needed > MAX_CELL_BYTES) return false;
    const { memory } = this.#exports;
    const end = this.#slotsAt + needed;
    // Doubled, since each time all arrays are made anew.
    if (end > memory.buffer.byteLength && !hasReserved(memory, end + needed)) return false;
    if (this.#bytes.buffer !== memory.buffer) this.#settle(memory.buffer);
    return true;
  }

  #settle(buffer: ArrayBuffer): void {
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.ids = new Uint32Array(buffer, 0, this.blockCells);
  }
}

/** False when the system has no memory for it. */
function hasReserved(memory: WebAssembly.Memory, bytes: number): boolean {
  try {
    reserveMemory(memory, bytes);
    return true;
  } catch (error) {
    if (isKernelRefusal(error)) return false;
    throw error;
  }
}
