import { DropgateError } from '../base/errors.js';
import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import { columnTypeSql } from './column-type.js';
import type { SqlDialect } from './engine.js';
import { quoteName, quoteNames } from './quote.js';
import type { TargetTable } from './target-table.js';

/** Longest text column that InnoDB can index whole: 3,072 bytes of utf8mb4. */
const MAX_MYSQL_KEY_CHARACTERS = 768;
/** Characters of a long text that a non-unique index of MySQL covers. */
const INDEX_PREFIX = 190;
/** MySQL's limit is 65,535 bytes a row without long texts; the rest is for what is not counted here. */
const MAX_MYSQL_ROW_BYTES = 60_000;
const UTF8_BYTES = 4;

/**
 * The statements that create a table with its primary key and indexes.
 * @throws DropgateError `config_invalid` for names or keys that the database cannot have
 */
export function createStatements(table: TargetTable, dialect: SqlDialect): string[] {
  return dialect === 'postgres' ? postgresStatements(table) : [mysqlStatement(table)];
}

function postgresStatements(table: TargetTable): string[] {
  const name = quoteName('postgres', table.name);
  const parts = columnParts(table, 'postgres');
  if (table.key.length > 0) parts.push(`PRIMARY KEY (${quoteNames('postgres', table.key)})`);
  const indexes = table.indexes.map(
    (columns) => `CREATE INDEX ON ${name} (${quoteNames('postgres', columns)})`,
  );
  return [`CREATE TABLE ${name} (${parts.join(', ')})`, ...indexes];
}

/** The binary collation makes keys, grouping and comparison exact, as they are in Postgres. */
function mysqlStatement(declared: TargetTable): string {
  const table = { ...declared, columns: withinRowSize(declared) };
  checkMysqlKey(table);
  const parts = columnParts(table, 'mysql');
  if (table.key.length > 0) parts.push(`PRIMARY KEY (${quoteNames('mysql', table.key)})`);
  for (const columns of table.indexes) {
    parts.push(`INDEX (${columns.map((name) => indexedPart(table, name)).join(', ')})`);
  }
  return `CREATE TABLE ${quoteName('mysql', table.name)} (${parts.join(', ')})
    ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin ROW_FORMAT = DYNAMIC`;
}

function columnParts({ columns, key }: TargetTable, dialect: SqlDialect): string[] {
  return columns.map(({ name, type }) => {
    const notNull = key.includes(name) ? ' NOT NULL' : '';
    return `${quoteName(dialect, name)} ${columnTypeSql(type, dialect)}${notNull}`;
  });
}

/** Many wide VARCHARs do not fit into one row of MySQL: the widest become long texts, whose lengths the loader checks. */
function withinRowSize({ columns, key, indexes }: TargetTable): TargetTable['columns'] {
  const fixed = new Set([...key, ...indexes.flat()]);
  const result = columns.map((column) => ({ ...column }));
  const movable = result
    .filter(({ name }) => !fixed.has(name))
    .sort((a, b) => rowBytes(b.type) - rowBytes(a.type));
  let total = result.reduce((sum, { type }) => sum + rowBytes(type), 0);
  for (const column of movable) {
    if (total <= MAX_MYSQL_ROW_BYTES) break;
    total -= rowBytes(column.type);
    column.type = { kind: 'text' };
  }
  return result;
}

function rowBytes(type: SqlType): number {
  const isText = type.kind === 'char' || type.kind === 'varchar';
  return isText && type.length !== undefined ? type.length * UTF8_BYTES + 2 : 16;
}

function checkMysqlKey({ name, columns, key }: TargetTable): void {
  for (const column of columns) {
    if (!key.includes(column.name) || isIndexable(column.type)) continue;
    throw new DropgateError(
      'config_invalid',
      `Table ${quoteValue(name)}: column ${quoteValue(column.name)} is ${formatSqlType(column.type)} and part of the key; MySQL needs VARCHAR(${MAX_MYSQL_KEY_CHARACTERS}) or shorter there.`,
      { hint: 'Declare a length for the column in schema.yaml and schema_sql.yaml.' },
    );
  }
}

function indexedPart({ columns }: TargetTable, name: string): string {
  const type = columns.find((column) => column.name === name)?.type;
  const prefix = type && !isIndexable(type) ? `(${INDEX_PREFIX})` : '';
  return quoteName('mysql', name) + prefix;
}

function isIndexable({ kind, length }: SqlType): boolean {
  if (kind === 'text' || kind === 'json') return false;
  if (kind !== 'varchar' && kind !== 'char') return true;
  return length !== undefined && length <= MAX_MYSQL_KEY_CHARACTERS;
}
