import { type ColumnKind, columnKinds, kindOf, matchKinds } from './column-kinds.js';
import type { HeadRecord } from './head.js';

/** Where a table begins among the first records of a file. */
export interface Shape {
  /** Number of records above the table: titles, notes, the date of the report. */
  preamble: number;
  /** Number of records that make the header; 0 when there is none. */
  header: number;
  /** Whether the header was told by what stands in it, or taken for one because nothing speaks against it. */
  isCertain: boolean;
  /** So many delimiters stand behind the last cell of each record. */
  trailingDelimiters: number;
}

/** A preamble has at most so many records. */
const MAX_PREAMBLE = 60;
/** Titles stand at most so many records above the header. */
const MAX_TITLES = 12;
/** A header has at most so many records. */
const MAX_HEADER = 3;
const MIN_BODY = 2;
/** Records that are taken for data when the kinds of the columns are found. */
const MAX_BODY = 60;

/**
 * Tells titles, header and data apart by their form: records of the table have one width; columns of numbers or dates
 * have none of them in the header; titles fill the first cells of a row at most.
 */
export function findShape(records: readonly HeadRecord[]): Shape {
  const width = mainWidth(records);
  const preamble = width === 1 ? 0 : findStart(records, { width, kinds: kindsOf(records, width) });
  const table = records.slice(preamble);
  const { header, isCertain } = findHeader(table, { width, kinds: kindsOf(withoutCopies(table), width) });
  const trailingDelimiters = countTrailingDelimiters(table, header);
  return { preamble, header, isCertain, trailingDelimiters };
}

/** Concatenated files say their header again, and such lines do not tell what the columns hold. */
function withoutCopies([first, ...others]: readonly HeadRecord[]): readonly HeadRecord[] {
  const isCopy = ({ cells }: HeadRecord) =>
    cells.length === first.cells.length &&
    cells.every((cell, i) => (i === 0 ? cell.replace(BOM, '') : cell) === first.cells[i]);
  return first === undefined ? [] : [first, ...others.filter((record) => !isCopy(record))];
}

const BOM = /^\ufeff/;

/** Kinds of the columns, from records that are data rather than header or titles, where there are enough. */
function kindsOf(records: readonly HeadRecord[], width: number): ColumnKind[] {
  return columnKinds(bodyOf(records, width), width);
}

function bodyOf(records: readonly HeadRecord[], width: number): string[][] {
  const rows = records
    .map(({ cells }) => cells)
    .filter((cells) => cells.length === width && (width < 3 || countFilled(cells) > 1));
  const first = Math.min(MAX_HEADER, Math.max(1, rows.length - MIN_BODY));
  return rows.length === 1 ? rows : rows.slice(first, first + MAX_BODY);
}

interface Table {
  width: number;
  kinds: readonly ColumnKind[];
}

/**
 * The width of the first table. A block of records of one width before the widest-spread one is a table of its own
 * unless it is short beside it, as the lines of a preamble are.
 */
function mainWidth(records: readonly HeadRecord[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let main = records[0]?.cells.length ?? 0;
  for (const [width, count] of counts) {
    const most = counts.get(main)!;
    if (count > most || (count === most && width > main)) main = width;
  }
  // Hardly any two records of one width: nothing tells titles from data.
  if (counts.get(main)! * 3 < records.length || counts.get(main) === 1) return records[0]?.cells.length ?? 0;
  const first = firstBlock(records);
  const isTable = first.width > 1 && (first.count > MAX_PREAMBLE || first.count * 3 > counts.get(main)!);
  return isTable && first.count > 2 && !isPreamble(first, main) ? first.width : main;
}

/** Are the records of a block before the table sentences, or keys and values: `Account: | 123`? */
function isPreamble({ width, records }: Block, main: number): boolean {
  const rows = records.map(({ cells }) => cells);
  // A table of its own has a header above numbers.
  const { same, other } = matchKinds(rows[0], columnKinds(rows.slice(1), width));
  if (same === 0 && other > 0) return false;
  if (rows.filter(isProse).length >= rows.length * ALMOST_ALL && main > width) return true;
  if (width !== 2 || records.length > MAX_TITLES) return false;
  const keys = records.filter(({ cells }) => /[:=]\s*$/.test(cells[0])).length;
  return keys * 2 > records.length || (records.length <= MAX_KEYS && main > 3);
}

/** Does a space stand before every cell but the first, as behind the commas of a sentence? */
function isProse(cells: readonly string[]): boolean {
  return cells.length > 1 && cells.slice(1).every((cell) => cell.startsWith(' '));
}

const MAX_KEYS = 5;

interface Block {
  width: number;
  count: number;
  records: readonly HeadRecord[];
}

/** The first run of at least two records of one width. */
function firstBlock(records: readonly HeadRecord[]): Block {
  for (let from = 0; from < records.length; ) {
    const width = records[from].cells.length;
    let to = from + 1;
    while (to < records.length && records[to].cells.length === width) to++;
    if (to - from > 1) return { width, count: to - from, records: records.slice(from, to) };
    from = to;
  }
  return { width: 0, count: 0, records: [] };
}

/** Index of the first record of the table. */
function findStart(records: readonly HeadRecord[], table: Table): number {
  const last = Math.min(records.length, MAX_PREAMBLE + 1);
  for (let i = 0; i < last; i++) {
    if (isTitle(records, i, table)) continue;
    const { cells } = records[i];
    if (cells.length === table.width && !isAboveHeader(records, i, table)) return i;
    if (isOddHeader(records, i, table)) return i;
    // Nearly as wide as the table: no title, unless the table plainly begins further down.
    if (isNearlyAsWide(cells, table) && !isProse(cells) && !beginsBelow(records, i, table)) return i;
  }
  return 0;
}

/** Is a record that has the table's width by accident, texts and numbers mixed up, followed by the header? */
function isAboveHeader(records: readonly HeadRecord[], index: number, { width, kinds }: Table): boolean {
  const { same, other } = matchKinds(records[index].cells, kinds);
  if (same === 0 || other === 0) return false;
  return records.slice(index + 1, index + 4).some(({ cells }) => {
    const match = matchKinds(cells, kinds);
    return cells.length === width && match.same === 0 && match.other > 1;
  });
}

function isNearlyAsWide(cells: readonly string[], { width }: Table): boolean {
  return cells.length >= Math.max(2, width * 0.6);
}

/** Does a header, or a block of records set off by a blank line, stand below a record? */
function beginsBelow(records: readonly HeadRecord[], index: number, { width, kinds }: Table): boolean {
  for (let i = index + 1; i < Math.min(records.length, index + 1 + MAX_TITLES); i++) {
    const { cells, isSetOff } = records[i];
    if (cells.length !== width) continue;
    const { same, other } = matchKinds(cells, kinds);
    if (same === 0 && other > 0) return true;
    if (isSetOff && records[i + 1]?.cells.length === width) return true;
  }
  return false;
}

/** Does a record of the table's width hold a title, its other cells being empty? */
function isTitle(records: readonly HeadRecord[], index: number, { width, kinds }: Table): boolean {
  const { cells } = records[index];
  const filled = countFilled(cells);
  if (cells.length === width && filled === 0) return true;
  if (cells.length !== width || filled > Math.max(1, Math.floor(width * 0.4))) return false;
  // Titles begin at the left; the names of groups of columns stand apart, an index has no name.
  if (cells.slice(0, filled).some((cell) => cell.trim() === '')) return false;
  // Some row below is filled as a header is.
  const below = records
    .slice(index + 1, index + 1 + MAX_TITLES)
    .filter(({ cells: next }) => next.length === width);
  const full = below.find(({ cells: next }) => countFilled(next) >= width - (width > 3 ? 1 : 0));
  if (full === undefined) return false;
  const match = matchKinds(full.cells, kinds);
  if (match.same === 0 && match.other > 0) return true;
  return width > 2 && matchKinds(cells, kinds).same === 0;
}

function countFilled(cells: readonly string[]): number {
  return cells.filter((cell) => cell.trim() !== '').length;
}

/** Is a record of another width the header, a cell too short or too long, with the first row of data right below? */
function isOddHeader(records: readonly HeadRecord[], index: number, { width, kinds }: Table): boolean {
  const { cells } = records[index];
  const next = records[index + 1];
  if (!isNearlyAsWide(cells, { width, kinds }) || cells.length > width * 1.4 + 1) return false;
  if (next === undefined || next.cells.length !== width || next.isSetOff) return false;
  if (cells.some((cell, i) => i < cells.length - 1 && kindOf(cell) !== 'text' && cell.trim() !== ''))
    return false;
  if (kinds.every((kind) => kind === undefined)) {
    return records.slice(0, index).every(({ cells: above }) => above.length === 1);
  }
  const { same, other } = matchKinds(next.cells, kinds);
  return same > other;
}

/** How many records from the start of the table are its header. */
function findHeader(records: readonly HeadRecord[], table: Table): { header: number; isCertain: boolean } {
  if (records.length === 0) return { header: 0, isCertain: false };
  const { answer, isCertain } = isHeader(records, table);
  if (!answer) return { header: 0, isCertain };
  let header = 1;
  while (header < MAX_HEADER && isSubHeader(records, header, table)) header++;
  return { header, isCertain };
}

/** Is the first record the header? */
function isHeader(records: readonly HeadRecord[], { kinds }: Table): { answer: boolean; isCertain: boolean } {
  const [{ cells }] = records;
  const filled = cells.filter((cell) => cell.trim() !== '');
  if (filled.length === 0) return { answer: false, isCertain: true };
  const { same, other } = matchKinds(cells, kinds);
  if (same === 0 && other > 0) return { answer: true, isCertain: true };
  if (same > 0) {
    const isAboveNames =
      areYears(cells) && records.length > 1 && matchKinds(records[1].cells, kinds).same === 0;
    return { answer: isAboveNames || isSeries(cells) || other > 3 * same, isCertain: true };
  }
  // 1. Nothing but texts below: a header does not say again what a column says.
  const below = records.slice(1);
  const repeated = cells.filter(
    (cell, i) => cell.trim() !== '' && below.some((row) => row.cells[i] === cell),
  );
  if (repeated.length * 3 >= filled.length && repeated.length > 0) return { answer: false, isCertain: true };
  // 2. Names differ from each other, and are no numbers.
  return { answer: looksLikeNames(cells), isCertain: false };
}

/** A header of years or other running numbers, with at least one name. */
function isSeries(cells: readonly string[]): boolean {
  const numbers = cells.filter((cell) => kindOf(cell) === 'number').map((cell) => Number(cell));
  const isRunning = numbers.every(
    (n, i) => Number.isInteger(n) && (i === 0 || Math.abs(n - numbers[i - 1]) === 1),
  );
  return (
    isRunning && numbers.length > 1 && numbers[0] >= 1000 && cells.some((cell) => kindOf(cell) === 'text')
  );
}

/** Is the record at `index`, below a header, still header: texts where the columns have numbers or dates? */
function isSubHeader(records: readonly HeadRecord[], index: number, { width, kinds }: Table): boolean {
  const record = records[index];
  if (record === undefined || record.isSetOff || record.cells.length !== width || records.length < index + 2)
    return false;
  if (record.cells.every((cell, i) => cell === records[0].cells[i])) return false;
  const hasGaps = records[index - 1].cells.some((cell) => cell.trim() === '');
  if (hasGaps && (isSeries(record.cells) || areYears(record.cells))) return true;
  const { same, other } = matchKinds(record.cells, kinds);
  const columns = kinds.filter((kind) => kind !== undefined).length;
  if (same > 0 || record.cells.some((cell) => ['number', 'form'].includes(kindOf(cell)))) return false;
  if (recurs(record.cells, { below: records.slice(index + 1), kinds })) return false;
  const hasNoStub = record.cells[0].trim() === '' && records[0].cells[0].trim() === '';
  return hasNoStub ? other > 0 : other >= 2 && other * 2 > columns;
}

/** Does a column of numbers or dates say the text of a record again further down? Then it is a value, such as "closed". */
function recurs(
  cells: readonly string[],
  { below, kinds }: { below: readonly HeadRecord[]; kinds: readonly ColumnKind[] },
): boolean {
  return kinds.some(
    (kind, column) =>
      kind !== undefined && cells[column] !== '' && below.some((row) => row.cells[column] === cells[column]),
  );
}

/** Years below the names of groups of columns, nothing below the name of the first. */
function areYears(cells: readonly string[]): boolean {
  const filled = cells.filter((cell) => cell.trim() !== '');
  return (
    cells[0].trim() === '' &&
    filled.length > 1 &&
    filled.every((cell) => /^(1[89]|20)\d\d$/.test(cell.trim()))
  );
}

/** Names are there, differ from each other, and are no numbers or dates. */
export function looksLikeNames(cells: readonly string[]): boolean {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  if (filled.length === 0) return false;
  if (filled.some((cell) => ['number', 'form'].includes(kindOf(cell)))) return false;
  return (
    new Set(filled.map((cell) => cell.toLowerCase())).size === filled.length || filled.length === cells.length
  );
}

const ALMOST_ALL = 0.9;

/** How many cells without a name stand behind those that the header names, empty in almost all rows. */
export function countTrailingDelimiters(records: readonly HeadRecord[], header: number): number {
  const rows = records.slice(header).map(({ cells }) => cells);
  if (header === 0 || rows.length === 0) return 0;
  const named = countNamed(records.slice(0, header));
  if (named < 2) return 0;
  const trailed = rows.filter(
    (cells) => cells.length > named && cells.slice(named).every((cell) => cell === ''),
  );
  if (trailed.length < rows.length * ALMOST_ALL) return 0;
  return Math.max(...trailed.map((cells) => cells.length)) - named;
}

/** Number of columns up to the last that has a name. */
function countNamed(header: readonly HeadRecord[]): number {
  return Math.max(...header.map(({ cells }) => cells.findLastIndex((cell) => cell.trim() !== '') + 1));
}
