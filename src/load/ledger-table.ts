import { createHash } from 'node:crypto';
import type { Engine, Session, SqlDialect } from './engine.js';
import { quoteName, quoteNames } from './quote.js';
import { ensureTable } from './table.js';
import type { TargetTable } from './target-table.js';

/** A file as the load ledger knows it. */
export interface LedgerEntry {
  /** From {@link loadKey}. */
  loadKey: string;
  dataset: string;
  /** Name of the file, at most 255 characters. */
  file: string;
  /** Hexadecimal. */
  sha256: string;
  rows: number;
}

/**
 * The load ledger in the target database: one row a loaded file, written in the transaction of its rows. Its key is a
 * hash, since MySQL cannot index names of any length.
 */
export const LEDGER_TABLE: TargetTable = {
  name: 'dropgate_loads',
  columns: [
    { name: 'load_key', type: { kind: 'char', length: 64 } },
    { name: 'dataset', type: { kind: 'varchar', length: 255 } },
    { name: 'file', type: { kind: 'varchar', length: 255 } },
    { name: 'sha256', type: { kind: 'char', length: 64 } },
    { name: 'rows', type: { kind: 'bigint' } },
    { name: 'loaded_at', type: { kind: 'timestamp', zoned: true } },
  ],
  key: ['load_key'],
  mode: 'append',
  indexes: [['dataset', 'loaded_at']],
};

const DUPLICATE_ENTRY = 1062;

/** Creates the load ledger when it is missing. @throws as {@link ensureTable} */
export async function ensureLedgerTable(engine: Engine): Promise<void> {
  await ensureTable(engine, LEDGER_TABLE);
}

export interface LoadIdentity {
  /** What makes a file "already loaded": the same content under the same name, or the same content. */
  identity: 'name_and_content' | 'content';
  dataset: string;
  file: string;
  sha256: string;
}

/** What makes a load unique, as 64 hexadecimal digits. */
export function loadKey({ identity, dataset, file, sha256 }: LoadIdentity): string {
  const parts = identity === 'content' ? [dataset, sha256] : [dataset, file, sha256];
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

/** Which of the keys have been loaded. */
export async function loadedKeys(
  session: Session,
  dialect: SqlDialect,
  keys: string[],
): Promise<Set<string>> {
  const loaded = new Set<string>();
  const table = quoteName(dialect, LEDGER_TABLE.name);
  for (let at = 0; at < keys.length; at += KEYS_PER_QUERY) {
    const some = keys.slice(at, at + KEYS_PER_QUERY);
    const sql = `SELECT load_key FROM ${table} WHERE load_key IN (${placeholders(dialect, some.length)})`;
    for (const row of await session.query(sql, some)) loaded.add(String(row.load_key));
  }
  return loaded;
}

const KEYS_PER_QUERY = 500;

/**
 * Claims a file for the current transaction. False when it has been loaded already; when another transaction is about to
 * load it, waits for that one's end.
 */
export async function claimLoad(session: Session, dialect: SqlDialect, entry: LedgerEntry): Promise<boolean> {
  const { name, columns } = LEDGER_TABLE;
  const head = `INSERT INTO ${quoteName(dialect, name)} (${quoteNames(
    dialect,
    columns.map((column) => column.name),
  )})`;
  const values = [entry.loadKey, entry.dataset, entry.file, entry.sha256, entry.rows];
  if (dialect === 'postgres') {
    const sql = `${head} VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT (load_key) DO NOTHING`;
    return (await session.execute(sql, values)) === 1;
  }
  try {
    await session.execute(`${head} VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6))`, values);
    return true;
  } catch (error) {
    // INSERT IGNORE would hide other errors as well. The transaction goes on.
    if ((error as { errno?: number }).errno === DUPLICATE_ENTRY) return false;
    throw error;
  }
}

function placeholders(dialect: SqlDialect, count: number): string {
  return Array.from({ length: count }, (_, index) => (dialect === 'postgres' ? `$${index + 1}` : '?')).join(
    ', ',
  );
}
