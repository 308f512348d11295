import type { Dialect } from './dialect.js';
import { type SampleRow, splitText } from './split-text.js';
import { shapeOf, type ValueShape } from './value-shape.js';

export interface Scored {
  /** The delimiter '' means one column. */
  dialect: Dialect;
  score: number;
  /** Records of the most frequent width, quotes all in place. */
  typical: number;
  quotes: QuoteEvidence;
}

/** What the quotes of a sample say of a dialect. */
export interface QuoteEvidence {
  /** Records with quoted cells by the rules, and records that break them. */
  sound: number;
  faulty: number;
  /** Quotes are doubled inside quoted cells. */
  doubled: boolean;
  /** Where the dialect has no quotes: cells that stand between quotes, and cells with one at an end only. */
  wrapped: number;
  half: number;
}

/** Pieces of a file, decoded: its head, and others that begin with a line. */
export interface Sample {
  texts: string[];
  /** The pieces end inside a record. */
  isCut: boolean;
}

/** Records of one piece that are looked at. */
const MAX_RECORDS = 400;
/** Records whose values are looked at. */
const MAX_VALUED = 200;

/** How far a delimiter is trusted: some characters stand inside values more often than between them. */
const TRUST: Record<string, number> = { ' ': 0.6, ':': 0.6, '#': 0.7, '^': 0.95, '~': 0.95 };

/** Of a colon where the records have it within times of the day alone. */
const TRUST_IN_CLOCKS = 0.15;
const TIMES = /(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])/g;

/** Quotes that nothing escapes explain almost any text, so they must explain it better. */
const TRUST_IN_NO_ESCAPE = 0.99;

/**
 * Weight of one column, beside 1/2 for two, 2/3 for three …; more when its lines are numbers as a whole, and most when
 * they are dates, addresses …, which have signs in them that part the cells of other tables.
 */
const ONE_COLUMN = 0.35;
const ONE_COLUMN_OF_NUMBERS = 0.44;
const ONE_COLUMN_OF_FORMS = 0.7;
/** Share of the lines below the first. */
const MOST_LINES = 0.9;

/**
 * Ranks dialects, best first, in the spirit of van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by
 * detecting row and type patterns" (2019): how uniform the widths of the records are, times how well the cells look
 * like values. The measures differ in two points: widths weigh by the square of their share, so that a preamble of
 * several odd lines does not count against the table, and the second factor is squared, so that a cell with another
 * delimiter in it tells more than a neat word.
 */
export function scoreDialects(candidates: Dialect[], sample: Sample): Scored[] {
  const shapes = new Map<string, ValueShape>();
  const scored = candidates.map((dialect) => {
    const rows = rowsOf(dialect, sample);
    const typical = Math.max(0, ...widthsOf(rows).values());
    return { dialect, score: scoreOf(dialect, rows, shapes), typical, quotes: quoteEvidence(rows, dialect) };
  });
  // Stable: on equal scores the usual delimiter and the usual quote, which come first, win.
  return scored.sort((a, b) => b.score - a.score);
}

function rowsOf(dialect: Dialect, sample: Sample): SampleRow[] {
  return sample.texts.flatMap((text) => {
    const found = splitText(text, dialect, MAX_RECORDS);
    return sample.isCut && found.length > 1 && found.length < MAX_RECORDS ? found.slice(0, -1) : found;
  });
}

function quoteEvidence(rows: SampleRow[], { quote }: Dialect): QuoteEvidence {
  const evidence = { sound: 0, faulty: 0, doubled: false, wrapped: 0, half: 0 };
  for (const { cells, quoted, isFaulty } of rows) {
    if (isFaulty) evidence.faulty++;
    else if (quoted?.includes(true)) {
      evidence.sound++;
      evidence.doubled ||= cells.some((cell, i) => quoted[i] && cell.includes(quote + quote));
    }
    if (quote !== '') continue;
    for (const cell of cells) {
      if (/^(["']).*\1$/s.test(cell)) evidence.wrapped++;
      else if (/^"|"$/.test(cell)) evidence.half++;
    }
  }
  return evidence;
}

function scoreOf(dialect: Dialect, rows: SampleRow[], shapes: Map<string, ValueShape>): number {
  if (rows.length === 0) return 0;
  const { fit, numbers, forms } = valueFit(rows, dialect, shapes);
  const trust = trustIn(dialect, rows);
  if (dialect.delimiter !== '') return uniformity(rows) * fit * fit * trust;
  if (forms >= MOST_LINES) return ONE_COLUMN_OF_FORMS * fit ** 3;
  return (numbers + forms >= MOST_LINES ? ONE_COLUMN_OF_NUMBERS : ONE_COLUMN) * fit ** 3;
}

function trustIn(dialect: Dialect, rows: SampleRow[]): number {
  const ofEscape = dialect.escape === 'none' ? TRUST_IN_NO_ESCAPE : 1;
  if (dialect.delimiter === ':' && isOfClocks(rows)) return TRUST_IN_CLOCKS * ofEscape;
  return (TRUST[dialect.delimiter] ?? 1) * ofEscape;
}

/** A log, say: the colons are those of its times. */
function isOfClocks(rows: SampleRow[]): boolean {
  const ofClocks = rows.filter(
    ({ cells }) => cells.length > 1 && !cells.join(':').replace(TIMES, '').includes(':'),
  );
  return ofClocks.length >= MOST_LINES * rows.length;
}

/** Near 1 when almost all records have the same, large width; 0 for one column. */
function uniformity(rows: SampleRow[]): number {
  let sum = 0;
  for (const [width, count] of widthsOf(rows)) sum += ((count / rows.length) ** 2 * (width - 1)) / width;
  return sum;
}

/** How many records have which number of cells. */
function widthsOf(rows: SampleRow[]): Map<number, number> {
  const byWidth = new Map<number, number>();
  for (const { cells, isFaulty } of rows) {
    if (!isFaulty) byWidth.set(cells.length, (byWidth.get(cells.length) ?? 0) + 1);
  }
  return byWidth;
}

const QUOTED_SCORE = 0.97;
const FAULTY_SCORE = 0.1;
/** An empty cell between two spaces is rather an alignment. */
const EMPTY_BETWEEN_SPACES = 0.2;

/** How much the cells look like values on average, and the shares of numbers and forms below the first record. */
function valueFit(
  rows: SampleRow[],
  { delimiter }: Dialect,
  shapes: Map<string, ValueShape>,
): { fit: number; numbers: number; forms: number } {
  const step = Math.max(1, Math.floor(rows.length / MAX_VALUED));
  let sum = 0;
  let cellCount = 0;
  let numbers = 0;
  let forms = 0;
  let bodyCount = 0;
  for (let i = 0; i < rows.length; i += step) {
    const { cells, quoted, isFaulty } = rows[i];
    for (let column = 0; column < cells.length; column++) {
      const shape = knownShape(cells[column], shapes);
      cellCount++;
      if (isFaulty) sum += FAULTY_SCORE;
      else if (quoted?.[column]) sum += QUOTED_SCORE;
      else if (delimiter === ' ' && cells[column] === '') sum += EMPTY_BETWEEN_SPACES;
      else sum += shape.score;
      if (i === 0) continue;
      bodyCount++;
      if (shape.kind === 'number') numbers++;
      else if (shape.kind === 'form') forms++;
    }
  }
  const body = Math.max(1, bodyCount);
  return { fit: sum / cellCount, numbers: numbers / body, forms: forms / body };
}

function knownShape(cell: string, shapes: Map<string, ValueShape>): ValueShape {
  let shape = shapes.get(cell);
  if (shape === undefined) {
    shape = shapeOf(cell);
    shapes.set(cell, shape);
  }
  return shape;
}
