import { addDays, dayIn, instantOf } from '../../base/zoned-time.js';
import type { Expectation } from '../../config/settings.js';

/*
 * When is a dataset's next file due? Without a time of day: so long after the last one. With a time of day: on every n-th
 * day of the calendar at that time, however long the days in between are. Instants are milliseconds since 1970.
 */

/** The first due time of a rule that nobody has waited for yet; later than `nowMs`. */
export function firstDue(rule: Expectation, known: { nowMs: number; lastArrivalMs?: number }): number {
  const { nowMs, lastArrivalMs } = known;
  if (!rule.at) return Math.max(nowMs, lastArrivalMs ?? nowMs) + rule.everyMs;
  if (lastArrivalMs !== undefined) {
    const due = dueOn(rule, { sinceMs: lastArrivalMs, days: rule.days });
    if (due > nowMs) return due;
  }
  const today = dueOn(rule, { sinceMs: nowMs, days: 0 });
  return today > nowMs ? today : dueOn(rule, { sinceMs: nowMs, days: 1 });
}

/**
 * The due time after a file has arrived. A file that comes at or after its due time serves that one and all that were
 * missed. One that comes before serves the next one, if it comes in the second half of the time between the two: what comes
 * earlier, or within the grace of the last one, belongs to that.
 */
export function nextDue(
  rule: Expectation,
  { dueMs, isLate, arrivalMs }: { dueMs: number; isLate: boolean; arrivalMs: number },
): number {
  if (!rule.at) return arrivalMs + rule.everyMs;
  if (!isLate && arrivalMs < dueMs) {
    const last = dueOn(rule, { sinceMs: dueMs, days: -rule.days });
    const earliestMs = Math.max(last + rule.graceMs, (last + dueMs) / 2);
    return arrivalMs <= earliestMs ? dueMs : dueOn(rule, { sinceMs: dueMs, days: rule.days });
  }
  let next = dueMs;
  do next = dueOn(rule, { sinceMs: next, days: rule.days });
  while (next <= arrivalMs);
  return next;
}

/** Has the file that was due not come in time? */
export function isOverdue(rule: Expectation, { dueMs, nowMs }: { dueMs: number; nowMs: number }): boolean {
  return nowMs >= dueMs + rule.graceMs;
}

/** The due time so many days after the day of an instant. */
function dueOn({ timeZone, at }: Expectation, { sinceMs, days }: { sinceMs: number; days: number }): number {
  return instantOf(timeZone, { day: addDays(dayIn(timeZone, sinceMs), days), at: at! });
}
