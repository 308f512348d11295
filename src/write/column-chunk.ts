import type { ColumnSpec, TypedColumn } from '../base/vector.js';
import type { ByteBuffer } from './byte-buffer.js';
import { putDelta } from './delta.js';
import { KEPT_RUN_VALUES } from './encode-kernel.js';
import { ENCODING, type Encoding } from './format.js';
import { putHybrid, putRepeated } from './hybrid-rle.js';
import { buildLocalDictionary, dictionaryPays, type LocalDictionary } from './local-dictionary.js';
import type { PageWriter } from './pages.js';
import { LENGTH_BYTES, putPlain, type Selection } from './plain.js';
import { type ColumnRows, readRows } from './rows.js';
import type { Scratch } from './scratch.js';
import { type Bounds, boundsOf } from './statistics.js';
import { keysOf, sumOf } from './value-summary.js';

/** Where a column chunk lies and what is in it. Plain data, fit to be sent between threads. */
export interface ChunkMeta {
  /** Offset of the dictionary page from the start of the row group, in bytes; absent without dictionary. */
  dictionaryOffset?: number;
  /** Offset of the first data page from the start of the row group, in bytes. */
  dataOffset: number;
  /** Bytes of all pages, headers included. */
  compressedBytes: number;
  uncompressedBytes: number;
  /** Every encoding that occurs in the chunk, each once. */
  encodings: Encoding[];
  nullCount: number;
  /** Number of distinct values; known only where there is a dictionary. */
  distinctCount?: number;
  /** Absent when there is no value to compare. */
  bounds?: Bounds;
  /** See {@link sumOf}. */
  sum?: number;
  /** See {@link keysOf}; only where they were asked for. */
  keys?: Float64Array;
}

export interface ChunkInput {
  spec: ColumnSpec;
  column: TypedColumn;
  rowCount: number;
  pages: PageWriter;
  scratch: Scratch;
  /** Distinct values are to be counted together with those of other row groups. */
  wantsKeys: boolean;
}

/**
 * Rows of a data page. Small enough that a reader after a few rows decodes little and that a page of ids stays in
 * the processor's cache; a quarter of the default row group, so that no short page is left over; large enough that
 * its 25 bytes of header do not count.
 */
const MAX_PAGE_ROWS = KEPT_RUN_VALUES;
/** Only texts reach this first: the customary page size. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** Above this share of distinct values, integers may be smaller as differences than in a dictionary. */
const SHARE_OF_DISTINCT_FOR_DELTA = 0.25;

/** Appends the pages of one column to `scratch.group`. */
export function encodeChunk(input: ChunkInput): ChunkMeta {
  const { spec, column, rowCount, pages, scratch, wantsKeys } = input;
  // 1. Separate values from NULLs and decide how the values are written.
  const rows = readRows(spec, { column, rowCount, scratch });
  const { selection } = rows;
  const known = column.ids && buildLocalDictionary(selection);
  const dictionary = known && isDictionaryBest(known, scratch) ? known : undefined;

  // 2. Write the pages.
  const start = scratch.group.length;
  pages.uncompressedBytes = 0;
  if (dictionary) {
    scratch.page.clear();
    putPlain(scratch.page, dictionary.entries);
    pages.putDictionary(dictionary.size);
  }
  const dataOffset = scratch.group.length;
  const encodings = putDataPages({ spec, rows, dictionary, pages, scratch });

  // 3. Describe them.
  return {
    dictionaryOffset: dictionary && start,
    dataOffset,
    compressedBytes: scratch.group.length - start,
    uncompressedBytes: pages.uncompressedBytes,
    encodings,
    nullCount: rowCount - rows.valueCount,
    distinctCount: known?.size,
    bounds: boundsOf(known?.entries ?? selection, spec.type),
    sum: sumOf({ selection, dictionary: known }, { type: spec.type, scratch }),
    keys: wantsKeys && known ? keysOf(known.entries) : undefined,
  };
}

function isDictionaryBest(dictionary: LocalDictionary, scratch: Scratch): boolean {
  const { selection, size } = dictionary;
  // Spec: readers expect booleans as bits.
  if (selection.values.physical === 'boolean' || !dictionaryPays(dictionary)) return false;
  const isSparse = size > selection.to * SHARE_OF_DISTINCT_FOR_DELTA;
  if (!isSparse || !isInteger(selection)) return true;
  const { values, indexes, to } = selection;
  scratch.page.clear();
  return !putDelta(scratch.page, { values, indexes, from: 0, to: Math.min(to, MAX_PAGE_ROWS) });
}

function isInteger({ values }: Selection): boolean {
  return values.physical === 'int32' || values.physical === 'int64';
}

interface DataPagesInput {
  spec: ColumnSpec;
  rows: ColumnRows;
  /** The dictionary that the pages refer to, if there is one. */
  dictionary: LocalDictionary | undefined;
  pages: PageWriter;
  scratch: Scratch;
}

/** Writes all data pages and returns the encodings that occur in the chunk. */
function putDataPages({ spec, rows, dictionary, pages, scratch }: DataPagesInput): Encoding[] {
  const { page, pageLevels } = scratch;
  const { values, indexes } = rows.selection;
  // The dictionary itself is PLAIN, the levels are RLE.
  const encodings: Encoding[] = dictionary ? [ENCODING.plain] : [];
  if (spec.nullable) encodings.push(ENCODING.rle);
  let row = 0;
  let value = 0;
  while (row < rows.rowCount) {
    const end = endOfPage(rows, { row, value, isDictionary: dictionary !== undefined });
    page.clear();
    pageLevels.clear();
    if (spec.nullable) putLevels(pageLevels, { levels: rows.levels, from: row, to: end.row });
    const encoding = dictionary
      ? putIds(page, { dictionary, from: value, to: end.value })
      : putValues(scratch, { values, indexes, from: value, to: end.value });
    if (!encodings.includes(encoding)) encodings.push(encoding);
    const rowCount = end.row - row;
    pages.putData({ rowCount, nullCount: rowCount - (end.value - value), encoding });
    row = end.row;
    value = end.value;
  }
  return encodings;
}

interface PagePlace {
  /** A row, and the number of values before it. */
  row: number;
  value: number;
}

/** The place behind the page that starts at `row`. */
function endOfPage(rows: ColumnRows, start: PagePlace & { isDictionary: boolean }): PagePlace {
  const { rowCount, levels, selection } = rows;
  const lastRow = Math.min(rowCount, start.row + MAX_PAGE_ROWS);
  const isText = selection.values.physical === 'bytes' && !start.isDictionary;
  if (!levels && !isText) return { row: lastRow, value: lastRow };
  let { row, value } = start;
  let byteLength = 0;
  while (row < lastRow) {
    if (!levels || levels[row] === 1) {
      if (isText) byteLength += textSize(selection, value);
      if (byteLength > MAX_PAGE_BYTES && row > start.row) break;
      value++;
    }
    row++;
  }
  return { row, value };
}

function textSize({ values, indexes }: Selection, value: number): number {
  const index = indexes ? indexes[value] : value;
  return values.offsets[index + 1] - values.offsets[index] + LENGTH_BYTES;
}

/** Appends definition levels: 1 for a value, 0 for NULL. */
function putLevels(
  out: ByteBuffer,
  { levels, from, to }: { levels: Uint32Array | undefined; from: number; to: number },
): void {
  if (levels) putHybrid(out, { values: levels, from, to, bitWidth: 1 });
  else putRepeated(out, { value: 1, count: to - from, bitWidth: 1 });
}

function putIds(
  out: ByteBuffer,
  { dictionary, from, to }: { dictionary: LocalDictionary; from: number; to: number },
): Encoding {
  const { ids, bitWidth } = dictionary;
  out.putByte(bitWidth);
  putHybrid(out, { values: ids, from, to, bitWidth });
  return ENCODING.rleDictionary;
}

function putValues(scratch: Scratch, selection: Selection): Encoding {
  if (selection.values.physical === 'boolean') return putBooleans(scratch, selection);
  if (isInteger(selection) && putDelta(scratch.page, selection)) return ENCODING.deltaBinaryPacked;
  putPlain(scratch.page, selection);
  return ENCODING.plain;
}

/** Booleans as runs where that is smaller than one bit each. */
function putBooleans({ page, bits }: Scratch, selection: Selection): Encoding {
  const { values, indexes, from, to } = selection;
  const count = to - from;
  const flags = bits.atLeast(count);
  for (let i = 0; i < count; i++) flags[i] = values.bytes[indexes ? indexes[from + i] : from + i];
  // Spec: only for booleans does the encoding begin with its length.
  page.putUint32(0);
  putHybrid(page, { values: flags, from: 0, to: count, bitWidth: 1 });
  page.view.setUint32(0, page.length - LENGTH_BYTES, true);
  if (page.length < Math.ceil(count / 8)) return ENCODING.rle;
  page.clear();
  putPlain(page, selection);
  return ENCODING.plain;
}
