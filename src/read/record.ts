import type { Dialect } from './dialect.js';

const LF = 10;
const CR = 13;

/** One record, split off the fast path: the header, a ragged record, a record quoted in a message. */
export interface SplitRecord {
  cells: string[];
  /** Offset behind the line end. */
  next: number;
  /** Offset of the line end. */
  end: number;
  /** Lines it takes. */
  lines: number;
  /** Offset of a quote that is never closed, or -1. */
  openQuote: number;
}

/** Splits the record that begins at `from` into cells, as the scanner would, and finds its end. */
export function splitRecord(buffer: Uint8Array, from: number, end: number, dialect: Dialect): SplitRecord {
  const delimiter = dialect.delimiter.charCodeAt(0);
  const quote = dialect.quote === '' ? -1 : dialect.quote.charCodeAt(0);
  const cells: string[] = [];
  let lines = 1;
  let openQuote = -1;
  let position = from;
  for (;;) {
    let text = '';
    if (position < end && buffer[position] === quote) {
      const start = position + 1;
      position = closingQuote(buffer, start, end, quote);
      if (position < 0) {
        openQuote = start - 1;
        position = end;
      }
      text = textOf(buffer, start, position).replaceAll(dialect.quote + dialect.quote, dialect.quote);
      lines += countLineBreaks(buffer, start, position, dialect.loneCrEnds);
      if (openQuote < 0) position++;
    }
    const start = position;
    while (
      position < end &&
      buffer[position] !== delimiter &&
      lineEndLength(buffer, position, end, dialect) === 0
    ) {
      position++;
    }
    cells.push(text + textOf(buffer, start, position));
    if (position >= end || buffer[position] !== delimiter) break;
    position++;
  }
  return {
    cells,
    end: position,
    next: position + lineEndLength(buffer, position, end, dialect),
    lines,
    openQuote,
  };
}

function closingQuote(buffer: Uint8Array, from: number, end: number, quote: number): number {
  for (let position = from; position < end; position++) {
    if (buffer[position] !== quote) continue;
    if (position + 1 < end && buffer[position + 1] === quote) position++;
    else return position;
  }
  return -1;
}

/** Bytes of the line end at `position`: 0 when there is none. */
export function lineEndLength(buffer: Uint8Array, position: number, end: number, dialect: Dialect): number {
  if (position >= end) return 0;
  if (buffer[position] === LF) return 1;
  if (buffer[position] !== CR) return 0;
  if (position + 1 < end && buffer[position + 1] === LF) return 2;
  return dialect.loneCrEnds ? 1 : 0;
}

function countLineBreaks(buffer: Uint8Array, from: number, end: number, loneCrEnds: boolean): number {
  let count = 0;
  for (let i = from; i < end; i++) {
    if (buffer[i] === LF || (loneCrEnds && buffer[i] === CR && buffer[i + 1] !== LF)) count++;
  }
  return count;
}

/** Decodes `buffer[from..end)`, which is UTF-8. */
export function textOf(buffer: Uint8Array, from: number, end: number): string {
  return Buffer.from(buffer.buffer, buffer.byteOffset + from, end - from).toString('utf8');
}
