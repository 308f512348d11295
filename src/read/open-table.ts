import { DropgateError } from '../base/errors.js';
import { BatchReader } from './batch-reader.js';
import type { Dialect, Escape, Origin } from './dialect.js';
import type { FoundEncoding } from './encoding.js';
import type { FileSource } from './file-source.js';
import { findTable, type PreambleLine } from './find-table.js';
import { readHead } from './head.js';
import type { FileHead, KnownHead } from './known-head.js';
import { takeSeparatorLine } from './separator-line.js';
import { sniffDialect } from './sniff.js';
import { BLOCK_SIZES, type BlockSizes, TextFeed, type TextWindow } from './text-feed.js';
import { sourceLength } from './transcode.js';

/** What the user said about files of this kind, and what helps to recognise them. */
export interface ReadOptions {
  delimiter: 'auto' | string;
  quote: 'auto' | string;
  /** Default: auto. */
  escape?: 'auto' | Escape;
  /** `survey` after {@link NotUtf8}. */
  encoding: 'auto' | 'survey' | string;
  header: 'auto' | 'present' | 'absent';
  /** Names of declared columns, folded; empty when everything is welcome. */
  expectedNames: ReadonlySet<string>;
  /** Could this first record be data of the declared columns, in their order? */
  looksLikeData: (cells: string[]) => boolean;
  /** Take a file of empty cells for a table; else it is refused as `empty_file`. */
  keepEmpty?: boolean;
  /** Mend misplaced quotes of the header instead of refusing it. */
  mendHeader?: boolean;
  maxRowBytes: number;
  maxColumns: number;
  maxDecompressedRatio: number;
  /** The head of the last file that was opened with these options, if it is kept. */
  knownHead?: KnownHead;
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
  /** Records that the header takes; 0 when it is absent. */
  headerRecords: number;
  /** Titles and notes above the table, which are no records of it. */
  preamble: PreambleLine[];
  /** So many delimiters stand behind the last cell of each record. */
  trailingDelimiters: number;
}

/** An opened file whose header is known and whose rows are ready to be scanned. */
export interface OpenTable {
  findings: Findings;
  /** Cells of the header as they stand in the file, those of several records joined; undefined when there is none. */
  header?: string[];
  /** Line of the header; of the first record when there is none. */
  headerLine: number;
  /** The header as it stands in the file, decoded, with its line end; empty when there is none. */
  headerBytes: Uint8Array;
  /** Number of columns. */
  width: number;
  rows: BatchReader;
}

/**
 * Reads the beginning of a file: encoding, dialect, titles, header. `window` is used for its text and can be used again
 * for the next file when this one is finished.
 * Errors: `empty_file`, `binary_file`, `bad_encoding`, `bad_gzip`, `no_header`, `stray_quote`, `unclosed_quote`,
 * `row_too_long`, `too_many_columns`.
 */
export async function openTable(
  file: FileSource,
  window: TextWindow,
  options: ReadOptions,
): Promise<OpenTable> {
  // 1. Text.
  const blockSizes = options.blockSizes ?? BLOCK_SIZES;
  const feed = await TextFeed.open(file, window, { ...options, blockSizes });
  const firstLine = 1 + skipBlankLines(window);
  // 2. Dialect, titles, header, data.
  const head =
    options.knownHead?.recall(window, { ...options, line: firstLine }) ??
    (await findHead(file, feed, { ...options, firstLine }));
  const { sniffed, found, separator } = head;
  const { names, start, end, dataStart, width, trailingDelimiters } = found;
  if (found.fault && !options.mendHeader) refuseQuotes(found.fault, found.line);
  refuseHead(feed, { line: found.line, end, width, maxColumns: options.maxColumns });
  // 3. Rows.
  const headerBytes = window.buffer.slice(start, dataStart);
  const firstOffset = offsetInFile(feed.encoding, window.buffer.subarray(0, dataStart));
  window.from = dataStart;
  const rows = new BatchReader({
    feed,
    maxRowBytes: options.maxRowBytes,
    firstLine: found.dataLine,
    firstOffset,
    blockBytes: blockSizes.nextBytes,
    headerLine: found.headerRecords === 1 && width > 1 ? window.buffer.slice(start, end) : undefined,
    trailingDelimiters,
    habits: found.habits,
    onlyMarks: found.onlyMarks,
  });
  return {
    findings: {
      encoding: feed.encoding,
      ...sniffed,
      header: names ? 'present' : 'absent',
      headerOrigin: found.headerOrigin,
      headerRecords: found.headerRecords,
      preamble: separator ? [{ line: firstLine, text: separator.text }, ...found.preamble] : found.preamble,
      trailingDelimiters,
    },
    header: names,
    headerLine: found.line,
    headerBytes,
    width,
    rows,
  };
}

/** Errors: `empty_file`, `no_header`, `row_too_long`. */
async function findHead(
  file: FileSource,
  feed: TextFeed,
  { firstLine, ...options }: ReadOptions & { firstLine: number },
): Promise<FileHead> {
  const { window } = feed;
  const separator = takeSeparatorLine(window);
  const line = separator ? firstLine + 1 + skipBlankLines(window) : firstLine;
  refuseNothing(file, window);
  // 1. Dialect.
  const sniffed = sniffDialect(
    window.buffer.subarray(window.from, window.end),
    { ...options, separator: separator?.delimiter },
    () => feed.pieces(),
  );
  const { dialect } = sniffed;
  // 2. Titles, header, data.
  await fillFirstRecord(feed, { ...options, dialect, line });
  const head = { sniffed, found: findTable(window, { ...options, dialect, line }), separator };
  options.knownHead?.keep(window, head);
  return head;
}

function refuseNothing(file: FileSource, window: TextWindow): void {
  if (window.from < window.end) return;
  throw new DropgateError(
    'empty_file',
    file.size === 0 ? 'the file has 0 bytes' : 'the file holds only white space',
  );
}

/** Reads on until the first record is whole. Errors: `row_too_long`. */
async function fillFirstRecord(
  feed: TextFeed,
  options: ReadOptions & { dialect: Dialect; line: number },
): Promise<void> {
  const { window } = feed;
  const isCut = () => !hasLineEnd(window) || readHead(window, { ...options, maxRecords: 1 }).length === 0;
  while (!window.final && isCut()) {
    if (window.end - window.from > options.maxRowBytes) {
      throw new DropgateError(
        'row_too_long',
        `line ${options.line}: the record is longer than ${options.maxRowBytes} bytes (limits.max_row_bytes)`,
      );
    }
    await feed.readMore(Math.max(1, window.end - window.from));
  }
}

/** Without one, no record is whole, and there is no need to split millions of cells. */
function hasLineEnd({ buffer, from, end }: TextWindow): boolean {
  const text = buffer.subarray(from, end);
  return text.includes(LF) || text.includes(CR);
}

function refuseQuotes(fault: 'stray_quote' | 'unclosed_quote', line: number): never {
  const what = fault === 'unclosed_quote' ? 'is never closed' : 'goes on after its closing quote';
  throw new DropgateError(fault, `line ${line}: a quoted cell of the first record ${what}`);
}

/** Errors: `bad_encoding`, `too_many_columns`. */
function refuseHead(
  feed: TextFeed,
  head: { line: number; end: number; width: number; maxColumns: number },
): void {
  const bad = feed.undecodable().find((at) => at < head.end);
  if (bad !== undefined) {
    const offset = offsetInFile(feed.encoding, feed.window.buffer.subarray(0, bad));
    throw new DropgateError(
      'bad_encoding',
      `line ${head.line}: the byte at offset ${offset} cannot be decoded as ${feed.encoding.label}`,
    );
  }
  if (head.width > head.maxColumns) {
    throw new DropgateError(
      'too_many_columns',
      `line ${head.line}: ${head.width} columns, limits.max_columns is ${head.maxColumns}`,
    );
  }
}

/** Length in the file of the decoded bytes before the first row. A UTF-8 mark is part of the text, others are cut off. */
function offsetInFile(encoding: FoundEncoding, decoded: Uint8Array): number {
  if (encoding.label === 'utf-8') return decoded.length;
  return encoding.bomBytes + sourceLength(encoding.label, decoded);
}

const LF = 10;
const CR = 13;
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
