import { parseSqlType } from '../base/sql-type.js';
import { nearest } from '../base/suggest.js';
import { quoteValue } from '../base/text.js';

const TYPE_NAMES = [
  ...['SMALLINT', 'INTEGER', 'BIGINT', 'DECIMAL', 'NUMERIC', 'REAL', 'DOUBLE', 'BOOLEAN', 'CHAR', 'VARCHAR'],
  ...['TEXT', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMPTZ', 'UUID', 'JSON'],
];

/** A value for a message. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return typeof value === 'string' ? quoteValue(value) : String(value);
}

/** What is wrong with a text that is no SQL type, and the nearest that is one. */
export function typeHelp(text: string): string {
  const [, name, rest] = /^\s*([^(]*?)\s*(\(.*)?$/s.exec(text) ?? ['', text, ''];
  if (rest && !rest.includes(')')) {
    return 'which the comma cuts short; between { and } a type with a comma needs quotes, such as "DECIMAL(12,2)"';
  }
  if (parseSqlType(name)) {
    return 'which takes no such arguments (CHAR and VARCHAR take a length from 1, DECIMAL 1 to 38 digits and a scale within them)';
  }
  const near = nearest(name, TYPE_NAMES);
  if (near === undefined) return `expected a SQL type: ${TYPE_NAMES.join(', ')}`;
  const suggestion = rest && parseSqlType(near + rest) ? near + rest : near;
  return `expected a SQL type; did you mean "${suggestion}"?`;
}
