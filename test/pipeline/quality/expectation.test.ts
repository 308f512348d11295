import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expectation } from '../../../src/config/settings.js';
import { firstDue, isOverdue, nextDue } from '../../../src/pipeline/quality/expectation.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function rule(changes: Partial<Expectation> = {}): Expectation {
  const days = changes.days ?? 1;
  return {
    everyMs: days * DAY_MS,
    days,
    at: { hour: 6, minute: 0 },
    graceMs: HOUR_MS,
    timeZone: 'Europe/Berlin',
    ...changes,
  };
}

const ms = (iso: string) => Date.parse(`${iso}Z`);
const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16);

function next(of: Expectation, due: string, arrival: string, isLate = false): string {
  return iso(nextDue(of, { dueMs: ms(due), isLate, arrivalMs: ms(arrival) }));
}

describe('the next due time, 06:00 in Berlin', () => {
  it.each([
    ['a file in time', '2026-11-23T05:00', '2026-11-23T05:10', '2026-11-24T05:00'],
    ['on the minute', '2026-11-23T05:00', '2026-11-23T05:00', '2026-11-24T05:00'],
    [
      'a file the evening before',
      '2026-11-23T05:00',
      '2026-11-22T21:00',
      '2026-11-23T05:00',
      '2026-11-24T05:00',
    ],
    ['one of many that came late', '2026-11-23T05:00', '2026-11-22T12:00', '2026-11-23T05:00'],
    [
      'a second file within the grace of the last',
      '2026-11-23T05:00',
      '2026-11-22T05:50',
      '2026-11-23T05:00',
    ],
    ['a file days too late', '2026-11-23T05:00', '2026-11-26T09:00', '2026-11-27T05:00'],
    // Clocks go forward on 2026-03-29: the day has 23 hours.
    ['into summer time', '2026-03-28T05:00', '2026-03-28T05:05', '2026-03-29T04:00'],
    ['in summer time', '2026-03-29T04:00', '2026-03-29T04:05', '2026-03-30T04:00'],
    // Clocks go back on 2026-10-25: the day has 25 hours.
    ['into winter time', '2026-10-24T04:00', '2026-10-24T04:05', '2026-10-25T05:00'],
    ['in winter time', '2026-10-25T05:00', '2026-10-25T05:05', '2026-10-26T05:00'],
  ])('after %s', (_, due, arrival, ...expected) => {
    expect(next(rule(), due, arrival)).toBe(expected.at(-1));
  });

  it('keeps to its days where files come every second day', () => {
    const of = rule({ days: 2 });
    expect(next(of, '2026-11-23T05:00', '2026-11-22T12:00')).toBe('2026-11-25T05:00');
    expect(next(of, '2026-11-23T05:00', '2026-11-26T12:00')).toBe('2026-11-27T05:00');
    expect(next(of, '2026-03-28T05:00', '2026-03-28T06:00')).toBe('2026-03-30T04:00');
  });

  it('comes back to its time after a day that left it out', () => {
    const of = rule({ at: { hour: 2, minute: 30 } });
    const left = next(of, '2026-03-28T01:30', '2026-03-28T01:35');
    expect(left).toBe('2026-03-29T01:30');
    expect(next(of, left, '2026-03-29T01:40')).toBe('2026-03-30T00:30');
    // On the day on which 02:30 comes twice, the first counts.
    expect(next(of, '2026-10-24T00:30', '2026-10-24T00:35')).toBe('2026-10-25T00:30');
    expect(next(of, '2026-10-25T00:30', '2026-10-25T00:45')).toBe('2026-10-26T01:30');
  });

  it('is served by whatever comes while the file is late, also when the clock was set back', () => {
    expect(next(rule(), '2026-11-23T05:00', '2026-11-22T12:00', true)).toBe('2026-11-24T05:00');
  });

  it('is so long after the last file where there is no time of day', () => {
    const of = rule({ at: undefined, everyMs: 90_000, graceMs: 0 });
    expect(nextDue(of, { dueMs: 1000, isLate: false, arrivalMs: 5000 })).toBe(95_000);
    expect(firstDue(of, { nowMs: 5000 })).toBe(95_000);
    expect(firstDue(of, { nowMs: 500_000, lastArrivalMs: 5000 })).toBe(590_000);
  });

  it('lies ahead of every arrival that is not early, by at most the days between two files and a time change', () => {
    const days = fc.integer({ min: 1, max: 9 });
    const zone = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'UTC',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
    );
    const at = fc.record({ hour: fc.nat(23), minute: fc.nat(59) });
    const start = fc.integer({ min: ms('2025-01-01T00:00'), max: ms('2028-01-01T00:00') });
    fc.assert(
      fc.property(days, zone, at, start, fc.nat(40 * DAY_MS), (count, timeZone, time, nowMs, laterMs) => {
        const of = rule({ days: count, timeZone, at: time });
        const dueMs = firstDue(of, { nowMs });
        expect(dueMs).toBeGreaterThan(nowMs);
        expect(dueMs).toBeLessThanOrEqual(nowMs + DAY_MS + HOUR_MS);
        const arrivalMs = dueMs + laterMs;
        const following = nextDue(of, { dueMs, isLate: false, arrivalMs });
        expect(following).toBeGreaterThan(arrivalMs);
        expect(following).toBeLessThanOrEqual(arrivalMs + count * DAY_MS + HOUR_MS);
        expect(isOverdue(of, { dueMs: following, nowMs: arrivalMs })).toBe(false);
      }),
    );
  });
});

describe('the first due time', () => {
  it.each([
    ['before 06:00', undefined, '2026-11-23T04:00', '2026-11-23T05:00'],
    ['after 06:00', undefined, '2026-11-23T06:00', '2026-11-24T05:00'],
    ['with a file of today', '2026-11-23T04:30', '2026-11-23T04:40', '2026-11-25T05:00'],
    [
      'with a file of long ago, which nobody waited for',
      '2026-10-01T05:00',
      '2026-11-23T06:00',
      '2026-11-24T05:00',
    ],
  ])('%s', (_, arrival, now, expected) => {
    const lastArrivalMs = arrival === undefined ? undefined : ms(arrival);
    expect(iso(firstDue(rule({ days: 2 }), { nowMs: ms(now), lastArrivalMs }))).toBe(expected);
  });
});

it('a file is overdue when its time and grace have passed', () => {
  const dueMs = ms('2026-11-23T05:00');
  expect(isOverdue(rule(), { dueMs, nowMs: dueMs + HOUR_MS - 1 })).toBe(false);
  expect(isOverdue(rule(), { dueMs, nowMs: dueMs + HOUR_MS })).toBe(true);
});
