import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { physicalOf, Vector } from '../../src/base/vector.js';
import { type PhysicalValue, parserFor, Violation } from '../../src/check/parse-value.js';

function parse(type: string, text: string): PhysicalValue | Violation {
  return parserFor(parseSqlType(type)!).parse(text);
}

/** The value as stored: parsed, pushed into a vector of the type's physical kind, and read back. */
function stored(type: string, text: string): unknown {
  const sqlType = parseSqlType(type)!;
  const parser = parserFor(sqlType);
  const value = parser.parse(text);
  if (value instanceof Violation) return `${value.code}: ${value.message}`;
  const vector = new Vector(physicalOf(sqlType));
  parser.push(vector, value);
  switch (vector.physical) {
    case 'boolean':
      return vector.bytesAt(0)[0] === 1;
    case 'int32':
      return vector.int32At(0);
    case 'int64':
      return vector.bigIntAt(0);
    case 'float':
      return vector.floatAt(0);
    case 'double':
      return vector.doubleAt(0);
    case 'fixed':
      return Buffer.from(vector.bytesAt(0)).toString('hex');
    case 'bytes':
      return Buffer.from(vector.bytesAt(0)).toString('utf8');
  }
}

const NO_NUMBER = 'wrong_type: is not a number';
const NO_WHOLE_NUMBER = 'wrong_type: is not a whole number';

describe('whole numbers', () => {
  it.each([
    ['SMALLINT', '-32768', -32768],
    ['SMALLINT', '32767', 32767],
    ['SMALLINT', '32768', 'out_of_range: is outside SMALLINT (-32768 to 32767)'],
    ['SMALLINT', '-32769', 'out_of_range: is outside SMALLINT (-32768 to 32767)'],
    ['INTEGER', '2147483647', 2147483647],
    ['INTEGER', '-2147483648', -2147483648],
    ['INTEGER', '2147483648', 'out_of_range: is outside INTEGER (-2147483648 to 2147483647)'],
    ['INTEGER', '99999999999999999999999', 'out_of_range: is outside INTEGER (-2147483648 to 2147483647)'],
    ['INTEGER', '007', 7],
    ['INTEGER', '+7', 7],
    ['INTEGER', '-0', 0],
    ['BIGINT', '9223372036854775807', 9223372036854775807n],
    ['BIGINT', '-9223372036854775808', -9223372036854775808n],
    ['BIGINT', '+9007199254740993', 9007199254740993n],
    ['BIGINT', '9223372036854775808', 'out_of_range: is outside BIGINT (64 bits)'],
    ['BIGINT', '-9223372036854775809', 'out_of_range: is outside BIGINT (64 bits)'],
    ['BIGINT', '000000000000000000000000000005', 5n],
    ['BIGINT', '-0', 0n],
  ])('%s %s', (type, text, value) => {
    expect(stored(type, text)).toEqual(value);
  });

  it.each(['SMALLINT', 'INTEGER', 'BIGINT'])('%s takes digits only', (type) => {
    for (const text of ['12.5', '12.0', '12.', '.5', '-.5']) expect(stored(type, text)).toBe(NO_WHOLE_NUMBER);
    for (const text of ['abc', '1e3', '1,000', '1 000', '0x1f', '--1', '+', '-', '', '١٢', '12a', '1_000']) {
      expect(stored(type, text)).toBe(NO_NUMBER);
    }
  });

  it('is stored as BigInt would read it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(stored('BIGINT', String(value))).toBe(value);
      }),
    );
  });
});

/** Unscaled value of a decimal as an integer of any size. */
function unscaled(type: string, text: string): bigint | string {
  const value = stored(type, text);
  if (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value))
    return BigInt.asIntN(128, BigInt(`0x${value}`));
  return typeof value === 'string' ? value : BigInt(value as number | bigint);
}

describe('decimals', () => {
  it.each([
    ['DECIMAL(5,2)', '123.45', 12345n],
    ['DECIMAL(5,2)', '-123.45', -12345n],
    ['DECIMAL(5,2)', '+1', 100n],
    ['DECIMAL(5,2)', '1.', 100n],
    ['DECIMAL(5,2)', '.5', 50n],
    ['DECIMAL(5,2)', '000123.4500', 12345n],
    ['DECIMAL(5,2)', '-0.00', 0n],
    ['DECIMAL(5,2)', '1234', 'out_of_range: has more than 3 digits before the point'],
    ['DECIMAL(5,2)', '1.005', 'out_of_range: has more than 2 digits after the point'],
    ['DECIMAL(2,2)', '0.99', 99n],
    ['DECIMAL(2,2)', '1', 'out_of_range: has more than 0 digits before the point'],
    ['DECIMAL(9,0)', '999999999', 999999999n],
    ['DECIMAL(18,3)', '-999999999999999.999', -999999999999999999n],
    ['DECIMAL(18,18)', '0.5', 500000000000000000n],
    ['DECIMAL(38,10)', '9999999999999999999999999999.9999999999', BigInt('9'.repeat(38))],
    ['DECIMAL(38,10)', '-9999999999999999999999999999.9999999999', -BigInt('9'.repeat(38))],
    ['DECIMAL(38,0)', '0', 0n],
    ['DECIMAL(38,38)', '-0.00000000000000000000000000000000000001', -1n],
  ])('%s %s', (type, text, value) => {
    expect(unscaled(type, text)).toBe(value);
  });

  it('takes plain notation only', () => {
    for (const text of ['', '.', '+', '-.', '1e3', '1,5', 'abc', '1.2.3', 'NaN', 'Infinity', '$5']) {
      expect(stored('DECIMAL(9,2)', text)).toBe(NO_NUMBER);
    }
  });

  it('is stored digit by digit, in every physical form', () => {
    const types = fc
      .integer({ min: 1, max: 38 })
      .chain((precision) =>
        fc.record({ precision: fc.constant(precision), scale: fc.nat({ max: precision }) }),
      );
    const cases = types.chain((type) =>
      fc.record({
        type: fc.constant(type),
        value: fc.bigInt({ min: 0n, max: 10n ** BigInt(type.precision) - 1n }),
      }),
    );
    fc.assert(
      fc.property(cases, fc.boolean(), ({ type: { precision, scale }, value }, isNegative) => {
        const digits = String(value).padStart(scale + 1, '0');
        const text = `${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
        const signed = isNegative ? -value : value;
        expect(unscaled(`DECIMAL(${precision},${scale})`, (isNegative ? '-' : '') + text)).toBe(signed);
      }),
    );
  });
});

describe('floating point', () => {
  it.each([
    ['DOUBLE', '1.7976931348623157e308', Number.MAX_VALUE],
    ['DOUBLE', '5e-324', 5e-324],
    ['DOUBLE', '1e-400', 0],
    ['DOUBLE', '1e400', 'out_of_range: is too large for DOUBLE'],
    ['DOUBLE', '-1e400', 'out_of_range: is too large for DOUBLE'],
    ['DOUBLE', '.5', 0.5],
    ['DOUBLE', '5.', 5],
    ['DOUBLE', '+1E+2', 100],
    ['REAL', '0.1', Math.fround(0.1)],
    ['REAL', '3.4028234663852886e38', 3.4028234663852886e38],
    ['REAL', '3.5e38', 'out_of_range: is too large for REAL'],
    ['REAL', '1e-50', 0],
  ])('%s %s', (type, text, value) => {
    expect(stored(type, text)).toBe(value);
  });

  it.each(['REAL', 'DOUBLE'])('%s takes numbers only', (type) => {
    for (const text of ['', '.', 'e5', '1e', '1,5', 'nan', 'infinity', 'inf', '0x10', '1_0']) {
      expect(stored(type, text)).toBe(NO_NUMBER);
    }
  });

  it.each(['REAL', 'DOUBLE'])('%s knows one zero', (type) => {
    for (const text of ['-0', '-0.0', '-1e-400', '0']) expect(Object.is(stored(type, text), 0)).toBe(true);
  });

  it('is stored as JavaScript reads it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(stored('DOUBLE', String(value))).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});

describe('truth values', () => {
  it.each(['true', 'T', 'yes', 'Y', 'on', '1'])('%s is true', (text) => {
    expect(stored('BOOLEAN', text)).toBe(true);
  });

  it.each(['FALSE', 'f', 'no', 'n', 'off', '0'])('%s is false', (text) => {
    expect(stored('BOOLEAN', text)).toBe(false);
  });

  it.each(['2', 'wahr', 'truee', '', 'constructor'])('%j is neither', (text) => {
    expect(stored('BOOLEAN', text)).toMatch(/^wrong_type: is not a truth value/);
  });
});

describe('texts', () => {
  it.each([
    ['VARCHAR(3)', 'abc', 'abc'],
    ['VARCHAR(3)', 'abcd', 'too_long: has 4 characters, VARCHAR(3) allows 3'],
    ['CHAR(2)', 'ab', 'ab'],
    ['CHAR(2)', 'a', 'a'],
    ['CHAR(2)', 'abc', 'too_long: has 3 characters, CHAR(2) allows 2'],
    ['VARCHAR(2)', '🎓🎓', '🎓🎓'],
    ['VARCHAR(2)', '🎓🎓🎓', 'too_long: has 3 characters, VARCHAR(2) allows 2'],
    ['VARCHAR', 'x'.repeat(10_000), 'x'.repeat(10_000)],
    ['TEXT', '', ''],
    ['TEXT', 'zwölf\n"quoted"', 'zwölf\n"quoted"'],
  ])('%s %s', (type, text, value) => {
    expect(stored(type, text)).toBe(value);
  });
});

const DAY = 86_400_000_000n;

describe('dates and times', () => {
  it.each([
    ['DATE', '1970-01-01', 0],
    ['DATE', '1969/12/31', -1],
    ['DATE', '20261122', 20779],
    ['DATE', '0001-01-01', -719162],
    ['DATE', '9999-12-31', 2932896],
    ['DATE', '2024-02-29', 19782],
    ['DATE', '0000-01-01', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2023-02-29', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '1900-02-29', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-13-01', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-00-10', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-04-31', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-11/22', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '22.11.2026', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-1-2', 'wrong_type: is not a date such as 2026-11-22'],
    ['DATE', '2026-11-22 00:00', 'wrong_type: is not a date such as 2026-11-22'],
    ['TIME', '00:00', 0n],
    ['TIME', '6:31', 23_460_000_000n],
    ['TIME', '23:59:59.999999', 86_399_999_999n],
    ['TIME', '06:31:02,5', 23_462_500_000n],
    ['TIME', '06:31:02.500000000', 23_462_500_000n],
    ['TIME', '24:00:00', 'wrong_type: is not a time such as 06:31:02'],
    ['TIME', '06:60', 'wrong_type: is not a time such as 06:31:02'],
    ['TIME', '06:31:60', 'wrong_type: is not a time such as 06:31:02'],
    ['TIME', '06:31:02.1234567', 'wrong_type: is not a time such as 06:31:02'],
    ['TIME', '6:31 pm', 'wrong_type: is not a time such as 06:31:02'],
    ['TIMESTAMP', '1970-01-01', 0n],
    ['TIMESTAMP', '1970-01-02 00:00', DAY],
    ['TIMESTAMP', '1969-12-31T23:59:59.999999', -1n],
    ['TIMESTAMP', '2026-11-22 06:31:02.123456', 20779n * DAY + 23_462_123_456n],
    ['TIMESTAMP', '2026/11/22 6:31', 20779n * DAY + 23_460_000_000n],
    ['TIMESTAMP', '20261122 06:31:02', 20779n * DAY + 23_462_000_000n],
    ['TIMESTAMP', '9999-12-31 23:59:59.999999', 253_402_300_799_999_999n],
    ['TIMESTAMP', '0001-01-01 00:00:00.000001', -62_135_596_799_999_999n],
    ['TIMESTAMP', '2026-11-22T06:31:02Z', 20779n * DAY + 23_462_000_000n],
    ['TIMESTAMP', '2026-11-22t06:31:02z', 20779n * DAY + 23_462_000_000n],
    ['TIMESTAMP', '2026-11-22 06:31:02 UTC', 20779n * DAY + 23_462_000_000n],
    ['TIMESTAMP', '2026-11-22 06:31:02+01:00', 20779n * DAY + 19_862_000_000n],
    ['TIMESTAMP', '2026-11-22 06:31:02-0230', 20779n * DAY + 32_462_000_000n],
    ['TIMESTAMPTZ', '2026-11-22 00:00+14', 20778n * DAY + 36_000_000_000n],
    ['TIMESTAMP', '2026-11-22 06:31:02+16:00', 'wrong_type: is not a timestamp such as 2026-11-22 06:31:02'],
    ['TIMESTAMP', '2026-11-22T', 'wrong_type: is not a timestamp such as 2026-11-22 06:31:02'],
    ['TIMESTAMP', '2026-02-30 06:31', 'wrong_type: is not a timestamp such as 2026-11-22 06:31:02'],
    ['TIMESTAMP', '1764000000', 'wrong_type: is not a timestamp such as 2026-11-22 06:31:02'],
  ])('%s %s', (type, text, value) => {
    expect(stored(type, text)).toEqual(value);
  });

  it('reads every microsecond of ten thousand years exactly', () => {
    const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
    fc.assert(
      fc.property(micros, (value) => {
        const fraction = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
        const seconds = Number((value - fraction) / 1_000_000n);
        const text = new Date(seconds * 1000).toISOString().replace('.000Z', '');
        expect(stored('TIMESTAMP', `${text}.${String(fraction).padStart(6, '0')}`)).toBe(value);
      }),
    );
  });
});

describe('UUIDs and JSON', () => {
  const hex = '123e4567e89b12d3a456426614174000';

  it.each([
    '123e4567-e89b-12d3-a456-426614174000',
    '123E4567-E89B-12D3-A456-426614174000',
    '{123e4567-e89b-12d3-a456-426614174000}',
    hex,
  ])('%s is a UUID', (text) => {
    expect(stored('UUID', text)).toBe(hex);
  });

  it.each([
    '',
    '123e4567-e89b-12d3-a456-42661417400',
    '123e4567-e89b-12d3-a456-4266141740000',
    `${hex.slice(1)}g`,
  ])('%j is no UUID', (text) => {
    expect(stored('UUID', text)).toBe('wrong_type: is not a UUID');
  });

  it('keeps JSON as it is written', () => {
    expect(stored('JSON', '{"a": [1, 2, null]}')).toBe('{"a": [1, 2, null]}');
    for (const text of ['{', '', "{'a': 1}", 'undefined', '{"a":1}}']) {
      expect(stored('JSON', text)).toBe('wrong_type: is not JSON');
    }
  });
});

describe('a violation', () => {
  it('names the type as the schema has it', () => {
    expect(parse('varchar(2)', 'abc')).toEqual(
      new Violation('too_long', 'VARCHAR(2)', 'has 3 characters, VARCHAR(2) allows 2'),
    );
    expect(parse('int', 'x')).toEqual(new Violation('wrong_type', 'INTEGER', 'is not a number'));
  });
});

describe('equal values', () => {
  const spellings: [type: string, texts: string[]][] = [
    ['INTEGER', ['5', '+5', '005']],
    ['BIGINT', ['9007199254740993', '+9007199254740993', '09007199254740993']],
    ['BIGINT', ['5', '00000000000000000000005']],
    ['DECIMAL(30,10)', ['1.5', '1.50', '01.5000000000', '+1.5']],
    ['DOUBLE', ['0', '-0', '0e5']],
    ['REAL', ['0.1', '.1', '1e-1']],
    ['BOOLEAN', ['yes', 'TRUE', '1']],
    ['DATE', ['2026-11-22', '20261122']],
    ['TIMESTAMP', ['2026-11-22 06:00', '2026-11-22T06:00:00.000Z', '2026-11-22 07:00+01:00']],
    ['TIMESTAMP', ['9999-12-31 23:59:59.000001', '9999-12-31T23:59:59.00000100Z']],
    ['UUID', [`{${'A'.repeat(32)}}`, 'a'.repeat(32)]],
  ];

  it.each(spellings)('%s: %j are one', (type, texts) => {
    const distinct = new Set(texts.map((text) => parse(type, text)));
    expect(distinct.size).toBe(1);
    expect([...distinct][0]).not.toBeInstanceOf(Violation);
  });
});
