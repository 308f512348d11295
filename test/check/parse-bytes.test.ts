import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { physicalOf, Vector } from '../../src/base/vector.js';
import { cellReaderFor } from '../../src/check/parse-bytes.js';
import { parserFor, Violation } from '../../src/check/parse-value.js';
import { cellsOf } from '../helpers/cells.js';

/** What the reader of bytes makes of a text, in hexadecimal; undefined when it leaves it to the parser of texts. */
function readBytes(type: string, text: string): string | undefined {
  const sqlType = parseSqlType(type)!;
  const vector = new Vector(physicalOf(sqlType));
  const to = cellReaderFor(sqlType)!(vector, cellsOf(['7', text, '7']), { from: 1, to: 2 });
  expect(vector.length).toBe(to - 1);
  return to === 2 ? Buffer.from(vector.bytesAt(0)).toString('hex') : undefined;
}

/** What the parser of texts makes of it; undefined when it is no value of the type. */
function parseText(type: string, text: string): string | undefined {
  const sqlType = parseSqlType(type)!;
  const parser = parserFor(sqlType);
  const value = parser.parse(text);
  if (value instanceof Violation) return undefined;
  const vector = new Vector(physicalOf(sqlType));
  parser.push(vector, value);
  return Buffer.from(vector.bytesAt(0)).toString('hex');
}

const TYPES = [
  ...['SMALLINT', 'INTEGER', 'BIGINT', 'DECIMAL(4,2)', 'DECIMAL(12,2)', 'DECIMAL(18,0)', 'DECIMAL(18,18)'],
  ...['REAL', 'DOUBLE', 'DATE', 'TIME', 'TIMESTAMP', 'UUID'],
];

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{0,${max}}$`));
const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'));
const year = fc.oneof(
  fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
  fc.constantFrom(
    '0001',
    '1600',
    '1683',
    '1689',
    '1900',
    '1969',
    '1970',
    '2000',
    '2024',
    '2100',
    '2250',
    '2251',
  ),
);
const month = fc.oneof(
  two,
  fc.integer({ min: 1, max: 12 }).map((n) => String(n).padStart(2, '0')),
);
const day = fc.oneof(two, fc.constantFrom('01', '28', '29', '30', '31'));
const date = fc.tuple(year, month, day).map((parts) => parts.join('-'));
const time = fc.tuple(two, two, two).map((parts) => parts.join(':'));
const fraction = fc.oneof(
  fc.constant(''),
  digits(8).map((text) => `.${text}`),
);

/** Texts of every type, right, nearly right, and wrong. */
const text = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-', '+'), digits(20), fraction, fc.constantFrom('', 'e5', ' ', 'x'))
    .map((p) => p.join('')),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double().map(String),
  date,
  fc.tuple(time, fraction).map((p) => p.join('')),
  fc
    .tuple(date, fc.constantFrom(' ', 'T', 't', '_'), time, fraction, fc.constantFrom('', 'Z', 'z', '+01'))
    .map((p) => p.join('')),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc
    .tuple(fc.uuid(), fc.nat(35), fc.constantFrom('g', '-', 'F', '', 'é'))
    .map(([id, at, by]) => id.slice(0, at) + by + id.slice(at + 1)),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

describe('a value read from bytes', () => {
  it('is what the parser of texts makes of it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), text, (type, cell) => {
        const read = readBytes(type, cell);
        if (read !== undefined) expect(read).toBe(parseText(type, cell));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ...['0001-01-01 00:00:00.0007', '1683-12-31 23:59:59.999999', '1684-07-28 12:00:00.000003'],
    ...['1688-12-31 23:59:59.999999', '1689-01-02 00:00:00.000001', '2250-12-31 23:59:59.999999'],
    ...['2251-01-01 00:00:00.000001', '9999-12-31 23:59:59.999999'],
  ])('is never a timestamp that is a little off: %s', (cell) => {
    expect(readBytes('TIMESTAMP', cell) ?? parseText('TIMESTAMP', cell)).toBe(parseText('TIMESTAMP', cell));
  });

  it.each([
    ['SMALLINT', '-32767'],
    ['INTEGER', '2147483647'],
    ['INTEGER', '007'],
    ['INTEGER', '-0'],
    ['BIGINT', '123456789012345'],
    ['BIGINT', '999999999999999999'],
    ['BIGINT', '1234567890123456'],
    ['DECIMAL(12,2)', '-1234567890.05'],
    ['DECIMAL(12,2)', '7'],
    ['DECIMAL(4,2)', '99.9'],
    ['DOUBLE', '0.1'],
    ['DOUBLE', '-123.456789'],
    ['REAL', '-123.456789'],
    ['TIME', '23:59:59.999999'],
    ['TIME', '00:00:00'],
    ['DATE', '2024-02-29'],
    ['DATE', '0001-01-01'],
    ['TIMESTAMP', '1969-12-31 23:59:59.999999'],
    ['TIMESTAMP', '2026-11-22T06:31:02Z'],
    ['UUID', '00112233-4455-6677-8899-AABBCCDDEEFF'],
  ])('of type %s is read: %s', (type, cell) => {
    expect(readBytes(type, cell)).toBe(parseText(type, cell));
    expect(readBytes(type, cell)).toBeDefined();
  });

  it.each([
    ['INTEGER', '2147483648'],
    ['INTEGER', ''],
    ['INTEGER', '-'],
    ['DECIMAL(4,2)', '100'],
    ['DECIMAL(4,2)', '1.234'],
    ['DOUBLE', '.5'],
    ['TIME', '24:00:00'],
    ['TIME', '6:31:02'],
    ['DATE', '2023-02-29'],
    ['DATE', '2024-13-01'],
    ['TIMESTAMP', '2024-01-01 24:00:00'],
    ['TIMESTAMP', '2251-01-01 00:00:00'],
    ['UUID', '0011223344556677-8899-AABBCCDDEEFF--'],
  ])('of type %s is left to the parser of texts: "%s"', (type, cell) => {
    expect(readBytes(type, cell)).toBeUndefined();
  });

  it('is appended behind others, cell after cell, up to the first that is not plain', () => {
    for (const type of TYPES.filter((one) => one !== 'DECIMAL(18,18)')) {
      const sqlType = parseSqlType(type)!;
      const texts = {
        DATE: ['2026-11-22', '1969-01-01'],
        TIME: ['06:31:02.5', '23:59:59'],
        TIMESTAMP: ['2026-11-22 06:31:02.5', '1969-01-01 00:00:00'],
        UUID: ['00112233-4455-6677-8899-aabbccddeeff', 'ffeeddcc-bbaa-9988-7766-554433221100'],
      }[type] ?? ['0', '1'];
      const vector = new Vector(physicalOf(sqlType));
      const read = cellReaderFor(sqlType)!;
      // More than a vector has room for at first.
      const many = Array.from({ length: 100 }, (_, i) => texts[i % 2]);
      expect(read(vector, cellsOf([...many, '~', texts[0]]), { from: 0, to: 102 })).toBe(100);
      expect(read(vector, cellsOf(many), { from: 99, to: 100 })).toBe(100);
      expect(vector.length).toBe(101);
      const shown = Array.from({ length: 101 }, (_, i) => Buffer.from(vector.bytesAt(i)).toString('hex'));
      const expected = texts.map((text) => parseText(type, text));
      expect(shown).toEqual(Array.from({ length: 101 }, (_, i) => expected[i === 100 ? 1 : i % 2]));
    }
  });

  it('is every day of the calendar', () => {
    for (let days = -719_162; days < 200_000; days += 97) {
      const shown = new Date(days * 86_400_000).toISOString().slice(0, 10);
      expect(readBytes('DATE', shown)).toBe(parseText('DATE', shown));
    }
  });

  it('stops at cells that are set aside or empty, whatever stands where they seem to be', () => {
    for (const type of TYPES) {
      for (const usual of ['7', '-7', '2026-11-22', '06:31:02', '2026-11-22 06:31:02Z']) {
        const sqlType = parseSqlType(type)!;
        const cells = cellsOf([usual, '', usual]);
        const aside = Buffer.from(usual);
        for (const row of [0, 2]) cells.putAside(row, aside, { start: 0, stop: aside.length });
        for (const from of [0, 1, 2]) {
          const vector = new Vector(physicalOf(sqlType));
          expect(cellReaderFor(sqlType)!(vector, cells, { from, to: 3 })).toBe(from);
        }
      }
    }
  });
});
