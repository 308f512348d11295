import { DropgateError } from '../base/errors.js';
import { quoteValue } from '../base/text.js';
import { BatchReader } from './batch-reader.js';
import type { Dialect, Origin } from './dialect.js';
import type { FoundEncoding } from './encoding.js';
import type { FileSource } from './file-source.js';
import { type SplitRecord, splitRecord } from './record.js';
import { sniffDialect } from './sniff.js';
import { BLOCK_SIZES, type BlockSizes, TextFeed, type TextWindow } from './text-feed.js';
import { sourceLength } from './transcode.js';

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
  /** Default: {@link BLOCK_SIZES}. */
  blockSizes?: BlockSizes;
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
 * Errors: `empty_file`, `binary_file`, `bad_encoding`, `bad_gzip`, `no_header`, `unclosed_quote`, `row_too_long`,
 * `too_many_columns`.
 */
export async function openTable(
  file: FileSource,
  window: TextWindow,
  options: ReadOptions,
): Promise<OpenTable> {
  const blockSizes = options.blockSizes ?? BLOCK_SIZES;
  const feed = await TextFeed.open(file, window, { ...options, blockSizes });
  const blankLines = skipBlankLines(window);
  if (window.from >= window.end) {
    throw new DropgateError(
      'empty_file',
      file.size === 0 ? 'the file has 0 bytes' : 'the file holds only white space',
    );
  }
  const sniffed = sniffDialect(window.buffer.subarray(window.from, window.end), options);
  const headerLine = 1 + blankLines;
  const first = await readFirstRecord(feed, { ...options, dialect: sniffed.dialect, line: headerLine });
  refuseFirstRecord(first, { headerLine, feed, maxColumns: options.maxColumns });
  const { header, headerOrigin } = decideHeader(first.cells, options);
  const present = header === 'present';
  const dataStart = present ? first.next : window.from;
  const headerBytes = window.buffer.slice(window.from, dataStart);
  const firstOffset = offsetInFile(feed.encoding, window.buffer.subarray(0, dataStart));
  window.from = dataStart;
  const rows = new BatchReader({
    feed,
    maxRowBytes: options.maxRowBytes,
    firstLine: present ? headerLine + first.lines : headerLine,
    firstOffset,
    blockBytes: blockSizes.nextBytes,
  });
  return {
    findings: { encoding: feed.encoding, ...sniffed, header, headerOrigin },
    header: present ? first.cells : undefined,
    headerLine,
    headerBytes,
    width: first.cells.length,
    rows,
  };
}

/** Splits the first record, reading on until it is whole. Errors: `row_too_long`. */
async function readFirstRecord(
  feed: TextFeed,
  options: ReadOptions & { dialect: Dialect; line: number },
): Promise<SplitRecord> {
  const { window } = feed;
  for (;;) {
    const first = splitRecord(window.buffer, window.from, window.end, options.dialect);
    // A carriage return at the end of the window may be half of a line end.
    if (window.final || first.next < window.end) return first;
    if (window.end - window.from > options.maxRowBytes) {
      throw new DropgateError(
        'row_too_long',
        `line ${options.line}: the record is longer than ${options.maxRowBytes} bytes (limits.max_row_bytes)`,
      );
    }
    await feed.readMore(Math.max(1, window.end - window.from));
  }
}

/** Length in the file of the decoded bytes before the first row. A UTF-8 mark is part of the text, others are cut off. */
function offsetInFile(encoding: FoundEncoding, decoded: Uint8Array): number {
  if (encoding.label === 'utf-8') return decoded.length;
  return encoding.bomBytes + sourceLength(encoding.label, decoded);
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
  { headerLine, feed, maxColumns }: { headerLine: number; feed: TextFeed; maxColumns: number },
): void {
  const bad = feed.undecodable().find((at) => at < first.end);
  if (bad !== undefined) {
    throw new DropgateError(
      'bad_encoding',
      `line ${headerLine}: the byte at offset ${offsetInFile(feed.encoding, feed.window.buffer.subarray(0, bad))} cannot be decoded as ${feed.encoding.label}`,
    );
  }
  if (first.openQuote >= 0) {
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
