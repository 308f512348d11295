import { type ColumnSpec, physicalOf } from '../base/vector.js';
import type { ByteBuffer } from './byte-buffer.js';
import type { ChunkMeta } from './column-chunk.js';
import { PHYSICAL_TYPE } from './format.js';
import type { RowGroupMeta } from './row-group.js';
import { putSchema } from './schema.js';
import { THRIFT, ThriftWriter } from './thrift.js';

/** The format's version 2 is the one with version-2 data pages. */
const FORMAT_VERSION = 2;

export interface PlacedRowGroup extends RowGroupMeta {
  /** Offset of its first byte in the file. */
  offset: number;
  /** Bytes of all its pages. */
  compressedBytes: number;
}

export interface Footer {
  columns: readonly ColumnSpec[];
  rowGroups: readonly PlacedRowGroup[];
  rowCount: number;
  /** Key-value metadata. */
  metadata: Record<string, string>;
  createdBy: string;
}

/** Appends the footer, without its length and the closing magic. Spec: parquet.thrift, FileMetaData. */
export function putFooter(out: ByteBuffer, footer: Footer): void {
  const writer = new ThriftWriter(out);
  const { columns, rowGroups } = footer;
  writer.element();
  writer.i32(1, FORMAT_VERSION);
  putSchema(writer, columns);
  writer.i64(3, footer.rowCount);
  writer.list(4, { type: THRIFT.struct, size: rowGroups.length });
  for (const group of rowGroups) putRowGroup(writer, { group, columns });
  putKeyValues(writer, footer.metadata);
  writer.text(6, footer.createdBy);
  putColumnOrders(writer, columns.length);
  writer.end();
}

function putRowGroup(
  writer: ThriftWriter,
  { group, columns }: { group: PlacedRowGroup; columns: readonly ColumnSpec[] },
): void {
  writer.element();
  writer.list(1, { type: THRIFT.struct, size: columns.length });
  for (let i = 0; i < columns.length; i++) {
    putChunk(writer, { group, spec: columns[i], chunk: group.chunks[i] });
  }
  writer.i64(2, group.uncompressedBytes);
  writer.i64(3, group.rowCount);
  writer.i64(5, group.offset);
  writer.i64(6, group.compressedBytes);
  writer.end();
}

interface PlacedChunk {
  group: PlacedRowGroup;
  spec: ColumnSpec;
  chunk: ChunkMeta;
}

function putChunk(writer: ThriftWriter, { group, spec, chunk }: PlacedChunk): void {
  writer.element();
  // Spec: deprecated, 0 where the chunk's metadata is in the footer alone.
  writer.i64(2, 0);
  writer.struct(3);
  writer.i32(1, PHYSICAL_TYPE[physicalOf(spec.type)]);
  writer.list(2, { type: THRIFT.i32, size: chunk.encodings.length });
  for (const encoding of chunk.encodings) writer.i32Element(encoding);
  writer.list(3, { type: THRIFT.binary, size: 1 });
  writer.textElement(spec.name);
  writer.i32(4, group.codecId);
  writer.i64(5, group.rowCount);
  writer.i64(6, chunk.uncompressedBytes);
  writer.i64(7, chunk.compressedBytes);
  writer.i64(9, group.offset + chunk.dataOffset);
  if (chunk.dictionaryOffset !== undefined) writer.i64(11, group.offset + chunk.dictionaryOffset);
  putStatistics(writer, chunk);
  writer.end();
  writer.end();
}

/** Writes field 12 of ColumnMetaData. */
function putStatistics(writer: ThriftWriter, { nullCount, distinctCount, bounds }: ChunkMeta): void {
  writer.struct(12);
  writer.i64(3, nullCount);
  if (distinctCount !== undefined) writer.i64(4, distinctCount);
  if (bounds) {
    writer.binary(5, bounds.max);
    writer.binary(6, bounds.min);
    writer.bool(7, bounds.maxIsExact);
    writer.bool(8, bounds.minIsExact);
  }
  writer.end();
}

/** Writes field 5 of FileMetaData. */
function putKeyValues(writer: ThriftWriter, metadata: Record<string, string>): void {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return;
  writer.list(5, { type: THRIFT.struct, size: entries.length });
  for (const [key, value] of entries) {
    writer.element();
    writer.text(1, key);
    writer.text(2, value);
    writer.end();
  }
}

/** Writes field 7 of FileMetaData: every column is ordered as its type defines; without this, readers must not trust min and max. */
function putColumnOrders(writer: ThriftWriter, count: number): void {
  writer.list(7, { type: THRIFT.struct, size: count });
  for (let i = 0; i < count; i++) {
    writer.element();
    writer.emptyStruct(1);
    writer.end();
  }
}
