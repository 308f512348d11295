import type Database from 'libsql';
import { ADD_QUALITY_TABLES } from './quality-schema.js';

/** The condition by which files of one content are found, in the index of the first 40 bits of its SHA-256. */
export function hasContent(sha256: string): string {
  return `${contentKey('sha256')} = ${contentKey(sha256)} AND sha256 = ${sha256}`;
}

function contentKey(sha256: string): string {
  return `substr(${sha256}, 1, 10)`;
}

/** The oldest version that can be brought up to date, and read as it is. */
const OLDEST_VERSION = 2;

/** Version 2, the oldest that is still known. */
const FIRST = `
  CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    dataset TEXT,
    state TEXT NOT NULL,
    code TEXT,
    message TEXT,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    rows_in INTEGER NOT NULL,
    rows_out INTEGER NOT NULL,
    dropped_missing INTEGER NOT NULL,
    dropped_duplicate INTEGER NOT NULL,
    set_aside INTEGER NOT NULL,
    parquet TEXT,
    original TEXT,
    convert_ms REAL,
    arrived_at TEXT NOT NULL,
    judged_at TEXT NOT NULL,
    loaded_at TEXT
  );
  CREATE INDEX files_by_content ON files (sha256, name);
  CREATE INDEX files_by_parquet ON files (parquet);
  CREATE INDEX files_by_state ON files (state, id);
  CREATE TABLE parquet_files (
    name TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL
  );
  CREATE TABLE originals (
    record_id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    put_away INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX originals_on_their_way ON originals (record_id) WHERE put_away = 0;
`;

/** What each version added to the one before it; the first makes version 3. */
const STEPS = [
  `
  CREATE TABLE details (
    record_id INTEGER PRIMARY KEY,
    dialect TEXT,
    violations TEXT,
    notes TEXT,
    rejects TEXT
  );
  CREATE INDEX files_by_name ON files (name);
  CREATE INDEX files_by_time ON files (judged_at, state, rows_out, bytes_in, convert_ms);
  CREATE INDEX files_by_load ON files (loaded_at, rows_out) WHERE loaded_at IS NOT NULL;
`,
  ADD_QUALITY_TABLES,
  // Contents lie in no order, so that each file goes to a page of its own: the fewer these are, the more of them stay in memory.
  `
  DROP INDEX files_by_content;
  CREATE INDEX files_by_content ON files (${contentKey('sha256')});
`,
];

const VERSION = OLDEST_VERSION + STEPS.length;

/** Makes the tables of a new ledger, and brings those of an older one up to date. @throws for any other version */
export function bringUpToDate(db: Database.Database): void {
  const version = versionOf(db);
  const steps = version === 0 ? [FIRST, ...STEPS] : STEPS.slice(version - OLDEST_VERSION);
  if (version !== 0) checkVersion(db);
  if (steps.length > 0)
    db.exec(`BEGIN IMMEDIATE; ${steps.join('')}; PRAGMA user_version = ${VERSION}; COMMIT`);
}

/** An older ledger can be looked at as it is. @throws for a version that is not known */
export function checkVersion(db: Database.Database): void {
  const version = versionOf(db);
  const isKnown = version >= OLDEST_VERSION && version <= VERSION;
  if (!isKnown) throw new Error(`the ledger has version ${version}, not ${VERSION}`);
}

function versionOf(db: Database.Database): number {
  const [{ user_version: version }] = db.prepare('PRAGMA user_version').all() as { user_version: number }[];
  return version;
}
