import { READABLE_BYTES } from './cell-buffer.js';
import type { CellTable } from './cell-table.js';
import { TableKernel } from './table-kernel.js';

/** Chunks end with the first row that passes this size. */
const CHUNK_BYTES = 1_000_000;
const CHUNK_SLACK = 16_000;

/** Cells that are looked up together, few enough for the processor's cache. */
const BLOCK_CELLS = 4096;

export interface CopyTextWriterOptions {
  /** A buffer of an earlier chunk that nobody needs any more, if there is one. */
  spare?: () => ArrayBuffer | undefined;
}

/** Joins tables of cells into COPY text: cells separated by tabs, rows ended by LF, in chunks of whole rows of about 1 MB. */
export class CopyTextWriter {
  readonly #options: CopyTextWriterOptions;
  #bytes: Uint8Array;
  #at = 0;
  /** The cells of some rows, in the order that they have in the text. */
  #block = new Uint32Array(BLOCK_CELLS);

  constructor(options: CopyTextWriterOptions = {}) {
    this.#options = options;
    this.#bytes = this.#newBytes();
  }

  /** Adds a finished table. Yields the chunks that became full; a chunk belongs to the receiver, with all of its buffer. */
  *add(table: CellTable): Generator<Uint8Array> {
    const kernel = isRepetitive(table) ? TableKernel.for(table) : undefined;
    try {
      for (let row = 0; row < table.rows; ) {
        const next = kernel ? this.#joinRows(kernel, row) : row;
        if (next > row) row = next;
        else if (kernel && this.#at > 0) yield this.#take();
        else row = yield* this.#addBlock(table, row);
        if (this.#at >= CHUNK_BYTES) yield this.#take();
      }
    } finally {
      kernel?.release();
    }
  }

  /** What is left for the last chunk; may be empty. */
  rest(): Uint8Array {
    return this.#take();
  }

  #take(): Uint8Array {
    const chunk = this.#bytes.subarray(0, this.#at);
    this.#bytes = this.#newBytes();
    this.#at = 0;
    return chunk;
  }

  #newBytes(): Uint8Array {
    const spare = this.#options.spare?.();
    return spare ? Buffer.from(spare) : unfilled(CHUNK_BYTES + CHUNK_SLACK);
  }

  /** Writes as many rows as the chunk has room for. Answers the one behind them. */
  #joinRows(kernel: TableKernel, from: number): number {
    const next = kernel.write(from, this.#bytes, this.#at);
    this.#at = kernel.end;
    return next;
  }

  /** Writes some rows that are too long for the kernel, or any rows without it. Answers the one behind them. */
  *#addBlock(table: CellTable, from: number): Generator<Uint8Array, number> {
    const width = table.columns.length;
    if (width > this.#block.length) this.#block = new Uint32Array(width);
    const rows = Math.min(table.rows - from, Math.floor(this.#block.length / width));
    this.#takeBlock(table, { from, rows });
    for (let row = 0; row < rows; ) {
      row = this.#writeRows(table, { from: row, to: rows });
      if (this.#at >= CHUNK_BYTES) yield this.#take();
    }
    return from + rows;
  }

  #takeBlock({ columns, ids }: CellTable, { from, rows }: { from: number; rows: number }): void {
    const block = this.#block;
    const width = columns.length;
    for (let c = 0; c < width; c++) {
      const start = columns[c].start + from;
      for (let row = 0, place = c; row < rows; row++, place += width) block[place] = ids[start + row];
    }
  }

  /** Writes rows of the block until a chunk is full, and answers at which row it stopped. */
  #writeRows({ cells, columns }: CellTable, { from, to }: { from: number; to: number }): number {
    const { bytes: source, offsets } = cells;
    const sourceView = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const block = this.#block;
    const width = columns.length;
    const shortRowBytes = (width + 1) * READABLE_BYTES;
    let target = this.#bytes;
    let view = viewOf(target);
    let at = this.#at;
    let row = from;
    while (row < to && at < CHUNK_BYTES) {
      if (at + shortRowBytes > target.length) {
        target = grown(target, at + shortRowBytes);
        view = viewOf(target);
      }
      const end = (row + 1) * width;
      for (let place = row * width; place < end; place++) {
        const cell = block[place];
        const start = offsets[cell];
        const size = offsets[cell + 1] - start;
        if (size <= READABLE_BYTES) {
          // Two words, whatever the size: the next cell is written over what is too much.
          view.setInt32(at, sourceView.getInt32(start, true), true);
          view.setInt32(at + 4, sourceView.getInt32(start + 4, true), true);
        } else {
          if (at + size + shortRowBytes > target.length) {
            target = grown(target, at + size + shortRowBytes);
            view = viewOf(target);
          }
          if (size < SHORT_CELL) for (let i = 0; i < size; i++) target[at + i] = source[start + i];
          else target.set(source.subarray(start, start + size), at);
        }
        at += size;
      }
      row++;
    }
    this.#bytes = target;
    this.#at = at;
    return row;
  }
}

/** A cell is written so often at least that it pays to copy it into the memory of the kernel first. */
const FEW_USES = 4;

function isRepetitive({ rows, columns, cells }: CellTable): boolean {
  return rows * columns.length >= FEW_USES * cells.length;
}

/** Shorter cells are copied byte by byte, which is faster than a call. */
const SHORT_CELL = 24;

/** A buffer of its own whose bytes are whatever they were: zeroing a megabyte takes as long as filling it. */
function unfilled(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function grown(bytes: Uint8Array, needed: number): Uint8Array {
  const next = unfilled(Math.max(bytes.length * 2, needed));
  next.set(bytes);
  return next;
}
