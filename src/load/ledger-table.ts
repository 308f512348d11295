import { createHash } from 'node:crypto';
import type { Engine, Session, SqlDialect, SqlValue } from './engine.js';
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
 * Claims files for the current transaction, and answers which of them are now to be loaded: the others have been loaded
 * already, or stand twice in the list. When another transaction is about to load one, waits for that one's end.
 */
export async function claimLoads<E extends LedgerEntry>(
  session: Session,
  dialect: SqlDialect,
  entries: readonly E[],
): Promise<Set<E>> {
  if (dialect === 'postgres') return new Set(await claimOnPostgres(session, entries));
  const claimed = new Set<E>();
  for (let at = 0; at < entries.length; at += ENTRIES_PER_CLAIM) {
    for (const entry of await claimOnMysql(session, entries.slice(at, at + ENTRIES_PER_CLAIM)))
      claimed.add(entry);
  }
  return claimed;
}

/** The entries are one parameter: for five parameters of each the server takes three times as long. */
async function claimOnPostgres<E extends LedgerEntry>(session: Session, entries: readonly E[]): Promise<E[]> {
  const rows = entries.map(({ loadKey, dataset, file, sha256, rows }) => {
    return { load_key: loadKey, dataset, file, sha256, rows };
  });
  const claimed = await session.query(
    `${insertHead('postgres')}
      SELECT load_key, dataset, file, sha256, rows, clock_timestamp()
      FROM json_to_recordset($1) AS e (load_key text, dataset text, file text, sha256 text, rows bigint)
      ON CONFLICT (load_key) DO NOTHING RETURNING load_key`,
    [JSON.stringify(rows)],
  );
  const keys = new Set(claimed.map((row) => String(row.load_key)));
  return entries.filter(({ loadKey }) => keys.delete(loadKey));
}

/** Statements of 1,000 parameters are fast to parse, and far below the protocol's limit of 65,535. */
const ENTRIES_PER_CLAIM = 200;

async function claimOnMysql<E extends LedgerEntry>(session: Session, entries: E[]): Promise<E[]> {
  const tuples = entries.map(() => '(?, ?, ?, ?, ?, UTC_TIMESTAMP(6))').join(', ');
  try {
    await session.execute(`${insertHead('mysql')} VALUES ${tuples}`, entries.flatMap(valuesOf));
    return entries;
  } catch (error) {
    // INSERT IGNORE would hide other errors as well. Only the statement is undone, the transaction goes on.
    if ((error as { errno?: number }).errno !== DUPLICATE_ENTRY) throw error;
  }
  if (entries.length === 1) return [];
  const claimed: E[] = [];
  for (const entry of entries) claimed.push(...(await claimOnMysql(session, [entry])));
  return claimed;
}

function insertHead(dialect: SqlDialect): string {
  const { name, columns } = LEDGER_TABLE;
  const names = columns.map((column) => column.name);
  return `INSERT INTO ${quoteName(dialect, name)} (${quoteNames(dialect, names)})`;
}

function valuesOf({ loadKey: key, dataset, file, sha256, rows }: LedgerEntry): SqlValue[] {
  return [key, dataset, file, sha256, rows];
}

function placeholders(dialect: SqlDialect, count: number): string {
  return Array.from({ length: count }, (_, index) => (dialect === 'postgres' ? `$${index + 1}` : '?')).join(
    ', ',
  );
}
