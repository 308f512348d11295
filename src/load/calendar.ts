import type { SqlDialect } from './engine.js';

const MICROS_A_DAY = 86_400_000_000;
const MAX_MYSQL_YEAR = 9999;

/** A date or time that the target cannot hold; the message continues "the value …". */
export class CalendarError extends Error {}

/** A day as SQL text: `2026-11-22`; for Postgres also `0044-03-15 BC`. @param days since 1970-01-01 */
export function dateText(days: number, dialect: SqlDialect): string {
  const { year, monthDay } = civil(days);
  checkYear(year, dialect);
  return year > 0 ? `${pad(year, 4)}-${monthDay}` : `${pad(1 - year, 4)}-${monthDay} BC`;
}

/** A time of day as SQL text: `06:31:02`, `06:31:02.123`. @param micros since midnight, up to and with 24 hours */
export function timeText(micros: number): string {
  if (micros < 0 || micros > MICROS_A_DAY) throw new CalendarError('is not a time of day');
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros % 1_000_000;
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return fraction === 0 ? clock : `${clock}.${pad(fraction, 6).replace(/0+$/, '')}`;
}

/**
 * A point in time as SQL text, `2026-11-22 06:31:02.123`; `zoned` adds `+00` where the dialect has zones.
 * @param micros since 1970-01-01 00:00
 */
export function timestampText(
  micros: bigint,
  { dialect, zoned }: { dialect: SqlDialect; zoned: boolean },
): string {
  const { days, rest } = splitDays(micros);
  const { year, monthDay } = civil(days);
  checkYear(year, dialect);
  const zone = zoned && dialect === 'postgres' ? '+00' : '';
  const era = year > 0 ? '' : ' BC';
  return `${pad(year > 0 ? year : 1 - year, 4)}-${monthDay} ${timeText(rest)}${zone}${era}`;
}

/** Whole days and the microseconds left over. */
export function splitDays(micros: bigint): { days: number; rest: number } {
  const small = Number(micros);
  if (Number.isSafeInteger(small)) {
    const days = Math.floor(small / MICROS_A_DAY);
    return { days, rest: small - days * MICROS_A_DAY };
  }
  const rest = ((micros % BigInt(MICROS_A_DAY)) + BigInt(MICROS_A_DAY)) % BigInt(MICROS_A_DAY);
  return { days: Number((micros - rest) / BigInt(MICROS_A_DAY)), rest: Number(rest) };
}

/** Reads `2026-11-22`. Returns the days since 1970-01-01, or undefined for anything else. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match) return undefined;
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]));
  return match[1] !== '0000' && civil(days).monthDay === text.slice(5) ? days : undefined;
}

/** Reads `06:31`, `06:31:02`, `06:31:02.123456`. Returns microseconds since midnight, or undefined. */
export function parseTime(text: string): number | undefined {
  const match = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? 0].map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + Number((match[4] ?? '').padEnd(6, '0'));
}

/**
 * Reads `2026-11-22`, `2026-11-22 06:31:02.123` or `2026-11-22T06:31:02+01:00`; a text without an offset is UTC.
 * Returns microseconds since 1970-01-01 UTC, or undefined for anything else.
 */
export function parseTimestamp(text: string): bigint | undefined {
  const match = /^(\S{10})(?:[ T]([\d:.]+)(?:Z|([+-])(\d\d)(?::?(\d\d))?)?)?$/.exec(text);
  const days = match ? parseDate(match[1]) : undefined;
  const time = match?.[2] === undefined ? 0 : parseTime(match[2]);
  if (!match || days === undefined || time === undefined) return undefined;
  const offsetMinutes = (match[3] === '-' ? -1 : 1) * (Number(match[4] ?? 0) * 60 + Number(match[5] ?? 0));
  return BigInt(days) * BigInt(MICROS_A_DAY) + BigInt(time - offsetMinutes * 60_000_000);
}

function checkYear(year: number, dialect: SqlDialect): void {
  if (dialect === 'mysql' && (year < 1 || year > MAX_MYSQL_YEAR)) {
    throw new CalendarError(`lies in the year ${year}, MySQL knows 1 to ${MAX_MYSQL_YEAR}`);
  }
}

/** Year (0 is 1 BC) and `MM-DD` of a day, in the proleptic Gregorian calendar. Source: H. Hinnant, "chrono-compatible date algorithms". */
function civil(days: number): { year: number; monthDay: string } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), monthDay: `${pad(month, 2)}-${pad(day, 2)}` };
}

function daysOf(year: number, month: number, day: number): number {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
