import type { Dialect } from './dialect.js';

const LF = 10;
const CR = 13;
const BACKSLASH = 92;
const SPACE = 32;
const TAB = 9;

/** One record, split off the fast path: the header, a record of an unusual dialect, a record quoted in a message. */
export interface SplitRecord {
  cells: string[];
  /** By cell: does it stand in quotes? */
  quoted: boolean[];
  /** Offset behind the line end. */
  next: number;
  /** Offset of the line end. */
  end: number;
  /** Lines it takes. */
  lines: number;
  /** Breach of the rules of quoting; the cells before it are right. `start` is where its cell begins. */
  fault?: { kind: 'stray_quote' | 'unclosed_quote'; cell: number; start: number; at: number };
}

/** Text that is split: `buffer[from..end)`, decoded. */
export interface Span {
  buffer: Uint8Array;
  from: number;
  end: number;
}

/** What is forgiven beyond the rules of a dialect. */
export interface Leniency {
  /** A quote inside a quoted cell is text unless a delimiter or a line end follows. */
  strayIsText?: boolean;
  /** A cell whose quote is not closed is text, quote included. */
  openIsText?: boolean;
  /** Offset of a quote that opens no cell but is text. */
  literalAt?: number;
  /** The quoted cell that begins at `start` has no closing quote but ends at `end`. */
  unclosed?: { start: number; end: number };
  /** Offset of two quotes at the end of a quoted cell: one of its text, and the closing one. */
  closingPairAt?: number;
  /** White space between a closing quote and the end of its cell is nothing. */
  paddingIsNothing?: boolean;
}

/** Splits records of any dialect, one at a time, with all the rules that the fast scanner has. */
export class RecordSplitter {
  readonly #dialect: Dialect;
  readonly #delimiter: Uint8Array;
  readonly #quote: number;
  readonly #hasBackslash: boolean;
  readonly #doubles: boolean;
  readonly #strayIsText: boolean;
  readonly #openIsText: boolean;
  readonly #literalAt: number;
  readonly #unclosed: { start: number; end: number } | undefined;
  readonly #closingPairAt: number;
  readonly #paddingIsNothing: boolean;

  constructor(dialect: Dialect, leniency: Leniency = {}) {
    this.#dialect = dialect;
    this.#delimiter = Buffer.from(dialect.delimiter);
    this.#quote = dialect.quote === '' ? -1 : dialect.quote.charCodeAt(0);
    this.#hasBackslash = dialect.escape === 'backslash';
    this.#doubles = dialect.escape !== 'none';
    this.#strayIsText = leniency.strayIsText ?? dialect.escape === 'none';
    this.#openIsText = leniency.openIsText ?? false;
    this.#literalAt = leniency.literalAt ?? -1;
    this.#unclosed = leniency.unclosed;
    this.#closingPairAt = leniency.closingPairAt ?? -1;
    this.#paddingIsNothing = leniency.paddingIsNothing ?? false;
  }

  /**
   * Splits the record that begins at `span.from`. A record that reaches `span.end` may go on behind it. `ends` gets the offset
   * behind each cell as it stands in the text.
   */
  split(span: Span, ends?: number[]): SplitRecord {
    const { buffer, end } = span;
    const cells: string[] = [];
    const quoted: boolean[] = [];
    let position = span.from;
    let lines = 1;
    let fault: SplitRecord['fault'];
    for (;;) {
      const start = position;
      const isQuoted = position < end && buffer[position] === this.#quote && position !== this.#literalAt;
      let cell = isQuoted ? this.#quoted(span, position) : this.#unquoted(span, position);
      if (cell.fault && this.#openIsText) cell = this.#unquoted(span, position);
      lines += cell.breaks;
      position = cell.end;
      if (cell.fault) {
        fault = { kind: cell.fault, cell: cells.length, start, at: cell.at };
        position = lineEndAt(buffer, { from: span.from, end, dialect: this.#dialect });
        lines = 1;
        break;
      }
      cells.push(cell.text);
      quoted.push(isQuoted);
      ends?.push(position);
      if (!this.#isDelimiter(buffer, position, end)) break;
      position += this.#delimiter.length;
    }
    const next = position + lineEndLength(buffer, position, end, this.#dialect);
    return { cells, quoted, end: position, next, lines, ...(fault && { fault }) };
  }

  #isDelimiter(buffer: Uint8Array, position: number, end: number): boolean {
    const delimiter = this.#delimiter;
    if (delimiter.length === 0 || position + delimiter.length > end) return false;
    for (let i = 0; i < delimiter.length; i++) if (buffer[position + i] !== delimiter[i]) return false;
    return true;
  }

  #endsCell(buffer: Uint8Array, position: number, end: number): boolean {
    return (
      position >= end ||
      lineEndLength(buffer, position, end, this.#dialect) > 0 ||
      this.#isDelimiter(buffer, position, end)
    );
  }

  /** Does a backslash at `position` take the meaning from the byte that follows? */
  #isEscape(buffer: Uint8Array, position: number, end: number): boolean {
    if (!this.#hasBackslash || buffer[position] !== BACKSLASH || position + 1 >= end) return false;
    const next = buffer[position + 1];
    return (
      next === BACKSLASH || next === this.#quote || next === this.#delimiter[0] || next === LF || next === CR
    );
  }

  #unquoted({ buffer, end }: Span, from: number): SplitCell {
    let text = '';
    let start = from;
    let position = from;
    let breaks = 0;
    while (!this.#endsCell(buffer, position, end)) {
      if (this.#isEscape(buffer, position, end)) {
        text += textOf(buffer, start, position);
        start = position + 1;
        breaks += this.#breakAt(buffer, start, end);
        position++;
      }
      position++;
    }
    return { text: text + textOf(buffer, start, position), end: position, breaks, at: from };
  }

  #quoted({ buffer, end }: Span, from: number): SplitCell {
    const quote = this.#quote;
    if (this.#unclosed?.start === from) {
      const { end: cellEnd } = this.#unclosed;
      return { text: textOf(buffer, from + 1, cellEnd), end: cellEnd, breaks: 0, at: from };
    }
    const text = new CellText(buffer);
    let start = from + 1;
    let position = start;
    let breaks = 0;
    for (; position < end; position++) {
      if (this.#isEscape(buffer, position, end)) {
        text.add(start, position);
        start = ++position;
      } else if (buffer[position] === quote) {
        const isPair = this.#doubles && position + 1 < end && buffer[position + 1] === quote;
        if (isPair && position !== this.#closingPairAt) {
          text.add(start, ++position);
          start = position + 1;
          continue;
        }
        if (isPair) position++;
        const behind = this.#paddingIsNothing ? behindPadding(buffer, position + 1, end) : position + 1;
        const closes = this.#endsCell(buffer, behind, end);
        if (!closes && this.#strayIsText) continue;
        const fault = closes ? undefined : 'stray_quote';
        return { text: text.finish(start, position), end: behind, breaks, at: position, fault };
      }
      breaks += this.#breakAt(buffer, position, end);
    }
    return { text: text.finish(start, end), end, breaks, at: from, fault: 'unclosed_quote' };
  }

  /** 1 where a line ends at `position` inside a cell. */
  #breakAt(buffer: Uint8Array, position: number, end: number): number {
    if (buffer[position] === LF) return 1;
    if (buffer[position] !== CR || !this.#dialect.loneCrEnds) return 0;
    return position + 1 < end && buffer[position + 1] === LF ? 0 : 1;
  }
}

/** The text of a cell without its escapes: bytes are put together before they are decoded, since there may be millions. */
class CellText {
  readonly #source: Uint8Array;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  add(from: number, end: number): void {
    const length = this.#length + end - from;
    if (length > this.#bytes.length) {
      const next = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      next.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = next;
    }
    this.#bytes.set(this.#source.subarray(from, end), this.#length);
    this.#length = length;
  }

  /** All that was added, and `from..end` behind it. */
  finish(from: number, end: number): string {
    if (this.#length === 0) return textOf(this.#source, from, end);
    this.add(from, end);
    return textOf(this.#bytes, 0, this.#length);
  }
}

function behindPadding(buffer: Uint8Array, from: number, end: number): number {
  let position = from;
  while (position < end && (buffer[position] === SPACE || buffer[position] === TAB)) position++;
  return position;
}

interface SplitCell {
  text: string;
  /** Offset behind the cell. */
  end: number;
  breaks: number;
  at: number;
  fault?: 'stray_quote' | 'unclosed_quote';
}

/** Splits the record that begins at `from`; see {@link RecordSplitter}. */
export function splitRecord(span: Span, dialect: Dialect): SplitRecord {
  return new RecordSplitter(dialect).split(span);
}

/** Offset of the first line end at or after `from`, quotes regardless. */
export function lineEndAt(
  buffer: Uint8Array,
  { from, end, dialect }: { from: number; end: number; dialect: Dialect },
): number {
  let position = from;
  while (position < end && lineEndLength(buffer, position, end, dialect) === 0) position++;
  return position;
}

/** Bytes of the line end at `position`: 0 when there is none. */
export function lineEndLength(buffer: Uint8Array, position: number, end: number, dialect: Dialect): number {
  if (position >= end) return 0;
  if (buffer[position] === LF) return 1;
  if (buffer[position] !== CR) return 0;
  if (position + 1 < end && buffer[position + 1] === LF) return 2;
  return dialect.loneCrEnds ? 1 : 0;
}

/** Decodes `buffer[from..end)`, which is UTF-8. */
export function textOf(buffer: Uint8Array, from: number, end: number): string {
  return Buffer.from(buffer.buffer, buffer.byteOffset + from, end - from).toString('utf8');
}
