import type { ColumnSpec, TypedColumn } from '../base/vector.js';
import type { Codec } from './codec.js';
import { type ChunkMeta, encodeChunk } from './column-chunk.js';
import { PageWriter } from './pages.js';
import { Scratch } from './scratch.js';

export interface RowGroupInput {
  columns: readonly ColumnSpec[];
  /** One for each column, in the same order. They may be reused once the row group is encoded. */
  data: readonly TypedColumn[];
  /** Rows of `data` to encode, from the first. */
  rowCount: number;
  codec: Codec;
  /** Distinct values are to be counted together with those of the file's other row groups. */
  wantsKeys?: boolean;
}

/** A row group that does not yet know where in a file it will lie. */
export interface EncodedRowGroup {
  /** All pages; the buffer behind it holds nothing else and can be transferred to another thread. */
  bytes: Uint8Array<ArrayBuffer>;
  meta: RowGroupMeta;
}

/** Plain data, fit to be sent between threads. */
export interface RowGroupMeta {
  rowCount: number;
  /** The codec's number in parquet.thrift. */
  codecId: number;
  /** Bytes of all pages without compression. */
  uncompressedBytes: number;
  /** In the order of the columns. */
  chunks: ChunkMeta[];
}

/** One a thread suffices: encoding runs from beginning to end without a pause. */
const scratch = new Scratch();

/**
 * Encodes one row group. Offsets in the result count from its own first byte, so that row groups can be encoded
 * in any order on any thread and be put into a file afterwards. No rows give no bytes.
 * @throws DropgateError `internal` for a NULL in a column that is not nullable.
 */
export function encodeRowGroup(input: RowGroupInput): EncodedRowGroup {
  const { columns, data, rowCount, codec, wantsKeys = false } = input;
  scratch.group.clear();
  const pages = new PageWriter(scratch, codec);
  const chunks: ChunkMeta[] = [];
  let uncompressedBytes = 0;
  for (let i = 0; i < columns.length && rowCount > 0; i++) {
    const chunk = encodeChunk({ spec: columns[i], column: data[i], rowCount, pages, scratch, wantsKeys });
    chunks.push(chunk);
    uncompressedBytes += chunk.uncompressedBytes;
  }
  return { bytes: scratch.group.copy(), meta: { rowCount, codecId: codec.id, uncompressedBytes, chunks } };
}
