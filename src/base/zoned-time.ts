/** A day of the calendar; months from 1. */
export interface CalendarDay {
  year: number;
  month: number;
  day: number;
}

/** A time of day. */
export interface TimeOfDay {
  hour: number;
  minute: number;
}

const DAY_MS = 86_400_000;
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Is this the name of a time zone, such as `Europe/Berlin`? */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The day that an instant falls on in a time zone. */
export function dayIn(timeZone: string, instantMs: number): CalendarDay {
  const local = new Date(instantMs + offsetMs(timeZone, instantMs));
  return { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
}

/** So many days later, by the calendar. */
export function addDays({ year, month, day }: CalendarDay, days: number): CalendarDay {
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/**
 * The instant, in milliseconds since 1970, at which a clock in the time zone shows a time of day. Where clocks show it
 * twice, the first time; where they leave it out, as long after the change as it would have been.
 */
export function instantOf(timeZone: string, { day, at }: { day: CalendarDay; at: TimeOfDay }): number {
  const asUtc = Date.UTC(day.year, day.month - 1, day.day, at.hour, at.minute);
  const before = offsetMs(timeZone, asUtc - DAY_MS);
  const after = offsetMs(timeZone, asUtc + DAY_MS);
  const candidates = [before, after].map((offset) => ({ instant: asUtc - offset, offset }));
  const shown = candidates.filter(({ instant, offset }) => offsetMs(timeZone, instant) === offset);
  return shown.length > 0 ? Math.min(...shown.map(({ instant }) => instant)) : asUtc - before;
}

/** How far the clocks of the zone are ahead of UTC. */
function offsetMs(timeZone: string, instantMs: number): number {
  let format = FORMATS.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    FORMATS.set(timeZone, format);
  }
  const parts = format.formatToParts(instantMs);
  const [year, month, day, hour, minute, second] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((type) => Number(parts.find((part) => part.type === type)!.value));
  const wholeSeconds = Math.floor(instantMs / 1000) * 1000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSeconds;
}
