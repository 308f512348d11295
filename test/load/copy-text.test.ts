import { expect, test } from 'vitest';
import { CellTable } from '../../src/load/cell-table.js';
import { copyRows } from '../../src/load/copy-rows.js';
import { CopyTextWriter } from '../../src/load/copy-text.js';

/** So many rows that columns of few values are joined in pairs before they are written. */
const MANY_ROWS = 20_000;

/** Columns of so many values each: value `row % values` in each row, the first one NULL. */
function fill(table: CellTable, { counts, rows }: { counts: number[]; rows: number }): void {
  table.reset({ columns: counts.length, rows });
  for (const values of counts) {
    const first = table.cells.length;
    table.cells.pushNull();
    for (let value = 1; value < values; value++) table.cells.pushAscii(textOf(value));
    for (let row = 0; row < rows; row++) table.ids[table.nextStart + row] = first + (row % values);
    table.addColumn(first);
  }
  table.finish();
}

/** Of all lengths, so that short and long cells stand side by side. */
function textOf(value: number): string {
  return `${value}`.padEnd(value % 40, '.');
}

function rowsIn(chunks: Uint8Array[]): (string | null)[][] {
  return chunks.flatMap((chunk) => [...copyRows(chunk)]);
}

function expected(counts: number[], row: number): (string | null)[] {
  return counts.map((values) => (row % values === 0 ? null : textOf(row % values)));
}

test.each([
  ['many rows with few values side by side', [2, 3, 7, 5, 11, 4, 13, 3], MANY_ROWS],
  ['many rows with a column of many values among them', [3, 5, 15_000, 2, 7], MANY_ROWS],
  ['one column', [4], MANY_ROWS],
  ['few rows', [2, 300, 41, 5], 395],
  ['more columns than a block has room for', Array.from({ length: 5000 }, (_, i) => 1 + (i % 9)), 3],
])('%s are written as they are', (_, counts, rows) => {
  const table = new CellTable();
  const writer = new CopyTextWriter();
  fill(table, { counts, rows });
  const read = rowsIn([...writer.add(table), writer.rest()]);
  expect(read).toHaveLength(rows);
  for (const [row, cells] of read.entries()) expect(cells).toEqual(expected(counts, row));
});

test.each([
  ['a row than there is room for at a time', 200_000],
  ['the cells of a table than there is room for', 5_000_000],
])('longer than %s may be, they are written as they are', (_, length) => {
  const long = 'x'.repeat(length);
  const table = new CellTable();
  const rows = 24;
  table.reset({ columns: 2, rows });
  for (const texts of [['short', long, `${long}y`], ['a']]) {
    const first = table.cells.length;
    for (const text of texts) table.cells.pushAscii(text);
    for (let row = 0; row < rows; row++) table.ids[table.nextStart + row] = first + (row % texts.length);
    table.addColumn(first);
  }
  table.finish();
  const writer = new CopyTextWriter();
  const read = rowsIn([...writer.add(table), writer.rest()]);
  const lengths = read.map(([text, last]) => [text!.length, last]);
  expect(lengths).toEqual(Array.from({ length: rows }, (_, row) => [[5, length, length + 1][row % 3], 'a']));
});

test('tables that are written by turns do not get each other’s cells', () => {
  const [one, other] = [new CellTable(), new CellTable()];
  fill(one, { counts: [3, 35], rows: MANY_ROWS * 5 });
  fill(other, { counts: [31, 2, 33], rows: MANY_ROWS * 5 });
  const writers = [one, other].map((table) => {
    const writer = new CopyTextWriter();
    return { writer, chunks: writer.add(table), taken: [] as Uint8Array[] };
  });
  for (let isAnyLeft = true; isAnyLeft; ) {
    isAnyLeft = false;
    for (const { chunks, taken } of writers) {
      const { value } = chunks.next();
      if (value) taken.push(value);
      isAnyLeft ||= value !== undefined;
    }
  }
  const [first, second] = writers.map(({ writer, taken }) => rowsIn([...taken, writer.rest()]));
  expect(writers.every(({ taken }) => taken.length > 1)).toBe(true);
  for (const [row, cells] of first.entries()) expect(cells).toEqual(expected([3, 35], row));
  for (const [row, cells] of second.entries()) expect(cells).toEqual(expected([31, 2, 33], row));
});

test('a table of few columns is written as it is behind one with more columns than a block has room for', () => {
  const table = new CellTable();
  const writer = new CopyTextWriter();
  fill(table, { counts: Array.from({ length: 5000 }, () => 2), rows: 1 });
  const wide = [...writer.add(table)];
  expect(wide).toEqual([]);
  const counts = Array.from({ length: 40 }, () => 3);
  fill(table, { counts, rows: MANY_ROWS });
  const [, ...read] = rowsIn([...writer.add(table), writer.rest()]);
  expect(read).toHaveLength(MANY_ROWS);
  for (const [row, cells] of read.entries()) expect(cells).toEqual(expected(counts, row));
});

test('small tables share a chunk, and a table can be used again', () => {
  const table = new CellTable();
  const writer = new CopyTextWriter();
  const chunks: Uint8Array[] = [];
  for (const counts of [
    [2, 3],
    [50, 4],
    [1, 7],
  ]) {
    fill(table, { counts, rows: 100 });
    chunks.push(...writer.add(table));
  }
  expect(chunks).toEqual([]);
  const read = rowsIn([writer.rest()]);
  expect(read).toHaveLength(300);
  expect(read[42]).toEqual(expected([2, 3], 42));
  expect(read[142]).toEqual(expected([50, 4], 42));
  expect(read[242]).toEqual(expected([1, 7], 42));
});
