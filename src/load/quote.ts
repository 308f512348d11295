import { DropgateError } from '../base/errors.js';
import { quoteValue } from '../base/text.js';
import type { SqlDialect } from './engine.js';

const MAX_POSTGRES_BYTES = 63;
const MAX_MYSQL_CHARACTERS = 64;

/**
 * A table or column name as a quoted identifier. Names that the server would change (cut short, stripped) are refused,
 * since two of them could become one.
 * @throws DropgateError `config_invalid`
 */
export function quoteName(dialect: SqlDialect, name: string): string {
  const problem = dialect === 'postgres' ? postgresProblem(name) : mysqlProblem(name);
  if (problem) {
    throw new DropgateError(
      'config_invalid',
      `The name ${quoteValue(name)} cannot be used in SQL: ${problem}.`,
      {
        hint: 'Choose another name in schema.yaml and schema_sql.yaml.',
      },
    );
  }
  return dialect === 'postgres' ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll('`', '``')}\``;
}

/** Names as a comma-separated list of quoted identifiers. */
export function quoteNames(dialect: SqlDialect, names: string[]): string {
  return names.map((name) => quoteName(dialect, name)).join(', ');
}

function postgresProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.includes('\0')) return 'it holds a NUL character';
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_POSTGRES_BYTES) return `it has ${bytes} bytes, Postgres allows ${MAX_POSTGRES_BYTES}`;
  return undefined;
}

function mysqlProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.includes('\0')) return 'it holds a NUL character';
  if (name.endsWith(' ')) return 'it ends with a space, which MySQL does not allow';
  // Beyond the basic plane: https://dev.mysql.com/doc/refman/8.0/en/identifiers.html
  if (/[\u{10000}-\u{10ffff}]/u.test(name)) return 'MySQL allows no character beyond U+FFFF in names';
  if (name.length > MAX_MYSQL_CHARACTERS) {
    return `it has ${name.length} characters, MySQL allows ${MAX_MYSQL_CHARACTERS}`;
  }
  return undefined;
}
