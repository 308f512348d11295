import { HASH_PRIME, HASH_SEED, hashBytes } from './byte-dictionary.js';
import { Scanner, type ScannerOptions } from './scanner.js';

const LF = 10;
const CR = 13;

/** Classes of bytes for the two inner loops. */
const ORDINARY = 0;
const SPECIAL = 1;

/**
 * Turns bytes into columns in one pass: a field's hash is computed while its end is looked for, and the hash finds
 * the value in the column's dictionary, so that a value seen before costs one probe and no string.
 *
 * Accepts what RFC 4180 describes, with any one-byte delimiter and quote, LF, CRLF or CR; a quote inside an
 * unquoted cell is a character like any other. Blank lines are passed over where a table has two or more columns.
 */
export class FastScanner extends Scanner {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #loneCrEnds: boolean;
  readonly #unquotedClass = new Uint8Array(256);
  readonly #quotedClass = new Uint8Array(256);
  #scratch = new Uint8Array(256);

  constructor(options: ScannerOptions) {
    super(options);
    this.#delimiter = options.dialect.delimiter === '' ? -1 : options.dialect.delimiter.charCodeAt(0);
    this.#quote = options.dialect.quote === '' ? -1 : options.dialect.quote.charCodeAt(0);
    this.#loneCrEnds = options.dialect.loneCrEnds;
    for (const byte of [this.#delimiter, LF, CR]) if (byte >= 0) this.#unquotedClass[byte] = SPECIAL;
    for (const byte of [this.#quote, LF, CR]) if (byte >= 0) this.#quotedClass[byte] = SPECIAL;
  }

  override scan(buffer: Uint8Array, from: number, end: number, final: boolean): number {
    this.beginBatch(from);
    const window = { buffer, end, final };
    buffer[end] = LF;
    const unquotedClass = this.#unquotedClass;
    const quotedClass = this.#quotedClass;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const width = this.width;
    const columns = this.columns;
    let position = from;

    while (position < end && !this.isFull) {
      const recordStart = position;
      let byte = buffer[position];
      if (width > 1 && (byte === LF || byte === CR)) {
        const next = this.lineEnd(buffer, position, end, final);
        if (next < 0) return this.abandonRow(window, { from, position: recordStart });
        if (next > 0) {
          this.passBlankLine();
          position = next;
          continue;
        }
      }
      const row = this.rowCount;
      if (row >= this.rowStarts.length) this.growRows();
      let column = 0;
      let embeddedBreaks = 0;
      /** Offset of a quote that is out of place, if any. */
      let fault = -1;

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
              if (!final) return this.abandonRow(window, { from, position: recordStart });
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
            fault = start - 1;
            break;
          }
          position++;
          if (position >= end && !final) return this.abandonRow(window, { from, position: recordStart });
          byte = buffer[position];
          if (byte !== delimiter && byte !== LF && byte !== CR && position < end) {
            fault = position - 1;
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
            if (byte !== CR || position >= end || this.lineEnd(buffer, position, end, final) !== 0) break;
            hash = Math.imul(hash ^ byte, HASH_PRIME);
            position++;
          }
          if (position >= end && !final) return this.abandonRow(window, { from, position: recordStart });
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
          position = this.lineEnd(buffer, position, end, final);
          if (position < 0) return this.abandonRow(window, { from, position: recordStart });
          if (position === 0) {
            // A quoted cell and then a carriage return that ends nothing.
            fault = recordEnd - 1;
            column--;
            break;
          }
        }
        position = this.finishRecord(
          { buffer, recordStart, recordEnd, cells: column, embeddedBreaks },
          position,
        );
        break;
      }
      if (fault >= 0) {
        const kind = position >= end ? 'unclosed_quote' : 'stray_quote';
        const record = { kind, start: recordStart, cell: column, at: fault } as const;
        position = this.finishMisquoted(window, record);
        if (position < 0) return this.abandonRow(window, { from, position: recordStart });
      }
    }
    return this.endBatch(window, { from, position });
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
