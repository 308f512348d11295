import type { Dialect } from './dialect.js';
import { lineEndAt, lineEndLength, RecordSplitter, type Span, type SplitRecord } from './record.js';

/** A record with a misplaced quote, read as its writer probably meant it. */
export interface MendedRecord {
  cells: string[];
  /** Offset of its line end, and behind it. */
  end: number;
  next: number;
  lines: number;
  /** It has as many cells as the table has columns; otherwise the reading is the best of several bad ones. */
  fits: boolean;
}

/** The end of a record with a misplaced quote is looked for in so many bytes, if it is not in its first line. */
export const MENDING_BYTES = 4 * 1024;

/**
 * Reads a record that breaks the rules of quoting. Several readings are tried, and the first that gives the table's
 * number of cells is taken: quotes escaped in another way, quotes as they are inside quoted cells, cells without their
 * closing quote, no quotes at all; in its own line first, then with the lines that a quoted cell may take in.
 */
export function mendRecord(span: Span, width: number, dialect: Dialect): MendedRecord {
  const lineEnd = lineEndAt(span.buffer, { ...span, dialect });
  const line = { ...span, end: lineEnd };
  const near = { ...span, end: Math.min(span.end, span.from + MENDING_BYTES) };
  const next = lineEnd + lineEndLength(span.buffer, lineEnd, span.end, dialect);
  const ofLine = { end: lineEnd, next, lines: 1 };
  const closed = closedReadings(dialect);
  const inLine = firstFitting(line, width, [...literalReadings(line, dialect), ...closed]);
  if (inLine) return { cells: inLine.cells, ...ofLine, fits: true };
  const across = firstFitting(near, width, closed);
  if (across && !holdsRecord({ ...span, from: next, end: across.end }, width, dialect)) {
    return { ...across, fits: true };
  }
  const open = firstFitting(line, width, openReadings(dialect));
  if (open) return { cells: open.cells, ...ofLine, fits: true };
  const { cells } = openReadings(dialect)[0].split(line);
  return { cells, ...ofLine, fits: false };
}

/** The reading of a record with backslashes before quotes, if that gives it the table's number of cells. */
export function readBackslashes(span: Span, width: number, dialect: Dialect): SplitRecord | undefined {
  if (!span.buffer.subarray(span.from, span.end).includes(BACKSLASH)) return undefined;
  return firstFitting(span, width, [new RecordSplitter({ ...dialect, escape: 'backslash' })]);
}

const BACKSLASH = 92;

/** Is one of these lines a record of the table? Then they are not all inside a cell. */
export function holdsRecord(lines: Span, width: number, dialect: Dialect): boolean {
  const { buffer, end } = lines;
  const splitter = new RecordSplitter(dialect);
  for (let from = lines.from; from < end; ) {
    const lineEnd = lineEndAt(buffer, { from, end, dialect });
    const { cells, fault } = splitter.split({ buffer, from, end: lineEnd });
    if (!fault && cells.length === width) return true;
    from = lineEnd + Math.max(1, lineEndLength(buffer, lineEnd, end, dialect));
  }
  return false;
}

function firstFitting(span: Span, width: number, readings: RecordSplitter[]): SplitRecord | undefined {
  for (const reading of readings) {
    const record = reading.split(span);
    if (!record.fault && record.cells.length === width) return record;
  }
  return undefined;
}

/** Readings in which every quoted cell is closed. */
function closedReadings(dialect: Dialect): RecordSplitter[] {
  return [
    new RecordSplitter(dialect, { paddingIsNothing: true }),
    new RecordSplitter({ ...dialect, escape: 'backslash' }),
    new RecordSplitter({ ...dialect, escape: 'double' }, { strayIsText: true }),
    new RecordSplitter({ ...dialect, escape: 'none' }),
  ];
}

/** Readings in which one of the quotes that seem to open a cell is text, the cell having no other. */
function literalReadings({ buffer, from, end }: Span, dialect: Dialect): RecordSplitter[] {
  const readings: RecordSplitter[] = [];
  const bare = new RecordSplitter({ ...dialect, quote: '' });
  const quote = dialect.quote.charCodeAt(0);
  for (let at = from; at < end && readings.length < MAX_LITERALS; at++) {
    if (buffer[at] !== quote) continue;
    const [cell] = bare.split({ buffer, from: at, end }).cells;
    if (cell.indexOf(dialect.quote, 1) < 0) readings.push(new RecordSplitter(dialect, { literalAt: at }));
  }
  return readings;
}

const MAX_LITERALS = 64;

/** Readings in which no quote is wrong. */
function openReadings(dialect: Dialect): RecordSplitter[] {
  return [
    new RecordSplitter({ ...dialect, escape: 'double' }, { strayIsText: true, openIsText: true }),
    new RecordSplitter({ ...dialect, escape: 'none' }, { openIsText: true }),
    new RecordSplitter({ ...dialect, quote: '' }),
  ];
}
