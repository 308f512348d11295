import { DropgateError } from '../../base/errors.js';
import type { Engine, QueryResult, ResultBounds } from '../../load/engine.js';
import type { Pipeline } from '../app.js';
import { listQueries, type NamedQuery, namedQuery } from '../query.js';
import { csvLines, jsonLines, jsonValue } from '../result-lines.js';
import { type SavedQuery, saveQuery } from '../save-query.js';

export type { QueryResult, ResultBounds, SqlValue } from '../../load/engine.js';
export type { NamedQuery } from '../query.js';
export { csvLines, jsonLines, jsonValue };

/** The rows of a result as a Parquet file, piece by piece. */
export async function* parquetPieces(result: QueryResult): AsyncGenerator<Uint8Array> {
  // Read when somebody asks for it: the daemon does without the modules that write Parquet.
  const { parquetPieces: pieces } = await import('../result-parquet.js');
  yield* pieces(result);
}

/** One statement that only reads. */
export interface Statement {
  sql: string;
  timeoutMs: number;
  bounds: ResultBounds;
  /** Ends it, on the server too. */
  signal: AbortSignal;
}

/** A table as an editor knows it. */
export interface KnownTable {
  name: string;
  columns: string[];
}

/** What the SQL page may do. */
export interface SqlView {
  /** Undefined where there is no database. */
  dialect: 'postgres' | 'mysql' | undefined;
  /** @throws DropgateError `query_refused`, `database_unreachable`; `config_invalid` without a database */
  run(statement: Statement): Promise<QueryResult>;
  /** The tables of the database; those of schema_sql.yaml while it cannot be asked. */
  tables(): Promise<KnownTable[]>;
  /** @throws DropgateError `config_invalid`, `config_syntax` when the manifest makes no sense */
  queries(): NamedQuery[];
  /** The text of a query. @throws DropgateError `usage` when there is none of this name */
  query(name: string): string;
  /** @throws DropgateError `usage` for a name that is none, or that is taken */
  save(query: SavedQuery): Promise<void>;
}

const TABLES_TIMEOUT_MS = 3000;
const TABLES_BOUNDS: ResultBounds = { maxRows: 5000, maxBytes: 1_000_000 };

/** The view on the queries of a running pipeline. */
export function openSqlView({ settings, engine }: Pipeline): SqlView {
  return {
    dialect: engine?.dialect,
    run: async ({ sql, ...options }) => databaseOf(engine).readOnly(sql, options),
    tables: async () => {
      const declared = Object.values(settings.tables).map(({ name, columns }) => ({
        ...{ name, columns: columns.map((column) => column.name) },
      }));
      return engine ? knownTables(engine).catch(() => declared) : declared;
    },
    queries: () => listQueries(settings),
    query: (name) => namedQuery(settings, name),
    save: (query) => saveQuery(settings, query),
  };
}

function databaseOf(engine: Engine | undefined): Engine {
  if (engine) return engine;
  throw new DropgateError('config_invalid', 'db_creds.yaml says "engine: none": there is no database', {
    hint: 'Name a database in db_creds.yaml; docs/configuration.md shows how.',
  });
}

async function knownTables(engine: Engine): Promise<KnownTable[]> {
  const schema = engine.dialect === 'mysql' ? 'DATABASE()' : 'current_schema()';
  const sql = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ${schema} ORDER BY table_name, ordinal_position`;
  const { rows } = await engine.readOnly(sql, { timeoutMs: TABLES_TIMEOUT_MS, bounds: TABLES_BOUNDS });
  const tables = new Map<string, string[]>();
  for (const [table, column] of rows as [string, string][])
    tables.set(table, [...(tables.get(table) ?? []), column]);
  return [...tables].map(([name, columns]) => ({ name, columns }));
}
