import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowPlaces } from '../../src/clean/row-places.js';
import { findRepeats, RowSpill } from '../../src/clean/row-spill.js';
import { tempDir } from '../helpers/temp-dir.js';
import { filesUnder } from '../pipeline/workshop.js';

/** A hash for each key; keys that differ in one word only are neighbours in every table. */
function hashOf(key: number): Int32Array {
  return Int32Array.of(key & 3, key & 12, key >> 4, 1);
}

interface Row {
  key: number;
  part: number;
  row: number;
}

function spill(folder: string, rows: readonly Row[]) {
  const spill = new RowSpill(folder);
  for (const { key, part, row } of rows)
    expect(spill.isNew({ hashes: hashOf(key), at: 0, part, row })).toBe(true);
  return spill;
}

/** Which rows repeat one before them in the order of the file. */
function expected(rows: readonly Row[]): string[] {
  const seen = new Set<number>();
  const inOrder = [...rows].sort((a, b) => a.part - b.part || a.row - b.row);
  return inOrder
    .filter(({ key }) => seen.size === seen.add(key).size)
    .map(({ part, row }) => `${part}:${row}`);
}

describe('spilled rows', () => {
  it('that repeat others are found, by whichever thread and in whichever order they were spilled', () => {
    const folder = tempDir();
    const keys = fc.array(fc.nat(300), { maxLength: 1500 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 3 }), fc.integer(), (found, threads, seed) => {
        const rows = found.map((key, i) => ({ key, part: i % 7, row: Math.floor(i / 7) * 100 }));
        const shuffled = rows
          .map((row, i) => ({ row, order: Math.imul(i + 1, seed | 1) }))
          .sort((a, b) => a.order - b.order)
          .map(({ row }) => row);
        const spills = Array.from({ length: threads }, (_, thread) =>
          spill(
            folder,
            shuffled.filter((_, i) => i % threads === thread),
          ).finish(),
        ).filter((one) => one !== undefined);
        const places = findRepeats(spills);
        const repeats = expected(rows);
        expect(places.count).toBe(repeats.length);
        expect(rows.filter(({ part, row }) => places.has(part, row)).length).toBe(repeats.length);
        for (const place of repeats) {
          const [part, row] = place.split(':').map(Number);
          expect(places.isNew({ hashes: hashOf(0), at: 0, part, row })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leave no file behind when there are none, or when they are given up', async () => {
    const folder = tempDir();
    expect(new RowSpill(folder).finish()).toBeUndefined();
    const many = Array.from({ length: 1000 }, (_, row) => ({ key: 1, part: 0, row }));
    const given = spill(folder, many);
    expect(filesUnder(folder)).toHaveLength(1);
    await given.abandon();
    expect(filesUnder(folder)).toEqual([]);
    const { path } = spill(folder, many).finish()!;
    expect(existsSync(path)).toBe(true);
  });
});

describe('places of rows', () => {
  it('are remembered one by one, however far apart', () => {
    const places = new RowPlaces();
    for (const [part, row] of [
      [0, 0],
      [0, 7],
      [2, 1_000_000],
      [2, 8192],
    ])
      places.add(part, row);
    expect(places.count).toBe(4);
    const copy = new RowPlaces(structuredClone(places.parts));
    for (const one of [places, copy]) {
      expect([one.has(0, 0), one.has(0, 7), one.has(2, 1_000_000), one.has(2, 8192)]).toEqual([
        true,
        true,
        true,
        true,
      ]);
      expect([one.has(0, 1), one.has(1, 0), one.has(2, 8191), one.has(9, 2 ** 30)]).toEqual([
        false,
        false,
        false,
        false,
      ]);
    }
  });
});
