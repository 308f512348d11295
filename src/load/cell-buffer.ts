const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const BACKSLASH = 0x5c;
const NUL = 0x00;

/** What follows the backslash for bytes that COPY text and LOAD DATA read as marks; 0 for all others. */
const ESCAPES = new Uint8Array(256);
ESCAPES[TAB] = 't'.charCodeAt(0);
ESCAPES[LF] = 'n'.charCodeAt(0);
ESCAPES[CR] = 'r'.charCodeAt(0);
ESCAPES[BACKSLASH] = BACKSLASH;
ESCAPES[NUL] = '0'.charCodeAt(0);

/** Cells in COPY text form, each with a tab behind it: cell i is `bytes[offsets[i] .. offsets[i + 1])`. */
export class CellBuffer {
  bytes: Uint8Array;
  offsets: Uint32Array;
  /** Number of cells. */
  length = 0;
  #end = 0;

  /** @param capacity expected number of cells */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(64, capacity * 8));
    this.offsets = new Uint32Array(capacity + 2);
  }

  /** Each cell of `first` with each of `second` behind it, as one cell: cell i of one and j of the other is i * second.length + j. */
  static pairs(first: CellBuffer, second: CellBuffer): CellBuffer {
    const pairs = new CellBuffer(first.length * second.length);
    for (let i = 0; i < first.length; i++) {
      const left = first.#cell(i);
      for (let j = 0; j < second.length; j++) pairs.#pushPair(left, second.#cell(j));
    }
    return pairs;
  }

  /** Adds the cell of a NULL. */
  pushNull(): void {
    this.pushAscii('\\N');
  }

  /** Adds a cell of printable ASCII, which needs no escape. */
  pushAscii(text: string): void {
    this.#reserve(text.length);
    const { bytes } = this;
    let end = this.#end;
    for (let i = 0; i < text.length; i++) bytes[end++] = text.charCodeAt(i);
    this.#close(end);
  }

  /** Adds a cell of any text, given as UTF-8. */
  pushText(text: Uint8Array): void {
    this.#reserve(text.length * 2);
    const { bytes } = this;
    let end = this.#end;
    for (let i = 0; i < text.length; i++) {
      const byte = text[i];
      const mark = ESCAPES[byte];
      if (mark === 0) bytes[end++] = byte;
      else {
        bytes[end++] = BACKSLASH;
        bytes[end++] = mark;
      }
    }
    this.#close(end);
  }

  #cell(index: number): Uint8Array {
    return this.bytes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** Both with the tab behind them. */
  #pushPair(left: Uint8Array, right: Uint8Array): void {
    this.#reserve(left.length + right.length);
    this.bytes.set(left, this.#end);
    this.bytes.set(right, this.#end + left.length);
    this.#endAt(this.#end + left.length + right.length);
  }

  #close(end: number): void {
    this.bytes[end] = TAB;
    this.#endAt(end + 1);
  }

  #endAt(end: number): void {
    this.#end = end;
    this.length++;
    if (this.length >= this.offsets.length) {
      const next = new Uint32Array(this.offsets.length * 2);
      next.set(this.offsets);
      this.offsets = next;
    }
    this.offsets[this.length] = end;
  }

  /** Makes room for so many bytes and the tab. */
  #reserve(size: number): void {
    if (this.#end + size < this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.#end + size + 1));
    next.set(this.bytes.subarray(0, this.#end));
    this.bytes = next;
  }
}
