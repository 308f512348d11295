import type { CellBuffer } from './cell-buffer.js';

/** Chunks end with the first row that passes this size. */
const CHUNK_BYTES = 1_000_000;
const CHUNK_SLACK = 16_000;
const EXPECTED_CELL_BYTES = 4;
const TAB = 0x09;
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
 * 1 MB each; a chunk belongs to the receiver.
 */
export function* copyChunks(columns: CellColumn[], rows: number): Generator<Uint8Array> {
  // A small table gets no chunk of full size, which would have to be zeroed first; it grows where this is too little.
  let target = new Uint8Array(
    Math.min(CHUNK_BYTES, rows * columns.length * EXPECTED_CELL_BYTES) + CHUNK_SLACK,
  );
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns.length; c++) {
      const { cells, ids } = columns[c];
      const { bytes, offsets } = cells;
      const id = ids[row];
      const start = offsets[id];
      const end = offsets[id + 1];
      if (at + (end - start) + 1 > target.length) target = grown(target, at + (end - start) + 1);
      if (end - start < SHORT_CELL) for (let i = start; i < end; i++) target[at++] = bytes[i];
      else {
        target.set(bytes.subarray(start, end), at);
        at += end - start;
      }
      target[at++] = TAB;
    }
    // The tab after the last cell becomes the end of the row.
    target[at - 1] = LF;
    if (at >= CHUNK_BYTES) {
      yield target.subarray(0, at);
      target = new Uint8Array(CHUNK_BYTES + CHUNK_SLACK);
      at = 0;
    }
  }
  if (at > 0) yield target.subarray(0, at);
}

function grown(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(Math.max(bytes.length * 2, needed));
  next.set(bytes);
  return next;
}
