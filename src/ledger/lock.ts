import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';

/**
 * The right to work on one set of folders. Held as an exclusive lock of the operating system on a SQLite file, so
 * that it ends with the process, however that ends, and no stale lock is ever left behind. `state/lock` names the
 * pid for people and for logrotate; it stays behind when the folders may not be in order, as after a killed run.
 */
export class FolderLock {
  readonly #db: Database.Database;
  readonly #pidFile: string;
  /** Whoever held it before left the folders in order, or nobody did yet. */
  readonly isInOrder: boolean;

  private constructor(
    db: Database.Database,
    { pidFile, isInOrder }: { pidFile: string; isInOrder: boolean },
  ) {
    this.#db = db;
    this.#pidFile = pidFile;
    this.isInOrder = isInOrder;
  }

  /** Errors: `locked`, naming the pid that holds it; `internal` when its file is damaged or cannot be opened. */
  static acquire(stateFolder: string): FolderLock {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const pidFile = path.join(stateFolder, 'lock');
    const file = path.join(stateFolder, 'lock.db');
    const db = new Database(file);
    try {
      lockWholly(db, stateFolder);
    } catch (error) {
      db.close();
      throw isBusy(error) ? lockedError(stateFolder) : damagedError(file, error);
    }
    const isInOrder = !existsSync(pidFile);
    writeFileSync(pidFile, `${process.pid}\n`);
    return new FolderLock(db, { pidFile, isInOrder });
  }

  /** Says in what state the folders are left; without a word, in that in which they were found. */
  release({ isInOrder = this.isInOrder } = {}): void {
    if (isInOrder) rmSync(this.#pidFile, { force: true });
    this.#db.exec('ROLLBACK');
    this.#db.close();
  }
}

const TRY_MS = 300;
/** Whoever only looks whether the lock is held holds it for an instant, which on a busy machine may last. */
const PROBE_PATIENCE_MS = 3000;

/** Waits as long as nobody says that it works on these folders. @throws as `exec` does */
function lockWholly(db: Database.Database, stateFolder: string): void {
  db.exec(`PRAGMA busy_timeout = ${TRY_MS}`);
  for (const endMs = performance.now() + PROBE_PATIENCE_MS; ; ) {
    try {
      db.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      const isHeld = !isBusy(error) || isRunning(holderOf(stateFolder));
      if (isHeld || performance.now() > endMs) throw error;
    }
  }
}

/** As far as the system tells. */
function isRunning(pid: number | undefined): boolean {
  return pid !== undefined && (!existsSync('/proc') || existsSync(`/proc/${pid}`));
}

function isBusy(error: unknown): boolean {
  return errnoOf(error)?.startsWith('SQLITE_BUSY') ?? false;
}

function lockedError(stateFolder: string): DropgateError {
  const pid = holderOf(stateFolder) ?? 'unknown';
  return new DropgateError('locked', `another Dropgate (pid ${pid}) works on ${stateFolder}`);
}

function damagedError(file: string, cause: unknown): DropgateError {
  return new DropgateError('internal', `the lock ${file} cannot be taken: ${messageOf(cause)}`, {
    hint: 'Check the rights on the file and the health of the disk. It holds no data: it may be deleted while no Dropgate runs.',
    cause,
  });
}

/** The pid that wrote `state/lock`, whether it still runs or not; undefined when there is none. */
export function holderOf(stateFolder: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path.join(stateFolder, 'lock'), 'utf8'), 10);
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Does a running process hold the lock of these folders? Changes nothing. */
export function isLocked(stateFolder: string): boolean {
  const file = path.join(stateFolder, 'lock.db');
  if (!existsSync(file)) return false;
  const db = new Database(file);
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('BEGIN EXCLUSIVE');
    db.exec('ROLLBACK');
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    db.close();
  }
}
