import { isUtf8 } from 'node:buffer';
import { DropgateError } from '../base/errors.js';
import { quoteValue } from '../base/text.js';
import { BatchReader, FIRST_BLOCK_BYTES, firstInvalid, NotUtf8, type TextWindow } from './batch-reader.js';
import type { Dialect, Origin } from './dialect.js';
import {
  detectEncoding,
  type FoundEncoding,
  lastCharacterEnd,
  sourceLength,
  TranscodingSource,
} from './encoding.js';
import { type ByteSource, type FileSource, GunzipSource } from './file-source.js';
import { type SplitRecord, splitRecord } from './record.js';
import { sniffDialect } from './sniff.js';

/** What the user said about files of this kind, and what helps to recognise them. */
export interface ReadOptions {
  delimiter: 'auto' | string;
  quote: 'auto' | string;
  encoding: 'auto' | string;
  header: 'auto' | 'present' | 'absent';
  /** Names of declared columns, folded; empty when everything is welcome. */
  expectedNames: ReadonlySet<string>;
  /** Could this first record be data of the declared columns, in their order? */
  looksLikeData: (cells: string[]) => boolean;
  maxRowBytes: number;
  maxColumns: number;
  maxDecompressedRatio: number;
}

/** What was found out about a file before its first row; goes into the report. */
export interface Findings {
  encoding: FoundEncoding;
  dialect: Dialect;
  delimiterOrigin: Origin;
  quoteOrigin: Origin;
  score?: number;
  runnerUp?: { delimiter: string; quote: string; score: number };
  header: 'present' | 'absent';
  headerOrigin: Origin;
}

/** An opened file whose header is known and whose rows are ready to be scanned. */
export interface OpenTable {
  findings: Findings;
  /** Cells of the header as they stand in the file; undefined when there is none. */
  header?: string[];
  /** Line of the header; 1 when there is none. */
  headerLine: number;
  /** The header record as it stands in the file, decoded, with its line end; empty when there is none. */
  headerBytes: Uint8Array;
  /** Number of columns. */
  width: number;
  rows: BatchReader;
}

/**
 * Reads the beginning of a file: encoding, dialect, header. `window` is used for its text and can be used again for
 * the next file when this one is finished.
 * Errors: `empty_file`, `binary_file`, `bad_encoding`, `bad_gzip`, `no_header`, `unclosed_quote`,
 * `too_many_columns`.
 */
export async function openTable(
  file: FileSource,
  window: TextWindow,
  options: ReadOptions,
): Promise<OpenTable> {
  const { encoding, source, unprovenBytes } = await readStart(file, window, options);
  const blankLines = skipBlankLines(window);
  if (window.from >= window.end) {
    throw new DropgateError(
      'empty_file',
      file.size === 0 ? 'the file has 0 bytes' : 'the file holds only white space',
    );
  }
  const sniffed = sniffDialect(window.buffer.subarray(window.from, window.end), options);
  const first = splitRecord(window.buffer, window.from, window.end, sniffed.dialect);
  const headerLine = 1 + blankLines;
  refuseFirstRecord(first, { headerLine, window, maxColumns: options.maxColumns });
  const { header, headerOrigin } = decideHeader(first.cells, options);
  const present = header === 'present';
  const dataStart = present ? first.next : window.from;
  const headerBytes = window.buffer.slice(window.from, dataStart);
  const firstOffset = offsetInFile(encoding, window.buffer.subarray(0, dataStart));
  window.from = dataStart;
  const rows = new BatchReader({
    source,
    window,
    encoding,
    maxRowBytes: options.maxRowBytes,
    firstLine: present ? headerLine + first.lines : headerLine,
    firstOffset,
    unprovenBytes,
  });
  return {
    findings: { encoding, ...sniffed, header, headerOrigin },
    header: present ? first.cells : undefined,
    headerLine,
    headerBytes,
    width: first.cells.length,
    rows,
  };
}

/** Length in the file of the decoded bytes before the first row. A UTF-8 mark is part of the text, others are cut off. */
function offsetInFile(encoding: FoundEncoding, decoded: Uint8Array): number {
  if (encoding.label === 'utf-8') return decoded.length;
  const length = sourceLength(encoding.label, decoded);
  return length === undefined ? -1 : encoding.bomBytes + length;
}

interface Start {
  encoding: FoundEncoding;
  /** The rest of the file as UTF-8. */
  source: ByteSource;
  unprovenBytes: number;
}

/** Fills the window with the first block of text, decoded. */
async function readStart(file: FileSource, window: TextWindow, options: ReadOptions): Promise<Start> {
  const bytes = /\.gz$/i.test(file.path) ? new GunzipSource(file, options.maxDecompressedRatio) : file;
  window.reset(Math.min(file.size + 1, FIRST_BLOCK_BYTES));
  await fillWindow(window, bytes, FIRST_BLOCK_BYTES);
  const block = window.buffer.subarray(0, window.end);
  const encoding = detectEncoding(block, { encoding: options.encoding, whole: window.final });
  if (encoding.label === 'utf-8') {
    window.from = encoding.bomBytes;
    return { encoding, source: bytes, unprovenBytes: proveStart(window, encoding) };
  }
  const source = new TranscodingSource(new Prefixed(block.slice(encoding.bomBytes), bytes), encoding.label);
  window.reset(block.length);
  await fillWindow(window, source, FIRST_BLOCK_BYTES);
  return { encoding, source, unprovenBytes: 0 };
}

async function fillWindow(window: TextWindow, source: ByteSource, wantedBytes: number): Promise<void> {
  while (!window.final && window.end < wantedBytes) {
    if (window.room === 0) window.makeRoom(Math.max(window.end, 64 * 1024));
    const filled = source.fill(window.buffer, window.end, window.room);
    const count = typeof filled === 'number' ? filled : await filled;
    window.end += count;
    window.final = count === 0;
  }
}

/** Proves the first block valid UTF-8; answers how many bytes at its end begin a character that goes on. */
function proveStart(window: TextWindow, encoding: FoundEncoding): number {
  const block = window.buffer.subarray(window.from, window.end);
  const complete = window.final ? block : block.subarray(0, lastCharacterEnd(block));
  if (!isUtf8(complete)) throw new NotUtf8(encoding.bomBytes + firstInvalid(complete));
  return block.length - complete.length;
}

/** Bytes that were read already, and then the rest. */
class Prefixed implements ByteSource {
  #prefix: Uint8Array;
  readonly #rest: ByteSource;

  constructor(prefix: Uint8Array, rest: ByteSource) {
    this.#prefix = prefix;
    this.#rest = rest;
  }

  fill(target: Uint8Array, offset: number, length: number): number | Promise<number> {
    if (this.#prefix.length === 0) return this.#rest.fill(target, offset, length);
    const count = Math.min(length, this.#prefix.length);
    target.set(this.#prefix.subarray(0, count), offset);
    this.#prefix = this.#prefix.subarray(count);
    return count;
  }
}

const LF = 10;
const WHITE_SPACE = new Set([9, LF, 11, 12, 13, 32]);

/** Passes over blank lines before the first record. Answers how many. */
function skipBlankLines(window: TextWindow): number {
  let lines = 0;
  for (let position = window.from; position < window.end; position++) {
    const byte = window.buffer[position];
    if (!WHITE_SPACE.has(byte)) return lines;
    if (byte !== LF && !(byte === 13 && window.buffer[position + 1] !== LF)) continue;
    lines++;
    window.from = position + 1;
  }
  window.from = window.end;
  return lines;
}

function refuseFirstRecord(
  first: SplitRecord,
  { headerLine, window, maxColumns }: { headerLine: number; window: TextWindow; maxColumns: number },
): void {
  if (first.openQuote >= 0 && first.openQuote < window.end) {
    throw new DropgateError(
      'unclosed_quote',
      `line ${headerLine}: a quoted cell of the first record is never closed`,
    );
  }
  if (first.cells.length > maxColumns) {
    throw new DropgateError(
      'too_many_columns',
      `line ${headerLine}: ${first.cells.length} columns, limits.max_columns is ${maxColumns}`,
    );
  }
}

/** Is the first record the header? Errors: `no_header`. */
function decideHeader(
  cells: string[],
  options: ReadOptions,
): { header: 'present' | 'absent'; headerOrigin: Origin } {
  if (options.header !== 'auto') return { header: options.header, headerOrigin: 'user' };
  const names = cells.map((cell) => cell.trim());
  if (options.expectedNames.size === 0) {
    return { header: looksLikeNames(names) ? 'present' : 'absent', headerOrigin: 'detected' };
  }
  if (names.some((name) => options.expectedNames.has(name.toLowerCase()))) {
    return { header: 'present', headerOrigin: 'detected' };
  }
  if (options.looksLikeData(cells)) return { header: 'absent', headerOrigin: 'detected' };
  if (looksLikeNames(names)) return { header: 'present', headerOrigin: 'detected' };
  throw new DropgateError(
    'no_header',
    `the first row holds neither names of declared columns nor values of their types: ${quoteValue(names.join(', '))}`,
  );
}

const NUMBER_OR_DATE = /^[+-]?[\d.,:/-]+([eE][+-]?\d+)?%?$/;

/** Names are there, differ from each other, and are no numbers. */
function looksLikeNames(names: string[]): boolean {
  const filled = names.filter((name) => name !== '');
  if (filled.length === 0 || filled.some((name) => NUMBER_OR_DATE.test(name))) return false;
  return (
    new Set(filled.map((name) => name.toLowerCase())).size === filled.length || filled.length === names.length
  );
}
