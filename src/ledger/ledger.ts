import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { errnoOf, messageOf } from '../base/errors.js';
import {
  COLUMNS,
  type FileDetails,
  type FileRecord,
  type FileState,
  fromRow,
  type NewFileRecord,
  type Row,
  SELECT,
  toRow,
} from './file-record.js';
import { QualityStore } from './quality-store.js';
import { bringUpToDate, checkVersion, hasContent } from './schema.js';

export type { FileDetails, FileRecord, FileState, NewFileRecord } from './file-record.js';

/** Everything that the ledger knows of, counted. */
export interface LedgerSummary {
  byState: Record<FileState, number>;
  rowsLoaded: number;
}

/** What was done in a stretch of time. */
export interface LedgerActivity {
  /** Files. */
  converted: number;
  failed: number;
  duplicates: number;
  /** Rows of the converted files that went into Parquet. */
  rows: number;
  /** Bytes of the converted files. */
  bytes: number;
  /** Files and rows that went into tables. */
  loaded: number;
  rowsLoaded: number;
}

/** What tells whose a Parquet file is. */
export type ParquetRecord = Pick<FileRecord, 'id' | 'name' | 'sha256' | 'convertMs'>;

/** A delivered file on its way out of the input folder, or lately put away. */
export interface OriginalRecord {
  /** Its delivery. */
  file: FileRecord;
  /** Where it is (to be) put, relative to the input folder. */
  target: string;
  /** What it looked like when it was read, see `fingerprintText`; '' when it could not even be opened. */
  fingerprint: string;
  /** It was put there, and told. */
  isPutAway: boolean;
}

/**
 * The local record of every file: for `status`, for recognising what was delivered before, and for finishing after
 * a crash. A cache: what was loaded is decided by `dropgate_loads` in the target database, so a ledger that is
 * damaged or of an unknown version is begun anew.
 */
export class Ledger {
  readonly #db: Database.Database;
  readonly #statements: ReturnType<typeof prepareAll>;
  #addDetails: Database.Statement | undefined;
  #changes = 0;
  #quality: QualityStore | undefined;

  private constructor(db: Database.Database) {
    this.#db = db;
    this.#statements = prepareAll(db);
  }

  /**
   * Opens or creates the ledger. `onRebuilt` is told when an unreadable one had to be begun anew; a disk that is full or
   * cannot be written is an error.
   * @param options isKnownSound: {@link isSound} said so when it was closed, so that its pages need not be looked at again
   */
  static open(
    file: string,
    onRebuilt: (reason: string) => void = () => undefined,
    { isKnownSound = false } = {},
  ): Ledger {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    try {
      return new Ledger(openDatabase(file, { isKnownSound }));
    } catch (error) {
      // The disk is full or the rights are missing: no reason to forget everything.
      if (isTroubleAround(error)) throw error;
      onRebuilt(messageOf(error));
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      return new Ledger(openDatabase(file, { isKnownSound: true }));
    }
  }

  /**
   * Opens a ledger to look at it, while a daemon may be writing it. Undefined when there is none; throws when it cannot
   * be read. Nothing is created, and a damaged ledger stays as it is.
   */
  static openExisting(file: string): Ledger | undefined {
    if (!existsSync(file)) return undefined;
    const db = new Database(file);
    try {
      db.exec('PRAGMA busy_timeout = 5000');
      db.exec('PRAGMA query_only = 1');
      checkVersion(db);
      return new Ledger(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** What is remembered of how good the files were. An older ledger that is only looked at has nothing of it. */
  get quality(): QualityStore {
    this.#quality ??= new QualityStore(this.#db);
    return this.#quality;
  }

  /** Runs `work` in one transaction. */
  inTransaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#quality?.forgetLayouts();
      // A full disk has ended the transaction already.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Grows with every change that is made through this object: another number, other contents. */
  get changes(): number {
    return this.#changes;
  }

  add(record: NewFileRecord): number {
    return this.addAll([record])[0];
  }

  /** The same for several: answers their ids, in their order. */
  addAll(records: readonly NewFileRecord[]): number[] {
    if (records.length === 0) return [];
    this.#changes++;
    const { lastInsertRowid } = this.#statements.insertAll.run(asJson(records.map(toRow)));
    const firstId = Number(lastInsertRowid) - records.length + 1;
    return records.map((_, i) => firstId + i);
  }

  /** Writes anew what is known of a delivery, but for its state, which the loader may have moved on meanwhile. */
  amend(id: number, record: NewFileRecord): void {
    this.#changes++;
    const row = toRow(record);
    this.#statements.amend.run([...AMENDED.map((column) => row[COLUMNS.indexOf(column)]), id]);
  }

  /** Writes down what else there is to tell of deliveries, in place of what was told before. */
  describe(deliveries: readonly ({ recordId: number } & FileDetails)[]): void {
    // Prepared late: an older ledger that is only looked at does not have the table.
    this.#addDetails ??= this.#db.prepare(
      `INSERT OR REPLACE INTO details (record_id, dialect, violations, notes, rejects) ${valuesOf(5)}`,
    );
    this.#addDetails.run(
      asJson(deliveries.map((one) => [one.recordId, one.dialect, one.violations, one.notes, one.rejects])),
    );
  }

  /** Says where originals are going to be put, before they are moved, so that a run that is killed then can be finished. */
  planMoves(moves: readonly { recordId: number; target: string; fingerprint: string }[]): void {
    this.#statements.planMoves.run(
      asJson(moves.map(({ recordId, target, fingerprint }) => [recordId, target, fingerprint, 0])),
    );
  }

  /** The original of a delivery is where it belongs, or nowhere any more (`null`). It is remembered until `forgetOriginals`. */
  putAway(recordId: number, original: string | null): void {
    this.#changes++;
    this.#statements.place.run(original, recordId);
    this.#statements.putAway.run(recordId);
  }

  /** The originals of these deliveries are where `planMove` said; otherwise as `putAway`. */
  putAwayAsPlanned(recordIds: readonly number[]): void {
    this.#changes++;
    const ids = asJson(recordIds);
    this.#statements.placeAsPlanned.run(ids);
    this.#statements.putAwayAll.run(ids);
  }

  /** Originals that are on their way, or were put away lately. */
  originals(): OriginalRecord[] {
    return (this.#statements.originals.all() as OriginalRow[]).map(originalFrom);
  }

  /** Deliveries whose originals were put away lately, with the time of their verdict, ISO 8601. */
  putAwayLately(): Pick<FileRecord, 'id' | 'judgedAt'>[] {
    return this.#statements.putAwayLately.all() as Pick<FileRecord, 'id' | 'judgedAt'>[];
  }

  /** Where the originals of these deliveries were put and what they looked like, as far as they are still remembered. */
  putAwayAmong(recordIds: readonly number[]): { id: number; target: string; fingerprint: string }[] {
    const rows = this.#statements.putAwayAmong.all(asJson(recordIds)) as [number, string, string][];
    return rows.map(([id, target, fingerprint]) => ({ id, target, fingerprint }));
  }

  /** The original of a delivery, when it is on its way or was put away lately. */
  original(recordId: number): OriginalRecord | undefined {
    const row = this.#statements.original.get(recordId);
    return row === undefined ? undefined : originalFrom(row as OriginalRow);
  }

  /** The delivery under this name whose original is on its way. */
  onItsWay(name: string): OriginalRecord | undefined {
    const row = this.#statements.onItsWay.get(name);
    return row === undefined ? undefined : originalFrom(row as OriginalRow);
  }

  /** Is any original on its way? */
  isAnyOnItsWay(): boolean {
    return this.#statements.anyOnItsWay.get() !== undefined;
  }

  /** Nothing more can happen to these originals that concerns us. */
  forgetOriginals(recordIds: readonly number[]): void {
    this.#statements.forget.run(asJson(recordIds));
  }

  /** The last delivery of this content (under this name, where the name counts) that was converted or loaded. */
  findSeen(content: { sha256: string; name?: string }): FileRecord | undefined {
    const row =
      content.name === undefined
        ? this.#statements.seenContent.get(content.sha256)
        : this.#statements.seenNamed.get(content.sha256, content.name);
    return row === undefined ? undefined : fromRow(row as Row);
  }

  /** Those of the contents for which `findSeen` may find something. */
  seenAmong(sha256s: readonly string[]): Set<string> {
    const rows = this.#statements.seenAmong.all(asJson(sha256s)) as { sha256: string }[];
    return new Set(rows.map(({ sha256 }) => sha256));
  }

  /** By name: the deliveries that made Parquet files, or the Parquet files themselves when somebody else put them there. */
  parquetAmong(names: readonly string[]): Map<string, ParquetRecord> {
    const rows = this.#statements.parquetAmong.all(asJson(names)) as [
      ...[parquet: string, id: number, name: string, sha256: string, convertMs: number | null],
    ][];
    return new Map(
      rows.map(([parquet, id, name, sha256, convertMs]) => [parquet, { id, name, sha256, convertMs }]),
    );
  }

  markLoaded(ids: readonly number[], loadedAt: string): void {
    this.#changes++;
    this.#statements.loaded.run(loadedAt, asJson(ids));
  }

  markLoadFailed(id: number, failure: { code: string; message: string }): void {
    this.#changes++;
    this.#statements.loadFailed.run(failure.code, failure.message, id);
  }

  /** Remembers that Parquet files with these fingerprints are done with, loaded or not to be loaded. */
  settleParquet(files: readonly { name: string; fingerprint: string }[]): void {
    this.#statements.settle.run(asJson(files.map(({ name, fingerprint }) => [name, fingerprint])));
  }

  /** Fingerprints of all Parquet files that are done with, by name. */
  settledParquet(): Map<string, string> {
    const rows = this.#statements.settled.all() as { name: string; fingerprint: string }[];
    return new Map(rows.map(({ name, fingerprint }) => [name, fingerprint]));
  }

  /** The same for those of the names that are. */
  settledAmong(names: readonly string[]): Map<string, string> {
    // One text for all of them: at a start there may be 100,000, and each row by itself takes the library 7 us.
    const [pairs] = this.#statements.settledAmong.get(asJson(names)) as [string];
    return new Map(JSON.parse(pairs) as [string, string][]);
  }

  summary(): LedgerSummary {
    const byState = { converted: 0, loaded: 0, failed: 0, load_failed: 0, duplicate: 0 };
    for (const { state, files } of this.#statements.states.all() as { state: FileState; files: number }[]) {
      byState[state] = files;
    }
    const totals = this.#statements.totals.get() as { rows: number };
    return { byState, rowsLoaded: totals.rows };
  }

  /** What was done since `since`, ISO 8601 in UTC. */
  activity(since: string): LedgerActivity {
    const judged = this.#statements.judgedSince.get(since) as Omit<LedgerActivity, 'loaded' | 'rowsLoaded'>;
    const loaded = this.#statements.loadedSince.get(since) as Pick<LedgerActivity, 'loaded' | 'rowsLoaded'>;
    return { ...judged, ...loaded };
  }

  /** Reason codes of failed files by the path, relative to the input folder, where each was put last. */
  failedPlaces(): Map<string, string> {
    const rows = this.#statements.failedPlaces.all() as { original: string; code: string }[];
    return new Map(rows.map(({ original, code }) => [original, code]));
  }

  /** The newest records first. */
  latest(limit: number): FileRecord[] {
    return (this.#statements.latest.all(limit) as Row[]).map(fromRow);
  }

  /** Looks at every page: 1 µs a row. False when one is damaged or cannot be read. */
  isSound(): boolean {
    try {
      checkPages(this.#db);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#db.close();
  }
}

function openDatabase(file: string, { isKnownSound }: { isKnownSound: boolean }): Database.Database {
  const db = new Database(file);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = NORMAL');
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA cache_size = -${CACHE_KB}`);
    bringUpToDate(db);
    if (!isKnownSound) checkPages(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Pages of 4 KB in the write-ahead log before they go to their places: the same ones are written again and again. SQLite's own is 1000. */
const CHECKPOINT_PAGES = 4000;

/** Room for the index of contents, in which each file goes to a place of its own, of 100,000 files. Taken only as far as it is used. */
const CACHE_KB = 3072;

/** SQLite's own names of trouble that passes when somebody makes room or gives rights. */
const AROUND = /^SQLITE_(?:FULL|IOERR|BUSY|LOCKED|CANTOPEN|READONLY|PERM|NOMEM|AUTH)/;

function isTroubleAround(error: unknown): boolean {
  // A file that cannot be opened at all is told without a code.
  return AROUND.test(errnoOf(error) ?? '') || messageOf(error).startsWith('ConnectionFailed');
}

/** A damaged page in the middle would only show when its rows are asked for, and then stop every delivery. */
function checkPages(db: Database.Database): void {
  const [{ quick_check: finding }] = db.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
  if (finding !== 'ok') throw new Error(`the ledger is damaged: ${finding.trim()}`);
}

function prepareAll(db: Database.Database) {
  return {
    // One id behind the other, in the order of the rows, so that the last one tells the others.
    insertAll: db.prepare(
      `INSERT INTO files (id, ${COLUMNS.join(', ')})
       ${valuesOf(COLUMNS.length, '(SELECT coalesce(max(id), 0) FROM files) + key + 1')}`,
    ),
    amend: db.prepare(`UPDATE files SET ${AMENDED.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`),
    planMoves: db.prepare(
      `INSERT OR REPLACE INTO originals (record_id, target, fingerprint, put_away) ${valuesOf(4)}`,
    ),
    place: db.prepare(`UPDATE files SET original = ? WHERE id = ?`),
    putAway: db.prepare(`UPDATE originals SET put_away = 1 WHERE record_id = ?`),
    placeAsPlanned: db.prepare(
      `UPDATE files SET original = (SELECT target FROM originals WHERE record_id = files.id)
       WHERE id IN (SELECT value FROM json_each(?))`,
    ),
    putAwayAll: db.prepare(
      `UPDATE originals SET put_away = 1 WHERE record_id IN (SELECT value FROM json_each(?))`,
    ),
    originals: db.prepare(`${SELECT_ORIGINALS} ORDER BY id`),
    original: db.prepare(`${SELECT_ORIGINALS} WHERE id = ?`),
    putAwayLately: db.prepare(
      `SELECT id, judged_at AS judgedAt FROM originals CROSS JOIN files ON id = record_id WHERE put_away = 1 ORDER BY id`,
    ),
    // As arrays: an object for each row takes the library longer than to find it.
    putAwayAmong: db
      .prepare(
        `SELECT record_id, target, fingerprint FROM originals
         WHERE record_id IN (SELECT value FROM json_each(?)) AND put_away = 1`,
      )
      .raw(),
    onItsWay: db.prepare(`${SELECT_ORIGINALS} WHERE put_away = 0 AND name = ? ORDER BY id DESC LIMIT 1`),
    anyOnItsWay: db.prepare(`SELECT 1 FROM originals WHERE put_away = 0 LIMIT 1`),
    forget: db.prepare(`DELETE FROM originals WHERE record_id IN (SELECT value FROM json_each(?))`),
    seenAmong: db.prepare(
      `SELECT sha256 FROM json_each(?) CROSS JOIN files ON ${hasContent('value')}
       WHERE state IN ('converted', 'loaded')`,
    ),
    seenContent: db.prepare(
      `${SELECT} WHERE ${hasContent('?1')} AND state IN ('converted', 'loaded') ORDER BY id DESC LIMIT 1`,
    ),
    seenNamed: db.prepare(
      `${SELECT} WHERE ${hasContent('?1')} AND name = ?2 AND state IN ('converted', 'loaded')
       ORDER BY id DESC LIMIT 1`,
    ),
    parquetAmong: db
      .prepare(
        `SELECT parquet, id, name, sha256, convert_ms FROM files
         WHERE id IN (SELECT (SELECT max(id) FROM files WHERE parquet = value) FROM json_each(?))`,
      )
      .raw(),
    loaded: db.prepare(
      `UPDATE files SET state = 'loaded', loaded_at = ?, code = NULL, message = NULL
       WHERE id IN (SELECT value FROM json_each(?))`,
    ),
    loadFailed: db.prepare(`UPDATE files SET state = 'load_failed', code = ?, message = ? WHERE id = ?`),
    settle: db.prepare(`INSERT OR REPLACE INTO parquet_files (name, fingerprint) ${valuesOf(2)}`),
    settled: db.prepare(`SELECT name, fingerprint FROM parquet_files`),
    settledAmong: db
      .prepare(
        `SELECT json_group_array(json_array(name, fingerprint)) FROM parquet_files
         WHERE name IN (SELECT value FROM json_each(?))`,
      )
      .raw(),
    states: db.prepare(`SELECT state, count(*) AS files FROM files GROUP BY state`),
    totals: db.prepare(`SELECT coalesce(sum(rows_out), 0) AS rows FROM files WHERE state = 'loaded'`),
    judgedSince: db.prepare(
      `SELECT ${count(CONVERTED)} AS converted, ${count("state = 'failed'")} AS failed,
         ${count("state = 'duplicate'")} AS duplicates,
         coalesce(sum(rows_out) FILTER (WHERE ${CONVERTED}), 0) AS rows,
         coalesce(sum(bytes_in) FILTER (WHERE ${CONVERTED}), 0) AS bytes
       FROM files WHERE judged_at >= ?`,
    ),
    loadedSince: db.prepare(
      `SELECT count(*) AS loaded, coalesce(sum(rows_out), 0) AS rowsLoaded FROM files WHERE loaded_at >= ?`,
    ),
    failedPlaces: db.prepare(
      `SELECT original, code FROM files WHERE state = 'failed' AND original IS NOT NULL ORDER BY id`,
    ),
    latest: db.prepare(`${SELECT} ORDER BY id DESC LIMIT ?`),
  };
}

/**
 * Rows to insert, given as JSON: an array of so many values a row. One call of the library for all of them takes half of the time
 * that one for each takes.
 */
function valuesOf(count: number, ...first: string[]): string {
  const values = Array.from({ length: count }, (_, i) => `value ->> ${i}`);
  return `SELECT ${[...first, ...values].join(', ')} FROM json_each(?)`;
}

/** Half of a character, as JSON writes it; or the text of that. */
const HALF_CHARACTER = /\\ud[89a-f]/;

/**
 * Parameters as JSON. Of half a character, SQLite would make bytes that are no UTF-8, and the library ends the whole process when it
 * reads these: U+FFFD stands for it, as in a parameter that is no JSON.
 */
function asJson(values: unknown): string {
  const json = JSON.stringify(values);
  if (!HALF_CHARACTER.test(json)) return json;
  return JSON.stringify(values, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value));
}

/** A Parquet file was made of it. Those that others put into the output folder have no conversion. */
const CONVERTED = "state IN ('converted', 'loaded', 'load_failed') AND convert_ms IS NOT NULL";

function count(condition: string): string {
  return `count(*) FILTER (WHERE ${condition})`;
}

/** What `amend` writes. */
const AMENDED = COLUMNS.filter((column) => !['state', 'code', 'message', 'loaded_at'].includes(column));

// CROSS JOIN is SQLite's word for "in this order": few originals are on their way, and files are many.
const SELECT_ORIGINALS = `SELECT id, ${COLUMNS.join(', ')}, target, fingerprint, put_away
  FROM originals CROSS JOIN files ON id = record_id`;

type OriginalRow = Row & { target: string; fingerprint: string; put_away: number };

function originalFrom(row: OriginalRow): OriginalRecord {
  const { target, fingerprint } = row;
  return { file: fromRow(row), target, fingerprint, isPutAway: row.put_away === 1 };
}
