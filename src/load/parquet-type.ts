import type { SchemaElement, TimeUnit } from 'hyparquet';
import type { SqlType } from '../base/sql-type.js';

/** INT96: days and nanoseconds in twelve bytes, as old Impala and Spark wrote timestamps. */
export type SourceTimeUnit = TimeUnit | 'INT96';

/** What a Parquet column holds, with the old (converted) and new (logical) annotations folded into one. */
export type SourceType =
  | { kind: 'boolean' | 'float16' | 'float' | 'double' | 'date' | 'text' | 'json' | 'uuid' }
  | { kind: 'int'; bits: 32 | 64; signed: boolean }
  | { kind: 'decimal'; scale: number }
  | { kind: 'time' | 'timestamp'; unit: SourceTimeUnit }
  | { kind: 'unsupported' };

const TEXT: SourceType = { kind: 'text' };
const UNSUPPORTED: SourceType = { kind: 'unsupported' };

/** Folds a leaf of a Parquet schema into what its values mean. Spec: parquet-format, LogicalTypes.md. */
export function sourceTypeOf(element: SchemaElement): SourceType {
  return logicalSource(element) ?? convertedSource(element) ?? physicalSource(element);
}

/** What a column that Dropgate writes holds; see `physicalOf`. */
export function sourceTypeOfOwn({ kind, scale }: SqlType): SourceType {
  switch (kind) {
    case 'smallint':
    case 'integer':
      return { kind: 'int', bits: 32, signed: true };
    case 'bigint':
      return { kind: 'int', bits: 64, signed: true };
    case 'decimal':
      return { kind, scale: scale! };
    case 'real':
      return { kind: 'float' };
    case 'time':
    case 'timestamp':
      return { kind, unit: 'MICROS' };
    case 'char':
    case 'varchar':
      return TEXT;
    default:
      return { kind };
  }
}

/** A leaf of a Parquet schema for messages: `INT64`, `BYTE_ARRAY (STRING)`, `INT32 (DECIMAL(9,2))`. */
export function describeElement(element: SchemaElement): string {
  if (element.num_children)
    return `nested (${element.converted_type ?? element.logical_type?.type ?? 'STRUCT'})`;
  if (element.repetition_type === 'REPEATED') return `repeated ${element.type}`;
  const logical = element.logical_type;
  if (element.converted_type === 'DECIMAL' || logical?.type === 'DECIMAL') {
    return `${element.type} (DECIMAL(${element.precision ?? '?'},${element.scale ?? 0}))`;
  }
  if (logical?.type === 'INTEGER') {
    return `${element.type} (${logical.isSigned ? '' : 'U'}INT${logical.bitWidth})`;
  }
  if (logical?.type === 'TIMESTAMP' || logical?.type === 'TIME') {
    return `${element.type} (${logical.type}, ${logical.unit.toLowerCase()}${logical.isAdjustedToUTC ? ', UTC' : ''})`;
  }
  const note = logical?.type ?? element.converted_type;
  return note ? `${element.type} (${note})` : String(element.type);
}

function logicalSource({ type, logical_type: logical, scale }: SchemaElement): SourceType | undefined {
  switch (logical?.type) {
    case 'STRING':
    case 'ENUM':
      return TEXT;
    case 'JSON':
    case 'UUID':
      return { kind: logical.type === 'JSON' ? 'json' : 'uuid' };
    case 'DATE':
      return { kind: 'date' };
    case 'DECIMAL':
      return { kind: 'decimal', scale: logical.scale ?? scale ?? 0 };
    case 'TIME':
    case 'TIMESTAMP':
      return { kind: logical.type === 'TIME' ? 'time' : 'timestamp', unit: logical.unit };
    case 'INTEGER':
      return { kind: 'int', bits: type === 'INT64' ? 64 : 32, signed: logical.isSigned };
    case 'FLOAT16':
      return { kind: 'float16' };
    case undefined:
    case 'NULL':
      return undefined;
    default:
      return UNSUPPORTED;
  }
}

function convertedSource({ type, converted_type: converted, scale }: SchemaElement): SourceType | undefined {
  switch (converted) {
    case undefined:
      return undefined;
    case 'UTF8':
    case 'ENUM':
      return TEXT;
    case 'JSON':
      return { kind: 'json' };
    case 'DATE':
      return { kind: 'date' };
    case 'DECIMAL':
      return { kind: 'decimal', scale: scale ?? 0 };
    case 'TIME_MILLIS':
    case 'TIMESTAMP_MILLIS':
      return { kind: converted === 'TIME_MILLIS' ? 'time' : 'timestamp', unit: 'MILLIS' };
    case 'TIME_MICROS':
    case 'TIMESTAMP_MICROS':
      return { kind: converted === 'TIME_MICROS' ? 'time' : 'timestamp', unit: 'MICROS' };
    case 'INT_8':
    case 'INT_16':
    case 'INT_32':
    case 'INT_64':
    case 'UINT_8':
    case 'UINT_16':
    case 'UINT_32':
    case 'UINT_64':
      return { kind: 'int', bits: type === 'INT64' ? 64 : 32, signed: converted.startsWith('I') };
    default:
      return UNSUPPORTED;
  }
}

function physicalSource({ type }: SchemaElement): SourceType {
  switch (type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'INT32':
    case 'INT64':
      return { kind: 'int', bits: type === 'INT64' ? 64 : 32, signed: true };
    case 'INT96':
      return { kind: 'timestamp', unit: 'INT96' };
    case 'FLOAT':
      return { kind: 'float' };
    case 'DOUBLE':
      return { kind: 'double' };
    case 'BYTE_ARRAY':
      // Old writers do not annotate text; the database checks that it is UTF-8.
      return TEXT;
    default:
      return UNSUPPORTED;
  }
}
