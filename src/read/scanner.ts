import { Cells } from '../base/cells.js';
import { ByteDictionary } from './byte-dictionary.js';
import type { Dialect } from './dialect.js';
import { countFooterRecords, countTrailing } from './footer.js';
import { readForeign } from './foreign-record.js';
import { type Habits, NO_HABITS } from './habits.js';
import type { Irregularity, IrregularRecord, ScanNote } from './irregular.js';
import { areRecords, MENDING_BYTES, mendRecord } from './mend-record.js';
import type { RecordForm } from './readings.js';
import { lineEndAt, lineEndLength, RecordSplitter } from './record.js';

export type { Irregularity, IrregularRecord, ScanNote } from './irregular.js';

/**
 * Scanners write a line feed behind the data, so that inner loops need no bound, and read words of four bytes from there on;
 * a buffer needs this much room past `end`.
 */
export const SENTINEL_BYTES = 4;

/** There is room for so many rows at first. */
const FIRST_ROWS = 1024;
/** Larger than any offset in a buffer. */
const NEVER = 0x7fffffff;

/** One column as scanned: dictionary ids, or (plain) the cells themselves, or nothing when nobody wants it. */
export class ScanColumn {
  readonly wanted: boolean;
  /** Present in dictionary mode. */
  dictionary: ByteDictionary | undefined;
  /** Dictionary mode: id of each row's value; valid for the rows of the batch. */
  ids: Uint32Array = new Uint32Array(0);
  /** Present in plain mode: one value a row. */
  cells: Cells | undefined;

  constructor(wanted: boolean) {
    this.wanted = wanted;
    if (wanted) this.dictionary = new ByteDictionary();
  }

  /** Leaves dictionary mode, because values hardly repeat. */
  becomePlain(): void {
    this.dictionary = undefined;
    this.cells = new Cells();
    this.ids = new Uint32Array(0);
  }

  /** Enters dictionary mode with an empty dictionary. */
  becomeDictionary(): void {
    this.cells = undefined;
    this.dictionary = new ByteDictionary();
  }
}

export interface ScannerOptions {
  dialect: Dialect;
  /** One entry for each column of the file: is it wanted? */
  wanted: boolean[];
  /** Most records a batch may have. */
  maxRows: number;
  /**
   * Keep irregular records as rows: missing cells become empty, surplus ones are handed out in {@link Scanner.surplus},
   * misplaced quotes are mended and told in {@link Scanner.notes}. Records that cannot be decoded stay irregular.
   */
  keepRagged: boolean;
}

/** A stretch of decoded text; with `final`, its end is the end of the file. */
export interface ScanWindow {
  buffer: Uint8Array;
  end: number;
  final: boolean;
}

/** A record as a scanner found it: how many cells it has, and how many line breaks are inside them. */
export interface FoundRecord {
  buffer: Uint8Array;
  recordStart: number;
  recordEnd: number;
  cells: number;
  embeddedBreaks: number;
}

/**
 * Turns bytes into columns, batch by batch. This class keeps the books of a batch: rows, lines, and the records that
 * are no rows. How records are found is up to {@link FastScanner} and {@link GeneralScanner}.
 */
export abstract class Scanner {
  readonly columns: ScanColumn[];
  /** Rows of the last batch. */
  rowCount = 0;
  /** Offset of each row's first byte in the scanned buffer. */
  rowStarts: Uint32Array;
  /** Offset past each row's last byte, before its line end. */
  rowEnds: Uint32Array;
  /** Records of the last batch that are no rows. */
  irregular: IrregularRecord[] = [];
  /** What else there is to tell of the last batch. */
  notes: ScanNote[] = [];
  /** Rows of the last batch that stand below a blank line. */
  setOffRows: number[] = [];
  /** Surplus cells by row, when ragged rows are kept. */
  surplus = new Map<number, string[]>();
  /** Line breaks in the last batch, those inside quotes included. */
  lineBreaks = 0;
  /** Offsets in the buffer to be scanned of bytes that cannot be decoded, ascending; whole records are lost to them. */
  undecodable: readonly number[] = [];
  /** The header line of the file, whose repetitions are passed over; absent when they are rows. */
  headerLine: Uint8Array | undefined;
  /** Every record may have so many more cells than the table has columns, if they are empty. */
  trailingDelimiters = 0;
  /** What the cells of the columns have in common. */
  habits: Habits = NO_HABITS;

  readonly width: number;
  protected readonly dialect: Dialect;
  protected readonly maxRows: number;
  protected readonly keepRagged: boolean;
  readonly #splitter: RecordSplitter;
  /** (row, line breaks that do not end a row, so far) wherever that number grew; see {@link lineOfRow}. */
  readonly #extraRows: number[] = [];
  readonly #extraLines: number[] = [];
  #extra = 0;
  /** The bytes of the scanned buffer as numbers. */
  protected view: DataView = new DataView(new ArrayBuffer(0));
  #nextUndecodable = NEVER;
  #undecodablePassed = 0;

  constructor(options: ScannerOptions) {
    this.columns = options.wanted.map((wanted) => new ScanColumn(wanted));
    this.width = options.wanted.length;
    this.dialect = options.dialect;
    this.maxRows = options.maxRows;
    this.keepRagged = options.keepRagged;
    const rows = Math.min(FIRST_ROWS, options.maxRows);
    this.rowStarts = new Uint32Array(rows);
    this.rowEnds = new Uint32Array(rows);
    this.#splitter = new RecordSplitter(options.dialect);
  }

  /**
   * Scans the whole records in `buffer[from..end)` into a new batch and returns the offset where the next batch
   * begins: `end`, or the start of a record that is not complete yet, or an earlier one when the batch is full.
   * With `final`, the end of the buffer is the end of the file. The byte at `end` is overwritten.
   */
  abstract scan(buffer: Uint8Array, from: number, end: number, final: boolean): number;

  /**
   * Makes a batch of the line at `from` alone, as one record whose quote is never closed. Returns the offset of the
   * next line, or `from` when the line does not end in the buffer.
   */
  skipLine(buffer: Uint8Array, from: number, end: number): number {
    this.beginBatch(buffer, from);
    const lineEnd = lineEndAt(buffer, { from, end, dialect: this.dialect });
    const next = lineEnd + lineEndLength(buffer, lineEnd, end, this.dialect);
    if (next >= end) return from;
    const found = { buffer, recordStart: from, recordEnd: lineEnd, cells: 0, embeddedBreaks: 0 };
    this.#addIrregular(found, 'unclosed_quote', from);
    this.#countLines();
    return next;
  }

  /** Line breaks of this batch before row `row`. */
  lineOfRow(row: number): number {
    let low = 0;
    let high = this.#extraRows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#extraRows[middle] <= row) low = middle + 1;
      else high = middle;
    }
    return row + (low === 0 ? 0 : this.#extraLines[low - 1]);
  }

  /** Has the batch as many records as it may have? */
  protected get isFull(): boolean {
    return this.rowCount + this.irregular.length >= this.maxRows;
  }

  protected beginBatch(buffer: Uint8Array, from: number): void {
    this.#lookAt(buffer);
    this.rowCount = 0;
    this.lineBreaks = 0;
    this.#extra = 0;
    this.#extraRows.length = 0;
    this.#extraLines.length = 0;
    this.#undecodablePassed = 0;
    this.#passUndecodable(from);
    if (this.irregular.length > 0) this.irregular = [];
    if (this.notes.length > 0) this.notes = [];
    if (this.setOffRows.length > 0) this.setOffRows = [];
    if (this.surplus.size > 0) this.surplus.clear();
    for (const column of this.columns) {
      if (column.cells !== undefined) {
        column.cells.begin(buffer, this.view);
        column.cells.grow(this.rowStarts.length);
      } else if (column.dictionary !== undefined && column.ids.length < this.rowStarts.length) {
        column.ids = new Uint32Array(this.rowStarts.length);
      }
    }
  }

  /** Once a batch, not once a record: asking an array for the memory that it is of is a slow call. */
  #lookAt(buffer: Uint8Array): void {
    if (this.view.buffer === buffer.buffer && this.view.byteOffset === buffer.byteOffset) return;
    this.view = new DataView(buffer.buffer, buffer.byteOffset);
  }

  get #form(): RecordForm {
    return { dialect: this.dialect, width: this.width, habits: this.habits };
  }

  #countLines(): void {
    this.lineBreaks = this.rowCount + this.#extra;
  }

  protected growRows(): void {
    const size = Math.max(FIRST_ROWS, this.rowStarts.length * 2);
    this.rowStarts = enlarged(this.rowStarts, size);
    this.rowEnds = enlarged(this.rowEnds, size);
    for (const column of this.columns) {
      column.cells?.grow(size);
      if (column.dictionary !== undefined) column.ids = enlarged(column.ids, size);
    }
  }

  /**
   * The offset after the line end at `position`: 0 when the byte there ends no line (a lone CR that is data),
   * -1 when the next byte decides and is not there yet.
   */
  protected lineEnd(buffer: Uint8Array, position: number, end: number, final: boolean): number {
    if (position + 1 >= end && !final && buffer[position] !== LF) return -1;
    const length = lineEndLength(buffer, position, end, this.dialect);
    return length === 0 ? 0 : position + length;
  }

  protected passBlankLine(): void {
    if (this.setOffRows.at(-1) !== this.rowCount) this.setOffRows.push(this.rowCount);
    this.#countExtraLines(1);
  }

  /** Takes rows up to row `count`, whose places are in {@link rowStarts}, with pairs of a row and the line breaks inside of it. */
  protected takeRows(count: number, breakPairs: Uint32Array): void {
    for (let i = 0; i < breakPairs.length; i += 2) {
      this.rowCount = breakPairs[i] + 1;
      this.#countExtraLines(breakPairs[i + 1]);
    }
    this.rowCount = count;
  }

  /** Offset of the next byte that cannot be decoded: the record that it is in is no row. */
  protected get undecodableAt(): number {
    return this.#nextUndecodable;
  }

  /** The line that is no row where it is repeated. */
  protected get comparedHeader(): Uint8Array | undefined {
    return this.keepRagged ? undefined : this.headerLine;
  }

  /** Closes a record whose cells have been put into the columns. Answers where the next one begins. */
  protected finishRecord(found: FoundRecord, next: number): number {
    const { recordStart, recordEnd, cells, embeddedBreaks } = found;
    if (recordEnd > this.#nextUndecodable) {
      this.#addIrregular(found, 'bad_encoding', this.#nextUndecodable);
      this.#passUndecodable(recordEnd);
      return next;
    }
    if (cells !== this.width && !this.#isTrailed(found)) return this.#finishRagged(found, next);
    if (this.#isHeader(found)) return this.#passHeader(found, next);
    this.#addRow(recordStart, recordEnd, embeddedBreaks);
    return next;
  }

  /**
   * Takes a record that breaks the rules of quoting, its own line and no more unless the record goes on for sure.
   * Returns the offset behind it, or -1 when more text is needed to judge.
   */
  protected finishMisquoted(
    { buffer, end, final }: ScanWindow,
    record: { kind: 'stray_quote' | 'unclosed_quote'; start: number; cell: number; at: number },
  ): number {
    if (!final && end - record.start < MENDING_BYTES) return -1;
    const mended = mendRecord({ buffer, from: record.start, end }, this.#form);
    if (!final && mended.next >= end) return -1;
    const found: FoundRecord = {
      buffer,
      recordStart: record.start,
      recordEnd: mended.end,
      cells: record.cell,
      embeddedBreaks: mended.lines - 1,
    };
    if (this.keepRagged && mended.end <= this.#nextUndecodable) this.#addMended(found, mended);
    else this.#addIrregular(found, record.kind, record.at);
    this.#passUndecodable(mended.end);
    return mended.next;
  }

  /** Puts a cell that was split off the fast path into its column. */
  protected putText(column: number, text: string): void {
    const target = this.columns[column];
    if (!target.wanted) return;
    const bytes = Buffer.from(text);
    if (target.dictionary !== undefined)
      target.ids[this.rowCount] = target.dictionary.idOf(bytes, 0, bytes.length);
    else target.cells?.putAside(this.rowCount, bytes, { start: 0, stop: bytes.length });
  }

  /**
   * Ends a batch whose next record begins at `position`. Notes below the table look like ragged records: at the end of
   * the file they are told apart; before it, what may be such notes is left for the next batch. Answers where that begins.
   */
  protected endBatch({ buffer, end, final }: ScanWindow, batch: { from: number; position: number }): number {
    const { from, position } = batch;
    const possible = this.keepRagged ? 0 : countTrailing(this.irregular, this);
    if (possible > 0 && final && position >= end) this.#tellFooter({ buffer, end }, possible);
    else if (possible > 0 && !this.isFull) return this.#giveBack(buffer, { from, count: possible });
    this.#countLines();
    return position;
  }

  #tellFooter(window: { buffer: Uint8Array; end: number }, possible: number): void {
    const count = countFooterRecords(window, this.irregular.slice(-possible));
    for (const { start, end, linesBefore } of this.irregular.splice(this.irregular.length - count)) {
      this.notes.push({ kind: 'footer', start, end, linesBefore });
    }
  }

  /** Forgets the last `count` irregular records and the blank lines before them. Answers where those begin. */
  #giveBack(buffer: Uint8Array, { from, count }: { from: number; count: number }): number {
    const [first] = this.irregular.splice(this.irregular.length - count);
    let position = first.start;
    let blankLines = 0;
    for (let at = position; at > from; ) {
      at -= buffer[at - 1] === LF && at - 1 > from && buffer[at - 2] === CR ? 2 : 1;
      if (buffer[at] !== LF && buffer[at] !== CR) break;
      if (at > from && buffer[at - 1] !== LF && buffer[at - 1] !== CR) break;
      position = at;
      blankLines++;
    }
    this.notes = this.notes.filter(({ start }) => start < position);
    this.#extra = 0;
    const kept = first.linesBefore - blankLines - this.rowCount;
    while (this.#extraLines.length > 0 && this.#extraLines.at(-1)! > kept) {
      this.#extraLines.pop();
      this.#extraRows.pop();
    }
    if (kept > (this.#extraLines.at(-1) ?? 0)) this.#countExtraLines(kept);
    else this.#extra = kept;
    this.#countLines();
    return position;
  }

  /** Are the cells beyond the table's width nothing but delimiters? */
  #isTrailed({ buffer, recordEnd, cells }: FoundRecord): boolean {
    const surplus = cells - this.width;
    if (surplus <= 0 || surplus > this.trailingDelimiters) return false;
    const delimiter = Buffer.from(this.dialect.delimiter);
    for (let i = 1; i <= surplus * delimiter.length; i++) {
      if (buffer[recordEnd - i] !== delimiter[delimiter.length - 1 - ((i - 1) % delimiter.length)])
        return false;
    }
    return true;
  }

  #mayBeHeader(length: number): boolean {
    if (this.headerLine === undefined || this.keepRagged) return false;
    return length === this.headerLine.length || length === this.headerLine.length + BOM.length;
  }

  #isHeader({ buffer, recordStart, recordEnd }: FoundRecord): boolean {
    const length = recordEnd - recordStart;
    if (!this.#mayBeHeader(length)) return false;
    const header = this.headerLine!;
    // Concatenated files bring their byte order marks along.
    const from = length === header.length ? recordStart : recordStart + BOM.length;
    if (from > recordStart && BOM.some((byte, i) => buffer[recordStart + i] !== byte)) return false;
    for (let i = 0; i < header.length; i++) if (buffer[from + i] !== header[i]) return false;
    return true;
  }

  #passHeader({ recordStart, recordEnd, embeddedBreaks }: FoundRecord, next: number): number {
    const linesBefore = this.rowCount + this.#extra;
    this.notes.push({ kind: 'repeated_header', start: recordStart, end: recordEnd, linesBefore });
    this.#countExtraLines(1 + embeddedBreaks);
    return next;
  }

  #finishRagged(found: FoundRecord, next: number): number {
    const { buffer, recordStart, recordEnd, cells, embeddedBreaks } = found;
    // A quote gone astray may have taken in lines that are records of their own.
    if (embeddedBreaks > 0) {
      const lineEnd = lineEndAt(buffer, { from: recordStart, end: recordEnd, dialect: this.dialect });
      const second = lineEnd + lineEndLength(buffer, lineEnd, recordEnd, this.dialect);
      if (areRecords({ buffer, from: recordStart, end: recordEnd }, { second, form: this.#form })) {
        const record = { kind: 'unclosed_quote', start: recordStart, cell: cells, at: recordStart } as const;
        return this.finishMisquoted({ buffer, end: second, final: true }, record);
      }
    }
    if (isEndMark(found)) return this.#passEndMark(found, next);
    if (!this.keepRagged) {
      this.#addIrregular(found, 'ragged', recordStart);
      return next;
    }
    const foreign = readForeign({ buffer, from: recordStart, end: recordEnd }, this.#form);
    if (foreign) {
      this.#addMended(found, foreign);
      return next;
    }
    for (let column = cells; column < this.width; column++) this.#putEmpty(column);
    if (cells > this.width) {
      const all = this.#splitter.split({ buffer, from: recordStart, end: recordEnd }).cells;
      this.surplus.set(this.rowCount, all.slice(this.width));
    }
    this.#addRow(recordStart, recordEnd, embeddedBreaks);
    return next;
  }

  #passEndMark({ recordStart, recordEnd }: FoundRecord, next: number): number {
    const linesBefore = this.rowCount + this.#extra;
    this.notes.push({ kind: 'footer', start: recordStart, end: recordEnd, linesBefore });
    this.#countExtraLines(1);
    return next;
  }

  #addMended(found: FoundRecord, { cells }: { cells: string[] }): void {
    const { recordStart, recordEnd, embeddedBreaks } = found;
    const linesBefore = this.rowCount + this.#extra;
    this.notes.push({ kind: 'mended_record', start: recordStart, end: recordEnd, linesBefore });
    for (let column = 0; column < this.width; column++) this.putText(column, cells[column] ?? '');
    if (cells.length > this.width) this.surplus.set(this.rowCount, cells.slice(this.width));
    this.#addRow(recordStart, recordEnd, embeddedBreaks);
  }

  #addRow(recordStart: number, recordEnd: number, embeddedBreaks: number): void {
    this.rowStarts[this.rowCount] = recordStart;
    this.rowEnds[this.rowCount] = recordEnd;
    this.rowCount++;
    if (embeddedBreaks > 0) this.#countExtraLines(embeddedBreaks);
  }

  #addIrregular(found: FoundRecord, kind: Irregularity, at: number): void {
    this.irregular.push({
      kind,
      start: found.recordStart,
      end: found.recordEnd,
      beforeRow: this.rowCount,
      linesBefore: this.rowCount + this.#extra,
      cells: found.cells,
      at,
    });
    this.#countExtraLines(1 + found.embeddedBreaks);
  }

  /** Finds the first byte at or after `position` that cannot be decoded. */
  #passUndecodable(position: number): void {
    while (this.#undecodablePassed < this.undecodable.length) {
      this.#nextUndecodable = this.undecodable[this.#undecodablePassed];
      if (this.#nextUndecodable >= position) return;
      this.#undecodablePassed++;
    }
    this.#nextUndecodable = NEVER;
  }

  #putEmpty(column: number): void {
    const { dictionary, ids, cells } = this.columns[column];
    if (dictionary !== undefined) ids[this.rowCount] = dictionary.idOf(NOTHING, 0, 0);
    else cells?.putAside(this.rowCount, NOTHING, { start: 0, stop: 0 });
  }

  /** Notes line breaks that end no row: blank lines, breaks inside quotes, irregular records. */
  #countExtraLines(count: number): void {
    this.#extra += count;
    const last = this.#extraRows.length - 1;
    if (this.#extraRows[last] === this.rowCount) {
      this.#extraLines[last] = this.#extra;
      return;
    }
    this.#extraRows.push(this.rowCount);
    this.#extraLines.push(this.#extra);
  }
}

/** A record of the one byte with which DOS programs end a file. */
function isEndMark({ buffer, recordStart, recordEnd }: FoundRecord): boolean {
  return recordEnd - recordStart === 1 && buffer[recordStart] === SUBSTITUTE;
}

const SUBSTITUTE = 0x1a;
const LF = 10;
const CR = 13;
const BOM = [0xef, 0xbb, 0xbf];
const NOTHING = new Uint8Array(0);

function enlarged(array: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(size);
  next.set(array);
  return next;
}
