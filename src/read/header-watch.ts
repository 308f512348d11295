import type { Vector } from '../base/vector.js';
import type { ByteDictionary } from './byte-dictionary.js';
import { type ColumnKind, columnKinds, kindOf, matchKinds } from './column-kinds.js';
import type { Habits } from './habits.js';
import type { ScanNote } from './irregular.js';
import type { ScanColumn, Scanner } from './scanner.js';
import { looksLikeNames } from './shape.js';

/** So many rows around a doubtful one tell what the columns hold above and below it. */
const NEIGHBOURS = 20;
/** So many rows behind a blank line may be the header: titles stand before it. */
const MAX_TITLES = 3;
/** So many rows at the start of a file are looked at whatever they hold. */
const FIRST_ROWS = 200;
/** Rows of a file that are looked at closely; a column of texts among numbers must not cost much. */
const MAX_LOOKS = 500;

export interface HeaderWatchOptions {
  habits: Habits;
  /** Names of the table's own columns, if it has any. */
  header: readonly string[] | undefined;
  /** The first row scanned is the first of the file. */
  fromStart: boolean;
}

/** A row that might be a header. */
interface Candidate {
  row: number;
  /** The next such row, or the end of the batch. */
  next: number;
  /** It stands behind a gap. */
  isSetOff: boolean;
}

/**
 * Finds rows that look like the header of another table: texts all of them, where the columns hold numbers or dates
 * above or below. Such a row is a row nevertheless, since nothing proves that it is none; it is told.
 */
export class HeaderWatch {
  readonly #options: HeaderWatchOptions;
  /** A column of numbers or dates, in which a name strikes; -1 when there is none. */
  readonly #witness: number;
  readonly #names: ReadonlySet<string>;
  #scanner!: Scanner;
  #rowsBefore = 0;
  /** The batch is the first of the file. */
  #isStart = false;
  /** The row of the batch below the last header that was found. */
  #tableStart = 0;
  /** The last batch ended with a blank line. */
  #endedInGap = false;
  #looks = MAX_LOOKS;

  constructor(options: HeaderWatchOptions) {
    this.#options = options;
    this.#witness = options.habits.kinds.findIndex((kind) => kind !== undefined);
    this.#names = new Set(options.header?.map(folded));
  }

  /** The rows of a scanner's batch that look like a header. Rows of one column never do. */
  find(scanner: Scanner): ScanNote[] {
    if (scanner.width < 2) return [];
    this.#scanner = scanner;
    this.#tableStart = 0;
    const setOff = this.#setOffRows();
    const candidates = new Set([...this.#textsOfWitness(), ...this.#firstRows(), ...setOff]);
    const rows = [...candidates].sort((a, b) => a - b);
    this.#isStart = this.#options.fromStart && this.#rowsBefore === 0;
    this.#rowsBefore += scanner.rowCount;
    return rows
      .filter((row, i) =>
        this.#tell({ row, next: rows[i + 1] ?? scanner.rowCount, isSetOff: setOff.has(row) }),
      )
      .map((row) => ({
        kind: 'another_header',
        start: scanner.rowStarts[row],
        end: scanner.rowEnds[row],
        linesBefore: scanner.lineOfRow(row),
      }));
  }

  /** Rows behind a blank line, an empty row or a record of another width, and behind the titles that stand there. */
  #setOffRows(): Set<number> {
    const { setOffRows, irregular, rowCount } = this.#scanner;
    const gaps = [...setOffRows, ...irregular.map(({ beforeRow }) => beforeRow), ...this.#emptyRows()];
    if (this.#endedInGap) gaps.unshift(0);
    this.#endedInGap = gaps.includes(rowCount);
    const found = new Set<number>();
    for (const first of gaps) {
      if (found.size > MAX_LOOKS) break;
      for (let row = first; row < Math.min(rowCount, first + MAX_TITLES); row++) {
        found.add(row);
        if (this.#filled(row).length > 1) break;
      }
    }
    return found;
  }

  /** Where rows go on behind those without any cell that is filled. */
  #emptyRows(): number[] {
    const { columns, rowCount } = this.#scanner;
    const rows = rowsThatAre([MISSING], columns[0], rowCount);
    return rows.filter((row) => this.#filled(row).length === 0).map((row) => row + 1);
  }

  /** Rows with a text in the column of numbers or dates. */
  #textsOfWitness(): number[] {
    if (this.#witness < 0) return [];
    const { columns, rowCount } = this.#scanner;
    return rowsThatAre([TEXT], columns[this.#witness], rowCount);
  }

  /** Where no column has a habit, two tables may have been taken for one: rows of texts beside one that is not. */
  #firstRows(): number[] {
    const { rowCount, columns } = this.#scanner;
    if (this.#witness >= 0 || !this.#options.fromStart) return [];
    const count = Math.min(rowCount, FIRST_ROWS - this.#rowsBefore);
    const rows = columns.map((column) => new Set(rowsThatAre([TEXT, MISSING], column, count)));
    const isTexts = (row: number) => rows.every((texts) => texts.has(row));
    const texts = Array.from({ length: Math.max(0, count) }, (_, row) => isTexts(row));
    return texts.flatMap((is, row) =>
      is && (texts[row - 1] === false || texts[row + 1] === false) ? [row] : [],
    );
  }

  #tell(candidate: Candidate): boolean {
    if (this.#looks-- <= 0 || !this.#isHeader(candidate)) return false;
    this.#tableStart = candidate.row + 1;
    return true;
  }

  #isHeader({ row, next, isSetOff }: Candidate): boolean {
    const cells = this.#cells(row);
    const width = widthOf(cells);
    if (width < 2 || !looksLikeNames(cells)) return false;
    // What stands where the file begins, or right below its header, was judged before.
    if (row === 0 && this.#isStart && !isSetOff) return false;
    // The first column of a table may be without a name.
    if (cells.slice(1, width).some((cell) => cell.trim() === '')) return false;
    if (cells.filter((cell) => this.#names.has(folded(cell))).length * 2 >= width) return true;
    const above = this.#cellsOf(Math.max(this.#tableStart, row - NEIGHBOURS), row);
    const below = this.#cellsOf(row + 1, Math.min(next, row + 1 + NEIGHBOURS));
    const kinds = {
      above: row === 0 ? this.#options.habits.kinds : columnKinds(above, cells.length),
      below: columnKinds(below, cells.length),
    };
    const [asAbove, asBelow] = [matchKinds(cells, kinds.above), matchKinds(cells, kinds.below)];
    if (asAbove.same > 0 || asBelow.same > 0) return false;
    const isApart = isSetOff || this.#isTitle(row - 1);
    if (asAbove.other + asBelow.other === 0) return isSetOff && this.#isTitle(row - 1);
    const isStrange = asAbove.other > 1;
    // Something new begins: below a gap, with numbers where texts were, or with fewer columns.
    const isNew =
      below.length > 0 &&
      (isApart ||
        (below.length > 1 && isOfNewKind(kinds, cells)) ||
        (isWiderThan(above, width) && !isWiderThan(below, width)));
    return (isStrange || isNew) && !this.#recurs(row);
  }

  /** A row of which only the first cell is filled, or none. */
  #isTitle(row: number): boolean {
    if (row < 0) return false;
    const filled = this.#filled(row);
    return filled.length === 0 || (filled.length === 1 && filled[0] === 0);
  }

  /** Does a column say the text of a row elsewhere, in a row that is another one? Then it is a value. */
  #recurs(row: number): boolean {
    const { columns, rowCount } = this.#scanner;
    const own = this.#cells(row);
    const isSame = (other: number) => columns.every((column, i) => cellAt(column, other) === own[i]);
    return columns.some((column, i) => {
      if (own[i].trim() === '') return false;
      for (let other = 0; other < rowCount; other++) {
        if (other === row || !isEqual(column, other, row)) continue;
        if (!isSame(other)) return true;
      }
      return false;
    });
  }

  /** Indices of the cells of a row that are not blank. */
  #filled(row: number): number[] {
    return this.#cells(row).flatMap((cell, i) => (cell.trim() === '' ? [] : [i]));
  }

  #cells(row: number): string[] {
    return this.#scanner.columns.map((column) => cellAt(column, row));
  }

  #cellsOf(from: number, to: number): string[][] {
    const end = Math.min(to, this.#scanner.rowCount);
    return Array.from({ length: Math.max(0, end - from) }, (_, i) => this.#cells(from + i));
  }
}

function widthOf(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell.trim() !== '') + 1;
}

function isWiderThan(rows: readonly string[][], width: number): boolean {
  return rows.some((cells) => widthOf(cells) > width);
}

/** Do numbers or dates stand below a row where texts stand above it? */
function isOfNewKind(kinds: Record<'above' | 'below', readonly ColumnKind[]>, cells: string[]): boolean {
  return kinds.below.some((kind, i) => kind !== undefined && kinds.above[i] === undefined && cells[i] !== '');
}

function folded(name: string): string {
  return name.trim().toLowerCase();
}

function cellAt({ dictionary, ids, cells }: ScanColumn, row: number): string {
  const bytes = dictionary ? dictionary.values.bytesAt(ids[row]) : cells?.bytesAt(row);
  return bytes === undefined ? '' : asText(bytes);
}

function asText({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

function isEqual({ dictionary, ids, cells }: ScanColumn, a: number, b: number): boolean {
  if (dictionary) return ids[a] === ids[b];
  return cells !== undefined && Buffer.compare(cells.bytesAt(a), cells.bytesAt(b)) === 0;
}

const OTHER = 0;
const TEXT = 1;
const MISSING = 2;
type Sort = typeof OTHER | typeof TEXT | typeof MISSING;

/** The first of `rowCount` rows, at most {@link MAX_LOOKS}, whose cell is of one of the sorts. */
function rowsThatAre(sorts: Sort[], column: ScanColumn, rowCount: number): number[] {
  const { dictionary, ids, cells } = column;
  const wanted = [OTHER, TEXT, MISSING].map((sort) => sorts.includes(sort as Sort));
  const isMissingWanted = !wanted[OTHER] && !wanted[TEXT];
  const memo = dictionary && memoOf(dictionary);
  const rows: number[] = [];
  if (isMissingWanted && memo && !memo.hasMissing()) return rows;
  for (let row = 0; row < rowCount && rows.length < MAX_LOOKS; row++) {
    if (memo) {
      if (wanted[memo.sortOf(ids[row])]) rows.push(row);
    } else if (cells) {
      const { source, index } = cells.find(row);
      const cell = { bytes: source.bytes, start: source.starts[index], end: source.ends[index] };
      if (isNumberLike(cell) || (isMissingWanted && !mayBeMissing(cell))) continue;
      if (wanted[sortOf(cells.bytesAt(row))]) rows.push(row);
    }
  }
  return rows;
}

const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const DASH = 0x2d;
const POINT = 0x2e;
const SIGNS = [0x2b, DASH, POINT];

interface Cell {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Does a cell begin as numbers and dates do? */
function isNumberLike({ bytes, start, end }: Cell): boolean {
  const digit = start + 1 < end && SIGNS.includes(bytes[start]) ? bytes[start + 1] : bytes[start];
  return digit >= ZERO && digit <= NINE && end > start;
}

/** Can it say that a value is missing? That takes few characters, and ASCII alone, beside dashes, points and white space. */
function mayBeMissing({ bytes, start, end }: Cell): boolean {
  let characters = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte <= SPACE || byte === DASH || byte === POINT) continue;
    if (byte >= 0x80) return WHITE_SPACE_LEADS.includes(byte);
    if (++characters > LONGEST_MISSING) return false;
  }
  return true;
}

/** First bytes of U+00A0, U+1680, U+2000 and its like, U+3000, U+FEFF. */
const WHITE_SPACE_LEADS = [0xc2, 0xe1, 0xe2, 0xe3, 0xef];

/** Cheap tests come first: there are many values. */
function sortOf(value: Uint8Array): Sort {
  if (value.length === 0) return MISSING;
  if (isNumberLike({ bytes: value, start: 0, end: value.length })) return OTHER;
  if (value.length > LONGEST_MISSING && value.every(isLetter)) return TEXT;
  const kind = kindOf(asText(value));
  if (kind === 'text') return TEXT;
  return kind === 'missing' ? MISSING : OTHER;
}

/** `none`, `null`, `#n/a`. */
const LONGEST_MISSING = 4;

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || byte === 0x20 || byte >= 0x80;
}

/** The sorts of a dictionary's values, as far as somebody asked. */
class SortMemo {
  readonly #values: Vector;
  /** By id, the sort plus 1; 0 where nobody has asked. */
  #known = new Uint8Array(0);
  /** So many values have been looked through for missing ones. */
  #searched = 0;
  #hasMissing = false;

  constructor(values: Vector) {
    this.#values = values;
  }

  sortOf(id: number): Sort {
    if (id >= this.#known.length) {
      const known = new Uint8Array(this.#values.length * 2);
      known.set(this.#known);
      this.#known = known;
    }
    if (this.#known[id] === 0) this.#known[id] = sortOf(this.#values.bytesAt(id)) + 1;
    return (this.#known[id] - 1) as Sort;
  }

  /** Says one of the values that there is none? */
  hasMissing(): boolean {
    const { bytes, offsets, length } = this.#values;
    for (; this.#searched < length && !this.#hasMissing; this.#searched++) {
      const id = this.#searched;
      const cell = { bytes, start: offsets[id], end: offsets[id + 1] };
      this.#hasMissing = mayBeMissing(cell) && this.sortOf(id) === MISSING;
    }
    return this.#hasMissing;
  }
}

/** Dictionaries outlive files, and so does what is known of them. */
const memos = new WeakMap<ByteDictionary, SortMemo>();

function memoOf(dictionary: ByteDictionary): SortMemo {
  const known = memos.get(dictionary);
  if (known) return known;
  const memo = new SortMemo(dictionary.values);
  memos.set(dictionary, memo);
  return memo;
}
