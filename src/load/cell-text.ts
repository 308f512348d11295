import type { SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import { CalendarError, dateText, timestampText, timeText } from './calendar.js';
import { type CellBuffer, UUID_BYTES } from './cell-buffer.js';
import { CellError, misfit } from './cell-error.js';
import type { SqlDialect } from './engine.js';
import type { SourceType } from './parquet-type.js';
import {
  clockReader,
  dayReader,
  floatReader,
  instantReader,
  numberReader,
  type Reader,
  scalarReader,
  utf8Text,
  uuidText,
} from './source-value.js';

/** Adds the cell of one value, never NULL, to the buffer. @throws CellError */
export type CellWriter = (value: unknown, cells: CellBuffer) => void;

/** Values of one column: what they are in the file, what they become in the table. */
export interface Conversion {
  source: SourceType;
  target: SqlType;
  dialect: SqlDialect;
}

/**
 * The function that turns values of a Parquet column into cells of COPY text, or undefined when no value of this source
 * makes sense for the target. Nothing is cut or folded, and only floating-point columns round; a value that does not
 * fit is an error. Values arrive as Parquet stores them: numbers, bigints, booleans, bytes.
 */
export function cellWriter(conversion: Conversion): CellWriter | undefined {
  switch (conversion.target.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return integerWriter(conversion);
    case 'decimal':
      return decimalWriter(conversion);
    case 'real':
    case 'double':
      return floatWriter(conversion);
    case 'boolean':
      return booleanWriter(conversion);
    case 'date':
      return dateWriter(conversion);
    case 'time':
      return timeWriter(conversion);
    case 'timestamp':
      return timestampWriter(conversion);
    case 'uuid':
      return uuidWriter(conversion);
    case 'json':
      return conversion.source.kind === 'json' ? bytesWriter(conversion) : jsonFromText(conversion);
    default:
      return textWriter(conversion);
  }
}

const INTEGER_RANGES = {
  smallint: [-32_768n, 32_767n],
  integer: [-2_147_483_648n, 2_147_483_647n],
  bigint: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
} as const;

function integerWriter({ source, target }: Conversion): CellWriter | undefined {
  const toText = numberReader(source);
  if (!toText) return undefined;
  const [least, most] = INTEGER_RANGES[target.kind as keyof typeof INTEGER_RANGES];
  if (source.kind === 'int' && source.signed) {
    return (value, cells) => {
      const number = value as number | bigint;
      if (number < least || number > most) throw misfit(String(number), target);
      cells.pushAscii(String(number));
    };
  }
  return (value, cells) => {
    const text = toText(value);
    const digits = /^[+-]?\d+(?=(?:\.0*)?$)/.exec(text)?.[0];
    const number = digits === undefined ? undefined : BigInt(digits.replace('+', ''));
    if (number === undefined || number < least || number > most) throw misfit(text, target);
    cells.pushAscii(number.toString());
  };
}

function decimalWriter({ source, target }: Conversion): CellWriter | undefined {
  const toText = numberReader(source);
  if (!toText) return undefined;
  const { precision = 38, scale = 0 } = target;
  return (value, cells) => {
    const text = toText(value);
    const match = /^(?=.?\.?\d)([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text);
    if (!match) throw misfit(text, target);
    const [, sign, whole, fraction = ''] = match;
    if (whole.length > precision - scale || fraction.length > scale) throw misfit(text, target);
    const unsigned = `${whole || '0'}${fraction && `.${fraction}`}`;
    cells.pushAscii(sign === '-' ? `-${unsigned}` : unsigned);
  };
}

function floatWriter({ source, target, dialect }: Conversion): CellWriter | undefined {
  const toText = floatReader(source);
  if (!toText) return undefined;
  return (value, cells) => {
    const text = toText(value);
    const finite = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
    if (!finite && !/^(?:NaN|-?Infinity)$/.test(text)) throw misfit(text, target);
    if (!finite && dialect === 'mysql') throw new CellError(`${text} has no place in a MySQL column`);
    cells.pushAscii(text);
  };
}

function booleanWriter({ source, target, dialect }: Conversion): CellWriter | undefined {
  const [no, yes] = dialect === 'postgres' ? ['f', 't'] : ['0', '1'];
  if (source.kind === 'boolean') return (value, cells) => cells.pushAscii(value ? yes : no);
  if (source.kind !== 'text') return undefined;
  return (value, cells) => {
    const text = utf8Text(value);
    if (/^(?:t|true|1)$/i.test(text)) return cells.pushAscii(yes);
    if (!/^(?:f|false|0)$/i.test(text)) throw misfit(text, target);
    cells.pushAscii(no);
  };
}

function dateWriter({ source, target, dialect }: Conversion): CellWriter | undefined {
  const toDays = dayReader(source, target);
  return toDays && asciiWriter((value) => dateText(toDays(value), dialect));
}

function timeWriter({ source, target }: Conversion): CellWriter | undefined {
  const toMicros = clockReader(source, target);
  return toMicros && asciiWriter((value) => timeText(toMicros(value)));
}

function timestampWriter({ source, target, dialect }: Conversion): CellWriter | undefined {
  const toMicros = instantReader(source, target);
  const options = { dialect, zoned: target.zoned === true };
  return toMicros && asciiWriter((value) => timestampText(toMicros(value), options));
}

function uuidWriter({ source, target }: Conversion): CellWriter | undefined {
  if (source.kind === 'uuid') {
    return (value, cells) => {
      const bytes = value as Uint8Array;
      if (bytes.length === UUID_BYTES) cells.pushUuid(bytes);
      // The server says what it thinks of it.
      else cells.pushAscii(uuidText(bytes));
    };
  }
  if (source.kind !== 'text') return undefined;
  return asciiWriter((value) => {
    const text = utf8Text(value).toLowerCase();
    if (!/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/.test(text)) throw misfit(text, target);
    return text;
  });
}

function jsonFromText(conversion: Conversion): CellWriter | undefined {
  return conversion.source.kind === 'text' ? bytesWriter(conversion) : undefined;
}

function textWriter(conversion: Conversion): CellWriter | undefined {
  const { source, target, dialect } = conversion;
  if (source.kind === 'text' || source.kind === 'json') return bytesWriter(conversion);
  const toText = scalarReader(source, dialect);
  if (!toText) return undefined;
  return asciiWriter((value) => {
    const text = toText(value);
    if (target.length !== undefined && text.length > target.length) throw misfit(text, target);
    return text;
  });
}

/** Text goes from file to database as bytes; whether it is UTF-8 (or JSON) is checked by the server. */
function bytesWriter({ target, dialect }: Conversion): CellWriter {
  const { length } = target;
  return (value, cells) => {
    const bytes = value as Uint8Array;
    if (length !== undefined && bytes.length > length && characters(bytes) > length) {
      throw misfit(lossyText(bytes), target);
    }
    if (dialect === 'postgres' && bytes.includes(0)) {
      throw new CellError(
        `${quoteValue(lossyText(bytes))} holds a NUL character, which Postgres cannot store`,
      );
    }
    cells.pushText(bytes);
  };
}

function asciiWriter(toText: Reader<string>): CellWriter {
  return (value, cells) => {
    try {
      cells.pushAscii(toText(value));
    } catch (error) {
      if (error instanceof CalendarError) throw new CellError(`${value} ${error.message}`);
      throw error;
    }
  };
}

/** Number of characters of a UTF-8 text. */
function characters(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] & 0xc0) !== 0x80) count++;
  return count;
}

function lossyText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
