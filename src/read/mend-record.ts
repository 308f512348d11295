import type { Dialect } from './dialect.js';
import { readForeign } from './foreign-record.js';
import {
  closedReadings,
  firstFitting,
  hasKinds,
  hopefulReading,
  laxReadings,
  openReadings,
  type RecordForm,
} from './readings.js';
import { lineEndAt, lineEndLength, RecordSplitter, type Span, type SplitRecord } from './record.js';

/** A record with a misplaced quote, read as its writer probably meant it. */
export interface MendedRecord {
  cells: string[];
  /** By cell: does it stand in quotes? */
  quoted: boolean[];
  /** Offset of its line end, and behind it. */
  end: number;
  next: number;
  lines: number;
  /** It has as many cells as the table has columns; otherwise the reading is the best of several bad ones. */
  fits: boolean;
}

/** A longer line is not mended: every reading of it takes as much memory again. */
const MAX_MENDED_BYTES = 256 * 1024;

/** The end of a record with a misplaced quote is looked for in so many bytes, if it is not in its first line. */
export const MENDING_BYTES = 4 * 1024;

/**
 * Reads a record that breaks the rules of quoting. Several readings are tried, and the first that gives the table's
 * number of cells is taken: quotes escaped in another way, quotes as they are inside quoted cells, another delimiter or
 * quote, cells without their closing quote, no quotes at all; in its own line first, then with the lines that a quoted
 * cell may take in.
 */
export function mendRecord(span: Span, form: RecordForm): MendedRecord {
  const { dialect } = form;
  const lineEnd = lineEndAt(span.buffer, { ...span, dialect });
  const line = { ...span, end: lineEnd };
  const near = { ...span, end: Math.min(span.end, span.from + MENDING_BYTES) };
  const next = lineEnd + lineEndLength(span.buffer, lineEnd, span.end, dialect);
  const ofLine = { end: lineEnd, next, lines: 1 };
  const inLine = (found: SplitRecord | undefined): MendedRecord | undefined =>
    found && { ...withoutLostQuotes(found, form), ...ofLine, fits: true };
  const ways = [
    () => inLine(firstFitting(line, form, closedReadings(line, dialect))),
    () => inLine(readForeign(line, form)),
    () => readAcross(near, { next, form }),
    () => inLine(firstFitting(line, form, openReadings(line, dialect))),
  ];
  let fitting: MendedRecord | undefined;
  for (const way of lineEnd - span.from > MAX_MENDED_BYTES ? [] : ways) {
    const found = way();
    if (found === undefined) continue;
    if (hasKinds(found.cells, form)) return found;
    fitting ??= found;
  }
  if (fitting) return fitting;
  const { cells, quoted } = hopefulReading(dialect).split(line);
  return { cells, quoted, ...ofLine, fits: false };
}

/** The reading of a record whose quoted cells take in more lines, none of which is a record of its own. */
function readAcross(
  span: Span,
  { next, form }: { next: number; form: RecordForm },
): MendedRecord | undefined {
  const { width, dialect } = form;
  const found = firstFitting(span, form, laxReadings(dialect));
  if (!found || holdsRecord({ ...span, from: next, end: found.end }, width, dialect)) return undefined;
  return { ...found, fits: true };
}

/** A quote that begins a cell has lost its partner, and is no text, where all cells of the column or record have quotes. */
function withoutLostQuotes(
  { cells, quoted }: SplitRecord,
  { dialect, habits }: RecordForm,
): Pick<SplitRecord, 'cells' | 'quoted'> {
  const isAlone = quoted.length >= MIN_CELLS && quoted.filter((isQuoted) => !isQuoted).length === 1;
  const isLost = (column: number) =>
    (habits.quoted[column] || isAlone) && !quoted[column] && cells[column].startsWith(dialect.quote);
  return { cells: cells.map((cell, column) => (isLost(column) ? cell.slice(1) : cell)), quoted };
}

/** Fewer cells than this show little of a record. */
const MIN_CELLS = 3;

/** Share of the lines of a record that has to make records of their own. */
const MOST_LINES = 0.8;

/**
 * Are the lines of a record, the second of which begins at `second`, rather records of their own, which a quote gone astray
 * took in? Then the first reads well as it stands, and so do most others. Lines of a text mostly do not.
 */
export function areRecords(span: Span, { second, form }: { second: number; form: RecordForm }): boolean {
  const { buffer, end } = span;
  const { dialect, width, habits } = form;
  const isTelling = width >= MIN_CELLS || habits.kinds.some((kind) => kind !== undefined);
  if (!isTelling || !mendRecord({ ...span, end: second }, form).fits) return false;
  const splitter = new RecordSplitter(dialect, { strayIsText: true, openIsText: true });
  let lines = 0;
  let fitting = 0;
  for (let from = second; from < end; lines++) {
    const lineEnd = lineEndAt(buffer, { from, end, dialect });
    if (splitter.split({ buffer, from, end: lineEnd }).cells.length === width) fitting++;
    from = lineEnd + Math.max(1, lineEndLength(buffer, lineEnd, end, dialect));
  }
  return fitting >= lines * MOST_LINES;
}

/** Is one of these lines a record of the table? Then they are not all inside a cell. */
function holdsRecord(lines: Span, width: number, dialect: Dialect): boolean {
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
