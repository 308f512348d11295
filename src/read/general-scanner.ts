import { RecordSplitter } from './record.js';
import { Scanner, type ScannerOptions } from './scanner.js';

/**
 * Turns bytes of any dialect into columns: delimiters of two characters, quotes escaped by a backslash or not at all.
 * Record by record and cell by cell through strings, so several times slower than the fast scanner.
 */
export class GeneralScanner extends Scanner {
  readonly #records: RecordSplitter;

  constructor(options: ScannerOptions) {
    super(options);
    this.#records = new RecordSplitter(options.dialect);
  }

  override scan(buffer: Uint8Array, from: number, end: number, final: boolean): number {
    this.beginBatch(buffer, from);
    const window = { buffer, end, final };
    let position = from;
    while (position < end && !this.isFull) {
      const start = position;
      // Whatever the record turns out to be, it may be a row.
      if (this.rowCount >= this.rowStarts.length) this.growRows();
      const record = this.#records.split({ buffer, from: start, end });
      // What reaches the end of the window may go on behind it.
      if (record.next >= end && !final && !record.fault)
        return this.endBatch(window, { from, position: start });
      if (record.fault) {
        const { kind, cell, at } = record.fault;
        position =
          kind === 'unclosed_quote' && !final
            ? -1
            : this.finishMisquoted({ buffer, end, final }, { kind, start, cell, at });
        if (position < 0) return this.endBatch(window, { from, position: start });
      } else if (record.end === start && this.width > 1) {
        this.passBlankLine();
        position = record.next;
      } else {
        position = this.#addRecord(buffer, start, record);
      }
    }
    return this.endBatch(window, { from, position });
  }

  #addRecord(buffer: Uint8Array, start: number, record: ReturnType<RecordSplitter['split']>): number {
    const { cells, end, lines, next } = record;
    for (let column = 0; column < Math.min(cells.length, this.width); column++)
      this.putText(column, cells[column]);
    const found = {
      buffer,
      recordStart: start,
      recordEnd: end,
      cells: cells.length,
      embeddedBreaks: lines - 1,
    };
    return this.finishRecord(found, next);
  }
}
