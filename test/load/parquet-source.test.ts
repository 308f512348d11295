import fs from 'node:fs/promises';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import parquetjs from 'parquetjs-lite';
import { describe, expect, test } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { copyText, readParquetInfo, type TargetColumn } from '../../src/load/parquet-source.js';
import { tempDir } from '../helpers/temp-dir.js';
import { bytesOf, copyTextIn } from './support/copy.js';
import { duckdbParquet } from './support/parquet.js';

const columnsOf = (types: Record<string, string>): TargetColumn[] =>
  Object.entries(types).map(([name, type]) => ({ name, type: parseSqlType(type)! }));

const textOf = (file: string, types: Record<string, string>, dialect: 'postgres' | 'mysql' = 'postgres') =>
  copyTextIn(bytesOf(copyText({ paths: [file], columns: columnsOf(types), dialect })));

async function written(bytes: ArrayBuffer | Uint8Array): Promise<string> {
  const file = path.join(tempDir(), 'x.parquet');
  await fs.writeFile(file, new Uint8Array(bytes as ArrayBuffer));
  return file;
}

describe('readParquetInfo', () => {
  test('tells rows, columns, metadata and the writer', async () => {
    const file = await written(
      parquetWriteBuffer({
        columnData: [
          { name: 'id', data: [1, 2], type: 'INT32' },
          { name: 'word', data: ['a', null], type: 'STRING' },
        ],
        kvMetadata: [{ key: 'dropgate.source', value: 'scores.csv' }, { key: 'empty' }],
      }),
    );
    expect(await readParquetInfo(file)).toEqual({
      rows: 2,
      columns: [
        { name: 'id', type: 'INT32' },
        { name: 'word', type: expect.stringMatching(/^BYTE_ARRAY \((STRING|UTF8)\)$/) },
      ],
      metadata: { 'dropgate.source': 'scores.csv', empty: '' },
      createdBy: expect.stringContaining('hyparquet'),
    });
  });

  test('describes types as a person would', async () => {
    const file = await duckdbParquet(
      `SELECT 1::UTINYINT AS a, 1.5::DECIMAL(9,2) AS b, TIMESTAMPTZ '2020-01-01' AS c, [1, 2] AS d, {x: 1} AS e, uuid() AS f`,
    );
    const { columns } = await readParquetInfo(file);
    expect(columns.map(({ type }) => type)).toEqual([
      'INT32 (UINT_8)',
      'INT32 (DECIMAL(9,2))',
      'INT64 (TIMESTAMP, micros, UTC)',
      'nested (LIST)',
      'nested (STRUCT)',
      'FIXED_LEN_BYTE_ARRAY (UUID)',
    ]);
  });

  describe('refuses', () => {
    const whole = () => duckdbParquet('SELECT range AS id, range::VARCHAR AS word FROM range(5000)');
    const cases: [string, () => Promise<Uint8Array>, RegExp][] = [
      ['an empty file', async () => new Uint8Array(), /empty/],
      ['a few bytes', async () => Buffer.from('PAR1'), /only 4 bytes/],
      ['text', async () => Buffer.from('id;word\n1;a\n'.repeat(100)), /does not begin with PAR1/],
      ['a file cut short', async () => (await fs.readFile(await whole())).subarray(0, -500), /cut short/],
      [
        'a file whose middle is missing',
        async () => {
          const bytes = await fs.readFile(await whole());
          return Buffer.concat([bytes.subarray(0, 1000), bytes.subarray(-700)]);
        },
        /outside of the file/,
      ],
      [
        'a damaged footer',
        async () => damaged(await fs.readFile(await whole()), -250, 150),
        /footer is damaged/,
      ],
      [
        'an encrypted file',
        async () => Buffer.concat([Buffer.from('PARE'), Buffer.alloc(100), Buffer.from('PARE')]),
        /encrypted/,
      ],
    ];
    test.each(cases)('%s', async (_, make, message) => {
      const file = await written(await make());
      await expect(readParquetInfo(file)).rejects.toMatchObject({
        code: 'not_parquet',
        message: expect.stringMatching(message),
      });
    });

    test('a footer that is damaged anywhere, unless it still makes sense', async () => {
      const bytes = await fs.readFile(await whole());
      for (let at = -500; at < -4; at += 3) {
        const file = await written(damaged(bytes, at, 3));
        const error = await readParquetInfo(file).then(
          () => ({ code: 'not_parquet' }),
          (reason) => reason,
        );
        expect(error, `damage at ${at}`).toMatchObject({ code: 'not_parquet' });
      }
    });

    test('a file that is not there', async () => {
      await expect(readParquetInfo('/nowhere/x.parquet')).rejects.toMatchObject({ code: 'unreadable' });
    });
  });
});

describe('files of others', () => {
  test('parquetjs-lite: version 1 pages, several row groups, NULLs', async () => {
    const file = path.join(tempDir(), 'x.parquet');
    const schema = new parquetjs.ParquetSchema({
      id: { type: 'INT64' },
      word: { type: 'UTF8', optional: true, compression: 'SNAPPY' },
      ratio: { type: 'DOUBLE', compression: 'GZIP' },
      yes: { type: 'BOOLEAN' },
      moment: { type: 'TIMESTAMP_MILLIS' },
      day: { type: 'DATE' },
    });
    const writer = await parquetjs.ParquetWriter.openFile(schema, file);
    writer.setRowGroupSize(100);
    const expected: string[] = [];
    for (let id = 0; id < 1000; id++) {
      const word = id % 3 === 0 ? undefined : `word ${id % 7}`;
      const moment = new Date(Date.UTC(2026, 10, 22, 6, 31, 2, id));
      const day = new Date(Date.UTC(2026, 0, 1 + (id % 365)));
      await writer.appendRow({ id, word, ratio: id / 8, yes: id % 2 === 0, moment, day });
      const clock = moment
        .toISOString()
        .slice(0, -1)
        .replace('T', ' ')
        .replace(/\.?0+$/, '');
      const cells = [
        id,
        word ?? '\\N',
        id / 8,
        id % 2 === 0 ? 't' : 'f',
        clock,
        day.toISOString().slice(0, 10),
      ];
      expected.push(cells.join('\t'));
    }
    await writer.close();
    const types = {
      id: 'BIGINT',
      word: 'TEXT',
      ratio: 'DOUBLE',
      yes: 'BOOLEAN',
      moment: 'TIMESTAMP',
      day: 'DATE',
    };
    expect((await textOf(file, types)).split('\n').slice(0, -1)).toEqual(expected);
    expect((await readParquetInfo(file)).rows).toBe(1000);
  });

  test.each(['snappy', 'zstd', 'gzip', 'brotli', 'lz4_raw', 'uncompressed'])(
    'DuckDB with %s, several row groups',
    async (codec) => {
      const file = await duckdbParquet(
        `SELECT range::INTEGER AS id, 'w' || (range % 5) AS word, CASE WHEN range % 4 > 0 THEN range * 1000003 END AS big
         FROM range(10000)`,
        `compression ${codec}, row_group_size 2048`,
      );
      const expected = Array.from({ length: 10_000 }, (_, id) =>
        [id, `w${id % 5}`, id % 4 > 0 ? id * 1_000_003 : '\\N'].join('\t'),
      );
      const text = await textOf(file, { id: 'INTEGER', word: 'VARCHAR(5)', big: 'BIGINT' });
      expect(text.split('\n').slice(0, -1)).toEqual(expected);
    },
  );

  test('DuckDB with version 2 encodings', async () => {
    const file = await duckdbParquet(
      `SELECT range::INTEGER AS id, range * 7919 AS big, range / 3.0::DOUBLE AS ratio, 'text ' || range AS word
         FROM range(3000)`,
      'parquet_version v2, dictionary_size_limit 1',
    );
    const text = await textOf(file, { id: 'INTEGER', big: 'BIGINT', ratio: 'DOUBLE', word: 'TEXT' });
    const expected = Array.from({ length: 3000 }, (_, id) =>
      [id, id * 7919, id / 3, `text ${id}`].join('\t'),
    );
    expect(text.split('\n').slice(0, -1)).toEqual(expected);
  });

  test('hyparquet-writer: every kind of value, plain and in a dictionary', async () => {
    const moments = [0n, -1n, 1_795_329_062_123_456n];
    const columnData = [
      { name: 'moment', data: moments, type: 'INT64' as const },
      { name: 'word', data: ['same', 'same', 'same'], type: 'STRING' as const },
      {
        name: 'bytes',
        data: [Buffer.from('plain'), Buffer.from('bytes'), null],
        type: 'BYTE_ARRAY' as const,
      },
      { name: 'half', data: [0.5, -2, 65504], type: 'FLOAT16' as const },
    ];
    const file = await written(parquetWriteBuffer({ columnData }));
    const text = await textOf(file, { moment: 'BIGINT', word: 'TEXT', bytes: 'TEXT', half: 'REAL' });
    expect(text).toBe(
      ['0\tsame\tplain\t0.5', '-1\tsame\tbytes\t-2', '1795329062123456\tsame\t\\N\t65504', ''].join('\n'),
    );
  });

  test('ids of a dictionary with NULLs between them', async () => {
    const words = Array.from({ length: 3000 }, (_, row) => (row % 3 === 0 ? null : `word ${row % 11}`));
    const file = await written(
      parquetWriteBuffer({ columnData: [{ name: 'w', data: words, type: 'STRING' }] }),
    );
    const text = await textOf(file, { w: 'TEXT' });
    expect(text.split('\n').slice(0, -1)).toEqual(words.map((word) => word ?? '\\N'));
    // The first row whose value does not fit, not the first place in the dictionary.
    await expect(textOf(file, { w: 'VARCHAR(6)' })).rejects.toThrow('column "w", row 11: "word 10"');
  });

  test('old timestamps of twelve bytes, and times in milliseconds and nanoseconds', async () => {
    const file = await duckdbParquet(
      `SELECT TIMESTAMP_NS '2026-11-22 06:31:02.123456' AS nanos, TIMESTAMP_MS '2026-11-22 06:31:02.123' AS millis`,
    );
    expect(await textOf(file, { nanos: 'TIMESTAMP', millis: 'TIMESTAMP' })).toBe(
      '2026-11-22 06:31:02.123456\t2026-11-22 06:31:02.123\n',
    );
    const finer = await duckdbParquet(`SELECT TIMESTAMP_NS '2026-11-22 06:31:02.123456789' AS nanos`);
    await expect(textOf(finer, { nanos: 'TIMESTAMP' })).rejects.toMatchObject({ code: 'load_refused' });
  });

  test('a file without rows has no text', async () => {
    const file = await duckdbParquet('SELECT 1 AS id WHERE false');
    expect(await textOf(file, { id: 'INTEGER' })).toBe('');
  });
});

describe('columns', () => {
  test('are matched by name, in any order, exactly before without regard to case', async () => {
    const file = await duckdbParquet(`SELECT 1 AS "Word", 2 AS "id"`);
    expect(await textOf(file, { id: 'INTEGER', word: 'INTEGER' })).toBe('2\t1\n');
    const both = await written(
      parquetWriteBuffer({
        columnData: [
          { name: 'ID', data: [1], type: 'INT32' },
          { name: 'id', data: [2], type: 'INT32' },
        ],
      }),
    );
    expect(await textOf(both, { id: 'INTEGER', ID: 'INTEGER' })).toBe('2\t1\n');
  });

  test('that differ are all named', async () => {
    const file = await duckdbParquet(
      `SELECT 1 AS id, DATE '2020-01-01' AS day, [1] AS list, true AS extra, {a: 1} AS "pair"`,
    );
    const wanted = { id: 'DATE', day: 'INTEGER', list: 'TEXT', gone: 'TEXT', pair: 'JSON' };
    const error = await textOf(file, wanted).catch((reason) => reason);
    expect(error.code).toBe('parquet_columns_differ');
    expect(error.message).toContain('column "id" is INT32 (INT_32), which cannot become DATE');
    expect(error.message).toContain('column "day" is INT32 (DATE), which cannot become INTEGER');
    expect(error.message).toContain('column "list" is nested (LIST), which cannot become TEXT');
    expect(error.message).toContain('column "pair" is nested (STRUCT), which cannot become JSON');
    expect(error.message).toContain('column "gone" is missing');
    expect(error.message).toContain('column "extra" is not in the table');
  });
});

describe('values', () => {
  const accepted: [string, string, string, string][] = [
    ['a whole double as an integer', `3.0::DOUBLE`, 'INTEGER', '3'],
    ['an integer as a decimal', `3::INTEGER`, 'DECIMAL(5,2)', '3'],
    ['a decimal with room to spare', `1.50::DECIMAL(9,4)`, 'DECIMAL(5,2)', '1.5'],
    ['a double as a decimal', `0.1::DOUBLE`, 'DECIMAL(5,2)', '0.1'],
    ['a small double as a decimal', `1e-7::DOUBLE`, 'DECIMAL(38,10)', '0.0000001'],
    ['a float as a decimal', `0.1::FLOAT`, 'DECIMAL(5,2)', '0.1'],
    ['a float as text', `0.1::FLOAT`, 'TEXT', '0.1'],
    ['an unsigned integer', `4294967295::UINTEGER`, 'BIGINT', '4294967295'],
    [
      'the largest unsigned integer as a decimal',
      `18446744073709551615::UBIGINT`,
      'DECIMAL(20,0)',
      '18446744073709551615',
    ],
    ['NaN', `'nan'::DOUBLE`, 'DOUBLE', 'NaN'],
    ['infinity', `'-inf'::FLOAT`, 'REAL', '-Infinity'],
    ['minus zero', `'-0'::DOUBLE`, 'DOUBLE', '-0'],
    ['text as a number', `'-12.5'`, 'DECIMAL(5,2)', '-12.5'],
    ['text as a truth value', `'TRUE'`, 'BOOLEAN', 't'],
    ['text as a day', `'2024-02-29'`, 'DATE', '2024-02-29'],
    ['text as a time', `'06:31'`, 'TIME', '06:31:00'],
    [
      'text with an offset as a moment',
      `'2026-11-22T06:31:02.5+01:30'`,
      'TIMESTAMP',
      '2026-11-22 05:01:02.5',
    ],
    [
      'text as a UUID',
      `'123E4567-E89B-12D3-A456-426614174000'`,
      'UUID',
      '123e4567-e89b-12d3-a456-426614174000',
    ],
    ['a day as a moment', `DATE '2026-11-22'`, 'TIMESTAMP', '2026-11-22 00:00:00'],
    ['midnight as a day', `TIMESTAMP '2026-11-22 00:00:00'`, 'DATE', '2026-11-22'],
    ['a moment with a zone', `TIMESTAMPTZ '2026-11-22 06:00:00+00'`, 'TIMESTAMPTZ', '2026-11-22 06:00:00+00'],
    ['a year before our era', `DATE '0044-03-15 (BC)'`, 'DATE', '0044-03-15 BC'],
    ['a far year', `DATE '12345-06-07'`, 'DATE', '12345-06-07'],
    ['JSON', `'{"a": "b\\n"}'::JSON`, 'JSON', '{"a": "b\\\\n"}'],
    ['the end of a day', `TIME '24:00:00'`, 'TIME', '24:00:00'],
  ];
  test.each(accepted)('take %s', async (_, literal, type, expected) => {
    const file = await duckdbParquet(`SELECT ${literal} AS x`);
    expect(await textOf(file, { x: type })).toBe(`${expected}\n`);
  });

  const refused: [string, string, string, RegExp][] = [
    ['a number out of range', `32768::INTEGER`, 'SMALLINT', /"32768" does not fit SMALLINT/],
    ['a large unsigned number', `18446744073709551615::UBIGINT`, 'BIGINT', /does not fit BIGINT/],
    ['a fraction as an integer', `3.5::DOUBLE`, 'INTEGER', /"3.5" does not fit INTEGER/],
    ['NaN as an integer', `'nan'::DOUBLE`, 'INTEGER', /"NaN" does not fit/],
    ['NaN as a decimal', `'nan'::DOUBLE`, 'DECIMAL(9,2)', /"NaN" does not fit/],
    [
      'too many digits after the point',
      `0.125::DECIMAL(9,3)`,
      'DECIMAL(9,2)',
      /"0.125" does not fit DECIMAL\(9,2\)/,
    ],
    ['too many digits before the point', `1000::INTEGER`, 'DECIMAL(5,2)', /"1000" does not fit/],
    ['too long a text', `'🐟🐟🐟'`, 'VARCHAR(2)', /"🐟🐟🐟" does not fit VARCHAR\(2\)/],
    ['spaces past the length', `'ab '`, 'VARCHAR(2)', /does not fit VARCHAR\(2\)/],
    ['a number too long for its text', `12345`, 'CHAR(4)', /does not fit CHAR\(4\)/],
    ['a NUL character', `'a' || chr(0)`, 'TEXT', /NUL character, which Postgres cannot store/],
    ['a day that does not exist', `'2026-02-29'`, 'DATE', /does not fit DATE/],
    ['a moment with a time as a day', `TIMESTAMP '2026-11-22 00:00:01'`, 'DATE', /does not fit DATE/],
    ['empty text as a number', `''`, 'INTEGER', /"" does not fit INTEGER/],
    ['an exponent as an integer', `'1e3'`, 'INTEGER', /"1e3" does not fit INTEGER/],
    ['a word as a truth value', `'yep'`, 'BOOLEAN', /"yep" does not fit BOOLEAN/],
  ];
  test.each(refused)('refuse %s', async (_, literal, type, message) => {
    const file = await duckdbParquet(`SELECT NULL AS x UNION ALL SELECT ${literal}`);
    await expect(textOf(file, { x: type })).rejects.toMatchObject({
      code: 'load_refused',
      message: expect.stringMatching(message),
    });
  });

  test('are named with column and row, counted through the file', async () => {
    const file = await duckdbParquet(
      `SELECT range AS id, CASE WHEN range = 4999 THEN 'x' ELSE '1' END AS n FROM range(6000)`,
      'row_group_size 2048',
    );
    await expect(textOf(file, { id: 'BIGINT', n: 'INTEGER' })).rejects.toThrow('column "n", row 5000: "x"');
  });

  const mysqlRefused: [string, string, string, RegExp][] = [
    ['NaN', `'nan'::DOUBLE`, 'DOUBLE', /NaN has no place in a MySQL column/],
    ['infinity', `'inf'::DOUBLE`, 'REAL', /Infinity has no place/],
    ['a year before our era', `DATE '0044-03-15 (BC)'`, 'DATE', /MySQL knows 1 to 9999/],
    ['a far year', `TIMESTAMP '12345-06-07 00:00:00'`, 'TIMESTAMP', /MySQL knows 1 to 9999/],
  ];
  test.each(mysqlRefused)('refuse %s on MySQL', async (_, literal, type, message) => {
    const file = await duckdbParquet(`SELECT ${literal} AS x`);
    await expect(textOf(file, { x: type }, 'mysql')).rejects.toMatchObject({
      code: 'load_refused',
      message: expect.stringMatching(message),
    });
  });

  test('of MySQL: truth as digits, NUL kept, no offset after a moment', async () => {
    const file = await duckdbParquet(
      `SELECT true AS a, 'x' || chr(0) AS b, TIMESTAMPTZ '2026-11-22 06:00:00+00' AS c`,
    );
    expect(await textOf(file, { a: 'BOOLEAN', b: 'TEXT', c: 'TIMESTAMPTZ' }, 'mysql')).toBe(
      '1\tx\\0\t2026-11-22 06:00:00\n',
    );
  });
});

test('damaged pages are found, and the message names the column', async () => {
  const file = await duckdbParquet(`SELECT range AS id, 'text ' || range AS word FROM range(5000)`);
  const whole = await fs.readFile(file);
  let found = 0;
  for (let at = 100; at < 20_000; at += 1999) {
    const copy = await written(damaged(whole, at, 30));
    const error = await textOf(copy, { id: 'BIGINT', word: 'TEXT' }).then(
      () => undefined,
      (reason) => reason,
    );
    // Damage inside of a text cannot be seen without a checksum.
    if (!error) continue;
    expect(['not_parquet', 'load_refused']).toContain(error.code);
    expect(error.message).toMatch(/column "(id|word)"/);
    found++;
  }
  expect(found).toBeGreaterThan(0);
});

test('chunks are about a megabyte and end with a row', async () => {
  const file = await duckdbParquet(`SELECT repeat('x', 1000) AS x FROM range(5000)`);
  const sizes: number[] = [];
  const pieces = copyText({ paths: [file], columns: columnsOf({ x: 'TEXT' }), dialect: 'postgres' });
  for await (const chunk of bytesOf(pieces)) {
    expect(chunk.at(-1)).toBe(0x0a);
    sizes.push(chunk.length);
  }
  expect(sizes.length).toBe(5);
  expect(Math.max(...sizes)).toBeLessThan(1_100_000);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(5000 * 1001);
});

test('a single value may be larger than a chunk', async () => {
  const file = await duckdbParquet(`SELECT repeat('ab', 4000000) AS x UNION ALL SELECT 'short'`);
  const text = await textOf(file, { x: 'TEXT' });
  expect(text).toBe(`${'ab'.repeat(4_000_000)}\nshort\n`);
});

/** A copy with `length` bytes changed from `at` on, which counts from the end when negative. */
function damaged(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const start = at < 0 ? copy.length + at : at;
  for (let i = start; i < start + length; i++) copy[i] ^= 0xa5;
  return copy;
}
