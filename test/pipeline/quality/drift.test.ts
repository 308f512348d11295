import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DriftFinding,
  type DriftSample,
  findDrift,
  HISTORY_FILES,
  MIN_HISTORY_FILES,
  usualRanges,
} from '../../../src/pipeline/quality/drift.js';
import { type Column, normal, randomOf, STABLE_COLUMNS, simulate } from './simulated-files.js';

/** Files of one column, alike but for chance. */
function history(column: Column, { files = HISTORY_FILES, rows = 400, seed = 1 } = {}): DriftSample[] {
  const random = randomOf(seed);
  return Array.from({ length: files }, (_, file) => simulate([column], { rows, file, random }));
}

function findingsOf(
  usual: Column,
  odd: Column,
  options: { files?: number; rows?: number } = {},
): DriftFinding[] {
  const { rows = 400 } = options;
  const sample = simulate([odd], { rows, file: 31, random: randomOf(99) });
  return findDrift(usualRanges(history(usual, options)), sample);
}

const ages: Column = (random) => 15 + Math.floor(random() * 8);

describe('drift', () => {
  it.each<[string, Column, string]>([
    [
      'NULLs where there were none',
      (random, file) => (random() < 0.06 ? Number.NaN : ages(random, file)),
      'null_share',
    ],
    ['new values', (random) => 15 + Math.floor(random() * 16), 'distinct'],
    ['another scale', (random, file) => ages(random, file) * 12, 'mean'],
    ['only NULLs', () => Number.NaN, 'null_share'],
  ])('is found: %s', (_, odd, metric) => {
    expect(findingsOf(ages, odd).map((finding) => finding.metric)).toContain(metric);
    expect(findingsOf(ages, ages)).toEqual([]);
  });

  it('is found also after one odd file, which does not become usual at once', () => {
    const files = history(ages);
    const random = randomOf(5);
    const odd = () => simulate([() => Number.NaN], { rows: 400, file: 0, random });
    files.push(odd());
    expect(findDrift(usualRanges(files), odd())).not.toEqual([]);
    // What comes again and again is usual after a while.
    for (let i = 0; i < 3; i++) files.push(odd());
    expect(findDrift(usualRanges(files), odd())).toEqual([]);
  });

  it('is found in rows that are left out', () => {
    const files = history(ages);
    const finding = findDrift(usualRanges(files), { ...files[0], rowsIn: files[0].rowsOut + 100 });
    expect(finding).toMatchObject([{ metric: 'left_out_share', column: -1, value: 0.2 }]);
  });

  it('says nothing while files are few, or have few rows', () => {
    const odd: Column = () => Number.NaN;
    expect(findingsOf(ages, odd, { files: MIN_HISTORY_FILES - 1 })).toEqual([]);
    expect(findingsOf(ages, odd, { files: MIN_HISTORY_FILES })).not.toEqual([]);
    expect(findingsOf(ages, odd, { rows: 9 })).toEqual([]);
  });

  it('does not compare the distinct values of files of different sizes', () => {
    const ids: Column = (random) => Math.floor(random() * 1e6);
    const small = simulate([ids], { rows: 40, file: 0, random: randomOf(3) });
    expect(findDrift(usualRanges(history(ids)), small)).toEqual([]);
  });

  it('is rarely found in files that are stable: in less than one of a hundred, of eleven columns', () => {
    const sizes: ((random: () => number) => number)[] = [
      () => 200,
      (random) => Math.ceil(150 * Math.exp(normal(random) * 0.5)),
    ];
    let [files, alarms] = [0, 0];
    for (const [i, rowsOf] of [...sizes, ...sizes].entries()) {
      const random = randomOf(i + 1);
      const known: DriftSample[] = [];
      for (let file = 0; file < 75; file++) {
        const sample = simulate(STABLE_COLUMNS, { rows: rowsOf(random), file, random });
        files++;
        if (findDrift(usualRanges(known), sample).length > 0) alarms++;
        known.push(sample);
      }
    }
    expect(alarms / files).toBeLessThan(0.01);
  });

  const number = fc.oneof(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), fc.integer());
  const sample = fc
    .record({
      nulls: fc.nat(100),
      distinct: fc.nat(100),
      mean: number,
      width: fc.nat(1000),
      leftOut: fc.nat(50),
    })
    .map(({ nulls, distinct, mean, width, leftOut }): DriftSample => {
      const numbers = Float64Array.of(nulls, distinct, mean, mean - width, mean + width);
      return { rowsIn: 100 + leftOut, rowsOut: 100, numbers };
    });
  const files = fc.array(sample, { minLength: MIN_HISTORY_FILES, maxLength: HISTORY_FILES });

  it('depends on nothing but the files, and not on their order', () => {
    fc.assert(
      fc.property(files, sample, (known, one) => {
        const found = findDrift(usualRanges(known), one);
        expect(findDrift(usualRanges(known), one)).toEqual(found);
        expect(findDrift(usualRanges([...known].reverse()), one)).toEqual(found);
      }),
    );
  });

  it('is never found in a file that is like the median of all, and its finding lies outside its range', () => {
    fc.assert(
      fc.property(files, sample, (known, one) => {
        for (const { value, low, high, median } of findDrift(usualRanges(known), one)) {
          expect(value < low || value > high).toBe(true);
          expect(low <= median && median <= high).toBe(true);
        }
        const same = known.map(() => known[0]);
        expect(findDrift(usualRanges(same), known[0])).toEqual([]);
      }),
    );
  });
});
