import type { Dialect } from './dialect.js';

/** One record of a sample, split leniently: good enough to weigh dialects, faster than by the byte. */
export interface SampleRow {
  cells: string[];
  /** By cell: it was quoted, so that whatever is in it says nothing. Absent when none was. */
  quoted?: boolean[];
  /** A quote of it is out of place. */
  isFaulty: boolean;
}

/** Splits a text into records; blank lines are left out. With the delimiter '' every line is one cell. */
export function splitText(text: string, dialect: Dialect, maxRows: number): SampleRow[] {
  const splitter = new TextSplitter(text, dialect);
  const rows: SampleRow[] = [];
  while (!splitter.isDone && rows.length < maxRows) {
    const row = splitter.next();
    if (row.cells.length > 1 || row.cells[0] !== '') rows.push(row);
  }
  return rows;
}

class TextSplitter {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #hasQuotes: boolean;
  readonly #hasBackslash: boolean;
  #position = 0;

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
    this.#hasQuotes = dialect.quote !== '' && text.includes(dialect.quote);
    this.#hasBackslash = dialect.escape === 'backslash';
  }

  get isDone(): boolean {
    return this.#position >= this.#text.length;
  }

  next(): SampleRow {
    const end = this.#lineEnd(this.#position);
    const line = this.#text.slice(this.#position, end);
    const mayQuote = this.#hasQuotes && line.includes(this.#dialect.quote);
    if (!mayQuote && !this.#hasBackslash) {
      this.#position = this.#behindLine(end);
      const cells = this.#dialect.delimiter === '' ? [line] : line.split(this.#dialect.delimiter);
      return { cells, isFaulty: false };
    }
    return this.#nextQuoted(end);
  }

  #nextQuoted(firstEnd: number): SampleRow {
    const { quote, delimiter } = this.#dialect;
    const start = this.#position;
    const cells: string[] = [];
    const quoted: boolean[] = [];
    let position = start;
    let lineEnd = firstEnd;
    for (;;) {
      const isQuoted = this.#hasQuotes && this.#text.startsWith(quote, position);
      let stop: number;
      if (isQuoted) {
        const close = this.#closingQuote(position + 1);
        if (close < 0 || !this.#endsCell(close + 1)) {
          // It costs its own line.
          this.#position = this.#behindLine(firstEnd);
          return { cells: [this.#text.slice(start, firstEnd)], isFaulty: true };
        }
        stop = close + 1;
        cells.push(this.#text.slice(position + 1, close));
        if (stop > lineEnd) lineEnd = this.#lineEnd(stop);
      } else {
        stop = this.#unquotedEnd(position, lineEnd);
        cells.push(this.#text.slice(position, stop));
        if (stop > lineEnd) lineEnd = this.#lineEnd(stop);
      }
      quoted.push(isQuoted);
      if (stop >= lineEnd || delimiter === '') break;
      position = stop + delimiter.length;
    }
    this.#position = this.#behindLine(lineEnd);
    return { cells, quoted, isFaulty: false };
  }

  #unquotedEnd(from: number, lineEnd: number): number {
    const { delimiter } = this.#dialect;
    if (delimiter === '') return lineEnd;
    for (let at = from; ; ) {
      const found = this.#text.indexOf(delimiter, at);
      if (found < 0 || found >= lineEnd) return lineEnd;
      if (!this.#hasBackslash || !this.#isEscaped(found, from)) return found;
      at = found + 1;
    }
  }

  #closingQuote(from: number): number {
    const { quote, escape: way } = this.#dialect;
    for (let at = this.#text.indexOf(quote, from); at >= 0; at = this.#text.indexOf(quote, at + 1)) {
      if (this.#hasBackslash && this.#isEscaped(at, from)) continue;
      if (way !== 'none' && this.#text.startsWith(quote, at + 1)) at++;
      else if (way !== 'none' || this.#endsCell(at + 1)) return at;
    }
    return -1;
  }

  /** Is the number of backslashes before `at` odd? */
  #isEscaped(at: number, from: number): boolean {
    let first = at;
    while (first > from && this.#text[first - 1] === '\\') first--;
    return (at - first) % 2 === 1;
  }

  #endsCell(position: number): boolean {
    const { delimiter } = this.#dialect;
    if (position >= this.#text.length) return true;
    if (delimiter !== '' && this.#text.startsWith(delimiter, position)) return true;
    return this.#lineEnd(position) === position;
  }

  #lineEnd(from: number): number {
    const feed = this.#text.indexOf('\n', from);
    const end = feed < 0 ? this.#text.length : feed;
    if (this.#dialect.loneCrEnds) {
      const cr = this.#text.indexOf('\r', from);
      if (cr >= 0 && cr < end) return cr;
    }
    return feed > from && this.#text[feed - 1] === '\r' ? feed - 1 : end;
  }

  #behindLine(end: number): number {
    return end + (this.#text.startsWith('\r\n', end) ? 2 : 1);
  }
}
