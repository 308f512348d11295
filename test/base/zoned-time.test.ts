import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, dayIn, instantOf, isTimeZone } from '../../src/base/zoned-time.js';

const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16);
const at = (timeZone: string, day: string, time: string) => {
  const [year, month, date] = day.split('-').map(Number);
  const [hour, minute] = time.split(':').map(Number);
  return iso(instantOf(timeZone, { day: { year, month, day: date }, at: { hour, minute } }));
};

describe('a time of day', () => {
  it.each([
    ['Europe/Berlin', '2026-01-15', '06:00', '2026-01-15T05:00'],
    ['Europe/Berlin', '2026-07-15', '06:00', '2026-07-15T04:00'],
    // Clocks go forward at 02:00: 02:30 is left out.
    ['Europe/Berlin', '2026-03-29', '01:59', '2026-03-29T00:59'],
    ['Europe/Berlin', '2026-03-29', '02:30', '2026-03-29T01:30'],
    ['Europe/Berlin', '2026-03-29', '03:00', '2026-03-29T01:00'],
    // Clocks go back at 03:00: 02:30 comes twice.
    ['Europe/Berlin', '2026-10-25', '02:30', '2026-10-25T00:30'],
    ['Europe/Berlin', '2026-10-25', '03:00', '2026-10-25T02:00'],
    ['America/New_York', '2026-11-01', '01:30', '2026-11-01T05:30'],
    ['Australia/Lord_Howe', '2026-04-05', '01:45', '2026-04-04T14:45'],
    ['Asia/Kathmandu', '2026-02-28', '00:00', '2026-02-27T18:15'],
    // A whole day was left out.
    ['Pacific/Apia', '2011-12-30', '12:00', '2011-12-30T22:00'],
  ])('in %s on %s at %s', (timeZone, day, time, expected) => {
    expect(at(timeZone, day, time)).toBe(expected);
  });

  it('falls on the day that it was asked for, in every zone', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const instant = fc.date({
      min: new Date('2013-01-01'),
      max: new Date('2040-01-01'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(zone, instant, (timeZone, date) => {
        const day = dayIn(timeZone, date.getTime());
        const noon = instantOf(timeZone, { day, at: { hour: 12, minute: 0 } });
        expect(dayIn(timeZone, noon)).toEqual(day);
        expect(Math.abs(noon - date.getTime())).toBeLessThan(26 * 3_600_000);
        expect(dayIn(timeZone, noon + 86_400_000)).toEqual(addDays(day, 1));
      }),
    );
  });
});

it('time zones have names', () => {
  expect(['UTC', 'Europe/Berlin', 'Nowhere', '', 'Europe/Berlin; x'].map(isTimeZone)).toEqual([
    ...[true, true, false, false, false],
  ]);
});
