import { DropgateError } from '../base/errors.js';
import { quoteValue } from '../base/text.js';
import { matchKinds } from './column-kinds.js';
import type { Dialect, Origin } from './dialect.js';
import { readOtherDelimiter } from './foreign-record.js';
import { type Habits, habitsOf, NO_HABITS } from './habits.js';
import { type HeadRecord, readHead } from './head.js';
import { countTrailingDelimiters, findShape, looksLikeNames, type Shape } from './shape.js';
import type { TextWindow } from './text-feed.js';

/** A line above the table. */
export interface PreambleLine {
  line: number;
  text: string;
}

/** Where a table begins, and what its columns are called. Offsets are positions in the window's buffer. */
export interface FoundTable {
  /** Cells of the header, those of several records joined; undefined when there is none. */
  names: string[] | undefined;
  headerOrigin: Origin;
  /** Records that the header takes. */
  headerRecords: number;
  /** Line and offset of the header, or of the first row where there is none. */
  line: number;
  start: number;
  /** Offset of the line end of the header; `start` where there is none. */
  end: number;
  /** Line and offset of the first row. */
  dataLine: number;
  dataStart: number;
  width: number;
  /** So many delimiters stand behind the last cell of each record. */
  trailingDelimiters: number;
  preamble: PreambleLine[];
  habits: Habits;
  /** The characters that are all there is in the head of a file that goes on: it may hold no table. */
  onlyMarks?: string;
  /** A quote of the header is out of place, and the header was mended. */
  fault?: 'stray_quote' | 'unclosed_quote';
  /** The first record alone settled it, by names of declared columns; but see {@link isDoubtful}. */
  isAtOnce?: boolean;
}

export interface FindOptions {
  dialect: Dialect;
  /** Line of the first record. */
  line: number;
  header: 'auto' | 'present' | 'absent';
  expectedNames: ReadonlySet<string>;
  looksLikeData: (cells: string[]) => boolean;
  /** Mend a header that breaks the rules. */
  mendHeader?: boolean;
  /** Take a file of empty cells for a table. */
  keepEmpty?: boolean;
}

/**
 * Tells titles, header and data apart in the text of a window. Names of declared columns in the first record settle it
 * at once. Errors: `empty_file`, `no_header`.
 */
export function findTable(window: TextWindow, options: FindOptions): FoundTable {
  const first = readHead(window, { ...options, maxRecords: 1 });
  const atOnce = findDeclared(first, options);
  if (atOnce && !isDoubtful(window, { names: first[0].cells, dataStart: first[0].next }))
    return { ...describe(window, first, { ...atOnce, origin: originOf(options) }), isAtOnce: true };
  const head = readHead(window, options);
  const onlyMarks = options.keepEmpty ? undefined : marksOf(head, options);
  if (onlyMarks !== undefined && window.final) refuseVoid();
  const { shape, origin } = judge(head, options);
  if (shape.header === 0 && options.mendHeader && options.header !== 'absent') {
    const mended = findForeignHeader(window, head, { preamble: shape.preamble, dialect: options.dialect });
    if (mended) {
      const { preamble } = shape;
      return describe(window, head.with(preamble - 1, mended), {
        ...shape,
        preamble: preamble - 1,
        header: 1,
        origin,
      });
    }
  }
  return { ...describe(window, head, { ...shape, origin }), onlyMarks };
}

/** Is the line above a table without a header its header, written in another dialect? */
function findForeignHeader(
  { buffer }: TextWindow,
  head: readonly HeadRecord[],
  { preamble, dialect }: { preamble: number; dialect: Dialect },
): HeadRecord | undefined {
  const above = head[preamble - 1];
  if (above === undefined || head[preamble].isSetOff) return undefined;
  const width = head[preamble].cells.length;
  const { kinds } = habitsOf(head.slice(preamble), width);
  const line = { buffer, from: above.start, end: above.end };
  const found = readOtherDelimiter(line, {
    form: { dialect, width, habits: NO_HABITS },
    accepts: (cells) => looksLikeNames(cells) && matchKinds(cells, kinds).same === 0,
  });
  return found && { ...above, cells: found.cells };
}

const LF = 10;
const CR = 13;
const OPENING = new Set([...'([%'].map((char) => char.charCodeAt(0)));
const DELIMITERS = new Set([...',;\t|^~:# '].map((char) => char.charCodeAt(0)));

/** Might units stand below the header, or delimiters behind the last cells? */
export function isDoubtful(
  { buffer, end }: TextWindow,
  { names, dataStart }: { names: readonly string[]; dataStart: number },
): boolean {
  if (names.at(-1)!.trim() === '') return true;
  let position = dataStart;
  if (OPENING.has(buffer[position]) || OPENING.has(buffer[position + 1])) return true;
  while (position < end && buffer[position] !== LF && buffer[position] !== CR) position++;
  return position > dataStart && DELIMITERS.has(buffer[position - 1]);
}

function originOf({ header }: FindOptions): Origin {
  return header === 'auto' ? 'detected' : 'user';
}

function judge(head: readonly HeadRecord[], options: FindOptions): { shape: Shape; origin: Origin } {
  const declared = findDeclared(head, options);
  if (declared) return { shape: declared, origin: originOf(options) };
  const shape = findShape(head);
  if (options.header === 'absent') return { shape: { ...shape, header: 0 }, origin: 'user' };
  if (options.header === 'present')
    return { shape: { ...shape, header: Math.max(1, shape.header) }, origin: 'user' };
  if (options.expectedNames.size > 0) {
    const { cells } = head[shape.preamble];
    if (options.looksLikeData(cells)) return { shape: { ...shape, header: 0 }, origin: 'detected' };
    refuseNoNames(cells, shape);
  }
  return { shape, origin: shape.isCertain ? 'detected' : 'default' };
}

/** The header, known by the names of declared columns; what stands above it is no table. */
function findDeclared(
  head: readonly HeadRecord[],
  { header, expectedNames }: FindOptions,
): Shape | undefined {
  if (expectedNames.size === 0 || header === 'absent') return undefined;
  for (let records = 1; records <= MAX_NAME_RECORDS; records++) {
    const preamble = head.findIndex((_, i) => isDeclared(head.slice(i, i + records), expectedNames, i === 0));
    if (preamble < 0) continue;
    const units = head[preamble + records];
    const count = units !== undefined && isUnits(units.cells) ? records + 1 : records;
    const trailingDelimiters = countTrailingDelimiters(head.slice(preamble), count);
    return { preamble, header: count, isCertain: true, trailingDelimiters };
  }
  return undefined;
}

/** Names of declared columns may be spread over so many records. */
const MAX_NAME_RECORDS = 2;

/** Do records hold names of declared columns, mostly? In the first of a file, one name is enough. */
function isDeclared(
  records: readonly HeadRecord[],
  expected: ReadonlySet<string>,
  isFirst: boolean,
): boolean {
  const names = records.length === 1 ? records[0].cells : joinNames(records);
  const known = names.filter((name) => expected.has(name.trim().toLowerCase())).length;
  if (isFirst && records.length === 1) return known > 0;
  return known * 2 >= names.length && known >= Math.min(2, expected.size);
}

/** Units below the names: `(kg)`, `[m/s]`, `%`. */
function isUnits(cells: readonly string[]): boolean {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  return filled.length * 2 >= cells.length && filled.every((cell) => /^(\(.*\)|\[.*\]|%)$/.test(cell));
}

/** The cells of several records, one below the other. */
function joinNames(records: readonly HeadRecord[]): string[] {
  if (records.length === 1) return records[0].cells;
  const width = Math.max(...records.map(({ cells }) => cells.length));
  return Array.from({ length: width }, (_, column) =>
    records
      .map(({ cells }) => cells[column] ?? '')
      .filter((cell) => cell.trim() !== '')
      .join(' '),
  );
}

function describe(
  window: TextWindow,
  head: readonly HeadRecord[],
  shape: Shape & { origin: Origin },
): FoundTable {
  const first = head[shape.preamble];
  const header = head.slice(shape.preamble, shape.preamble + shape.header);
  const names = header.length > 0 ? joinNames(header) : undefined;
  const last = header.at(-1);
  const cells = names ?? first.cells;
  const width =
    shape.trailingDelimiters > 0 ? cells.findLastIndex((cell) => cell.trim() !== '') + 1 : cells.length;
  return {
    names: names?.slice(0, width),
    headerOrigin: shape.origin,
    headerRecords: header.length,
    line: first.line,
    start: first.start,
    end: last?.end ?? first.start,
    dataLine: last ? last.line + last.lines : first.line,
    dataStart: last?.next ?? first.start,
    width,
    trailingDelimiters: shape.trailingDelimiters,
    habits: habitsOf(head.slice(shape.preamble + shape.header), width),
    fault: header.find(({ fault }) => fault !== undefined)?.fault,
    preamble: head.slice(0, shape.preamble).map(({ line, start, end }) => ({
      line,
      text: Buffer.from(window.buffer.subarray(start, end)).toString('utf8'),
    })),
  };
}

/** The characters of the head, if they are nothing but delimiters, quotes and white space. */
function marksOf(head: readonly HeadRecord[], { dialect }: FindOptions): string | undefined {
  const marks = `${dialect.delimiter}${dialect.quote}"',; \t\r\n`;
  const isVoid = head.every(({ cells }) =>
    cells.every((cell) => [...cell].every((char) => marks.includes(char) || char.trim() === '')),
  );
  return isVoid ? marks : undefined;
}

/** Errors: `empty_file`. */
export function refuseVoid(): never {
  throw new DropgateError('empty_file', 'the file holds only delimiters, quotes and white space');
}

function refuseNoNames(cells: string[], shape: Shape): void {
  if (shape.header > 0 || looksLikeNames(cells)) return;
  const shown = cells.map((cell) => cell.trim()).join(', ');
  throw new DropgateError(
    'no_header',
    `the first row holds neither names of declared columns nor values of their types: ${quoteValue(shown)}`,
  );
}
