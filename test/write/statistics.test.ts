import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { SqlType } from '../../src/base/sql-type.js';
import { boundsOf } from '../../src/write/statistics.js';
import { Duck, metadataOf, type TestColumn, type TestValue, typedColumn, writeParquet } from './tables.js';

const duck = new Duck();
afterAll(() => duck.close());

interface Case {
  type: SqlType;
  values: TestValue[];
  /** As DuckDB's parquet_metadata shows them. */
  min: string;
  max: string;
}

const CASES: Record<string, Case> = {
  smallint: { type: { kind: 'smallint' }, values: [3, -32768, 32767, 0], min: '-32768', max: '32767' },
  integer: {
    type: { kind: 'integer' },
    values: [1, -2147483648, 2147483647],
    min: '-2147483648',
    max: '2147483647',
  },
  bigint: {
    type: { kind: 'bigint' },
    values: [1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, -1n],
    min: '-9223372036854775808',
    max: '9223372036854775807',
  },
  bigint_low_word: {
    type: { kind: 'bigint' },
    values: [0x1_8000_0000n, 0x1_0000_0001n, 0x1_7fff_ffffn],
    min: String(0x1_0000_0001),
    max: String(0x1_8000_0000),
  },
  decimal_int32: {
    type: { kind: 'decimal', precision: 9, scale: 2 },
    values: [5, -5, 100],
    min: '-0.05',
    max: '1.00',
  },
  decimal_int64: {
    type: { kind: 'decimal', precision: 18, scale: 3 },
    values: [-(10n ** 17n), 10n ** 17n, 0n],
    min: '-100000000000000.000',
    max: '100000000000000.000',
  },
  decimal_fixed: {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    values: [-1n, 1n, -(10n ** 37n), 10n ** 37n, 255n],
    min: '-1000000000000000000000000000.0000000000',
    max: '1000000000000000000000000000.0000000000',
  },
  real: { type: { kind: 'real' }, values: [Number.NaN, 1.5, -2.25, Number.NaN], min: '-2.25', max: '1.5' },
  double: {
    type: { kind: 'double' },
    values: [0.1, Number.NaN, -1e300, 2e300],
    min: '-1e+300',
    max: '2e+300',
  },
  boolean: { type: { kind: 'boolean' }, values: [true, false, true], min: 'false', max: 'true' },
  boolean_one: { type: { kind: 'boolean' }, values: [true, true], min: 'true', max: 'true' },
  // UTF-16 units would order the last two the other way round.
  text: { type: { kind: 'text' }, values: ['b', 'ab', 'é', '\uffee', '🎓', 'a'], min: 'a', max: '🎓' },
  text_prefix: { type: { kind: 'text' }, values: ['abc', 'ab', 'abcd'], min: 'ab', max: 'abcd' },
  date: { type: { kind: 'date' }, values: [0, -1, 19_700], min: '1969-12-31', max: '2023-12-09' },
  time: { type: { kind: 'time' }, values: [0n, 86_399_999_999n], min: '00:00:00', max: '23:59:59.999999' },
  timestamp: {
    type: { kind: 'timestamp' },
    values: [-1n, 1_700_000_000_123_456n],
    min: '1969-12-31 23:59:59.999999',
    max: '2023-11-14 22:13:20.123456',
  },
  uuid: {
    type: { kind: 'uuid' },
    values: ['80000000-0000-0000-0000-000000000000', '7fffffff-0000-0000-0000-000000000001'],
    min: '7fffffff-0000-0000-0000-000000000001',
    max: '80000000-0000-0000-0000-000000000000',
  },
};

describe.each(Object.keys(CASES))('%s', (name) => {
  it.each(['dictionary', 'plain'] as const)(
    'bounds follow the order of the type, in %s mode',
    async (mode) => {
      const { type, values, min, max } = CASES[name];
      const column: TestColumn = {
        name: 'c',
        type,
        mode,
        nullable: true,
        values: [null, ...values, null, null],
      };
      const rows = await duck.query(
        await writeParquet([column]),
        'SELECT stats_min_value AS min, stats_max_value AS max, stats_null_count AS nulls FROM parquet_metadata($file)',
      );
      expect(rows).toEqual([{ min, max, nulls: 3n }]);
    },
  );
});

async function statisticsOf(column: Omit<TestColumn, 'name'>) {
  const file = await writeParquet([{ name: 'c', ...column }]);
  return metadataOf(file).row_groups[0].columns[0].meta_data!.statistics!;
}

describe('what there is no bound for', () => {
  it.each([
    ['only NULL', { type: { kind: 'text' }, nullable: true, values: [null, null] }],
    ['only NaN', { type: { kind: 'double' }, values: [Number.NaN, Number.NaN] }],
  ] as [string, Omit<TestColumn, 'name'>][])('%s', async (_, column) => {
    const statistics = await statisticsOf(column);
    expect(statistics.min_value).toBeUndefined();
    expect(statistics.max_value).toBeUndefined();
    expect(statistics.is_max_value_exact).toBeUndefined();
  });
});

describe('zeros of floating point', () => {
  it.each(['real', 'double'] as const)('of %s widen to both signs', async (kind) => {
    for (const zero of [0, -0]) {
      const statistics = await statisticsOf({ type: { kind }, values: [zero, zero] });
      expect(statistics.min_value).toBe(-0);
      expect(statistics.max_value).toBe(0);
    }
  });
});

it('counts distinct values where there is a dictionary', async () => {
  const values = ['a', 'b', 'a', null, 'c'];
  const column = { type: { kind: 'text' } as const, nullable: true, values };
  expect((await statisticsOf(column)).distinct_count).toBe(3n);
  expect((await statisticsOf({ ...column, mode: 'plain' })).distinct_count).toBeUndefined();
});

describe('bounds of long texts', () => {
  function bounds(values: string[]) {
    const { values: vector } = typedColumn({ name: 'c', type: { kind: 'text' }, values, mode: 'plain' });
    const found = boundsOf({ values: vector, from: 0, to: values.length }, { kind: 'text' })!;
    return { ...found, min: Buffer.from(found.min).toString(), max: Buffer.from(found.max).toString() };
  }

  it('are whole up to 64 bytes', () => {
    const text = 'x'.repeat(64);
    expect(bounds([text])).toEqual({ min: text, max: text, minIsExact: true, maxIsExact: true });
  });

  it('are cut beyond, the upper one rounded up', () => {
    const cut = { minIsExact: false, maxIsExact: false };
    expect(bounds(['x'.repeat(65)])).toEqual({ min: 'x'.repeat(64), max: `${'x'.repeat(63)}y`, ...cut });
    // 32 characters of two bytes; a cut after an odd number of bytes would split one.
    expect(bounds([`a${'é'.repeat(40)}`])).toEqual({
      min: `a${'é'.repeat(31)}`,
      max: `a${'é'.repeat(30)}ê`,
      ...cut,
    });
    // The last code point has no successor, and the one before the surrogates has one beyond them.
    const last = '\u{10ffff}'.repeat(20);
    expect(bounds([`\ud7ff${last}`]).max).toBe('\ue000');
    expect(bounds([last])).toMatchObject({ max: last, maxIsExact: true, minIsExact: false });
    expect(bounds([`\ufeff${'x'.repeat(70)}`]).max).toBe(`\ufeff${'x'.repeat(60)}y`);
  });

  it('say in the file whether they are whole', async () => {
    const short = await statisticsOf({ type: { kind: 'text' }, values: ['a', 'b'] });
    expect([short.is_min_value_exact, short.is_max_value_exact]).toEqual([true, true]);
    const long = await statisticsOf({ type: { kind: 'text' }, values: ['a', 'b'.repeat(65)] });
    expect([long.is_min_value_exact, long.is_max_value_exact]).toEqual([true, false]);
  });

  it('enclose every value', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 120, size: 'max' }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(texts, (values) => {
        const { min, max } = bounds(values);
        for (const value of values) {
          expect(Buffer.compare(Buffer.from(min), Buffer.from(value))).toBeLessThanOrEqual(0);
          expect(Buffer.compare(Buffer.from(max), Buffer.from(value))).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('let DuckDB find rows by them', async () => {
    const values = Array.from(
      { length: 300 },
      (_, i) => `${'prefix '.repeat(12)}${String(i).padStart(3, '0')}`,
    );
    const file = await writeParquet([{ name: 'c', type: { kind: 'text' }, values }], { groupRows: 100 });
    for (const value of [values[0], values[99], values[100], values[299]]) {
      expect(await duck.query(file, `SELECT count(*) AS n FROM $file WHERE c = '${value}'`)).toEqual([
        { n: 1n },
      ]);
    }
  });
});
