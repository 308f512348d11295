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

  it('make room for more rows', () => {
    const cells = cellsOf(['a']);
    cells.grow(1000);
    cells.put(999, 0, 1);
    expect([cells.textAt(0), cells.textAt(999)]).toEqual(['a', 'a']);
  });
});
