import type { ReasonCode } from '../base/errors.js';
import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { physicalOf, type Vector } from '../base/vector.js';

/** Why a value does not do for its column. */
export class Violation {
  readonly code: ReasonCode;
  /** The type or rule that was broken, as the schema has it: `INTEGER`, `maximum: 20`. */
  readonly rule: string;
  /** What is wrong, without the value and the place. */
  readonly message: string;

  constructor(code: ReasonCode, rule: string, message: string) {
    this.code = code;
    this.rule = rule;
    this.message = message;
  }
}

/** A value in its physical form: see `physicalOf`. Texts, UUIDs and JSON are strings. */
export type PhysicalValue = number | bigint | boolean | string;

/** Reads clean texts of one SQL type and stores them. */
export interface ValueParser {
  /** The value of a clean text, or why it is none. Equal values give equal results. */
  parse(text: string): PhysicalValue | Violation;
  /** Appends a parsed value. */
  push(vector: Vector, value: PhysicalValue): void;
}

/** The parser of a type. */
export function parserFor(type: SqlType): ValueParser {
  const rule = formatSqlType(type);
  const wrong = (what: string) => new Violation('wrong_type', rule, `is not ${what}`);
  switch (type.kind) {
    case 'smallint':
      return integerParser(rule, -32768, 32767);
    case 'integer':
      return integerParser(rule, -2147483648, 2147483647);
    case 'bigint':
      return bigintParser(rule);
    case 'decimal':
      return decimalParser(type, rule);
    case 'real':
    case 'double':
      return floatParser(type, rule);
    case 'boolean':
      return {
        parse: (text) =>
          BOOLEANS.get(text.toLowerCase()) ?? wrong('a truth value such as true, false, yes, no, 1, 0'),
        push: (vector, value) => vector.pushBoolean(value as boolean),
      };
    case 'char':
    case 'varchar':
    case 'text':
      return textParser(type, rule);
    case 'date':
      return {
        parse: (text) => parseDate(text) ?? wrong('a date such as 2026-11-22'),
        push: (vector, value) => vector.pushInt32(value as number),
      };
    case 'time':
      return {
        parse: (text) => parseTime(text) ?? wrong('a time such as 06:31:02'),
        push: (vector, value) => vector.pushSafeInteger(value as number),
      };
    case 'timestamp':
      return {
        parse: (text) => parseTimestamp(text) ?? wrong('a timestamp such as 2026-11-22 06:31:02'),
        push: pushInt64,
      };
    case 'uuid':
      return {
        parse: (text) => parseUuid(text) ?? wrong('a UUID'),
        push: (vector, value) => vector.pushBytes(Buffer.from(value as string, 'hex'), 0, 16),
      };
    case 'json':
      return {
        parse: (text) => (isJson(text) ? text : wrong('JSON')),
        push: (vector, value) => vector.pushText(value as string),
      };
  }
}

const BOOLEANS = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((text) => [text, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((text) => [text, false] as const),
]);

const INTEGER = /^[+-]?\d+$/;

function notInteger(text: string, rule: string): Violation {
  const what = /^[+-]?\d*\.\d*$/.test(text) ? 'is not a whole number' : 'is not a number';
  return new Violation('wrong_type', rule, what);
}

function integerParser(rule: string, min: number, max: number): ValueParser {
  return {
    parse(text) {
      if (!INTEGER.test(text)) return notInteger(text, rule);
      const value = Number(text);
      if (value < min || value > max) {
        return new Violation('out_of_range', rule, `is outside ${rule} (${min} to ${max})`);
      }
      return value === 0 ? 0 : value;
    },
    push: (vector, value) => vector.pushInt32(value as number),
  };
}

const MAX_BIGINT = 2n ** 63n - 1n;

function bigintParser(rule: string): ValueParser {
  return {
    parse(text) {
      if (!INTEGER.test(text)) return notInteger(text, rule);
      if (text.length < 16) return Number(text) || 0;
      const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
      if (value > MAX_BIGINT || value < -MAX_BIGINT - 1n) {
        return new Violation('out_of_range', rule, `is outside ${rule} (64 bits)`);
      }
      return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
    },
    push: pushInt64,
  };
}

/** Appends a 64-bit integer that is a number where it is safe, else a bigint. */
function pushInt64(vector: Vector, value: PhysicalValue): void {
  if (typeof value === 'bigint') vector.pushBigInt(value);
  else vector.pushSafeInteger(value as number);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;
const MAX_SAFE_DIGITS = 15;

function decimalParser(type: SqlType, rule: string): ValueParser {
  const precision = type.precision!;
  const scale = type.scale!;
  const physical = physicalOf(type);
  return {
    parse(text) {
      const match = DECIMAL.exec(text);
      if (!match || (match[2] === '' && (match[3] ?? '') === '')) {
        return new Violation('wrong_type', rule, 'is not a number');
      }
      const whole = match[2].replace(/^0+/, '');
      const fraction = (match[3] ?? '').replace(/0+$/, '');
      if (whole.length > precision - scale) {
        return new Violation(
          'out_of_range',
          rule,
          `has more than ${precision - scale} digits before the point`,
        );
      }
      if (fraction.length > scale) {
        return new Violation('out_of_range', rule, `has more than ${scale} digits after the point`);
      }
      const digits = whole + fraction.padEnd(scale, '0');
      if (digits.length <= MAX_SAFE_DIGITS) return Number(`${match[1]}${digits || '0'}`) || 0;
      return BigInt(`${match[1] === '-' ? '-' : ''}${digits}`);
    },
    push(vector, value) {
      if (physical === 'int32') vector.pushInt32(Number(value));
      else if (physical === 'fixed') vector.pushBytes(bigEndian(BigInt(value)), 0, 16);
      else pushInt64(vector, value);
    },
  };
}

/** 16 bytes, two's complement, most significant first: Parquet's FIXED_LEN_BYTE_ARRAY decimal. */
function bigEndian(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value >> 64n), 0);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8);
  return bytes;
}

const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function floatParser(type: SqlType, rule: string): ValueParser {
  const single = type.kind === 'real';
  return {
    parse(text) {
      if (!FLOAT.test(text)) return new Violation('wrong_type', rule, 'is not a number');
      const value = single ? Math.fround(Number(text)) : Number(text);
      if (!Number.isFinite(value)) return new Violation('out_of_range', rule, `is too large for ${rule}`);
      // Zero has no sign here, so that equal values are one.
      return value === 0 ? 0 : value;
    },
    push(vector, value) {
      if (single) vector.pushFloat(value as number);
      else vector.pushDouble(value as number);
    },
  };
}

function textParser(type: SqlType, rule: string): ValueParser {
  const maxLength = type.length ?? Number.POSITIVE_INFINITY;
  return {
    parse(text) {
      // A text of n UTF-16 units has at most n characters; count exactly only when that is not enough.
      if (text.length <= maxLength) return text;
      const length = [...text].length;
      if (length <= maxLength) return text;
      return new Violation('too_long', rule, `has ${length} characters, ${rule} allows ${maxLength}`);
    },
    push: (vector, value) => vector.pushText(value as string),
  };
}

const DATE = /^(\d{4})([-/]?)(\d{2})\2(\d{2})$/;
const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of `2026-11-22`, `2026/11/22` or `20261122`; undefined for what is no date of the calendar. */
function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[3]), Number(match[4])];
  if (year === 0) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() / DAY_MS;
}

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;

/** Microseconds since midnight; undefined for what is no time, or finer than a microsecond. */
function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  const fraction = (match[4] ?? '').replace(/0+$/, '');
  if (hours > 23 || minutes > 59 || seconds > 59 || fraction.length > 6) return undefined;
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

const TIMESTAMP = /^([\d/-]{8,10})(?:[ Tt]+([\d:.,]+)\s*(z|utc|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** Microseconds since 1970, a bigint where a number is not exact; an offset is applied, so that the result is in UTC. */
function parseTimestamp(text: string): number | bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const days = parseDate(match[1]);
  const time = match[2] === undefined ? 0 : parseTime(match[2]);
  if (days === undefined || time === undefined) return undefined;
  const offset = offsetMinutes(match[3]);
  if (offset === undefined) return undefined;
  const ofDay = time - offset * 60_000_000;
  const sum = days * DAY_MS * 1000 + ofDay;
  return Number.isSafeInteger(sum) ? sum : BigInt(days) * BigInt(DAY_MS * 1000) + BigInt(ofDay);
}

function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || /^(z|utc)$/i.test(zone)) return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || 0);
  if (hours > 15 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

const UUID = /^\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

/** 32 lower-case hexadecimal digits. */
function parseUuid(text: string): string | undefined {
  const match = UUID.exec(text);
  return match ? match.slice(1).join('').toLowerCase() : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
