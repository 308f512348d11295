import { Buffer } from 'node:buffer';
import type { QueryResult, SqlDialect, SqlValue } from '../engine.js';
import { LEDGER_TABLE } from '../ledger-table.js';
import { quoteName } from '../quote.js';
import type { ExploredTable } from './column.js';
import { type ReadyStatement, StatementWriter } from './statement.js';

/** Asks the database; see {@link ReadyStatement}. */
export interface TablesSource {
  dialect: SqlDialect;
  read(statement: ReadyStatement): Promise<QueryResult>;
}

/** What was loaded into a table. */
export interface LoadMark {
  loads: number;
  /** Rows of all loads together. */
  rows: number;
  /** ISO 8601 in UTC. */
  lastLoadedAt: string;
}

/** Which of the tables are there, and what was loaded into them. Tables without a load have no mark. */
export async function readLoadMarks(
  source: TablesSource,
  names: string[],
): Promise<{ present: Set<string>; marks: Map<string, LoadMark> }> {
  const present = await presentTables(source, [...names, LEDGER_TABLE.name]);
  const marks = present.has(LEDGER_TABLE.name) ? await readMarks(source) : new Map<string, LoadMark>();
  return { present, marks };
}

async function presentTables({ dialect, read }: TablesSource, names: string[]): Promise<Set<string>> {
  const places = names.map((_, index) => (dialect === 'postgres' ? `$${index + 1}` : '?')).join(', ');
  const schema =
    dialect === 'postgres' ? 'table_schema = ANY (current_schemas(false))' : 'table_schema = DATABASE()';
  const { rows } = await read({
    sql: `SELECT table_name FROM information_schema.tables WHERE ${schema} AND table_name IN (${places})`,
    params: names,
  });
  return new Set(rows.map(([name]) => textOf(name)));
}

/** MariaDB gives names of its catalogue as bytes in some versions. */
function textOf(value: SqlValue): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}

async function readMarks({ dialect, read }: TablesSource): Promise<Map<string, LoadMark>> {
  const quoted = (name: string) => quoteName(dialect, name);
  const last = `MAX(${quoted('loaded_at')})`;
  const lastText =
    dialect === 'postgres'
      ? `to_char(${last}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
      : `DATE_FORMAT(${last}, '%Y-%m-%dT%H:%i:%s.%fZ')`;
  const columns = [quoted('dataset'), 'COUNT(*)', `SUM(${quoted('rows')})`, lastText].join(', ');
  const sql = `SELECT ${columns} FROM ${quoted(LEDGER_TABLE.name)} GROUP BY ${quoted('dataset')}`;
  const { rows } = await read({ sql, params: [] });
  return new Map(
    rows.map(([dataset, loads, loaded, at]) => [
      String(dataset),
      { loads: Number(loads), rows: Number(loaded), lastLoadedAt: new Date(String(at)).toISOString() },
    ]),
  );
}

/** Counts the rows of a table, at most up to `most`. */
export async function countRows(
  { dialect, read }: TablesSource,
  { table, most }: { table: ExploredTable; most: number },
): Promise<number> {
  const writer = new StatementWriter(dialect, { ...table, firstRows: most });
  const { rows } = await read(writer.finish(`SELECT COUNT(*) FROM ${writer.source()}`));
  return Number(rows[0][0]);
}

/** The first rows in the order in which the database has them. */
export async function readPage(
  { dialect, read }: TablesSource,
  { table, offset, limit }: { table: ExploredTable; offset: number; limit: number },
): Promise<SqlValue[][]> {
  const writer = new StatementWriter(dialect, table);
  const columns = table.columns.map((column) => {
    const { kind } = column.type;
    return kind === 'json' || kind === 'text' || kind === 'varchar'
      ? writer.text(column)
      : writer.column(column);
  });
  const sql = `SELECT ${columns.join(', ')} FROM ${writer.source()} LIMIT ${limit} OFFSET ${offset}`;
  return (await read(writer.finish(sql))).rows;
}
