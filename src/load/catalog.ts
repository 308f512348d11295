import type { ExistingType } from './column-type.js';
import type { Session, SqlDialect, SqlRow } from './engine.js';
import { quoteName } from './quote.js';

/** A table as it stands in the database. */
export interface ExistingTable {
  columns: ExistingColumn[];
  /** Columns of each unique index that covers all rows. */
  uniqueKeys: string[][];
  /** The storage engine when it has no transactions (MyISAM), so that a failed load could not be undone. */
  untransactional?: string;
}

export interface ExistingColumn {
  name: string;
  type: ExistingType;
  /** NOT NULL without a default: a row must give it a value. */
  required: boolean;
  /** Computed by the database; cannot be loaded. */
  generated: boolean;
}

/** Reads a table from the database's catalogue. Undefined when there is none of this name. */
export function readTable(
  session: Session,
  dialect: SqlDialect,
  table: string,
): Promise<ExistingTable | undefined> {
  return dialect === 'postgres' ? readPostgresTable(session, table) : readMysqlTable(session, table);
}

const POSTGRES_COLUMNS = `
  SELECT a.attname::text AS name,
         format_type(a.atttypid, a.atttypmod) AS text,
         base.typname::text AS type,
         CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod,
         a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
         a.attgenerated <> '' AS generated
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attnum`;

/** A deferrable constraint cannot be the target of ON CONFLICT. */
const POSTGRES_UNIQUE_KEYS = `
  SELECT i.indexrelid::bigint AS key, a.attname::text AS name
    FROM pg_index i
   CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
   WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate
     AND i.indpred IS NULL AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
   ORDER BY i.indexrelid, k.position`;

async function readPostgresTable(session: Session, table: string): Promise<ExistingTable | undefined> {
  const name = quoteName('postgres', table);
  const columns = await session.query(POSTGRES_COLUMNS, [name]);
  if (columns.length === 0) return undefined;
  const keys = await session.query(POSTGRES_UNIQUE_KEYS, [name]);
  return {
    columns: columns.map((row) => ({
      name: String(row.name),
      type: postgresType(row),
      required: row.required === true,
      generated: row.generated === true,
    })),
    uniqueKeys: grouped(keys),
  };
}

const POSTGRES_FAMILIES: Record<string, string> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double',
  bool: 'boolean',
  bpchar: 'char',
  jsonb: 'json',
};

/** Source: typmod functions of Postgres (varchartypmodout, numerictypmodout, …). */
function postgresType({ text, type, typmod }: SqlRow): ExistingType {
  const family = POSTGRES_FAMILIES[String(type)] ?? String(type);
  const modifier = Number(typmod);
  const existing: ExistingType = { family, text: String(text) };
  if (family === 'time' || family === 'timestamp' || family === 'timestamptz') {
    return { ...existing, fraction: modifier < 0 ? 6 : modifier };
  }
  if (modifier < 0) return existing;
  if (family === 'char' || family === 'varchar') return { ...existing, length: modifier - 4 };
  if (family === 'numeric') {
    return { ...existing, precision: (modifier - 4) >> 16, scale: (modifier - 4) & 0x7ff };
  }
  return existing;
}

const MYSQL_COLUMNS = `
  SELECT column_name AS name, data_type AS type, column_type AS text, character_maximum_length AS length,
         numeric_precision AS \`precision\`, numeric_scale AS scale, datetime_precision AS fraction,
         is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%' AS required,
         generation_expression <> '' AS is_generated
    FROM information_schema.columns
   WHERE table_schema = DATABASE() AND table_name = ?
   ORDER BY ordinal_position`;

const MYSQL_UNIQUE_KEYS = `
  SELECT index_name AS \`key\`, column_name AS name
    FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 AND sub_part IS NULL
     AND column_name IS NOT NULL
   ORDER BY index_name, seq_in_index`;

const MYSQL_ENGINE = `
  SELECT t.engine AS engine, e.transactions AS transactions
    FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine
   WHERE t.table_schema = DATABASE() AND t.table_name = ?`;

async function readMysqlTable(session: Session, table: string): Promise<ExistingTable | undefined> {
  const columns = await session.query(MYSQL_COLUMNS, [table]);
  if (columns.length === 0) return undefined;
  const keys = await session.query(MYSQL_UNIQUE_KEYS, [table]);
  const [engine] = await session.query(MYSQL_ENGINE, [table]);
  return {
    columns: columns.map((row) => ({
      name: String(row.name),
      type: mysqlType(row),
      required: Number(row.required) === 1,
      generated: Number(row.is_generated) === 1,
    })),
    uniqueKeys: grouped(keys),
    ...(engine && engine.transactions !== 'YES' && { untransactional: String(engine.engine) }),
  };
}

const MYSQL_FAMILIES: Record<string, string> = {
  tinyint: 'boolean',
  mediumint: 'smallint',
  int: 'integer',
  decimal: 'numeric',
  float: 'real',
  mediumtext: 'text',
  longtext: 'text',
  timestamp: 'datetime',
};

function mysqlType({ type, text, length, precision, scale, fraction }: SqlRow): ExistingType {
  const name = String(type).toLowerCase();
  const family = MYSQL_FAMILIES[name] ?? name;
  const optional = (value: unknown) => (value === null ? undefined : Number(value));
  return {
    family,
    text: String(text),
    length: family === 'text' ? undefined : optional(length),
    precision: optional(precision),
    scale: optional(scale),
    fraction: optional(fraction),
    unsigned: /\bunsigned\b/.test(String(text)),
  };
}

function grouped(rows: SqlRow[]): string[][] {
  const keys = new Map<unknown, string[]>();
  for (const { key, name } of rows) keys.set(key, [...(keys.get(key) ?? []), String(name)]);
  return [...keys.values()];
}
