import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { type TypedColumn, Vector } from '../../src/base/vector.js';
import type { SqlDialect } from '../../src/load/engine.js';
import { copyText } from '../../src/load/parquet-source.js';
import { RowText } from '../../src/load/row-text.js';
import { tempDir } from '../helpers/temp-dir.js';
import { specOf, type TestColumn, type TestValue, typedColumn, writeParquet } from '../write/tables.js';
import { bytesOf, copyTextIn } from './support/copy.js';

const ROOM_BYTES = 1 << 20;
const folder = tempDir();

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Of years that every database knows. */
const DAYS = { min: -700_000, max: 2_900_000 };
const MICROS_A_DAY = 86_400_000_000;

/** Values of columns by type, as tests spell them. */
const TYPES: Record<string, fc.Arbitrary<NonNullable<TestValue>>> = {
  SMALLINT: fc.integer({ min: -32_768, max: 32_767 }),
  INTEGER: fc.integer(),
  BIGINT: int64,
  'DECIMAL(9,2)': fc.integer({ min: -999_999_999, max: 999_999_999 }),
  'DECIMAL(18,3)': fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
  'DECIMAL(38,10)': fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
  REAL: fc.float({ noNaN: true, noDefaultInfinity: true }),
  DOUBLE: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BOOLEAN: fc.boolean(),
  'CHAR(3)': fc.string({ maxLength: 3 }),
  'VARCHAR(40)': fc.string({ maxLength: 40 }),
  TEXT: fc.oneof(
    fc.constantFrom('', '\\N', 'tab\tline\nreturn\r\\', 'fünfzehn Bytes.', 'sechzehn Zeichen', 'é'.repeat(9)),
    fc.string({ unit: 'grapheme', maxLength: 300, size: 'max' }).map((text) => text.replaceAll('\0', '')),
  ),
  DATE: fc.integer(DAYS),
  TIME: fc.bigInt({ min: 0n, max: BigInt(MICROS_A_DAY) - 1n }),
  TIMESTAMP: fc
    .tuple(fc.integer(DAYS), fc.nat(86_399_999))
    .map(([day, ms]) => BigInt(day) * BigInt(MICROS_A_DAY) + BigInt(ms) * 1000n),
  UUID: fc.uuid(),
  JSON: fc.json(),
};

const column = (index: number, rows: number): fc.Arbitrary<TestColumn> =>
  fc.constantFrom(...Object.keys(TYPES)).chain((type) =>
    fc.record({
      name: fc.constant(`c${index}`),
      type: fc.constant(parseSqlType(type)!),
      nullable: fc.constant(true),
      mode: fc.constantFrom('dictionary' as const, 'plain' as const),
      values: fc.array(fc.oneof({ weight: 5, arbitrary: TYPES[type] }, fc.constant(null)), {
        minLength: rows,
        maxLength: rows,
      }),
    }),
  );

const tables = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }))
  .chain(([width, rows]) => fc.tuple(...Array.from({ length: width }, (_, i) => column(i, rows))));

/** What is loaded from the Parquet file of these columns. */
async function decoded(columns: TestColumn[], dialect: SqlDialect): Promise<string> {
  const file = path.join(folder, 'table.parquet');
  fs.writeFileSync(file, await writeParquet(columns));
  return copyTextIn(bytesOf(copyText({ paths: [file], columns: columns.map(specOf), dialect })));
}

function written(text: RowText | undefined, data: TypedColumn[], rowCount: number, roomBytes = ROOM_BYTES) {
  const room = new Uint8Array(roomBytes);
  const end = text!.write(data, { rowCount, room, at: 0 });
  return end === undefined ? undefined : Buffer.from(room.subarray(0, end)).toString();
}

const INTEGER = parseSqlType('INTEGER')!;
const TEXT = parseSqlType('TEXT')!;
const SMALLINT = parseSqlType('SMALLINT')!;

/** A column in dictionary mode, whose dictionary can go on. */
function dictionary(texts: string[]): TypedColumn & { ids: Uint32Array } {
  const values = new Vector('bytes');
  for (const text of texts) values.pushText(text);
  return { ids: Uint32Array.from(texts.keys()), values };
}

describe('rows in memory as COPY text', () => {
  it('are what is decoded of their Parquet file, whatever their types', async () => {
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.constantFrom('postgres' as const, 'mysql' as const),
        async (columns, dialect) => {
          const specs = columns.map(specOf);
          const text = RowText.for(specs, { columns: specs, dialect });
          const rows = columns[0].values.length;
          const expected = await decoded(columns, dialect);
          const whole = columns.map((one) => typedColumn(one));
          expect(written(text, whole, rows)).toBe(expected);
          // The same dictionaries once more, as the next file has them.
          expect(written(text, whole, rows)).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are joined in blocks, however many and however wide', async () => {
    for (const [width, rows] of [
      [1, 20_000],
      [5000, 3],
      [33, 1000],
    ]) {
      const columns = Array.from({ length: width }, (_, c): TestColumn => {
        const values = Array.from({ length: rows }, (_, row) =>
          row % 7 === 3 ? null : `${c % 10}.${row % 50}`,
        );
        return {
          name: `c${c}`,
          type: TEXT,
          nullable: true,
          values,
          mode: c % 3 === 1 ? 'plain' : 'dictionary',
        };
      });
      const specs = columns.map(specOf);
      const text = RowText.for(specs, { columns: specs, dialect: 'postgres' });
      const data = columns.map((one) => typedColumn(one));
      expect(written(text, data, rows)).toBe(await decoded(columns, 'postgres'));
    }
  });

  it('follow dictionaries that grow, and that begin anew', () => {
    const columns = [
      { name: 'a', type: TEXT },
      { name: 'b', type: TEXT },
    ];
    const text = RowText.for(columns, { columns, dialect: 'postgres' });
    const a = dictionary(['x', 'y']);
    const b = dictionary(['1', '2']);
    expect(written(text, [a, b], 2)).toBe('x\t1\ny\t2\n');
    for (let n = 0; n < 100; n++) a.values.pushText(`z${n}`);
    a.ids[0] = 101;
    expect(written(text, [a, b], 2)).toBe('z99\t1\ny\t2\n');
    a.values.clear();
    for (const value of ['new', 'newer']) a.values.pushText(value);
    a.ids[0] = 0;
    expect(written(text, [a, b], 2)).toBe('new\t1\nnewer\t2\n');
    // Another vector, as after a stretch of plain mode.
    expect(written(text, [dictionary(['other', 'one']), b], 2)).toBe('other\t1\none\t2\n');
  });

  it('go in the order of the table, whose names may differ in case', () => {
    const columns = [
      { name: 'A', type: TEXT },
      { name: 'b', type: TEXT },
    ];
    const text = RowText.for(columns, {
      columns: [{ name: 'B', type: TEXT }, columns[0]],
      dialect: 'postgres',
    });
    expect(written(text, [dictionary(['1']), dictionary(['2'])], 1)).toBe('2\t1\n');
  });

  it.each([
    ['one is missing', [{ name: 'a', type: TEXT }]],
    [
      'one is new',
      [
        { name: 'a', type: TEXT },
        { name: 'b', type: TEXT },
        { name: 'c', type: TEXT },
      ],
    ],
    [
      'one has another name',
      [
        { name: 'a', type: TEXT },
        { name: 'c', type: TEXT },
      ],
    ],
    [
      'one can never be had from the other',
      [
        { name: 'a', type: TEXT },
        { name: 'b', type: { kind: 'uuid' as const } },
      ],
    ],
  ])('are not made for a table of other columns: %s', (_, columns) => {
    const own = [
      { name: 'a', type: TEXT },
      { name: 'b', type: INTEGER },
    ];
    expect(RowText.for(own, { columns, dialect: 'postgres' })).toBeUndefined();
  });

  it('are not made when the table cannot hold a value of a row', () => {
    const own = [{ name: 'n', type: INTEGER }];
    const text = RowText.for(own, { columns: [{ name: 'n', type: SMALLINT }], dialect: 'postgres' });
    const data = typedColumn({ name: 'n', type: INTEGER, values: [1, 40_000, 2] });
    expect(written(text, [data], 3)).toBeUndefined();
    // One in the dictionary that no row has is no matter.
    expect(written(text, [{ ...data, ids: Uint32Array.of(0, 2) }], 2)).toBe('1\n2\n');
    const plain = typedColumn({ name: 'n', type: INTEGER, values: [1, 40_000], mode: 'plain' });
    expect(written(text, [plain], 2)).toBeUndefined();
    expect(written(text, [plain], 1)).toBe('1\n');
  });

  it('are not made where there is no room for all of them', () => {
    const columns = [{ name: 'a', type: TEXT }];
    const text = RowText.for(columns, { columns, dialect: 'postgres' });
    const data = [dictionary(['0123456789', '01234567890123456789'])];
    const whole = '0123456789\n01234567890123456789\n';
    for (let bytes = 0; bytes < whole.length; bytes++) expect(written(text, data, 2, bytes)).toBeUndefined();
    expect(written(text, data, 2, whole.length)).toBe(whole);
    const huge = [dictionary(['x'.repeat(200_000)])];
    expect(written(text, huge, 1)).toBeUndefined();
    expect(written(text, data, 2)).toBe(whole);
  });

  it('do not pile up cells of values that were forgotten, or of many', () => {
    const columns = [{ name: 'a', type: TEXT }];
    const text = RowText.for(columns, { columns, dialect: 'postgres' });
    const a = dictionary(['x']);
    for (let file = 0; file < 300; file++) {
      a.values.clear();
      for (let n = 0; n < 1000; n++) a.values.pushText(`value ${file}.${n} of some length`);
      a.ids = Uint32Array.of(999);
      expect(written(text, [a], 1)).toBe(`value ${file}.999 of some length\n`);
    }
    for (let n = 0; n < 150_000; n++) a.values.pushText(`another value ${n}`);
    a.ids = Uint32Array.of(150_000);
    for (let time = 0; time < 3; time++) expect(written(text, [a], 1)).toBe('another value 149000\n');
  });
});
