import { cleanName } from '../../clean/clean-name.js';
import type { Dataset, Limits } from '../../config/settings.js';
import type { Dialect } from '../../read/dialect.js';
import { type ByteSource, FileSource, GunzipSource } from '../../read/file-source.js';
import { type OpenTable, openTable } from '../../read/open-table.js';
import { lineEndAt, RecordSplitter, textOf } from '../../read/record.js';
import { TextWindow } from '../../read/text-feed.js';
import { decode } from '../../read/transcode.js';
import type { DialectReport, ReportedViolation } from '../report.js';

/** A record of a file as it stands there, shortened, with the offending cell. */
export interface SourceLine {
  /** Text before the cell, the cell, and the text behind it; the cell is '' where the whole record is meant. */
  before: string;
  cell: string;
  after: string;
  /** The record goes on to the left or to the right of what is shown. */
  isCutLeft: boolean;
  isCutRight: boolean;
}

/** What is looked up: a file, how it is written, and where to look. */
export interface SourceRequest {
  /** Absolute path. */
  file: string;
  dialect: DialectReport;
  dataset: Dataset | undefined;
  limits: Limits;
  violations: readonly Pick<ReportedViolation, 'byte_offset' | 'column' | 'code'>[];
}

/** So much of a record is looked at. */
const RECORD_BYTES = 16 * 1024;
/** So much of a packed file is unpacked. */
const MAX_UNPACKED_BYTES = 64 << 20;
/** The beginning of the file, where its header stands. */
const HEAD_BYTES = 64 * 1024;
/** Characters of a cell that are shown, and of the text on either side of it. */
const CELL_CHARS = 200;
const SIDE_CHARS = 80;

/**
 * The records that violations speak of, one for each; undefined where a record cannot be shown: the file is gone or was
 * changed, or the record lies too far back in a packed file.
 */
export async function readSourceLines(request: SourceRequest): Promise<(SourceLine | undefined)[]> {
  const { violations } = request;
  let source: FileSource | undefined;
  try {
    source = new FileSource(request.file);
    const table = await openAs(source, request);
    source.rewind();
    const records = new RecordReader(source, request.limits);
    const columns = columnsOf(table, request.dataset);
    const found = new Map<number, Uint8Array>();
    const offsets = violations.map(({ byte_offset }) => byte_offset).filter((offset) => offset >= 0);
    for (const offset of [...new Set(offsets)].sort((a, b) => a - b)) {
      const bytes = await records.at(offset);
      if (bytes.length > 0) found.set(offset, utf8Of(table, bytes));
    }
    return violations.map((violation) => {
      const bytes = found.get(violation.byte_offset);
      return (
        bytes && showRecord(bytes, { dialect: table.findings.dialect, column: indexOf(columns, violation) })
      );
    });
  } catch {
    // What cannot be read is not shown; the report has the values.
    return violations.map(() => undefined);
  } finally {
    source?.close();
  }
}

/** Opens the file in the way in which it was read when it was judged. */
function openAs(source: FileSource, { dialect, dataset, limits }: SourceRequest): Promise<OpenTable> {
  const declared = dataset === undefined || dataset.columns === 'any' ? [] : dataset.columns;
  return openTable(source, new TextWindow(HEAD_BYTES), {
    delimiter: dialect.delimiter.value,
    quote: dialect.quote.value,
    escape: dialect.escape ?? 'double',
    encoding: dialect.encoding.value,
    header: dialect.header.value,
    expectedNames: new Set(declared.map(({ name }) => name.toLowerCase())),
    looksLikeData: () => false,
    mendHeader: true,
    ...limits,
    blockSizes: { firstBytes: HEAD_BYTES, nextBytes: HEAD_BYTES },
  });
}

function columnsOf({ header }: OpenTable, dataset: Dataset | undefined): string[] {
  if (header) return header.map((cell) => cleanName(cell, dataset?.names ?? 'lower'));
  return dataset === undefined || dataset.columns === 'any' ? [] : dataset.columns.map(({ name }) => name);
}

/** The second of two columns of one name is the one too many. */
function indexOf(columns: readonly string[], { column, code }: { column: string; code: string }): number {
  if (column === '') return -1;
  return code === 'duplicate_column' ? columns.lastIndexOf(column) : columns.indexOf(column);
}

/** Reads stretches of a file at offsets that only grow. */
class RecordReader {
  readonly #file: FileSource;
  readonly #unpacked: ByteSource | undefined;
  #held = new Uint8Array(0);
  #heldFrom = 0;

  constructor(file: FileSource, { maxDecompressedRatio }: Limits) {
    this.#file = file;
    this.#unpacked = /\.gz$/i.test(file.path) ? new GunzipSource(file, maxDecompressedRatio) : undefined;
  }

  /** What stands at `offset`; nothing behind the end. */
  async at(offset: number): Promise<Uint8Array> {
    if (!this.#unpacked) return this.#file.peek(offset, RECORD_BYTES);
    if (offset + RECORD_BYTES > MAX_UNPACKED_BYTES) return new Uint8Array(0);
    while (this.#heldFrom + this.#held.length < offset + RECORD_BYTES) {
      const block = new Uint8Array(HEAD_BYTES);
      const count = await this.#unpacked.fill(block, 0, block.length);
      if (count === 0) break;
      const kept = this.#held.subarray(Math.min(this.#held.length, Math.max(0, offset - this.#heldFrom)));
      this.#heldFrom += this.#held.length - kept.length;
      this.#held = new Uint8Array(Buffer.concat([kept, block.subarray(0, count)]));
    }
    const from = Math.max(0, offset - this.#heldFrom);
    return this.#held.subarray(from, from + RECORD_BYTES);
  }
}

function utf8Of({ findings }: OpenTable, bytes: Uint8Array): Uint8Array {
  const { label } = findings.encoding;
  return label === 'utf-8' ? bytes : Buffer.from(decode(label, bytes), 'utf8');
}

/** The record at the start of `buffer`, of which the cell of index `column` is meant, or all of it. */
function showRecord(
  buffer: Uint8Array,
  { dialect, column }: { dialect: Dialect; column: number },
): SourceLine {
  const ends: number[] = [];
  const record = new RecordSplitter(dialect).split({ buffer, from: 0, end: buffer.length }, ends);
  const isWhole = record.end < buffer.length || buffer.length < RECORD_BYTES;
  const isMarked = column >= 0 && column < record.cells.length;
  if (!isMarked) {
    const end = record.fault ? lineEndAt(buffer, { from: 0, end: buffer.length, dialect }) : record.end;
    const text = shown(textOf(buffer, 0, end));
    const limit = CELL_CHARS + 2 * SIDE_CHARS;
    const isCutRight = text.length > limit || !isWhole;
    return { before: '', cell: '', after: text.slice(0, limit), isCutLeft: false, isCutRight };
  }
  const start = column === 0 ? 0 : ends[column - 1] + Buffer.byteLength(dialect.delimiter);
  const before = shown(textOf(buffer, 0, start));
  const cell = shown(textOf(buffer, start, ends[column]));
  const after = shown(textOf(buffer, ends[column], record.end));
  return {
    before: before.slice(-SIDE_CHARS),
    cell: cell.length > CELL_CHARS ? `${cell.slice(0, CELL_CHARS)}…` : cell,
    after: after.slice(0, SIDE_CHARS),
    isCutLeft: before.length > SIDE_CHARS,
    isCutRight: after.length > SIDE_CHARS || !isWhole,
  };
}

/** Bytes that cannot be decoded are carried as characters for private use, see read/undecodable.ts. */
function shown(text: string): string {
  return text.replace(/[\u{10fe00}-\u{10feff}]/gu, '\ufffd');
}
