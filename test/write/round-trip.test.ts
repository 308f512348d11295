import { afterAll, describe, expect, it } from 'vitest';
import type { SqlType } from '../../src/base/sql-type.js';
import type { CodecName } from '../../src/write/codec.js';
import { Duck, readWithHyparquet, type TestColumn, type TestValue, writeParquet } from './tables.js';

const duck = new Duck();
afterAll(() => duck.close());

const NINES_9 = 999_999_999;
const NINES_18 = 999_999_999_999_999_999n;
const NINES_38 = BigInt('9'.repeat(38));

const LONG_TEXT = 'long text, '.repeat(500);

/** Per type, values that are easily got wrong. */
const EXTREMES: Record<string, { type: SqlType; values: TestValue[] }> = {
  smallint: { type: { kind: 'smallint' }, values: [-32768, 32767, 0, -1, 7] },
  integer: { type: { kind: 'integer' }, values: [-2147483648, 2147483647, 0, -1, 42] },
  bigint: { type: { kind: 'bigint' }, values: [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n + 1n] },
  decimal_int32: { type: { kind: 'decimal', precision: 9, scale: 2 }, values: [-NINES_9, NINES_9, 0, -5, 1] },
  decimal_int64: {
    type: { kind: 'decimal', precision: 18, scale: 3 },
    values: [-NINES_18, NINES_18, 0n, -5n, 1n],
  },
  decimal_fixed: {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    values: [-NINES_38, NINES_38, 0n, -1n, 2n ** 64n],
  },
  real: {
    type: { kind: 'real' },
    values: [3.4028234663852886e38, -1.401298464324817e-45, 0, -0, 0.5, Number.NaN],
  },
  double: {
    type: { kind: 'double' },
    values: [Number.MAX_VALUE, -Number.MIN_VALUE, 0, -0, 0.1, Number.NaN, Number.POSITIVE_INFINITY],
  },
  boolean: { type: { kind: 'boolean' }, values: [true, false] },
  char: { type: { kind: 'char', length: 3 }, values: ['abc', 'a', ''] },
  varchar: { type: { kind: 'varchar', length: 10 }, values: ['', 'é', '🎓👩‍🏫', 'zwölf'] },
  text: { type: { kind: 'text' }, values: [LONG_TEXT, '', 'line\nbreak\0and zero', '漢字', '"quoted"'] },
  date: { type: { kind: 'date' }, values: [-719162, 0, -1, 19700, 2932896] },
  time: { type: { kind: 'time' }, values: [0n, 86_399_999_999n, 1n, 43_200_000_000n] },
  timestamp: {
    type: { kind: 'timestamp' },
    values: [-62135596800000000n, 253402300799999999n, 0n, -1n, 1_700_000_000_123_456n],
  },
  timestamptz: { type: { kind: 'timestamp', zoned: true }, values: [-1n, 0n, 1_700_000_000_123_456n] },
  uuid: {
    type: { kind: 'uuid' },
    values: [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '123e4567-e89b-12d3-a456-426614174000',
    ],
  },
  json: { type: { kind: 'json' }, values: ['{"a":[1,2,null]}', '"text"', '[]', '{"é":"🎓"}'] },
};

const SCALES = ['decimal_int32', 'decimal_int64', 'decimal_fixed'];

/** 70 rows that cycle through the values, so that dictionaries pay; the same with NULLs; and all NULL. */
function columnsOf(name: string, mode: 'dictionary' | 'plain'): TestColumn[] {
  const { type, values } = EXTREMES[name];
  const cycle = (period: number) =>
    Array.from({ length: 70 }, (_, row) => values[(row * period) % values.length]);
  const alternating = cycle(1).map((value, row) => (row % 2 === 1 ? null : value));
  return [
    { name: 'required', type, mode, values: cycle(1) },
    { name: 'nullable', type, mode, nullable: true, values: cycle(3) },
    { name: 'alternating', type, mode, nullable: true, values: alternating },
    { name: 'first_only', type, mode, nullable: true, values: [values[0], ...new Array(69).fill(null)] },
    { name: 'all_null', type, mode, nullable: true, values: new Array(70).fill(null) },
  ];
}

function expected(columns: TestColumn[]): Record<string, TestValue[]> {
  return Object.fromEntries(columns.map(({ name, values }) => [name, values]));
}

/** The two readers differ in how they spell a UUID read raw and an unscaled decimal; values are made alike here. */
function alike(name: string, columns: Record<string, TestValue[]>): Record<string, TestValue[]> {
  if (!SCALES.includes(name)) return columns;
  return Object.fromEntries(
    Object.entries(columns).map(([key, values]) => [key, values.map((v) => (v === null ? null : BigInt(v)))]),
  );
}

describe.each(Object.keys(EXTREMES))('%s', (name) => {
  it.each(['dictionary', 'plain'] as const)(
    'comes back from both readers, given in %s mode',
    async (mode) => {
      const columns = columnsOf(name, mode);
      const file = await writeParquet(columns);
      const wanted = alike(name, expected(columns));
      expect(alike(name, await readWithHyparquet(file))).toEqual(wanted);
      expect(alike(name, await duck.read(file))).toEqual(wanted);
    },
  );
});

it('tells DuckDB the types', async () => {
  const columns = Object.entries(EXTREMES).map(([name, { type, values }]) => ({
    name,
    type,
    values: [values[0]],
  }));
  const described = await duck.query(await writeParquet(columns), 'DESCRIBE SELECT * FROM $file');
  expect(Object.fromEntries(described.map((row) => [row.column_name, row.column_type]))).toEqual({
    smallint: 'SMALLINT',
    integer: 'INTEGER',
    bigint: 'BIGINT',
    decimal_int32: 'DECIMAL(9,2)',
    decimal_int64: 'DECIMAL(18,3)',
    decimal_fixed: 'DECIMAL(38,10)',
    real: 'FLOAT',
    double: 'DOUBLE',
    boolean: 'BOOLEAN',
    char: 'VARCHAR',
    varchar: 'VARCHAR',
    text: 'VARCHAR',
    date: 'DATE',
    time: 'TIME',
    timestamp: 'TIMESTAMP',
    timestamptz: 'TIMESTAMP WITH TIME ZONE',
    uuid: 'UUID',
    json: 'JSON',
  });
});

it('keeps a byte order mark that is part of a value', async () => {
  const values = ['\u{feff}a', 'a\u{feff}'];
  const file = await writeParquet([{ name: 'v', type: { kind: 'text' }, values }]);
  expect(await readWithHyparquet(file)).toEqual({ v: values });
  // In hexadecimal, since the decoder of DuckDB's client drops a mark in front.
  expect(await duck.query(file, 'SELECT hex(v) AS v FROM $file')).toEqual([
    { v: 'EFBBBF61' },
    { v: '61EFBBBF' },
  ]);
});

it('marks columns as required or optional', async () => {
  const column = { type: { kind: 'integer' } as const, values: [1] };
  const file = await writeParquet([
    { name: 'a', ...column },
    { name: 'b', nullable: true, ...column },
  ]);
  const rows = await duck.query(file, 'SELECT name, repetition_type FROM parquet_schema($file)');
  expect(rows.slice(1)).toEqual([
    { name: 'a', repetition_type: 'REQUIRED' },
    { name: 'b', repetition_type: 'OPTIONAL' },
  ]);
});

it('refuses a NULL in a column that is not nullable', async () => {
  const column: TestColumn = { name: 'grade', type: { kind: 'integer' }, values: [1, null] };
  await expect(writeParquet([column])).rejects.toThrow(/"grade" is not nullable/);
  await expect(writeParquet([{ ...column, mode: 'plain' }])).rejects.toThrow(/"grade" is not nullable/);
});

describe('codecs', () => {
  const values = Array.from({ length: 3000 }, (_, row) => `value number ${row % 700}`);
  const columns: TestColumn[] = [
    { name: 'dictionary', type: { kind: 'text' }, values },
    {
      name: 'plain',
      type: { kind: 'text' },
      nullable: true,
      mode: 'plain',
      values: [...values.slice(1), null],
    },
    { name: 'tiny', type: { kind: 'integer' }, values: values.map((_, row) => row % 2) },
  ];

  it.each(['snappy', 'gzip', 'zstd', 'none'] as const)(
    '%s is read by both readers',
    async (codec: CodecName) => {
      const file = await writeParquet(columns, { codec });
      expect(await readWithHyparquet(file)).toEqual(expected(columns));
      expect(await duck.read(file)).toEqual(expected(columns));
      const told = await duck.query(file, 'SELECT DISTINCT compression FROM parquet_metadata($file)');
      expect(told).toEqual([{ compression: codec === 'none' ? 'UNCOMPRESSED' : codec.toUpperCase() }]);
    },
  );

  it('make the file smaller', async () => {
    const sizes: Partial<Record<CodecName, number>> = {};
    for (const codec of ['snappy', 'gzip', 'zstd', 'none'] as const) {
      sizes[codec] = (await writeParquet(columns, { codec })).length;
    }
    expect(sizes.snappy).toBeLessThan(sizes.none! / 2);
    expect(sizes.gzip).toBeLessThan(sizes.snappy!);
    expect(sizes.zstd).toBeLessThan(sizes.snappy!);
  });
});
