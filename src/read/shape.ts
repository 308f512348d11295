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
  /** Each record ends with a delimiter behind its last cell. */
  trailingDelimiter: boolean;
}

/** A preamble has at most so many records. */
const MAX_PREAMBLE = 30;
/** Titles stand at most so many records above the header. */
const MAX_TITLES = 12;
/** A header has at most so many records. */
const MAX_HEADER = 3;
/** Records that are taken for data when the kinds of the columns are found. */
const MAX_BODY = 60;

/**
 * Tells titles, header and data apart by their form: records of the table have one width; columns of numbers or dates
 * have none of them in the header; titles fill the first cells of a row at most.
 */
export function findShape(records: readonly HeadRecord[]): Shape {
  const width = mainWidth(records);
  const kinds = columnKinds(bodyOf(records, width), width);
  const preamble = width === 1 ? 0 : findStart(records, { width, kinds });
  const { header, isCertain } = findHeader(records.slice(preamble), { width, kinds });
  const trailingDelimiter = hasTrailingDelimiter(records.slice(preamble), header);
  return { preamble, header, isCertain, trailingDelimiter };
}

/** Records that are data rather than header, where there are enough. */
function bodyOf(records: readonly HeadRecord[], width: number): string[][] {
  const rows = records.filter(({ cells }) => cells.length === width).map(({ cells }) => cells);
  const first = rows.length > 2 * MAX_HEADER ? MAX_HEADER : Math.min(rows.length - 1, 1);
  return rows.slice(first, first + MAX_BODY);
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
  return isTable && first.count > 2 ? first.width : main;
}

/** The first run of at least two records of one width. */
function firstBlock(records: readonly HeadRecord[]): { width: number; count: number } {
  for (let from = 0; from < records.length; ) {
    const width = records[from].cells.length;
    let to = from + 1;
    while (to < records.length && records[to].cells.length === width) to++;
    if (to - from > 1) return { width, count: to - from };
    from = to;
  }
  return { width: 0, count: 0 };
}

/** Index of the first record of the table. */
function findStart(records: readonly HeadRecord[], table: Table): number {
  const last = Math.min(records.length, MAX_PREAMBLE + 1);
  for (let i = 0; i < last; i++) {
    if (isTitle(records, i, table)) continue;
    const { cells } = records[i];
    if (cells.length === table.width || isOddHeader(records, i, table)) return i;
  }
  return 0;
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
  if (cells.length < Math.max(2, width * 0.6) || cells.length > width * 1.4 + 1) return false;
  if (next === undefined || next.cells.length !== width || next.isSetOff) return false;
  if (cells.some((cell, i) => i < cells.length - 1 && kindOf(cell) !== 'text' && cell.trim() !== ''))
    return false;
  if (kinds.every((kind) => kind === undefined)) return index === 0;
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
  if (same > 0) return { answer: isSeries(cells) || other > 3 * same, isCertain: true };
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
  // Years below the names of groups of columns.
  if (isSeries(record.cells) && records[index - 1].cells.some((cell) => cell.trim() === '')) return true;
  const { same, other } = matchKinds(record.cells, kinds);
  const columns = kinds.filter((kind) => kind !== undefined).length;
  if (same > 0 || record.cells.some((cell) => ['number', 'form'].includes(kindOf(cell)))) return false;
  return other >= 2 && other * 2 > columns;
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

/** Do the rows have an empty cell behind those that the header names? */
export function hasTrailingDelimiter(records: readonly HeadRecord[], header: number): boolean {
  const rows = records.slice(header).map(({ cells }) => cells);
  if (header === 0 || rows.length === 0) return false;
  const names = records[0].cells;
  const width = names.at(-1)!.trim() === '' ? names.length : names.length + 1;
  const trailed = rows.filter((cells) => cells.length === width && cells.at(-1) === '').length;
  return width > 2 && trailed >= rows.length * ALMOST_ALL;
}
