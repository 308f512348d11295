import type { SqlType } from '../base/sql-type.js';
import { physicalOf, type Vector } from '../base/vector.js';

/**
 * Reads a value in the plainest form of its type straight from the bytes `start..end` of a cell without white space around
 * it, and appends it to `target`. Anything else, right or wrong, is left to the parser of texts: false, and nothing is
 * appended. What is appended is what that parser would have made of the text.
 */
export type ByteReader = (target: Vector, bytes: Uint8Array, start: number, end: number) => boolean;

/** The reader of a type; undefined when there is none. Texts have one of their own, since they are cleaned as well. */
export function byteReaderFor(type: SqlType): ByteReader | undefined {
  switch (type.kind) {
    case 'smallint':
      return integerReader(32_767);
    case 'integer':
      return integerReader(2_147_483_647);
    case 'bigint':
      return readBigint;
    case 'decimal':
      return physicalOf(type) === 'fixed' ? undefined : decimalReader(type);
    case 'double':
      return readDouble;
    case 'date':
      return readDate;
    case 'timestamp':
      return readTimestamp;
    case 'uuid':
      return readUuid;
    default:
      return undefined;
  }
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** So many digits are a number that a double holds exactly. */
const MAX_EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MAX_EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** The number that the digits of `bytes[start..end)` give, at most MAX_EXACT_DIGITS of them; -1 for anything else. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > MAX_EXACT_DIGITS) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function integerReader(max: number): ByteReader {
  return (target, bytes, start, end) => {
    const isNegative = bytes[start] === MINUS;
    const value = digitsAt(bytes, isNegative ? start + 1 : start, end);
    if (value < 0 || value > max) return false;
    target.pushInt32(isNegative ? -value : value);
    return true;
  };
}

/** Digits of the part of a long number that is multiplied, and of the part that is added. */
const PART_DIGITS = 9;
const TWO_32 = 0x1_0000_0000;

function readBigint(target: Vector, bytes: Uint8Array, start: number, end: number): boolean {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  if (end - first <= MAX_EXACT_DIGITS) {
    const value = digitsAt(bytes, first, end);
    if (value < 0) return false;
    target.pushSafeInteger(isNegative ? -value : value);
    return true;
  }
  if (isNegative || end - first > 2 * PART_DIGITS) return false;
  const upper = digitsAt(bytes, first, end - PART_DIGITS);
  const lower = digitsAt(bytes, end - PART_DIGITS, end);
  if (upper < 0 || lower < 0) return false;
  // upper * 10^9 + lower in words of 32 bits, every step of it exact.
  const shifted = Math.floor(upper / 0x8000) * 1e9;
  const rest = (upper % 0x8000) * 1e9 + lower;
  const low = (shifted % 0x2_0000) * 0x8000 + (rest % TWO_32);
  const high = Math.floor(shifted / 0x2_0000) + Math.floor(rest / TWO_32) + Math.floor(low / TWO_32);
  target.pushWords(low, high);
  return true;
}

function decimalReader(type: SqlType): ByteReader {
  const scale = type.scale!;
  const wholeDigits = type.precision! - scale;
  const isNarrow = physicalOf(type) === 'int32';
  return (target, bytes, start, end) => {
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    const point = pointIn(bytes, first, end);
    const fractionDigits = Math.max(0, end - point - 1);
    if (point - first > wholeDigits || fractionDigits > scale) return false;
    if (point - first + scale > MAX_EXACT_DIGITS) return false;
    const whole = digitsAt(bytes, first, point);
    const fraction = fractionDigits === 0 ? 0 : digitsAt(bytes, point + 1, end);
    if (whole < 0 || fraction < 0) return false;
    const unscaled = whole * POWERS_OF_TEN[scale] + fraction * POWERS_OF_TEN[scale - fractionDigits];
    const value = isNegative && unscaled > 0 ? -unscaled : unscaled;
    if (isNarrow) target.pushInt32(value);
    else target.pushSafeInteger(value);
    return true;
  };
}

/** Offset of the first point, or `end`. */
function pointIn(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== POINT) at++;
  return at;
}

function readDouble(target: Vector, bytes: Uint8Array, start: number, end: number): boolean {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  const point = pointIn(bytes, first, end);
  const fractionDigits = Math.max(0, end - point - 1);
  if (point - first + fractionDigits > MAX_EXACT_DIGITS) return false;
  const whole = digitsAt(bytes, first, point);
  const fraction = fractionDigits === 0 ? 0 : digitsAt(bytes, point + 1, end);
  if (whole < 0 || fraction < 0) return false;
  // Both numbers are exact, so that their quotient is rounded once, as IEEE 754 wants it (Clinger's fast path).
  const power = POWERS_OF_TEN[fractionDigits];
  const value = (whole * power + fraction) / power;
  target.pushDouble(isNegative && value > 0 ? -value : value);
  return true;
}

const DAY_MICROS = 86_400_000_000;
const DATE_BYTES = 10;
const DASH = 0x2d;
const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Later timestamps are beyond the integers that a double holds exactly. */
const LAST_EXACT_YEAR = 2250;
const NO_DATE = Number.NEGATIVE_INFINITY;

/** `2026-11-22`. */
function readDate(target: Vector, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== DATE_BYTES) return false;
  const days = daysAt(bytes, start);
  if (days === NO_DATE) return false;
  target.pushInt32(days);
  return true;
}

const TIME_START = 11;
const TIMESTAMP_BYTES = 19;
const MAX_FRACTION_DIGITS = 6;
const SPACE = 0x20;
const LETTER_T = 0x74;
const LETTER_Z = 0x7a;
const LOWER_CASE_BIT = 0x20;
const COLON = 0x3a;

/** `2026-11-22 06:31:02`, with a T as well, with up to six digits of a second, with a Z at the end. */
function readTimestamp(target: Vector, bytes: Uint8Array, start: number, end: number): boolean {
  const stop = (bytes[end - 1] | LOWER_CASE_BIT) === LETTER_Z ? end - 1 : end;
  if (stop - start < TIMESTAMP_BYTES) return false;
  const separator = bytes[start + DATE_BYTES];
  if (separator !== SPACE && (separator | LOWER_CASE_BIT) !== LETTER_T) return false;
  const days = daysAt(bytes, start);
  const time = microsAt(bytes, start + TIME_START, stop);
  if (days === NO_DATE || time < 0 || yearAt(bytes, start) > LAST_EXACT_YEAR) return false;
  target.pushSafeInteger(days * DAY_MICROS + time);
  return true;
}

function yearAt(bytes: Uint8Array, start: number): number {
  return digitsAt(bytes, start, start + 4);
}

/** Days since 1970-01-01 of the date at `start`; NO_DATE for what is none. */
function daysAt(bytes: Uint8Array, start: number): number {
  const year = yearAt(bytes, start);
  const month = digitsAt(bytes, start + 5, start + 7);
  const day = digitsAt(bytes, start + 8, start + 10);
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NO_DATE;
  if (year < 1 || month < 1 || month > 12 || day < 1) return NO_DATE;
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > DAYS_IN_MONTH[month] && !isLeapDay) return NO_DATE;
  return daysSince1970(year, month, day);
}

/** The year begins in March, so that the leap day is its last; see Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const monthFromMarch = (month + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
}

/** Microseconds of `06:31:02` or `06:31:02.123`; -1 for what is no time. */
function microsAt(bytes: Uint8Array, start: number, end: number): number {
  const hours = digitsAt(bytes, start, start + 2);
  const minutes = digitsAt(bytes, start + 3, start + 5);
  const seconds = digitsAt(bytes, start + 6, start + 8);
  if (bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) return -1;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return -1;
  const wholeSeconds = (hours * 60 + minutes) * 60 + seconds;
  if (end === start + 8) return wholeSeconds * 1_000_000;
  const digits = end - start - 9;
  if (bytes[start + 8] !== POINT || digits > MAX_FRACTION_DIGITS) return -1;
  const fraction = digitsAt(bytes, start + 9, end);
  return fraction < 0
    ? -1
    : wholeSeconds * 1_000_000 + fraction * POWERS_OF_TEN[MAX_FRACTION_DIGITS - digits];
}

const UUID_BYTES = 36;
/** Offsets of the 16 pairs of digits in `00112233-4455-6677-8899-aabbccddeeff`. */
const UUID_PAIRS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const UUID_DASHES = [8, 13, 18, 23];

/** Value of a hexadecimal digit by its byte; 0xff for all other bytes. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 0xff : digit;
});

const uuid = new Uint8Array(UUID_PAIRS.length);

function readUuid(target: Vector, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== UUID_BYTES) return false;
  for (let i = 0; i < UUID_DASHES.length; i++) if (bytes[start + UUID_DASHES[i]] !== DASH) return false;
  let seen = 0;
  for (let i = 0; i < uuid.length; i++) {
    const at = start + UUID_PAIRS[i];
    const high = HEX[bytes[at]];
    const low = HEX[bytes[at + 1]];
    seen |= high | low;
    uuid[i] = (high << 4) | low;
  }
  // Of all values only that of no digit has a bit above the fourth.
  if (seen > 0xf) return false;
  target.pushBytes(uuid, 0, uuid.length);
  return true;
}
