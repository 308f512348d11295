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

export const UUID_BYTES = 16;
const UUID_CHARACTERS = 36;
const DASH = '-'.charCodeAt(0);
const HEX_DIGITS = new Uint8Array(Buffer.from('0123456789abcdef'));

/** So many bytes may be read from the start of any cell. */
export const READABLE_BYTES = 8;
/** A buffer that grew beyond this is given back when it is cleared. */
const MAX_KEPT_BYTES = 1 << 20;
const FIRST_BYTES = 1 << 12;
const FIRST_CELLS = 1 << 10;

/** Cells in COPY text form, each with a tab behind it: cell i is `bytes[offsets[i] .. offsets[i + 1])`. */
export class CellBuffer {
  bytes = new Uint8Array(FIRST_BYTES);
  offsets = new Uint32Array(FIRST_CELLS);
  /** Number of cells. */
  length = 0;
  #end = 0;

  /** Forgets all cells. */
  clear(): void {
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = new Uint8Array(FIRST_BYTES);
    if (this.offsets.length > MAX_KEPT_BYTES) this.offsets = new Uint32Array(FIRST_CELLS);
    this.length = 0;
    this.#end = 0;
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

  /** Adds the cell of a UUID, given as its {@link UUID_BYTES}. */
  pushUuid(uuid: Uint8Array): void {
    this.#reserve(UUID_CHARACTERS);
    const { bytes } = this;
    let end = this.#end;
    for (let i = 0; i < UUID_BYTES; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) bytes[end++] = DASH;
      bytes[end++] = HEX_DIGITS[uuid[i] >> 4];
      bytes[end++] = HEX_DIGITS[uuid[i] & 0x0f];
    }
    this.#close(end);
  }

  /** Adds two cells as one. */
  pushPair(first: number, second: number): void {
    const { offsets } = this;
    const size = offsets[first + 1] - offsets[first];
    const size2 = offsets[second + 1] - offsets[second];
    this.#reserve(size + size2);
    this.bytes.copyWithin(this.#end, offsets[first], offsets[first + 1]);
    this.bytes.copyWithin(this.#end + size, offsets[second], offsets[second + 1]);
    this.#endAt(this.#end + size + size2);
  }

  /** Gives cells from `first` on a line feed in place of the tab. */
  endRows(first: number, count: number): void {
    for (let cell = first; cell < first + count; cell++) this.bytes[this.offsets[cell + 1] - 1] = LF;
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

  /** Makes room for so many bytes, the tab, and what may be read behind. */
  #reserve(size: number): void {
    const needed = this.#end + size + 1 + READABLE_BYTES;
    if (needed <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.bytes.length * 2, needed));
    next.set(this.bytes.subarray(0, this.#end));
    this.bytes = next;
  }
}
