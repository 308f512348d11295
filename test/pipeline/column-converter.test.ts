import { describe, expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { NULL_ID, Vector } from '../../src/base/vector.js';
import { ColumnConverter, type ConverterOptions, ROW } from '../../src/pipeline/column-converter.js';
import { cellsOf } from '../helpers/cells.js';

function converter(type: string, options: Partial<ConverterOptions> = {}): ColumnConverter {
  return new ColumnConverter({
    spec: { name: 'v', type: parseSqlType(type)!, nullable: false },
    case: 'lower',
    nullTokens: ['', 'na'],
    keepWhiteSpace: false,
    keepNulls: false,
    ...options,
  });
}

/** A raw dictionary that grows as a scanner's does, and the ids of a batch. */
class Scanned {
  readonly raw = new Vector('bytes');
  readonly #idOf = new Map<string, number>();

  ids(cells: string[]): Uint32Array {
    return Uint32Array.from(cells, (cell) => {
      if (!this.#idOf.has(cell)) {
        this.#idOf.set(cell, this.raw.length);
        this.raw.pushText(cell);
      }
      return this.#idOf.get(cell)!;
    });
  }

  clear(): void {
    this.raw.clear();
    this.#idOf.clear();
  }
}

/** Converts batches one after the other; answers the ids and the flags of each. */
function batchesOf(column: ColumnConverter, scanned: Scanned) {
  return (cells: string[]) => {
    const flags = new Uint8Array(cells.length);
    const ids = scanned.ids(cells);
    const result = column.convertIds({ raw: scanned.raw, ids, rowCount: cells.length, flags });
    return { ids: [...result.ids!.subarray(0, cells.length)], flags: [...flags] };
  };
}

describe('a column in dictionary mode', () => {
  it('holds each clean value once, however it was written', () => {
    const column = converter('INTEGER');
    const scanned = new Scanned();
    const flags = new Uint8Array(6);
    const ids = scanned.ids(['5', ' 5 ', '+5', '7', '05', '7 ']);
    const result = column.convertIds({ raw: scanned.raw, ids, rowCount: 6, flags });
    expect([...result.ids!.subarray(0, 6)]).toEqual([0, 0, 0, 1, 0, 1]);
    expect([result.values.length, result.values.int32At(0), result.values.int32At(1)]).toEqual([2, 5, 7]);
    expect([...flags]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('goes on with the next batch where the last one ended', () => {
    const column = converter('TEXT');
    const convert = batchesOf(column, new Scanned());
    expect(convert(['A', 'b']).ids).toEqual([0, 1]);
    expect(convert(['B', 'c', 'a']).ids).toEqual([1, 2, 0]);
    expect(column.values.length).toBe(3);
  });

  it('flags the first value that is missing, or becomes equal to another, after batches without', () => {
    const column = converter('TEXT');
    const scanned = new Scanned();
    const convert = batchesOf(column, scanned);
    expect(convert(['a', 'b', 'a'])).toEqual({ ids: [0, 1, 0], flags: [0, 0, 0] });
    expect(convert(['b', 'na', 'c'])).toEqual({ ids: [1, NULL_ID, 2], flags: [0, ROW.missing, 0] });
    expect(convert(['c', 'A', 'na'])).toEqual({ ids: [2, 0, NULL_ID], flags: [0, 0, ROW.missing] });
    column.clear();
    scanned.clear();
    expect(convert(['B', 'c'])).toEqual({ ids: [0, 1], flags: [0, 0] });
    expect(convert(['b'])).toEqual({ ids: [0], flags: [0] });
  });

  it('flags missing and invalid rows, and knows why', () => {
    const column = converter('INTEGER', { rules: { minimum: 3 } });
    const scanned = new Scanned();
    const cells = ['5', 'x', 'NA', '2', 'x'];
    const flags = new Uint8Array(5);
    const result = column.convertIds({ raw: scanned.raw, ids: scanned.ids(cells), rowCount: 5, flags });
    expect([...flags]).toEqual([ROW.good, ROW.invalid, ROW.missing, ROW.invalid, ROW.invalid]);
    expect(cells.map((_, row) => column.violationAt(row, result)?.code)).toEqual([
      undefined,
      'wrong_type',
      undefined,
      'rule_violation',
      'wrong_type',
    ]);
    expect(cells.map((_, row) => column.isMissing(row, result))).toEqual([false, false, true, false, false]);
  });

  it('keeps NULLs where they are welcome', () => {
    const column = converter('INTEGER', { keepNulls: true });
    const scanned = new Scanned();
    const flags = new Uint8Array(2);
    const result = column.convertIds({ raw: scanned.raw, ids: scanned.ids(['', '1']), rowCount: 2, flags });
    expect([...result.ids!.subarray(0, 2)]).toEqual([NULL_ID, 0]);
    expect([...flags]).toEqual([0, 0]);
  });
});

describe('a column in plain mode', () => {
  it('gives the same as in dictionary mode, cell by cell', () => {
    const column = converter('INTEGER');
    const flags = new Uint8Array(4);
    const result = column.convertCells(cellsOf(['5', 'x', '', ' 5']), 4, flags);
    expect(result.ids).toBeUndefined();
    expect([...flags]).toEqual([ROW.good, ROW.invalid, ROW.missing, ROW.good]);
    expect([...result.nulls!.subarray(0, 4)]).toEqual([0, 1, 1, 0]);
    expect([result.values.length, result.values.int32At(0), result.values.int32At(3)]).toEqual([4, 5, 5]);
    expect([0, 1, 2, 3].map((row) => column.violationAt(row, result)?.code)).toEqual([
      undefined,
      'wrong_type',
      undefined,
      undefined,
    ]);
    expect([0, 1, 2, 3].map((row) => column.isMissing(row, result))).toEqual([false, false, true, false]);
  });

  it('takes cells that were set aside where they belong', () => {
    const column = converter('TEXT');
    const cells = cellsOf(['a', 'b', 'C', 'd', 'e']);
    const other = Buffer.from('Say "X" na');
    cells.putAside(1, other, { start: 0, stop: 7 });
    cells.putAside(3, other, { start: 8, stop: 10 });
    cells.putAside(4, other, { start: 3, stop: 6 });
    const flags = new Uint8Array(5);
    const { values } = column.convertCells(cells, 5, flags);
    expect([...flags]).toEqual([ROW.good, ROW.good, ROW.good, ROW.missing, ROW.good]);
    const texts = [0, 1, 2, 4].map((row) => Buffer.from(values.bytesAt(row)).toString());
    expect(texts).toEqual(['a', 'say "x"', 'c', ' "x'.trim()]);
  });

  it('takes cells without the white space around them, unless that is to be kept', () => {
    const texts = [' 5 ', '\t7', '  ', ' NA', '\u00a05', '8'];
    const cleaned = (column: ColumnConverter) => {
      const flags = new Uint8Array(texts.length);
      const { values } = column.convertCells(cellsOf(texts), texts.length, flags);
      return texts.map((_, row) => (flags[row] ? null : Buffer.from(values.bytesAt(row)).toString()));
    };
    expect(cleaned(converter('TEXT'))).toEqual(['5', '7', null, null, '5', '8']);
    const kept = cleaned(converter('TEXT', { keepWhiteSpace: true }));
    expect(kept).toEqual([' 5 ', '\t7', null, null, '\u00a05', '8']);
    const flags = new Uint8Array(2);
    const { values } = converter('INTEGER').convertCells(cellsOf([' 5', '\u00a07 ']), 2, flags);
    expect([...flags, values.int32At(0), values.int32At(1)]).toEqual([0, 0, 5, 7]);
  });

  it('forgets the batch before', () => {
    const column = converter('INTEGER');
    column.convertCells(cellsOf(['x', '']), 2, new Uint8Array(2));
    const result = column.convertCells(cellsOf(['1', '2']), 2, new Uint8Array(2));
    expect(result.nulls).toBeUndefined();
    expect(column.violationAt(0, result)).toBeUndefined();
  });
});

it('a missing value of one column outweighs an invalid one of another, in either order', () => {
  const [first, second] = [converter('INTEGER'), converter('TEXT')];
  const flags = new Uint8Array(2);
  first.convertCells(cellsOf(['x', '']), 2, flags);
  second.convertCells(cellsOf(['', 'y']), 2, flags);
  expect([...flags]).toEqual([ROW.missing, ROW.missing]);
});
