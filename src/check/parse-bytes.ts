import type { CellReader } from '../base/cells.js';
import type { SqlType } from '../base/sql-type.js';
import { physicalOf, putSafeInteger } from '../base/vector.js';

/**
 * The reader of a type: it stops at cells that are not in the plainest form of the type, right or wrong, which are left to
 * the parser of texts. What it appends is what that parser would have made of the text. Undefined when there is none;
 * texts have one of their own, since they are cleaned as well.
 */
export function cellReaderFor(type: SqlType): CellReader | undefined {
  switch (type.kind) {
    case 'smallint':
      return integerReader(32_767);
    case 'integer':
      return integerReader(2_147_483_647);
    case 'bigint':
      return readBigints;
    case 'decimal':
      return physicalOf(type) === 'fixed' ? undefined : decimalReader(type);
    case 'real':
      return floatReader(4);
    case 'double':
      return floatReader(8);
    case 'date':
      return readDates;
    case 'time':
      return readTimes;
    case 'timestamp':
      return readTimestamps;
    case 'uuid':
      return readUuids;
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

/** So many digits are a number of 32 bits, which is faster to multiply. */
const MAX_INT32_DIGITS = 9;

/** The number that the digits of `bytes[start..end)` give, at most MAX_EXACT_DIGITS of them; -1 for anything else. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= MAX_INT32_DIGITS) return end <= start ? -1 : fewDigitsAt(bytes, start, end);
  if (end - start > MAX_EXACT_DIGITS) return -1;
  const middle = end - MAX_INT32_DIGITS;
  const upper = fewDigitsAt(bytes, start, middle);
  const lower = fewDigitsAt(bytes, middle, end);
  return upper < 0 || lower < 0 ? -1 : upper * POWERS_OF_TEN[MAX_INT32_DIGITS] + lower;
}

function fewDigitsAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = (Math.imul(value, 10) + digit) | 0;
  }
  return value;
}

function integerReader(max: number): CellReader {
  return (target, { bytes, starts, ends }, { from, to }) => {
    target.reserveValues(to - from);
    const { view, length } = target;
    let row = from;
    for (let at = length * 4; row < to; row++, at += 4) {
      const start = starts[row];
      const isNegative = bytes[start] === MINUS;
      const value = digitsAt(bytes, isNegative ? start + 1 : start, ends[row]);
      if (value < 0 || value > max) break;
      view.setInt32(at, isNegative ? -value : value, true);
    }
    target.length = length + row - from;
    return row;
  };
}

const TWO_32 = 0x1_0000_0000;

const readBigints: CellReader = (target, { bytes, starts, ends }, { from, to }) => {
  target.reserveValues(to - from);
  const { view, length } = target;
  let row = from;
  for (let at = length * 8; row < to; row++, at += 8) {
    const start = starts[row];
    const end = ends[row];
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    if (end - first > MAX_EXACT_DIGITS) {
      if (isNegative || !putLongInteger({ view, at }, bytes, { start, end })) break;
      continue;
    }
    const value = digitsAt(bytes, first, end);
    if (value < 0) break;
    putSafeInteger(view, at, isNegative ? -value : value);
  }
  target.length = length + row - from;
  return row;
};

/** Digits of the part of a long number that is multiplied, and of the part that is added. */
const PART_DIGITS = 9;

/** Stores the number of 10 to 18 digits; false, and nothing is stored, for anything else. */
function putLongInteger(
  { view, at }: { view: DataView; at: number },
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
): boolean {
  if (end - start > 2 * PART_DIGITS) return false;
  const upper = digitsAt(bytes, start, end - PART_DIGITS);
  const lower = digitsAt(bytes, end - PART_DIGITS, end);
  if (upper < 0 || lower < 0) return false;
  // upper * 10^9 + lower in words of 32 bits, every step of it exact.
  const shifted = Math.floor(upper / 0x8000) * 1e9;
  const rest = (upper % 0x8000) * 1e9 + lower;
  const low = (shifted % 0x2_0000) * 0x8000 + (rest % TWO_32);
  const high = Math.floor(shifted / 0x2_0000) + Math.floor(rest / TWO_32) + Math.floor(low / TWO_32);
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  return true;
}

function decimalReader(type: SqlType): CellReader {
  const scale = type.scale!;
  const wholeDigits = type.precision! - scale;
  const isNarrow = physicalOf(type) === 'int32';
  const width = isNarrow ? 4 : 8;
  return (target, { bytes, starts, ends }, { from, to }) => {
    target.reserveValues(to - from);
    const { view, length } = target;
    let row = from;
    for (let at = length * width; row < to; row++, at += width) {
      const start = starts[row];
      const end = ends[row];
      const isNegative = bytes[start] === MINUS;
      const first = isNegative ? start + 1 : start;
      // Mostly all digits behind the point are there.
      const usual = end - 1 - scale;
      const point = usual > first && bytes[usual] === POINT ? usual : pointIn(bytes, first, end);
      const fractionDigits = Math.max(0, end - point - 1);
      if (point - first > wholeDigits || fractionDigits > scale) break;
      if (point - first + scale > MAX_EXACT_DIGITS) break;
      const whole = digitsAt(bytes, first, point);
      const fraction = fractionDigits === 0 ? 0 : digitsAt(bytes, point + 1, end);
      if (whole < 0 || fraction < 0) break;
      const unscaled = whole * POWERS_OF_TEN[scale] + fraction * POWERS_OF_TEN[scale - fractionDigits];
      const value = isNegative && unscaled > 0 ? -unscaled : unscaled;
      if (isNarrow) view.setInt32(at, value, true);
      else putSafeInteger(view, at, value);
    }
    target.length = length + row - from;
    return row;
  };
}

/** Offset of the first point, or `end`. */
function pointIn(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== POINT) at++;
  return at;
}

function floatReader(width: 4 | 8): CellReader {
  return (target, { bytes, starts, ends }, { from, to }) => {
    target.reserveValues(to - from);
    const { view, length } = target;
    let row = from;
    for (let at = length * width; row < to; row++, at += width) {
      const value = numberAt(bytes, starts[row], ends[row]);
      if (Number.isNaN(value)) break;
      if (width === 4) view.setFloat32(at, value, true);
      else view.setFloat64(at, value, true);
    }
    target.length = length + row - from;
    return row;
  };
}

/** The number `-12.5` as a double; NaN for anything that is not of this form, or that has too many digits. */
function numberAt(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  const point = pointIn(bytes, first, end);
  const fractionDigits = Math.max(0, end - point - 1);
  if (point - first + fractionDigits > MAX_EXACT_DIGITS) return Number.NaN;
  const whole = digitsAt(bytes, first, point);
  const fraction = fractionDigits === 0 ? 0 : digitsAt(bytes, point + 1, end);
  if (whole < 0 || fraction < 0) return Number.NaN;
  // Both numbers are exact, so that their quotient is rounded once, as IEEE 754 wants it (Clinger's fast path).
  const power = POWERS_OF_TEN[fractionDigits];
  const value = (whole * power + fraction) / power;
  return isNegative && value > 0 ? -value : value;
}

/** Value of two decimal digits by their bytes as a word of 16 bits; of everything else a value with the highest bit set. */
const DIGIT_PAIRS = new Uint8Array(1 << 16).fill(0xff);
for (let value = 0; value < 100; value++) {
  DIGIT_PAIRS[(ZERO + Math.floor(value / 10)) | ((ZERO + (value % 10)) << 8)] = value;
}
const NO_DIGITS = 0x80;

const DAY_MICROS = 86_400_000_000;
const DATE_BYTES = 10;
const DASH = 0x2d;
const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const NO_DATE = Number.NEGATIVE_INFINITY;

/** `2026-11-22`. */
const readDates: CellReader = (target, { bytes, view: source, starts, ends }, { from, to }) => {
  target.reserveValues(to - from);
  const { view, length } = target;
  let row = from;
  for (let at = length * 4; row < to; row++, at += 4) {
    const start = starts[row];
    if (ends[row] - start !== DATE_BYTES) break;
    const days = daysAt(bytes, source, start);
    if (days === NO_DATE) break;
    view.setInt32(at, days, true);
  }
  target.length = length + row - from;
  return row;
};

const TIME_BYTES = 8;
const TIME_START = 11;
const TIMESTAMP_BYTES = 19;
const MAX_FRACTION_DIGITS = 6;
const SPACE = 0x20;
const LETTER_T = 0x74;
const LETTER_Z = 0x7a;
const LOWER_CASE_BIT = 0x20;
const COLON = 0x3a;
/** As many days before or after 1970 as 2251-01-01: timestamps further away are beyond the integers that a double holds exactly. */
const FIRST_INEXACT_DAY = 102_633;

/** `06:31:02`, with up to six digits of a second. */
const readTimes: CellReader = (target, { bytes, view: source, starts, ends }, { from, to }) => {
  target.reserveValues(to - from);
  const { view, length } = target;
  let row = from;
  for (let at = length * 8; row < to; row++, at += 8) {
    const start = starts[row];
    const end = ends[row];
    const time = end - start < TIME_BYTES ? -1 : microsAt(bytes, source, { start, end });
    if (time < 0) break;
    putSafeInteger(view, at, time);
  }
  target.length = length + row - from;
  return row;
};

/** `2026-11-22 06:31:02`, with a T as well, with up to six digits of a second, with a Z at the end. */
const readTimestamps: CellReader = (target, { bytes, view: source, starts, ends }, { from, to }) => {
  target.reserveValues(to - from);
  const { view, length } = target;
  let row = from;
  for (let at = length * 8; row < to; row++, at += 8) {
    const start = starts[row];
    const end = ends[row];
    if (end - start < TIMESTAMP_BYTES) break;
    const stop = (bytes[end - 1] | LOWER_CASE_BIT) === LETTER_Z ? end - 1 : end;
    if (stop - start < TIMESTAMP_BYTES) break;
    const separator = bytes[start + DATE_BYTES];
    if (separator !== SPACE && (separator | LOWER_CASE_BIT) !== LETTER_T) break;
    const days = daysAt(bytes, source, start);
    const time = microsAt(bytes, source, { start: start + TIME_START, end: stop });
    if (days === NO_DATE || Math.abs(days) >= FIRST_INEXACT_DAY || time < 0) break;
    putSafeInteger(view, at, days * DAY_MICROS + time);
  }
  target.length = length + row - from;
  return row;
};

/** Days since 1970-01-01 of the date at `start`; NO_DATE for what is none. */
function daysAt(bytes: Uint8Array, view: DataView, start: number): number {
  const century = DIGIT_PAIRS[view.getUint16(start, true)];
  const yearOfCentury = DIGIT_PAIRS[view.getUint16(start + 2, true)];
  const month = DIGIT_PAIRS[view.getUint16(start + 5, true)];
  const day = DIGIT_PAIRS[view.getUint16(start + 8, true)];
  if (((century | yearOfCentury | month | day) & NO_DIGITS) !== 0) return NO_DATE;
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NO_DATE;
  const year = century * 100 + yearOfCentury;
  if (year < 1 || month < 1 || month > 12 || day < 1) return NO_DATE;
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > DAYS_IN_MONTH[month] && !isLeapDay) return NO_DATE;
  return daysSince1970(year, month, day);
}

/** The year begins in March, so that the leap day is its last; see Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const monthFromMarch = month <= 2 ? month + 9 : month - 3;
  const dayOfYear = (((153 * monthFromMarch + 2) / 5) | 0) + day - 1;
  return y * 365 + (y >> 2) - ((y / 100) | 0) + ((y / 400) | 0) + dayOfYear - 719_468;
}

/** Microseconds of `06:31:02` or `06:31:02.123`; -1 for what is no time. */
function microsAt(bytes: Uint8Array, view: DataView, { start, end }: { start: number; end: number }): number {
  const hours = DIGIT_PAIRS[view.getUint16(start, true)];
  const minutes = DIGIT_PAIRS[view.getUint16(start + 3, true)];
  const seconds = DIGIT_PAIRS[view.getUint16(start + 6, true)];
  if (bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) return -1;
  // What is no digit is larger, too.
  if (hours > 23 || minutes > 59 || seconds > 59) return -1;
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
/** Offsets of the words of 16 bits in `00112233-4455-6677-8899-aabbccddeeff` that the words of 32 bits are made of. */
const UUID_WORDS = [
  [0, 2, 4, 6],
  [9, 11, 14, 16],
  [19, 21, 24, 26],
  [28, 30, 32, 34],
] as const;
const UUID_DASHES = [8, 13, 18, 23] as const;

/** Value of two hexadecimal digits by their bytes as a word of 16 bits; of everything else one with a higher bit set. */
const HEX_PAIRS = new Uint16Array(1 << 16).fill(0x100);
const HEX_DIGITS = '0123456789abcdefABCDEF';
for (const high of HEX_DIGITS) {
  for (const low of HEX_DIGITS) {
    HEX_PAIRS[high.charCodeAt(0) | (low.charCodeAt(0) << 8)] = Number.parseInt(high + low, 16);
  }
}

const readUuids: CellReader = (target, { bytes, view: source, starts, ends }, { from, to }) => {
  target.reserveValues(to - from);
  const { view, length } = target;
  let row = from;
  for (let at = length * 16; row < to; row++, at += 16) {
    const start = starts[row];
    if (ends[row] - start !== UUID_BYTES || !hasDashes(bytes, start)) break;
    let seen = 0;
    for (let word = 0; word < UUID_WORDS.length; word++) {
      const places = UUID_WORDS[word];
      const first = HEX_PAIRS[source.getUint16(start + places[0], true)];
      const second = HEX_PAIRS[source.getUint16(start + places[1], true)];
      const third = HEX_PAIRS[source.getUint16(start + places[2], true)];
      const fourth = HEX_PAIRS[source.getUint16(start + places[3], true)];
      seen |= first | second | third | fourth;
      view.setUint32(at + word * 4, first | (second << 8) | (third << 16) | (fourth << 24), true);
    }
    if (seen > 0xff) break;
  }
  target.length = length + row - from;
  return row;
};

function hasDashes(bytes: Uint8Array, start: number): boolean {
  for (const at of UUID_DASHES) if (bytes[start + at] !== DASH) return false;
  return true;
}
