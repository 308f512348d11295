import { matchKinds } from './column-kinds.js';
import type { Dialect } from './dialect.js';
import type { Habits } from './habits.js';
import { RecordSplitter, type Span, type SplitRecord } from './record.js';

/** What the records of a table look like. */
export interface RecordForm {
  dialect: Dialect;
  /** Number of columns. */
  width: number;
  habits: Habits;
}

/**
 * The first of several readings that breaks no rule and gives the table's number of cells; one whose cells are of the
 * kinds of their columns is preferred to one that fits by accident.
 */
export function firstFitting(
  span: Span,
  form: RecordForm,
  readings: readonly RecordSplitter[],
): SplitRecord | undefined {
  let fitting: SplitRecord | undefined;
  for (const reading of readings) {
    const record = reading.split(span);
    if (record.fault || record.cells.length !== form.width) continue;
    if (hasKinds(record.cells, form)) return record;
    fitting ??= record;
  }
  return fitting;
}

/** Does no cell contradict the kind of its column, a stray quote at its edge aside? */
export function hasKinds(cells: readonly string[], { habits, dialect: { quote } }: RecordForm): boolean {
  const bare = cells.map((cell) => {
    const text = quote !== '' && cell.startsWith(quote) ? cell.slice(1) : cell;
    return quote !== '' && text.endsWith(quote) ? text.slice(0, -1) : text;
  });
  return matchKinds(bare, habits.kinds).other === 0;
}

/** Readings in which every quoted cell is closed. */
export function closedReadings(line: Span, dialect: Dialect): RecordSplitter[] {
  return [...literalReadings(line, dialect), ...pairReadings(line, dialect), ...laxReadings(dialect)];
}

/** Readings in which every quoted cell is closed, by rules other than those of the dialect. */
export function laxReadings(dialect: Dialect): RecordSplitter[] {
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

/** Readings in which two quotes at the end of a cell are no escaped one: the cell ends with a quote, and ends. */
function pairReadings({ buffer, from, end }: Span, dialect: Dialect): RecordSplitter[] {
  const readings: RecordSplitter[] = [];
  const pair = dialect.quote + dialect.quote;
  if (pair === '') return readings;
  const text = Buffer.from(buffer.buffer, buffer.byteOffset, end);
  for (let at = text.indexOf(pair, from); at >= 0 && readings.length < MAX_LITERALS; ) {
    const isAtEnd = at + 2 === end || text.subarray(at + 2, at + 3).toString() === dialect.delimiter[0];
    if (isAtEnd) readings.push(new RecordSplitter(dialect, { closingPairAt: at }));
    at = text.indexOf(pair, at + 1);
  }
  return readings;
}

/** Readings in which the first cell that breaks the rules ends at one of the delimiters behind its opening quote. */
function unclosedReadings(line: Span, dialect: Dialect): RecordSplitter[] {
  const { fault } = new RecordSplitter(dialect).split(line);
  if (!fault || dialect.delimiter === '') return [];
  const { buffer, end } = line;
  const text = Buffer.from(buffer.buffer, buffer.byteOffset, end);
  const readings: RecordSplitter[] = [];
  const { start } = fault;
  for (let at = text.indexOf(dialect.delimiter, start); at >= 0; ) {
    readings.push(new RecordSplitter(dialect, { unclosed: { start, end: at } }));
    if (readings.length === MAX_LITERALS) break;
    at = text.indexOf(dialect.delimiter, at + dialect.delimiter.length);
  }
  readings.push(new RecordSplitter(dialect, { unclosed: { start, end } }));
  return readings;
}

/** Readings in which cells have no closing quote. */
export function openReadings(line: Span, dialect: Dialect): RecordSplitter[] {
  return [
    ...unclosedReadings(line, dialect),
    hopefulReading(dialect),
    new RecordSplitter({ ...dialect, escape: 'none' }, { openIsText: true }),
    new RecordSplitter({ ...dialect, quote: '' }),
  ];
}

/** A reading in which no quote is wrong. */
export function hopefulReading(dialect: Dialect): RecordSplitter {
  return new RecordSplitter({ ...dialect, escape: 'double' }, { strayIsText: true, openIsText: true });
}
