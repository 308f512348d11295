import type { SqlType } from '../base/sql-type.js';
import type { SqlDialect } from './engine.js';

/** Longest VARCHAR that MySQL can declare in utf8mb4: 65,535 bytes a row. */
const MAX_MYSQL_VARCHAR = 16_383;

/** A declared type in the notation of the dialect, for CREATE TABLE. */
export function columnTypeSql(type: SqlType, dialect: SqlDialect): string {
  return dialect === 'postgres' ? postgresType(type) : mysqlType(type);
}

function postgresType(type: SqlType): string {
  switch (type.kind) {
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`;
    case 'double':
      return 'double precision';
    case 'char':
      return `char(${type.length ?? 1})`;
    case 'varchar':
      return type.length === undefined ? 'varchar' : `varchar(${type.length})`;
    case 'timestamp':
      return type.zoned ? 'timestamptz' : 'timestamp';
    case 'json':
      return 'jsonb';
    default:
      return type.kind;
  }
}

function mysqlType(type: SqlType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'boolean':
      return 'tinyint(1)';
    case 'real':
      return 'float';
    case 'char':
      return sizedMysqlText('char', type.length ?? 1);
    case 'varchar':
      return type.length === undefined ? 'longtext' : sizedMysqlText('varchar', type.length);
    case 'text':
      return 'longtext';
    case 'time':
      return 'time(6)';
    case 'timestamp':
      return 'datetime(6)';
    case 'uuid':
      return 'char(36)';
    default:
      return type.kind;
  }
}

/** MySQL's CHAR ends at 255 characters. */
function sizedMysqlText(kind: 'char' | 'varchar', length: number): string {
  if (length > MAX_MYSQL_VARCHAR) return 'longtext';
  return kind === 'char' && length <= 255 ? `char(${length})` : `varchar(${length})`;
}

/** The type of a column that exists, as the catalogue tells it. */
export interface ExistingType {
  /** Family name in lower case: `integer`, `varchar`, `numeric`, `timestamptz`, … */
  family: string;
  /** The database's own notation, for messages. */
  text: string;
  /** Characters; absent when unlimited. */
  length?: number;
  precision?: number;
  scale?: number;
  /** Digits after the second. */
  fraction?: number;
  unsigned?: boolean;
}

const INTEGER_DIGITS: Record<string, number> = { smallint: 5, integer: 10, bigint: 19 };
const MICROSECOND_DIGITS = 6;
const UUID_LENGTH = 36;

/**
 * Whether every value of the declared type has its place in the existing column, without being changed. A text column
 * counts as unlimited whatever its size, since the server refuses what is too long.
 */
export function holds(existing: ExistingType, declared: SqlType, dialect: SqlDialect): boolean {
  const { family } = existing;
  switch (declared.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return holdsInteger(existing, INTEGER_DIGITS[declared.kind]);
    case 'decimal':
      return family === 'numeric' && holdsDigits(existing, declared.precision!, declared.scale!);
    case 'real':
      return family === 'real' || family === 'double';
    case 'char':
      return holdsText(existing, declared.length ?? 1, ['char', 'varchar', 'text']);
    case 'varchar':
      return holdsText(existing, declared.length ?? Number.POSITIVE_INFINITY, ['varchar', 'text']);
    case 'text':
      return holdsText(existing, Number.POSITIVE_INFINITY, ['varchar', 'text']);
    case 'time':
      return family === 'time' && existing.fraction === MICROSECOND_DIGITS;
    case 'timestamp':
      return holdsTimestamp(existing, declared);
    case 'uuid':
      return (
        family === 'uuid' || (dialect === 'mysql' && holdsText(existing, UUID_LENGTH, ['char', 'varchar']))
      );
    case 'json':
      // MariaDB's JSON is LONGTEXT by another name.
      return family === 'json' || (dialect === 'mysql' && family === 'text');
    default:
      return family === declared.kind;
  }
}

function holdsInteger(existing: ExistingType, digits: number): boolean {
  if (existing.unsigned) return false;
  if (existing.family === 'numeric') return holdsDigits(existing, digits, 0);
  return (INTEGER_DIGITS[existing.family] ?? 0) >= digits;
}

function holdsDigits(
  { precision, scale = 0, unsigned }: ExistingType,
  digits: number,
  after: number,
): boolean {
  if (unsigned) return false;
  return precision === undefined || (scale >= after && precision - scale >= digits - after);
}

function holdsText({ family, length }: ExistingType, needed: number, families: string[]): boolean {
  return families.includes(family) && (length === undefined || length >= needed);
}

function holdsTimestamp({ family, fraction }: ExistingType, { zoned }: SqlType): boolean {
  const families = zoned ? ['timestamptz', 'datetime'] : ['timestamp', 'datetime'];
  return families.includes(family) && fraction === MICROSECOND_DIGITS;
}
