import type { Cells } from '../base/cells.js';
import { ByteDictionary } from './byte-dictionary.js';
import { COLUMN_MODE, ScanKernel } from './scan-kernel.js';
import { type ScanColumn, Scanner, type ScannerOptions, type ScanWindow } from './scanner.js';

const LF = 10;
const CR = 13;

/** A byte of every word. */
const ONES = 0x01010101;
const HIGHEST_BITS = 0x80808080 | 0;
/** Bytes below this one are marked, whatever the dialect: line ends and other control characters. */
const FIRST_ORDINARY = 0x10 * ONES;

/** Cells that a batch may have: each has eight bytes in the kernel's memory. */
const MAX_BATCH_CELLS = 1 << 20;
/** Wide tables have so many rows at least. */
const MIN_BATCH_ROWS = 1 << 10;
/** Text behind a record that the kernel did not take: most of it is looked at in vain if the next one is like it. */
const SHORT_STRETCH_BYTES = 1 << 12;
/** So many records that the kernel does not take tell nothing. */
const FEW_RECORDS = 64;

/** A cell as it stands in the text. */
interface FoundCell {
  /** Where its text is: in the scanned buffer, or a copy in which doubled quotes are single. */
  source: Uint8Array;
  start: number;
  stop: number;
  /** Offset in the scanned buffer of what follows the cell. */
  next: number;
  /** Line breaks in it. */
  breaks: number;
  /** Offset of a quote that is out of place, or -1. */
  fault: number;
}

/**
 * Turns bytes into columns in one pass. Records that follow the rules, nearly all of a usual file, are taken by the kernel; here is
 * what becomes of the others, and of all where there is no kernel: in files whose lines end with CR alone, and where the system
 * has no memory for one.
 *
 * Accepts what RFC 4180 describes, with any one-byte delimiter and quote, LF, CRLF or CR; a quote inside an
 * unquoted cell is a character like any other. Blank lines are passed over where a table has two or more columns.
 */
export class FastScanner extends Scanner {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #loneCrEnds: boolean;
  #scratch = new Uint8Array(256);
  /** Takes the regular records; absent where it cannot. */
  #kernel: ScanKernel | undefined;
  /** By column: what the kernel fills, with numbers of that dictionary or with places; undefined where nobody wants it. */
  readonly #filled: (ByteDictionary | Cells | undefined)[] = [];
  #buffer: Uint8Array = this.#scratch;
  /** Bytes that the kernel gets at a time: fewer behind a record that it could not take. */
  #stretchBytes = 0;
  /** Records of the batch that the kernel did not take. */
  #irregularRecords = 0;

  constructor(options: ScannerOptions) {
    super({ ...options, maxRows: Math.min(options.maxRows, mostRows(options.wanted.length)) });
    const { delimiter, quote, loneCrEnds } = options.dialect;
    this.#delimiter = delimiter === '' ? -1 : delimiter.charCodeAt(0);
    this.#quote = quote === '' ? -1 : quote.charCodeAt(0);
    this.#loneCrEnds = loneCrEnds;
    if (!loneCrEnds) this.#kernel = this.#openKernel();
  }

  override scan(buffer: Uint8Array, from: number, end: number, final: boolean): number {
    this.#prepareKernel(buffer, end - from);
    this.beginBatch(buffer, from);
    const window = { buffer, end, final };
    buffer[end] = LF;
    let position = from;
    while (position < end && !this.isFull) {
      position = this.#takeRegular(window, position);
      if (position >= end || this.isFull) break;
      const next = this.#scanRecord(window, position);
      if (next < 0) break;
      position = next;
      this.#irregularRecords++;
    }
    return this.endBatch(window, { from, position });
  }

  #openKernel(): ScanKernel | undefined {
    return ScanKernel.open(
      { delimiter: this.#delimiter, quote: this.#quote, width: this.width },
      {
        numberOf: (column, start, stop) => this.columns[column].dictionary!.idOf(this.#buffer, start, stop),
        takeDoubled: (column, start, stop) => this.#takeDoubled(column, start, stop),
      },
    );
  }

  /** Tells the kernel what is new since the last batch. Arrays of rows are in its memory. */
  #prepareKernel(buffer: Uint8Array, textBytes: number): void {
    const kernel = this.#kernel;
    if (kernel === undefined) return;
    // 1. Room for all rows that the text may have.
    const room = kernel.makeRoom(Math.min(this.maxRows, this.#mostRowsOf(textBytes)));
    if (room === 'refused') {
      this.#doWithoutKernel();
      return;
    }
    // 2. Columns that became plain, or got another dictionary.
    let isChanged = room === 'made';
    let isOutdated = false;
    for (const [i, { dictionary, cells }] of this.columns.entries()) {
      const filled = dictionary ?? cells;
      const before = this.#filled[i];
      if (filled === before && room === 'there') continue;
      isChanged = true;
      if (before !== filled && before instanceof ByteDictionary) isOutdated = true;
      this.#filled[i] = filled;
      if (filled) kernel.setColumn(i, dictionary ? COLUMN_MODE.dictionary : COLUMN_MODE.plain);
    }
    if (isOutdated) kernel.forget();
    if (isChanged || kernel.hasMoved) this.#useArraysOf(kernel);
    // 3. What is new with each batch.
    this.#buffer = buffer;
    this.#stretchBytes = kernel.chunkBytes;
    this.#irregularRecords = 0;
    if (this.#isForKernel) kernel.begin(this.comparedHeader, this.trailingDelimiters);
  }

  /** A row has a byte for each of its cells, or at least one and its line end where cells may be missing. */
  #mostRowsOf(textBytes: number): number {
    const leastBytes = this.keepRagged ? Math.min(this.width, 2) : this.width;
    return 2 ** Math.ceil(Math.log2(textBytes / leastBytes + 2));
  }

  #doWithoutKernel(): void {
    this.#kernel = undefined;
    this.rowStarts = new Uint32Array(0);
    this.rowEnds = new Uint32Array(0);
    for (const column of this.columns) {
      column.ids = new Uint32Array(0);
      column.cells?.use(new Uint32Array(0), new Uint32Array(0));
    }
    this.growRows();
  }

  #useArraysOf(kernel: ScanKernel): void {
    kernel.settle();
    this.rowStarts = kernel.rowStarts;
    this.rowEnds = kernel.rowEnds;
    for (const [i, column] of this.columns.entries()) {
      if (column.dictionary !== undefined) column.ids = kernel.targetOf(i);
      column.cells?.use(kernel.targetOf(i), kernel.stopsOf(i));
    }
  }

  /** Can the kernel compare lines with the header, and has it taken enough of the batch's records so far to be asked again? */
  get #isForKernel(): boolean {
    const kernel = this.#kernel;
    if (kernel === undefined || (this.comparedHeader?.length ?? 0) > kernel.maxHeaderBytes) return false;
    return this.#irregularRecords < FEW_RECORDS || this.#irregularRecords < this.rowCount / 2;
  }

  /** Has the kernel take records from `position` on; answers where the first one begins that it does not take. */
  #takeRegular(window: ScanWindow, position: number): number {
    if (!this.#isForKernel) return position;
    const kernel = this.#kernel!;
    const end = Math.min(window.end, this.undecodableAt);
    while (position < end) {
      const stop = Math.min(end, position + this.#stretchBytes);
      const taken = kernel.scan(window.buffer.subarray(position, stop), {
        windowStart: position,
        firstRow: this.rowCount,
        rowLimit: this.maxRows - this.irregular.length,
      });
      if (kernel.hasMoved) this.#useArraysOf(kernel);
      this.takeRows(kernel.rowCount, kernel.breakPairs);
      position += taken;
      if (kernel.isStopped) {
        this.#stretchBytes = SHORT_STRETCH_BYTES;
        break;
      }
      if (stop === end || this.isFull) break;
      // A record longer than the kernel's memory.
      if (taken === 0 && this.#stretchBytes === kernel.chunkBytes) break;
      this.#stretchBytes = Math.min(this.#stretchBytes * 2, kernel.chunkBytes);
    }
    return position;
  }

  #takeDoubled(column: number, start: number, stop: number): number {
    const { dictionary, cells } = this.columns[column];
    const length = this.#unescape(this.#buffer, start, stop);
    if (dictionary !== undefined) return dictionary.idOf(this.#scratch, 0, length);
    return cells!.setAside(this.#scratch, { start: 0, stop: length });
  }

  /** Takes in the record, or the blank line, at `recordStart`; answers where the next one begins, or -1 when more text is needed. */
  #scanRecord(window: ScanWindow, recordStart: number): number {
    const { buffer, end, final } = window;
    const { width, columns } = this;
    let position = recordStart;
    if (width > 1 && (buffer[position] === LF || buffer[position] === CR)) {
      const next = this.lineEnd(buffer, position, end, final);
      if (next > 0) this.passBlankLine();
      if (next !== 0) return next;
    }
    const row = this.rowCount;
    if (row >= this.rowStarts.length) this.growRows();
    let cells = 0;
    let embeddedBreaks = 0;
    const isMisquoted = (cell: number, at: number) => {
      const kind = position >= end ? 'unclosed_quote' : 'stray_quote';
      return this.finishMisquoted(window, { kind, start: recordStart, cell, at });
    };
    for (;;) {
      // 1. A cell.
      const cell = this.#readCell(window, position);
      if (cell === undefined) return -1;
      position = cell.next;
      embeddedBreaks += cell.breaks;
      if (cell.fault >= 0) return isMisquoted(cells, cell.fault);
      if (cells < width) putCell(columns[cells], row, cell);
      cells++;
      // 2. On to the next cell, or the end of the record.
      if (buffer[position] === this.#delimiter && position < end) {
        position++;
        continue;
      }
      const recordEnd = position;
      if (position < end) {
        position = this.lineEnd(buffer, position, end, final);
        if (position < 0) return -1;
        if (position === 0) {
          // A quoted cell and then a carriage return that ends nothing.
          position = recordEnd;
          return isMisquoted(cells - 1, recordEnd - 1);
        }
      }
      return this.finishRecord({ buffer, recordStart, recordEnd, cells, embeddedBreaks }, position);
    }
  }

  /** Reads a cell. Undefined when more text is needed. */
  #readCell(window: ScanWindow, position: number): FoundCell | undefined {
    const isQuoted = window.buffer[position] === this.#quote && position < window.end;
    return isQuoted ? this.#readQuoted(window, position) : this.#readUnquoted(window, position);
  }

  #readUnquoted({ buffer, end, final }: ScanWindow, start: number): FoundCell | undefined {
    let stop = start;
    for (; stop < end; stop++) {
      const byte = buffer[stop];
      if (byte === this.#delimiter || byte === LF) break;
      // A carriage return that ends nothing is a character like any other.
      if (byte === CR && this.lineEnd(buffer, stop, end, final) !== 0) break;
    }
    if (stop >= end && !final) return undefined;
    return { source: buffer, start, stop, next: stop, breaks: 0, fault: -1 };
  }

  #readQuoted({ buffer, end, final }: ScanWindow, opening: number): FoundCell | undefined {
    const quote = this.#quote;
    const start = opening + 1;
    let isEscaped = false;
    let breaks = 0;
    let stop = this.#nextMark(start);
    for (; stop < end; stop = this.#nextMark(stop + 1)) {
      const byte = buffer[stop];
      if (byte === LF || (byte === CR && this.#loneCrEnds && buffer[stop + 1] !== LF)) breaks++;
      if (byte !== quote) continue;
      if (buffer[stop + 1] !== quote || stop + 1 >= end) break;
      isEscaped = true;
      stop++;
    }
    if (stop + 1 >= end && !final) return undefined;
    if (stop >= end) return { source: buffer, start, stop: end, next: end, breaks, fault: opening };
    const next = stop + 1;
    const byte = buffer[next];
    const fault = byte === this.#delimiter || byte === LF || byte === CR || next >= end ? -1 : stop;
    if (!isEscaped || fault >= 0) return { source: buffer, start, stop, next, breaks, fault };
    const length = this.#unescape(buffer, start, stop);
    return { source: this.#scratch, start: 0, stop: length, next, breaks, fault };
  }

  /** Offset of the first quote or control character at or after `at`, which the end of the window is. */
  #nextMark(at: number): number {
    const { view } = this;
    const quotes = this.#quote * ONES;
    let marks = marksIn(view.getInt32(at, true), quotes);
    while (marks === 0) {
      at += 4;
      marks = marksIn(view.getInt32(at, true), quotes);
    }
    return at + (bitsBefore(marks) >> 3);
  }

  /** Copies a quoted cell to the scratch buffer, which may be a new one then, with doubled quotes made single. Returns its length. */
  #unescape(buffer: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2);
    const scratch = this.#scratch;
    let length = 0;
    for (let i = start; i < end; i++) {
      const byte = buffer[i];
      scratch[length++] = byte;
      if (byte === this.#quote) i++;
    }
    return length;
  }
}

/**
 * Marks, by its highest bit, the first byte of a word that is a control character or equals the byte that `ends` repeats;
 * bytes after that may be marked wrongly. 0 when there is none. (Mycroft's test for a zero byte, and its kin.)
 */
function marksIn(word: number, ends: number): number {
  const difference = word ^ ends;
  return (((difference - ONES) & ~difference) | ((word - FIRST_ORDINARY) & ~word)) & HIGHEST_BITS;
}

/** Number of bits before the first marked byte. */
function bitsBefore(marks: number): number {
  return 24 - (Math.clz32(marks & -marks) & ~7);
}

function putCell(target: ScanColumn, row: number, { source, start, stop }: FoundCell): void {
  const { dictionary, cells } = target;
  if (dictionary !== undefined) target.ids[row] = dictionary.idOf(source, start, stop);
  else if (cells?.bytes === source) cells.put(row, start, stop);
  else cells?.putAside(row, source, { start, stop });
}

/** Rows of a batch of a table with so many columns. */
function mostRows(width: number): number {
  return Math.max(MIN_BATCH_ROWS, Math.floor(MAX_BATCH_CELLS / width));
}
