import { describe, expect, it } from 'vitest';
import { cellsOf } from '../helpers/cells.js';

describe('the cells of a column', () => {
  it('are texts of the scanned buffer', () => {
    const cells = cellsOf(['a', '', '\ufeffé']);
    expect([0, 1, 2].map((row) => cells.textAt(row))).toEqual(['a', '', '\ufeffé']);
    expect(cells.find(1)).toEqual({ source: cells, index: 1 });
  });

  it('are texts that were set aside, in whatever order', () => {
    const cells = cellsOf(['a', 'b', 'c']);
    const other = Buffer.from('xyz');
    cells.putAside(2, other, { start: 0, stop: 2 });
    cells.putAside(0, other, { start: 1, stop: 1 });
    expect([0, 1, 2].map((row) => cells.textAt(row))).toEqual(['', 'b', 'xy']);
    const { source, index } = cells.find(2);
    expect(Buffer.from(source.bytes.subarray(source.starts[index], source.ends[index])).toString()).toBe(
      'xy',
    );
  });

  it('are found together where they were set aside one after the other', () => {
    const cells = cellsOf(['a', 'b', 'c', 'd', 'e', 'f']);
    const other = Buffer.from('uvwxyz');
    for (const row of [1, 2, 3, 3, 4]) cells.putAside(row, other, { start: row, stop: 6 });
    const textsFrom = (row: number, rowCount: number) => {
      const { source, from, to } = cells.findAside(row, rowCount);
      return Array.from({ length: to - from }, (_, i) =>
        Buffer.from(source.bytes.subarray(source.starts[from + i], source.ends[from + i])).toString(),
      );
    };
    expect([0, 1, 4, 5].map((row) => cells.isAside(row))).toEqual([false, true, true, false]);
    expect(textsFrom(1, 6)).toEqual(['vwxyz', 'wxyz']);
    expect(textsFrom(2, 6)).toEqual(['wxyz']);
    expect(textsFrom(3, 6)).toEqual(['xyz', 'yz']);
    expect(textsFrom(3, 4)).toEqual(['xyz']);
  });

  it('make room for more rows', () => {
    const cells = cellsOf(['a']);
    cells.grow(1000);
    cells.put(999, 0, 1);
    expect([cells.textAt(0), cells.textAt(999)]).toEqual(['a', 'a']);
  });
});
