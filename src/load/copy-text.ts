import { CellBuffer } from './cell-buffer.js';

/** Chunks end with the first row that passes this size. */
const CHUNK_BYTES = 1_000_000;
const CHUNK_SLACK = 16_000;
const EXPECTED_CELL_BYTES = 4;
/** Pairs stay few enough to lie in the processor's cache. */
const MAX_PAIRS = 4096;
/** Of fewer rows, making the pairs takes longer than they save. */
const MANY_ROWS = 8192;
const LF = 0x0a;
/** Shorter cells are copied byte by byte, which is faster than a call. */
const SHORT_CELL = 24;

/** The cells of one column: row r holds cell `ids[r]`. Equal values share a cell. */
export interface CellColumn {
  cells: CellBuffer;
  ids: Uint32Array;
}

/**
 * Joins columns of cells into COPY text: cells separated by tabs, rows ended by LF. Yields chunks of whole rows, about
 * 1 MB each; a chunk belongs to the receiver, with all of its buffer.
 */
export function* copyChunks(given: CellColumn[], rows: number): Generator<Uint8Array> {
  const columns = paired(given, rows);
  // Looked up once: this is the innermost loop of loading.
  const bytesOf = columns.map(({ cells }) => cells.bytes);
  const offsetsOf = columns.map(({ cells }) => cells.offsets);
  const idsOf = columns.map(({ ids }) => ids);
  // A small table gets no chunk of full size; it grows where this is too little.
  const size = Math.min(CHUNK_BYTES, rows * given.length * EXPECTED_CELL_BYTES) + CHUNK_SLACK;
  let target = unfilled(size);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < idsOf.length; c++) {
      const id = idsOf[c][row];
      const bytes = bytesOf[c];
      const start = offsetsOf[c][id];
      const end = offsetsOf[c][id + 1];
      if (at + (end - start) > target.length) target = grown(target, at + (end - start));
      if (end - start < SHORT_CELL) for (let i = start; i < end; i++) target[at++] = bytes[i];
      else {
        target.set(bytes.subarray(start, end), at);
        at += end - start;
      }
    }
    // The tab after the last cell becomes the end of the row.
    target[at - 1] = LF;
    if (at >= CHUNK_BYTES) {
      yield target.subarray(0, at);
      target = unfilled(size);
      at = 0;
    }
  }
  if (at > 0) yield target.subarray(0, at);
}

/**
 * Neighbours of few values become one column of their pairs, again and again: copying one cell of ten bytes takes little
 * longer than one of three.
 */
function paired(columns: CellColumn[], rows: number): CellColumn[] {
  if (rows < MANY_ROWS) return columns;
  const result: CellColumn[] = [];
  for (const column of columns) {
    const last = result.at(-1);
    if (last && last.cells.length * column.cells.length <= MAX_PAIRS)
      result[result.length - 1] = pairOf(last, column);
    else result.push(column);
  }
  return result;
}

function pairOf(first: CellColumn, second: CellColumn): CellColumn {
  const seconds = second.cells.length;
  const ids = new Uint32Array(first.ids.length);
  for (let row = 0; row < ids.length; row++) ids[row] = first.ids[row] * seconds + second.ids[row];
  return { cells: CellBuffer.pairs(first.cells, second.cells), ids };
}

/** A buffer of its own whose bytes are whatever they were: zeroing a megabyte takes as long as filling it. */
function unfilled(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}

function grown(bytes: Uint8Array, needed: number): Uint8Array {
  const next = unfilled(Math.max(bytes.length * 2, needed));
  next.set(bytes);
  return next;
}
