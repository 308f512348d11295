import { isKernelRefusal, openKernel, reserveMemory } from '../base/kernel.js';
import type { CellTable } from './cell-table.js';

/** What `kernel/join.ts` exports; all places are offsets in its memory, in bytes. */
interface KernelExports {
  memory: WebAssembly.Memory;
  joinRows(
    ids: number,
    stride: number,
    width: number,
    row: number,
    rows: number,
    offsets: number,
    bytes: number,
    out: number,
    limit: number,
  ): number;
  textEnd(): number;
}

const WORD = Uint32Array.BYTES_PER_ELEMENT;
/** So many bytes are read from the start of a cell. */
const READ_BYTES = 16;
/** Cells whose numbers are handed over at a time: those of a small file, or as many as stay in the processor's cache. */
const BLOCK_CELLS = 1 << 14;
const OUT_AT = BLOCK_CELLS * WORD;
const OUT_BYTES = 1 << 17;
const CELLS_AT = OUT_AT + OUT_BYTES;
/** Most memory for the cells of a table. */
const MAX_CELL_BYTES = 8 << 20;
/** A kernel whose memory grew beyond this is not kept. */
const MAX_KEPT_BYTES = 4 << 20;

/** Kernels that no table uses just now. They are kept, since V8 reserves 10 GB of addresses for each. */
const idle: TableKernel[] = [];

/** The cells of one table in the memory of `kernel/join.ts`, which writes its rows. */
export class TableKernel {
  readonly #exports: KernelExports;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #table: CellTable | undefined;
  #textAt = 0;
  /** The rows whose cells' numbers have been handed over. */
  #block = { from: 0, to: 0 };
  /** Where in the room of {@link write} the text ends. */
  end = 0;

  private constructor(exports: KernelExports) {
    this.#exports = exports;
  }

  /**
   * A kernel with the cells of a finished table; whoever asked gives it back. Undefined when they are too many for it, and where the
   * processor has no SIMD or the system no memory.
   */
  static for(table: CellTable): TableKernel | undefined {
    if (table.columns.length > BLOCK_CELLS) return undefined;
    try {
      const kernel = idle.pop() ?? new TableKernel(openKernel<KernelExports>('join'));
      if (kernel.#take(table)) return kernel;
      kernel.release();
    } catch (error) {
      if (!isKernelRefusal(error)) throw error;
    }
    return undefined;
  }

  /**
   * Writes rows from `from` on into `room` from `at` on, as many as there is room for. Answers the row behind them; {@link end} tells
   * where they end.
   */
  write(from: number, room: Uint8Array, at: number): number {
    const { rows } = this.#table!;
    this.end = at;
    for (let row = from; row < rows; ) {
      if (row >= this.#block.to) this.#takeBlock(row);
      const next = this.#join(row, Math.min(OUT_BYTES, room.length - this.end));
      if (next === row) return row;
      const size = this.#exports.textEnd() - OUT_AT;
      room.set(this.#bytes.subarray(OUT_AT, OUT_AT + size), this.end);
      this.end += size;
      row = next;
    }
    return rows;
  }

  /** Nothing can be written any more. */
  release(): void {
    this.#table = undefined;
    if (this.#bytes.length <= MAX_KEPT_BYTES) idle.push(this);
  }

  /** Hands over the numbers of the cells of rows from `from` on, column by column. */
  #takeBlock(from: number): void {
    const { columns, ids, rows } = this.#table!;
    const count = Math.min(rows - from, Math.floor(BLOCK_CELLS / columns.length));
    for (const [c, { start }] of columns.entries())
      this.#words.set(ids.subarray(start + from, start + from + count), c * count);
    this.#block = { from, to: from + count };
  }

  /** Writes rows of the block into so many bytes. Answers the row behind them. */
  #join(row: number, bytes: number): number {
    const { from, to } = this.#block;
    const next = this.#exports.joinRows(
      0,
      (to - from) * WORD,
      this.#table!.columns.length,
      row - from,
      to - from,
      CELLS_AT,
      this.#textAt,
      OUT_AT,
      OUT_AT + bytes,
    );
    return from + next;
  }

  /** False when there is no room for the cells. @throws RangeError when the system has no memory */
  #take(table: CellTable): boolean {
    const { bytes, offsets, length } = table.cells;
    const textBytes = offsets[length];
    const textAt = CELLS_AT + (length + 1) * WORD;
    const end = textAt + textBytes + READ_BYTES;
    if (end > CELLS_AT + MAX_CELL_BYTES) return false;
    const { memory } = this.#exports;
    reserveMemory(memory, end);
    if (this.#bytes.buffer !== memory.buffer) {
      this.#bytes = new Uint8Array(memory.buffer);
      this.#words = new Uint32Array(memory.buffer);
    }
    this.#words.set(offsets.subarray(0, length + 1), CELLS_AT / WORD);
    this.#bytes.set(bytes.subarray(0, textBytes), textAt);
    this.#table = table;
    this.#textAt = textAt;
    this.#block = { from: 0, to: 0 };
    return true;
  }
}
