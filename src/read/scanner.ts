import { Vector } from '../base/vector.js';
import { ByteDictionary, HASH_PRIME, HASH_SEED, hashBytes } from './byte-dictionary.js';
import type { Dialect } from './dialect.js';
import { splitRecord } from './record.js';

const LF = 10;
const CR = 13;

/** Classes of bytes for the two inner loops. */
const ORDINARY = 0;
const SPECIAL = 1;

/** The scanner writes a line feed behind the data, so that its inner loops need no bound; a buffer needs this much room past `end`. */
export const SENTINEL_BYTES = 1;

/** Larger than any offset in a buffer. */
const NEVER = 0x7fffffff;

/** What is wrong with a record that did not make a row. */
export type Irregularity = 'ragged' | 'stray_quote' | 'unclosed_quote' | 'bad_encoding';

/** A record that is not a row of the table. Offsets are positions in the scanned buffer. */
export interface IrregularRecord {
  kind: Irregularity;
  start: number;
  /** Past the last byte before the line end. */
  end: number;
  /** The number of rows before it in this batch. */
  beforeRow: number;
  /** Line breaks consumed before it in this batch. */
  linesBefore: number;
  /** Number of cells (ragged) or index of the cell with the quote. */
  cells: number;
  /** Where the offending byte or cell is. */
  at: number;
}

/** One column as scanned: dictionary ids, or (plain) the cells themselves, or nothing when nobody wants it. */
export class ScanColumn {
  readonly wanted: boolean;
  /** Present in dictionary mode. */
  dictionary: ByteDictionary | undefined;
  /** Dictionary mode: id of each row's value; valid for the rows of the batch. */
  ids: Uint32Array = new Uint32Array(0);
  /** Present in plain mode: one value a row. */
  cells: Vector | undefined;

  constructor(wanted: boolean) {
    this.wanted = wanted;
    if (wanted) this.dictionary = new ByteDictionary();
  }

  /** Leaves dictionary mode, because values hardly repeat. */
  becomePlain(): void {
    this.dictionary = undefined;
    this.cells = new Vector('bytes', 1024);
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
  /** Most rows a batch may have. */
  maxRows: number;
  /** Keep ragged rows: missing cells become empty, surplus ones are handed out in {@link Scanner.surplus}. */
  keepRagged: boolean;
}

/**
 * Turns bytes into columns. One pass: a field's hash is computed while its end is looked for, and the hash finds
 * the value in the column's dictionary, so that a value seen before costs one probe and no string.
 *
 * Accepts what RFC 4180 describes, with any one-byte delimiter and quote, LF, CRLF or CR; a quote inside an
 * unquoted cell is a character like any other. Blank lines are passed over where a table has two or more columns.
 */
export class Scanner {
  readonly columns: ScanColumn[];
  /** Rows of the last batch. */
  rowCount = 0;
  /** Offset of each row's first byte in the scanned buffer. */
  rowStarts = new Uint32Array(1024);
  /** Offset past each row's last byte, before its line end. */
  rowEnds = new Uint32Array(1024);
  /** Records of the last batch that are no rows. */
  irregular: IrregularRecord[] = [];
  /** Offsets in the buffer to be scanned of bytes that cannot be decoded, ascending; whole records are lost to them. */
  undecodable: readonly number[] = [];
  /** Surplus cells by row, when ragged rows are kept. */
  surplus = new Map<number, string[]>();
  /** Line breaks in the last batch, those inside quotes included. */
  lineBreaks = 0;
  /** (row, line breaks that do not end a row, so far) wherever that number grew; see {@link lineOfRow}. */
  readonly #extraRows: number[] = [];
  readonly #extraLines: number[] = [];
  #extra = 0;

  readonly #width: number;
  readonly #maxRows: number;
  readonly #keepRagged: boolean;
  readonly #dialect: Dialect;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #loneCrEnds: boolean;
  readonly #unquotedClass = new Uint8Array(256);
  readonly #quotedClass = new Uint8Array(256);
  #scratch = new Uint8Array(256);
  #nextUndecodable = NEVER;
  #undecodablePassed = 0;

  constructor(options: ScannerOptions) {
    this.columns = options.wanted.map((wanted) => new ScanColumn(wanted));
    this.#width = options.wanted.length;
    this.#maxRows = options.maxRows;
    this.#keepRagged = options.keepRagged;
    this.#dialect = options.dialect;
    this.#delimiter = options.dialect.delimiter.charCodeAt(0);
    this.#quote = options.dialect.quote === '' ? -1 : options.dialect.quote.charCodeAt(0);
    this.#loneCrEnds = options.dialect.loneCrEnds;
    for (const byte of [this.#delimiter, LF, CR]) this.#unquotedClass[byte] = SPECIAL;
    for (const byte of [this.#quote, LF, CR]) if (byte >= 0) this.#quotedClass[byte] = SPECIAL;
  }

  /**
   * Scans the whole records in `buffer[from..end)` into a new batch and returns the offset where the next batch
   * begins: `end`, or the start of a record that is not complete yet, or an earlier one when the batch is full.
   * With `final`, the end of the buffer is the end of the file. The byte at `end` is overwritten.
   */
  scan(buffer: Uint8Array, from: number, end: number, final: boolean): number {
    this.#beginBatch();
    this.#passUndecodable(from);
    buffer[end] = LF;
    const window = { buffer, end, final };
    const unquotedClass = this.#unquotedClass;
    const quotedClass = this.#quotedClass;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const width = this.#width;
    const columns = this.columns;
    let position = from;

    while (position < end && this.rowCount + this.irregular.length < this.#maxRows) {
      const recordStart = position;
      let byte = buffer[position];
      if (width > 1 && (byte === LF || byte === CR)) {
        const next = this.#lineEnd(buffer, position, end, final);
        if (next < 0) return this.#abandonRow(recordStart);
        if (next > 0) {
          this.#countExtraLines(1);
          position = next;
          continue;
        }
      }
      const row = this.rowCount;
      if (row >= this.rowStarts.length) this.#growRows();
      let column = 0;
      let embeddedBreaks = 0;

      for (;;) {
        let source = buffer;
        let start = position;
        let stop: number;
        let hash = HASH_SEED;
        if (buffer[position] === quote && position < end) {
          position++;
          start = position;
          let escaped = false;
          for (;;) {
            byte = buffer[position];
            while (quotedClass[byte] === ORDINARY) {
              hash = Math.imul(hash ^ byte, HASH_PRIME);
              byte = buffer[++position];
            }
            if (position >= end) {
              if (!final) return this.#abandonRow(recordStart);
              break;
            }
            if (byte !== quote) {
              if (byte === LF || (this.#loneCrEnds && buffer[position + 1] !== LF)) embeddedBreaks++;
            } else if (buffer[position + 1] === quote && position + 1 < end) {
              escaped = true;
              position++;
            } else {
              break;
            }
            hash = Math.imul(hash ^ byte, HASH_PRIME);
            position++;
          }
          stop = position;
          if (position >= end) {
            position = this.#irregularLine(window, {
              kind: 'unclosed_quote',
              start: recordStart,
              cells: column,
              at: start - 1,
            });
            break;
          }
          position++;
          if (position >= end && !final) return this.#abandonRow(recordStart);
          byte = buffer[position];
          if (byte !== delimiter && byte !== LF && byte !== CR && position < end) {
            const next = this.#irregularLine(window, {
              kind: 'stray_quote',
              start: recordStart,
              cells: column,
              at: position - 1,
            });
            if (next < 0) return this.#abandonRow(recordStart);
            position = next;
            break;
          }
          if (escaped) {
            stop = this.#unescape(buffer, start, stop);
            source = this.#scratch;
            start = 0;
            hash = hashBytes(source, 0, stop);
          }
        } else {
          for (;;) {
            byte = buffer[position];
            while (unquotedClass[byte] === ORDINARY) {
              hash = Math.imul(hash ^ byte, HASH_PRIME);
              byte = buffer[++position];
            }
            if (byte !== CR || position >= end || this.#lineEnd(buffer, position, end, final) !== 0) break;
            hash = Math.imul(hash ^ byte, HASH_PRIME);
            position++;
          }
          if (position >= end && !final) return this.#abandonRow(recordStart);
          stop = position;
        }

        if (column < width) {
          const target = columns[column];
          if (target.dictionary !== undefined)
            target.ids[row] = target.dictionary.idOf(source, start, stop, hash);
          else if (target.cells !== undefined) target.cells.pushBytes(source, start, stop);
        }
        column++;
        if (byte === delimiter && position < end) {
          position++;
          continue;
        }
        const recordEnd = position;
        if (position < end) {
          position = this.#lineEnd(buffer, position, end, final);
          if (position < 0) return this.#abandonRow(recordStart);
          if (position === 0) {
            // A quoted cell and then a carriage return that ends nothing.
            const next = this.#irregularLine(window, {
              kind: 'stray_quote',
              start: recordStart,
              cells: column - 1,
              at: recordEnd - 1,
            });
            if (next < 0) return this.#abandonRow(recordStart);
            position = next;
            break;
          }
        }
        this.#finishRecord({ buffer, recordStart, recordEnd, cells: column, embeddedBreaks });
        break;
      }
    }
    this.lineBreaks = this.rowCount + this.#extra;
    return position;
  }

  /**
   * Makes a batch of the line at `from` alone, as one record whose quote is never closed. Returns the offset of the
   * next line, or `from` when the line does not end in the buffer.
   */
  skipLine(buffer: Uint8Array, from: number, end: number): number {
    this.#beginBatch();
    this.#passUndecodable(from);
    const record = { kind: 'unclosed_quote', start: from, cells: 0, at: from } as const;
    const next = this.#irregularLine({ buffer, end, final: false }, record);
    this.lineBreaks = this.#extra;
    return next < 0 ? from : next;
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

  /**
   * The offset after the line end at `position`: 0 when the byte there ends no line (a lone CR that is data),
   * -1 when the next byte decides and is not there yet.
   */
  #lineEnd(buffer: Uint8Array, position: number, end: number, final: boolean): number {
    if (buffer[position] === LF) return position + 1;
    if (position + 1 >= end) {
      if (!final) return -1;
      return this.#loneCrEnds ? position + 1 : 0;
    }
    if (buffer[position + 1] === LF) return position + 2;
    return this.#loneCrEnds ? position + 1 : 0;
  }

  #beginBatch(): void {
    this.rowCount = 0;
    this.lineBreaks = 0;
    this.#undecodablePassed = 0;
    this.#extra = 0;
    this.#extraRows.length = 0;
    this.#extraLines.length = 0;
    this.irregular = [];
    if (this.surplus.size > 0) this.surplus.clear();
    for (const column of this.columns) {
      if (column.cells !== undefined) column.cells.clear();
      else if (column.dictionary !== undefined && column.ids.length < this.rowStarts.length) {
        column.ids = new Uint32Array(this.rowStarts.length);
      }
    }
  }

  #growRows(): void {
    const size = this.rowStarts.length * 2;
    this.rowStarts = enlarged(this.rowStarts, size);
    this.rowEnds = enlarged(this.rowEnds, size);
    for (const column of this.columns) {
      if (column.dictionary !== undefined) column.ids = enlarged(column.ids, size);
    }
  }

  /** Forgets the cells of the row in the making and answers where it began. */
  #abandonRow(recordStart: number): number {
    this.#dropRowCells();
    this.lineBreaks = this.rowCount + this.#extra;
    return recordStart;
  }

  #dropRowCells(): void {
    for (const column of this.columns) if (column.cells !== undefined) column.cells.length = this.rowCount;
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

  #finishRecord(record: {
    buffer: Uint8Array;
    recordStart: number;
    recordEnd: number;
    cells: number;
    embeddedBreaks: number;
  }): void {
    const { recordStart, recordEnd, cells, embeddedBreaks } = record;
    if (recordEnd > this.#nextUndecodable) {
      this.#irregularRecord({ ...record, kind: 'bad_encoding', at: this.#nextUndecodable });
      this.#passUndecodable(recordEnd);
      return;
    }
    if (cells !== this.#width && !this.#rescueRagged(record)) {
      this.#irregularRecord({ ...record, kind: 'ragged', at: recordStart });
      return;
    }
    this.rowStarts[this.rowCount] = recordStart;
    this.rowEnds[this.rowCount] = recordEnd;
    this.rowCount++;
    if (embeddedBreaks > 0) this.#countExtraLines(embeddedBreaks);
  }

  #irregularRecord(record: {
    kind: Irregularity;
    recordStart: number;
    recordEnd: number;
    cells: number;
    embeddedBreaks: number;
    at: number;
  }): void {
    this.#dropRowCells();
    this.irregular.push({
      kind: record.kind,
      start: record.recordStart,
      end: record.recordEnd,
      beforeRow: this.rowCount,
      linesBefore: this.rowCount + this.#extra,
      cells: record.cells,
      at: record.at,
    });
    this.#countExtraLines(1 + record.embeddedBreaks);
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

  /** Makes a row of a record with too few or too many cells, if that is wanted. */
  #rescueRagged(record: {
    buffer: Uint8Array;
    recordStart: number;
    recordEnd: number;
    cells: number;
  }): boolean {
    if (!this.#keepRagged) return false;
    const { buffer, recordStart, recordEnd, cells } = record;
    for (let column = cells; column < this.#width; column++) {
      const target = this.columns[column];
      if (target.dictionary !== undefined)
        target.ids[this.rowCount] = target.dictionary.idOf(buffer, 0, 0, HASH_SEED);
      else if (target.cells !== undefined) target.cells.pushBytes(buffer, 0, 0);
    }
    if (cells > this.#width) {
      const all = splitRecord(buffer, recordStart, recordEnd, this.#dialect).cells;
      this.surplus.set(this.rowCount, all.slice(this.#width));
    }
    return true;
  }

  /**
   * Takes the line at `start`, and no more, as one bad record, so that a quote gone astray costs its own line
   * only. Returns the offset of the next line, or -1 when the end of the line is not there yet.
   */
  #irregularLine(
    { buffer, end, final }: { buffer: Uint8Array; end: number; final: boolean },
    record: { kind: Irregularity; start: number; cells: number; at: number },
  ): number {
    let stop = record.start;
    let next = 0;
    while (stop < end && next === 0) {
      if (buffer[stop] === LF || buffer[stop] === CR) next = this.#lineEnd(buffer, stop, end, final);
      if (next === 0) stop++;
    }
    if (next < 0 || (next === 0 && !final)) return -1;
    this.#dropRowCells();
    this.irregular.push({
      ...record,
      end: stop,
      beforeRow: this.rowCount,
      linesBefore: this.rowCount + this.#extra,
    });
    this.#countExtraLines(1);
    this.#passUndecodable(stop);
    return next === 0 ? end : next;
  }

  /** Copies a quoted cell to the scratch buffer with doubled quotes made single. Returns its length. */
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

function enlarged(array: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(size);
  next.set(array);
  return next;
}
