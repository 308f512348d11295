import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dateText,
  parseDate,
  parseTime,
  parseTimestamp,
  timestampText,
  timeText,
} from '../../src/load/calendar.js';

describe('calendar', () => {
  test('agrees with Date on every day that both know', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 2_932_896 }), (days) => {
        const expected = new Date(days * 86_400_000).toISOString().slice(0, 10);
        expect(dateText(days, 'mysql')).toBe(expected);
        expect(parseDate(expected)).toBe(days);
      }),
    );
  });

  test('writes a timestamp that reads back as the same microsecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }), (micros) => {
        const text = timestampText(micros, { dialect: 'mysql', zoned: false });
        expect(parseTimestamp(text)).toBe(micros);
      }),
    );
  });

  test('writes a time that reads back as the same microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_399_999_999 }), (micros) => {
        expect(parseTime(timeText(micros))).toBe(micros);
      }),
    );
  });

  test.each(['2026-02-29', '2026-13-01', '2026-1-1', '0000-01-01', '20260101', '', '2026-11-22 06:00:00'])(
    'does not take %j for a day',
    (text) => expect(parseDate(text)).toBeUndefined(),
  );

  test.each(['24:00', '06:60', '6:00', '06:00:00.1234567', '06'])('does not take %j for a time', (text) =>
    expect(parseTime(text)).toBeUndefined(),
  );

  test.each([
    ['2026-11-22T06:31:02Z', '2026-11-22 06:31:02'],
    ['2026-11-22 06:31:02-0130', '2026-11-22 08:01:02'],
    ['2026-01-01T00:30+01', '2025-12-31 23:30:00'],
  ])('reads %s', (text, expected) =>
    expect(timestampText(parseTimestamp(text)!, { dialect: 'postgres', zoned: false })).toBe(expected),
  );

  test('reaches beyond what Date knows', () => {
    expect(dateText(-719_163, 'postgres')).toBe('0001-12-31 BC');
    expect(dateText(2_147_483_493 - 2_440_588, 'postgres')).toBe('5874897-12-31');
    expect(timestampText(-(2n ** 62n), { dialect: 'postgres', zoned: true })).toMatch(/\+00 BC$/);
  });
});
