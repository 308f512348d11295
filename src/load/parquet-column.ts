import type { SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { CellError } from './cell-error.js';
import type { CellTable } from './cell-table.js';
import type { CellWriter } from './cell-text.js';
import { MAX_HYBRID_BITS, readHybrid } from './hybrid-rle.js';
import { type PageHeader, readPageHeader } from './page-header.js';
import { COMPRESSORS } from './parquet-file.js';
import type { ChunkPlace } from './parquet-footer.js';

type Decoder = Parameters<typeof readDataPage>[2];
type Values = ReturnType<typeof readPlain>;

/** A value may not unpack to more; a damaged or hostile header must not exhaust memory. */
const MAX_PAGE_BYTES = 2 ** 30;

/** The bytes of one flat column in one row group, and how to read them. */
export interface ColumnChunk {
  bytes: Uint8Array<ArrayBuffer>;
  codec: ChunkPlace['codec'];
  schema: SchemaTree;
  column: SchemaTree;
  write: CellWriter;
}

/** A value that the target cannot hold. */
export class RowError extends Error {
  /** Counted from 0 in the row group. */
  readonly row: number;

  constructor(row: number, cause: CellError) {
    super(cause.message, { cause });
    this.row = row;
  }
}

/**
 * Decodes a column chunk into the next column of `table`. Values are read without their annotations, since hyparquet's own
 * conversions lose digits (decimals become doubles, microseconds milliseconds); a dictionary's values become cells once.
 * @throws RowError, or any other error for damaged bytes
 */
export function decodeColumn(chunk: ColumnChunk, table: CellTable): void {
  const reader = new ColumnReader(chunk, table);
  let at = 0;
  while (reader.row < table.rows) {
    const header = readPageHeader(chunk.bytes, at);
    const start = at + header.headerBytes;
    checkSize(header, chunk.bytes.length - start);
    reader.take(header, { at, start, bytes: chunk.bytes.subarray(start, start + header.bytes) });
    at = start + header.bytes;
  }
  reader.finish();
}

function checkSize({ bytes, unpackedBytes }: PageHeader, available: number): void {
  if (!(bytes >= 0 && bytes <= available)) throw new Error('a page reaches beyond its column');
  if (!(unpackedBytes >= 0 && unpackedBytes <= MAX_PAGE_BYTES))
    throw new Error(`a page of ${unpackedBytes} bytes`);
}

function decoderOf({ codec, schema, column }: ColumnChunk): Decoder {
  return {
    pathInSchema: column.path,
    type: column.element.type!,
    codec,
    element: column.element,
    schemaPath: [schema, column],
    parsers: DEFAULT_PARSERS,
    compressors: COMPRESSORS,
  };
}

/** A page in its column chunk. */
interface PageBytes {
  /** Offsets of its header and of the page itself. */
  at: number;
  start: number;
  /** As they lie in the file. */
  bytes: Uint8Array;
}

interface PageValues {
  count: number;
  /** 0 for a NULL, 1 for a value; empty or absent when no value is NULL. */
  levels: ArrayLike<number> | undefined;
  /** Of the values that are not NULL. */
  values: Values;
}

/** Turns the pages of one column chunk into cells. */
class ColumnReader {
  row = 0;
  readonly #chunk: ColumnChunk;
  readonly #decoder: Decoder;
  readonly #table: CellTable;
  /** Place of the column's first row among the ids. */
  readonly #start: number;
  /** The first cell of the column is that of NULL. */
  readonly #nullCell: number;
  /** Cell of the dictionary's first value, and how many values it has. */
  #dictionaryCell = 0;
  #dictionarySize = 0;
  /** Cells of values that the target cannot hold. They matter only where a row has one. */
  readonly #misfits = new Map<number, CellError>();

  constructor(chunk: ColumnChunk, table: CellTable) {
    this.#chunk = chunk;
    this.#decoder = decoderOf(chunk);
    this.#table = table;
    this.#start = table.nextStart;
    this.#nullCell = table.cells.length;
    table.cells.pushNull();
  }

  take(header: PageHeader, page: PageBytes): void {
    if (header.kind === 'dictionary') this.#takeDictionary(header, page);
    else if (header.kind === 'data_v2' && header.hasIds && this.#takeIds(header, page)) return;
    else if (header.kind !== 'other') this.#takeValues(header, this.#decode(header, page));
  }

  /** All rows are there. */
  finish(): void {
    this.#table.addColumn(this.#nullCell);
    if (this.#misfits.size === 0) return;
    const ids = this.#table.ids.subarray(this.#start, this.#start + this.row);
    const row = ids.findIndex((id) => this.#misfits.has(id));
    if (row >= 0) throw new RowError(row, this.#misfits.get(ids[row])!);
  }

  #takeDictionary(header: PageHeader, { bytes }: PageBytes): void {
    const { cells } = this.#table;
    const { type, element } = this.#decoder;
    const page = this.#unpack(bytes, header.unpackedBytes);
    const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
    const values = readPlain(reader, type, header.count, element.type_length);
    this.#dictionaryCell = cells.length;
    this.#dictionarySize = values.length;
    for (let i = 0; i < values.length; i++) {
      try {
        this.#chunk.write(values[i], cells);
      } catch (error) {
        if (!(error instanceof CellError)) throw error;
        this.#misfits.set(cells.length, error);
        cells.pushNull();
      }
    }
  }

  /** By far the most frequent page: ids of a dictionary. False when it has to be read another way. */
  #takeIds(header: PageHeader, { bytes }: PageBytes): boolean {
    const { count, definitionBytes, repetitionBytes, isCompressed, unpackedBytes } = header;
    this.#mustFit(count);
    if (repetitionBytes !== 0) return false;
    const packed = bytes.subarray(definitionBytes);
    const body = isCompressed ? this.#unpack(packed, unpackedBytes - definitionBytes) : packed;
    const bitWidth = body[0];
    if (!(bitWidth <= MAX_HYBRID_BITS)) return false;
    const { ids } = this.#table;
    const from = this.#start + this.row;
    const nulls = this.#takeLevels(bytes.subarray(0, definitionBytes), count);
    readHybrid(body.subarray(1), bitWidth, {
      out: ids,
      from: from + nulls,
      to: from + count,
      base: this.#dictionaryCell,
      limit: this.#dictionarySize,
    });
    if (nulls > 0) this.#spread({ from, count, nulls });
    this.row += count;
    return true;
  }

  /** Reads which rows have a value, and answers how many have none. */
  #takeLevels(bytes: Uint8Array, count: number): number {
    if (this.#decoder.element.repetition_type === 'REQUIRED') return 0;
    const levels = this.#table.levelsFor(count);
    readHybrid(bytes, 1, { out: levels, from: 0, to: count, base: 0, limit: 2 });
    let nulls = count;
    for (let i = 0; i < count; i++) nulls -= levels[i];
    return nulls;
  }

  /** The ids stand behind as many places as there are NULLs; each moves to its row. */
  #spread({ from, count, nulls }: { from: number; count: number; nulls: number }): void {
    const { ids } = this.#table;
    const levels = this.#table.levelsFor(count);
    let next = from + nulls;
    for (let i = 0; i < count; i++) ids[from + i] = levels[i] === 1 ? ids[next++] : this.#nullCell;
  }

  /** Every other page is left to hyparquet. */
  #decode({ kind }: PageHeader, { at, bytes }: PageBytes): PageValues {
    const { buffer, byteOffset, byteLength } = this.#chunk.bytes;
    const header = parquetHeader({ view: new DataView(buffer, byteOffset, byteLength), offset: at });
    const info = kind === 'data' ? header.data_page_header : header.data_page_header_v2;
    if (!info) throw new Error('a data page without its header');
    const { definitionLevels, dataPage } =
      kind === 'data'
        ? readDataPage(
            this.#unpack(bytes, header.uncompressed_page_size),
            header.data_page_header!,
            this.#decoder,
          )
        : readDataPageV2(bytes, header, this.#decoder);
    return { count: info.num_values, levels: definitionLevels, values: dataPage };
  }

  #takeValues({ hasIds }: PageHeader, { count, levels, values }: PageValues): void {
    this.#mustFit(count);
    const hasNulls = levels !== undefined && levels.length > 0;
    const { ids } = this.#table;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const isNull = hasNulls && levels[i] === 0;
      ids[this.#start + this.row] = isNull ? this.#nullCell : this.#cellOf(values[next++], hasIds);
      this.row++;
    }
  }

  #cellOf(value: unknown, isId: boolean): number {
    if (value === undefined) throw new Error('fewer values than rows');
    if (isId) {
      if (!((value as number) < this.#dictionarySize)) throw new Error('a value outside of the dictionary');
      return this.#dictionaryCell + (value as number);
    }
    const { cells } = this.#table;
    try {
      this.#chunk.write(value, cells);
    } catch (error) {
      if (error instanceof CellError) throw new RowError(this.row, error);
      throw error;
    }
    return cells.length - 1;
  }

  #mustFit(count: number): void {
    if (!(count >= 0 && this.row + count <= this.#table.rows)) throw new Error('more values than rows');
  }

  #unpack(bytes: Uint8Array, unpackedBytes: number): Uint8Array {
    return decompressPage(bytes, unpackedBytes, this.#decoder.codec, COMPRESSORS);
  }
}
