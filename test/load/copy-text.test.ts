import { expect, test } from 'vitest';
import { CellBuffer } from '../../src/load/cell-buffer.js';
import { copyRows } from '../../src/load/copy-rows.js';
import { type CellColumn, copyChunks } from '../../src/load/copy-text.js';

/** So many rows that columns of few values are joined in pairs before they are written. */
const ROWS = 20_000;

/** Value `row % values` in each row; the first value is NULL. */
function columnOf(values: number): { column: CellColumn; textOf(row: number): string | null } {
  const cells = new CellBuffer(1);
  cells.pushNull();
  for (let value = 1; value < values; value++) cells.pushAscii(`v${value}`);
  const ids = Uint32Array.from({ length: ROWS }, (_, row) => row % values);
  return { column: { cells, ids }, textOf: (row) => (row % values === 0 ? null : `v${row % values}`) };
}

test.each([
  ['few values side by side', [2, 3, 7, 5, 11, 4, 13, 3]],
  ['a column of many values between them', [3, 5, 15_000, 2, 7]],
  ['one column', [4]],
])('many rows with %s are written as they are', (_, counts) => {
  const columns = counts.map(columnOf);
  const chunks = copyChunks(
    columns.map(({ column }) => column),
    ROWS,
  );
  const read = [...chunks].flatMap((chunk) => [...copyRows(chunk)]);
  expect(read).toHaveLength(ROWS);
  for (const [row, cells] of read.entries()) expect(cells).toEqual(columns.map(({ textOf }) => textOf(row)));
});
