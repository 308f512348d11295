import type { SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import {
  dateText,
  parseDate,
  parseTime,
  parseTimestamp,
  splitDays,
  timestampText,
  timeText,
} from './calendar.js';
import { CellError, misfit } from './cell-error.js';
import type { SqlDialect } from './engine.js';
import { plainNumber, shortestFloat, unscaledText } from './number-text.js';
import type { SourceTimeUnit, SourceType } from './parquet-type.js';

/** Reads one raw Parquet value (number, bigint, boolean, bytes). @throws CellError */
export type Reader<T> = (value: unknown) => T;

const MICROS_A_DAY = 86_400_000_000n;

/** Any scalar in its usual notation, for text columns. Undefined for what has none. */
export function scalarReader(source: SourceType, dialect: SqlDialect): Reader<string> | undefined {
  switch (source.kind) {
    case 'boolean':
      return (value) => String(value);
    case 'uuid':
      return uuidText;
    case 'date':
      return (value) => dateText(value as number, dialect);
    case 'time': {
      const toMicros = microsReader(source.unit);
      return (value) => timeText(Number(toMicros(value)));
    }
    case 'timestamp': {
      const toMicros = microsReader(source.unit);
      return (value) => timestampText(toMicros(value), { dialect, zoned: false });
    }
    default:
      return numberReader(source);
  }
}

/** A number in plain decimal notation, without exponent; text as it stands. */
export function numberReader(source: SourceType): Reader<string> | undefined {
  switch (source.kind) {
    case 'int':
      return source.signed ? (value) => String(value) : unsignedReader(source.bits);
    case 'decimal':
      return (value) => unscaledText(value as number | bigint | Uint8Array, source.scale);
    case 'float':
      return (value) => plainNumber(shortestFloat(value as number));
    case 'double':
      return (value) => plainNumber(String(value));
    case 'float16':
      return (value) => plainNumber(String(half(value as Uint8Array)));
    case 'text':
      return utf8Text;
    default:
      return undefined;
  }
}

/** A number for a floating-point column: exact to the last bit, with the sign of -0, with an exponent where that is shorter. */
export function floatReader(source: SourceType): Reader<string> | undefined {
  if (source.kind === 'float16') return (value) => floatText(half(value as Uint8Array));
  if (source.kind === 'float' || source.kind === 'double') return (value) => floatText(value as number);
  return numberReader(source);
}

/** Days since 1970-01-01. A timestamp must be midnight. */
export function dayReader(source: SourceType, target: SqlType): Reader<number> | undefined {
  switch (source.kind) {
    case 'date':
      return (value) => value as number;
    case 'timestamp': {
      const toMicros = microsReader(source.unit);
      return (value) => {
        const micros = toMicros(value);
        const { days, rest } = splitDays(micros);
        if (rest !== 0) throw misfit(timestampText(micros, { dialect: 'postgres', zoned: false }), target);
        return days;
      };
    }
    case 'text':
      return parsing(parseDate, target);
    default:
      return undefined;
  }
}

/** Microseconds since midnight. */
export function clockReader(source: SourceType, target: SqlType): Reader<number> | undefined {
  if (source.kind === 'text') return parsing(parseTime, target);
  if (source.kind !== 'time') return undefined;
  const toMicros = microsReader(source.unit);
  return (value) => Number(toMicros(value));
}

/** Microseconds since 1970-01-01 00:00. */
export function instantReader(source: SourceType, target: SqlType): Reader<bigint> | undefined {
  switch (source.kind) {
    case 'timestamp':
      return microsReader(source.unit);
    case 'date':
      return (value) => BigInt(value as number) * MICROS_A_DAY;
    case 'text':
      return parsing(parseTimestamp, target);
    default:
      return undefined;
  }
}

/** `123e4567-e89b-12d3-a456-426614174000` of 16 bytes. */
export function uuidText(value: unknown): string {
  const hex = Buffer.from(value as Uint8Array).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text. */
export function utf8Text(value: unknown): string {
  try {
    return UTF8.decode(value as Uint8Array);
  } catch {
    throw new CellError(`${quoteValue(new TextDecoder().decode(value as Uint8Array))} is not UTF-8 text`);
  }
}

function parsing<T>(parse: (text: string) => T | undefined, target: SqlType): Reader<T> {
  return (value) => {
    const text = utf8Text(value);
    const parsed = parse(text);
    if (parsed === undefined) throw misfit(text, target);
    return parsed;
  };
}

function unsignedReader(bits: 32 | 64): Reader<string> {
  return bits === 32
    ? (value) => String((value as number) >>> 0)
    : (value) => BigInt.asUintN(64, value as bigint).toString();
}

function microsReader(unit: SourceTimeUnit): Reader<bigint> {
  switch (unit) {
    case 'MILLIS':
      return (value) => BigInt(value as number | bigint) * 1000n;
    case 'MICROS':
      return (value) => value as bigint;
    case 'NANOS':
      return (value) => nanosToMicros(value as bigint);
    case 'INT96':
      // Spec: days of the Julian calendar in the high 32 bits, nanoseconds of the day in the low 64.
      return (value) => {
        const days = ((value as bigint) >> 64n) - 2_440_588n;
        return days * MICROS_A_DAY + nanosToMicros(BigInt.asIntN(64, value as bigint));
      };
  }
}

function nanosToMicros(nanos: bigint): bigint {
  if (nanos % 1000n !== 0n) {
    throw new CellError(`a time of ${nanos} ns is finer than the microseconds that databases keep`);
  }
  return nanos / 1000n;
}

function floatText(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number);
}

/** Source: IEEE 754 binary16, little-endian. */
function half(bytes: Uint8Array): number {
  const bits = bytes[0] | (bytes[1] << 8);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}
