import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSqlType } from '../../src/base/sql-type.js';
import { parserFor, Violation } from '../../src/check/parse-value.js';
import { TypeEvidence } from '../../src/pipeline/type-evidence.js';

function typeOf(...values: string[]): string {
  const evidence = new TypeEvidence();
  for (const value of values) evidence.add(value);
  return formatSqlType(evidence.conclude());
}

describe('the type that takes all values', () => {
  it.each<[string, string[]]>([
    ['TEXT', []],
    // Whole numbers.
    ['INTEGER', ['0', '-1', '2147483647', '-2147483648']],
    ['BIGINT', ['1', '2147483648']],
    ['BIGINT', ['9223372036854775807', '-9223372036854775808']],
    ['DECIMAL(38,0)', ['1', '9223372036854775808']],
    ['DECIMAL(38,0)', ['1'.repeat(38)]],
    ['VARCHAR(50)', ['1'.repeat(39)]],
    // What a number would lose.
    ['VARCHAR(10)', ['007', '1', '2']],
    ['VARCHAR(10)', ['00.5', '1.5']],
    ['VARCHAR(20)', ['+491701234', '1']],
    ['VARCHAR(10)', ['1', 'two']],
    ['VARCHAR(10)', ['1,5', '2,5']],
    ['VARCHAR(10)', ['-', '1']],
    ['VARCHAR(10)', ['.', '1']],
    // Fractions.
    ['DECIMAL(9,2)', ['1.5', '2', '-0.25']],
    ['DECIMAL(9,2)', ['.5', '5.']],
    ['DECIMAL(9,2)', ['999999.99']],
    ['DECIMAL(18,2)', ['1234567.89']],
    ['DECIMAL(9,4)', ['3.141']],
    ['DECIMAL(9,6)', ['52.52001']],
    ['DECIMAL(38,9)', ['1234567890.123456789']],
    ['DECIMAL(38,9)', [`${'1'.repeat(29)}.123456789`]],
    ['DECIMAL(38,3)', [`${'1'.repeat(35)}.125`]],
    ['DOUBLE', ['0.1234567890123', '12']],
    ['DOUBLE', ['1e10', '2']],
    ['DECIMAL(38,20)', ['0.12345678901234567890']],
    ['VARCHAR(10)', ['1e999']],
    ['VARCHAR(50)', ['1.2345678901234567890e5']],
    // Truth: only the words, as 0 and 1, yes and no may get a third value.
    ['BOOLEAN', ['true', 'FALSE']],
    ['INTEGER', ['0', '1']],
    ['VARCHAR(10)', ['yes', 'no']],
    ['VARCHAR(10)', ['true', 'maybe']],
    // Dates and times.
    ['DATE', ['2026-11-22', '2024/02/29']],
    ['VARCHAR(20)', ['2026-02-30']],
    ['INTEGER', ['20261122']],
    ['TIME', ['06:31', '23:59:59.123456']],
    ['VARCHAR(10)', ['25:00']],
    ['TIMESTAMP', ['2026-11-22 06:31:02', '2026-11-22t06:31:02.5', '2026-11-22']],
    ['TIMESTAMPTZ', ['2026-11-22t06:31:02z', '2026-11-22 06:31:02+01:00']],
    ['VARCHAR(50)', ['2026-11-22 06:31:02', '2026-11-22 06:31:02+01:00']],
    // Others.
    ['UUID', ['123e4567-e89b-12d3-a456-426614174000']],
    ['VARCHAR(50)', ['123e4567e89b12d3a456426614174000']],
  ])('%s for %j', (expected, values) => {
    expect(typeOf(...values)).toBe(expected);
  });

  it.each([
    ['VARCHAR(10)', 8],
    ['VARCHAR(20)', 9],
    ['VARCHAR(200)', 101],
    ['VARCHAR(500)', 400],
    ['TEXT', 401],
  ])('%s for texts of %i characters, with room to grow', (expected, length) => {
    expect(typeOf('x'.repeat(length), 'y')).toBe(expected);
  });

  it('counts characters, not code units', () => {
    expect(typeOf('😀'.repeat(8))).toBe('VARCHAR(10)');
  });
});

const VALUES = fc.oneof(
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.constantFrom('true', 'false', '0', '1', 'yes', '007', '+1', '-', '.', '1e5', '.5', '1.', '-0', '12:30'),
  fc.constantFrom('2026-11-22', '2026/11/22', '2026-11-22 10:00', '2026-11-22t10:00:00z', '20261122'),
  fc.uuid(),
  fc.string().map((text) => text.trim().toLowerCase()),
);

it('always takes every value that it was concluded from', () => {
  fc.assert(
    fc.property(fc.array(VALUES, { minLength: 1, maxLength: 6 }), (values) => {
      const evidence = new TypeEvidence();
      for (const value of values) evidence.add(value);
      const { parse } = parserFor(evidence.conclude());
      for (const value of values) expect(parse(value)).not.toBeInstanceOf(Violation);
    }),
    { numRuns: 2000 },
  );
});

it('does not depend on the order of the values', () => {
  fc.assert(
    fc.property(fc.array(VALUES, { minLength: 1, maxLength: 6 }), (values) => {
      expect(typeOf(...values.toReversed())).toBe(typeOf(...values));
    }),
    { numRuns: 500 },
  );
});
