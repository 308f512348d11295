import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NULL_ID, type TypedColumn, Vector } from '../../src/base/vector.js';
import { DuplicateFinder, newSalt } from '../../src/clean/duplicates.js';
import { RowSet, shareRows } from '../../src/clean/row-set.js';

type Cell = string | null;
type Mode = 'dictionary' | 'plain';

/** A column of texts; equal texts share one id, as the converter makes it. */
function column(
  cells: Cell[],
  mode: Mode,
  dictionary = new Vector('bytes'),
  known = new Map<string, number>(),
): TypedColumn {
  if (mode === 'plain') {
    const values = new Vector('bytes');
    for (const cell of cells) values.pushText(cell ?? '');
    return { values, nulls: Uint8Array.from(cells, (cell) => (cell === null ? 1 : 0)) };
  }
  const ids = cells.map((cell) => {
    if (cell === null) return NULL_ID;
    if (!known.has(cell)) {
      known.set(cell, dictionary.length);
      dictionary.pushText(cell);
    }
    return known.get(cell)!;
  });
  return { ids: Uint32Array.from(ids), values: dictionary };
}

/** Marks a table given as rows of cells; `flagged` rows have a flag already. */
function mark(
  rows: Cell[][],
  modes: Mode[],
  flagged: number[] = [],
  finder = new DuplicateFinder(),
): number[] {
  const columns = modes.map((mode, i) =>
    column(
      rows.map((row) => row[i]),
      mode,
    ),
  );
  const flags = new Uint8Array(rows.length);
  for (const row of flagged) flags[row] = 1;
  const areDistinct = finder.areDistinct(columns, rows.length);
  finder.hash(columns, rows.length);
  const found = finder.mark({ rowCount: rows.length, flags, mark: 3 });
  expect(found).toBe(flags.filter((flag) => flag === 3).length);
  if (areDistinct) expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length);
  return [...flags];
}

describe('repeated rows', () => {
  it('are marked, all but the first', () => {
    const rows = [
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'b'],
      ['a', 'b'],
    ];
    expect(mark(rows, ['dictionary', 'plain'])).toEqual([0, 0, 3, 3]);
  });

  it('differ when values are swapped, moved from cell to cell, missing, or empty', () => {
    const rows = [
      ['a', 'b'],
      ['b', 'a'],
      ['ab', ''],
      ['', 'ab'],
      [null, 'ab'],
      ['ab', null],
      [null, null],
      ['', ''],
    ];
    for (const mode of ['dictionary', 'plain'] as const) {
      expect(mark(rows, [mode, mode])).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      expect(mark([...rows, ...rows], [mode, mode])).toEqual([
        0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3,
      ]);
    }
  });

  it('are not looked for among rows that are left out anyway', () => {
    expect(mark([['a'], ['a'], ['a']], ['plain'], [0])).toEqual([1, 0, 3]);
  });

  it('are forgotten between files', () => {
    const finder = new DuplicateFinder();
    expect(mark([['a']], ['plain'], [], finder)).toEqual([0]);
    expect(mark([['a']], ['plain'], [], finder)).toEqual([3]);
    finder.clear();
    expect(mark([['a'], ['a']], ['plain'], [], finder)).toEqual([0, 3]);
  });

  it('are found across batches while a dictionary grows, and when a column leaves dictionary mode', () => {
    const finder = new DuplicateFinder();
    const dictionary = new Vector('bytes');
    const known = new Map<string, number>();
    const batch = (cells: Cell[], mode: Mode) => {
      const flags = new Uint8Array(cells.length);
      finder.hash([column(cells, mode, dictionary, known)], cells.length);
      finder.mark({ rowCount: cells.length, flags, mark: 3 });
      return [...flags];
    };
    expect(batch(['a', 'b'], 'dictionary')).toEqual([0, 0]);
    expect(batch(['c', 'b'], 'dictionary')).toEqual([0, 3]);
    dictionary.clear();
    known.clear();
    expect(batch(['c', 'd', 'a'], 'plain')).toEqual([3, 0, 3]);
    expect(batch(['d', 'e'], 'dictionary')).toEqual([3, 0]);
  });

  it('are the same that a set of texts finds', () => {
    const cell = fc.oneof(
      fc.constantFrom<Cell>(null, '', 'a', 'b', 'Aa', 'BB', 'AaBB', 'BBAa'),
      fc.string({ maxLength: 3 }),
    );
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.tuple(
          fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 60 }),
          fc.array(fc.constantFrom<Mode>('dictionary', 'plain'), { minLength: width, maxLength: width }),
        ),
      );
    fc.assert(
      fc.property(table, ([rows, modes]) => {
        const seen = new Set<string>();
        const expected = rows.map((row) => {
          const key = JSON.stringify(row);
          const repeats = seen.has(key);
          seen.add(key);
          return repeats ? 3 : 0;
        });
        expect(mark(rows, modes)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('are known not to be there at a look, where the columns in dictionary mode tell rows apart', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => [`${i % 40}`, i % 41 === 0 ? null : `${i % 41}`]);
    const areDistinct = (some: Cell[][], modes: Mode[]) => {
      const columns = modes.map((mode, i) =>
        column(
          some.map((row) => row[i]),
          mode,
        ),
      );
      return new DuplicateFinder().areDistinct(columns, some.length);
    };
    // Words of a row can be equal by chance, but hardly each time.
    const looks = Array.from({ length: 5 }, () => areDistinct(rows, ['dictionary', 'dictionary']));
    expect(looks).toContain(true);
    expect(areDistinct([...rows, rows[7]], ['dictionary', 'dictionary'])).toBe(false);
    expect(areDistinct(rows, ['dictionary', 'plain'])).toBe(false);
    expect(areDistinct([...rows, ...rows.map(([a, b]) => [`${a} `, b])], ['dictionary', 'dictionary'])).toBe(
      false,
    );
  });

  it('are found by threads that share salt and set', () => {
    const shared = shareRows(100);
    const salt = newSalt();
    const finders = [1, 2].map(() => new DuplicateFinder({ salt, seen: new RowSet(shared) }));
    expect(mark([['a'], ['b']], ['plain'], [], finders[0])).toEqual([0, 0]);
    expect(mark([['b'], ['c']], ['dictionary'], [], finders[1])).toEqual([3, 0]);
    expect(mark([['c'], ['d']], ['plain'], [], finders[0])).toEqual([3, 0]);
    const many = Array.from({ length: 101 }, (_, i) => [`row ${i}`]);
    expect(() => mark(many, ['plain'], [], finders[1])).toThrow(RangeError);
  });

  it('are found among many rows', () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => [`${i % 40_000}`, `${(i * 7) % 3}`]);
    const seen = new Set<string>();
    const repeats = rows.filter((row) => seen.size === seen.add(row.join()).size).length;
    expect(mark(rows, ['plain', 'dictionary']).filter((flag) => flag === 3)).toHaveLength(repeats);
  });
});
