import type { ColumnMetaData, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { CellBuffer } from './cell-buffer.js';
import { CellError } from './cell-error.js';
import type { CellWriter } from './cell-text.js';
import type { CellColumn } from './copy-text.js';
import { COMPRESSORS } from './parquet-file.js';

type PageHeader = ReturnType<typeof parquetHeader>;
type Decoder = Parameters<typeof readDataPage>[2];
type Values = ReturnType<typeof readPlain>;

/** Most columns have few values; more of them make the buffer grow. */
const EXPECTED_CELLS = 128;
/** Cell 0 of every column. */
const NULL_CELL = 0;
/** A value may not unpack to more; a damaged or hostile header must not exhaust memory. */
const MAX_PAGE_BYTES = 2 ** 30;

/** The bytes of one flat column in one row group, and how to read them. */
export interface ColumnChunk {
  bytes: Uint8Array<ArrayBuffer>;
  meta: ColumnMetaData;
  schema: SchemaTree;
  column: SchemaTree;
  rows: number;
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
 * Decodes a column chunk into cells. Values are read without their annotations, since hyparquet's own conversions
 * lose digits (decimals become doubles, microseconds milliseconds); a dictionary's values become cells once.
 * @throws RowError, or any other error for damaged bytes
 */
export function decodeColumn(chunk: ColumnChunk): CellColumn {
  const decoder = decoderOf(chunk);
  const sink = new CellSink(chunk);
  const { buffer, byteOffset, byteLength } = chunk.bytes;
  const reader = { view: new DataView(buffer, byteOffset, byteLength), offset: 0 };
  while (sink.row < chunk.rows) {
    const header = parquetHeader(reader);
    const page = pageBytes(chunk.bytes, header, reader.offset);
    reader.offset += header.compressed_page_size;
    if (header.type === 'DICTIONARY_PAGE') sink.useDictionary(readDictionary(page, header, decoder));
    else if (header.type === 'DATA_PAGE') readPageV1(page, header, { decoder, sink });
    else if (header.type === 'DATA_PAGE_V2') readPageV2(page, header, { decoder, sink });
  }
  return sink.column;
}

function decoderOf({ meta, schema, column }: ColumnChunk): Decoder {
  return {
    pathInSchema: meta.path_in_schema,
    type: meta.type,
    codec: meta.codec,
    element: column.element,
    schemaPath: [schema, column],
    parsers: DEFAULT_PARSERS,
    compressors: COMPRESSORS,
  };
}

function pageBytes(bytes: Uint8Array, header: PageHeader, offset: number): Uint8Array {
  const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
  if (!(size >= 0) || offset + size > bytes.length) throw new Error('a page reaches beyond its column');
  if (!(unpacked >= 0 && unpacked <= MAX_PAGE_BYTES)) throw new Error(`a page of ${unpacked} bytes`);
  return bytes.subarray(offset, offset + size);
}

function readDictionary(page: Uint8Array, header: PageHeader, decoder: Decoder): Values {
  const bytes = unpack(page, header, decoder);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const count = header.dictionary_page_header?.num_values ?? 0;
  return readPlain(reader, decoder.type, count, decoder.element.type_length);
}

interface Target {
  decoder: Decoder;
  sink: CellSink;
}

function readPageV1(page: Uint8Array, header: PageHeader, { decoder, sink }: Target): void {
  const info = header.data_page_header;
  if (!info) throw new Error('a data page without its header');
  const { definitionLevels, dataPage } = readDataPage(unpack(page, header, decoder), info, decoder);
  sink.addPage({
    count: info.num_values,
    levels: definitionLevels,
    values: dataPage,
    encoding: info.encoding,
  });
}

function readPageV2(page: Uint8Array, header: PageHeader, { decoder, sink }: Target): void {
  const info = header.data_page_header_v2;
  if (!info) throw new Error('a data page without its header');
  const { definitionLevels, dataPage } = readDataPageV2(page, header, decoder);
  sink.addPage({
    count: info.num_values,
    levels: definitionLevels,
    values: dataPage,
    encoding: info.encoding,
  });
}

function unpack(page: Uint8Array, header: PageHeader, { codec, compressors }: Decoder): Uint8Array {
  return decompressPage(page, header.uncompressed_page_size, codec, compressors);
}

interface Page {
  count: number;
  /** 0 for a NULL, 1 for a value; empty or absent when no value is NULL. */
  levels: number[] | undefined;
  values: Values;
  encoding: string;
}

/** Gathers the pages of one column chunk. */
class CellSink {
  row = 0;
  readonly column: CellColumn;
  readonly #write: CellWriter;
  #dictionary: Values | undefined;
  /** Cell of each dictionary value, 0 before its first use. */
  #dictionaryCells = new Uint32Array(0);

  constructor({ rows, write }: ColumnChunk) {
    const cells = new CellBuffer(Math.min(rows, EXPECTED_CELLS));
    cells.pushNull();
    this.column = { cells, ids: new Uint32Array(rows) };
    this.#write = write;
  }

  useDictionary(values: Values): void {
    this.#dictionary = values;
    this.#dictionaryCells = new Uint32Array(values.length);
  }

  addPage({ count, levels, values, encoding }: Page): void {
    if (this.row + count > this.column.ids.length) throw new Error('more values than rows');
    const isDictionary = encoding.endsWith('_DICTIONARY');
    const hasNulls = levels !== undefined && levels.length > 0;
    if (isDictionary && !hasNulls) {
      this.#addIds(values as ArrayLike<number>, count);
      return;
    }
    let next = 0;
    for (let i = 0; i < count; i++) {
      const isNull = hasNulls && levels[i] === 0;
      this.column.ids[this.row] = isNull ? NULL_CELL : this.#cellOf(values[next++], isDictionary);
      this.row++;
    }
  }

  /** By far the most frequent page: a dictionary's ids without NULL, nearly all of them seen before. */
  #addIds(values: ArrayLike<number>, count: number): void {
    const { ids } = this.column;
    for (let i = 0; i < count; i++) {
      const id = values[i];
      ids[this.row] = this.#dictionaryCells[id] || this.#dictionaryCell(id);
      this.row++;
    }
  }

  #cellOf(value: unknown, isDictionary: boolean): number {
    return isDictionary ? this.#dictionaryCell(value as number) : this.#plainCell(value);
  }

  #dictionaryCell(id: number): number {
    const known = this.#dictionaryCells[id];
    if (known > 0) return known;
    if (!this.#dictionary || !(id < this.#dictionary.length))
      throw new Error('a value outside of the dictionary');
    const cell = this.#plainCell(this.#dictionary[id]);
    this.#dictionaryCells[id] = cell;
    return cell;
  }

  #plainCell(value: unknown): number {
    if (value === undefined) throw new Error('fewer values than rows');
    const { cells } = this.column;
    try {
      this.#write(value, cells);
    } catch (error) {
      if (error instanceof CellError) throw new RowError(this.row, error);
      throw error;
    }
    return cells.length - 1;
  }
}
