import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { DropgateError } from '../base/errors.js';

/**
 * The right to work on one set of folders. Held as an exclusive lock of the operating system on a SQLite file, so
 * that it ends with the process, however that ends, and no stale lock is ever left behind. `state/lock` names the
 * pid for people and for logrotate.
 */
export class FolderLock {
  readonly #db: Database.Database;
  readonly #pidFile: string;

  private constructor(db: Database.Database, pidFile: string) {
    this.#db = db;
    this.#pidFile = pidFile;
  }

  /** Errors: `locked`, naming the pid that holds it. */
  static acquire(stateFolder: string): FolderLock {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const pidFile = path.join(stateFolder, 'lock');
    const db = new Database(path.join(stateFolder, 'lock.db'));
    try {
      db.exec('PRAGMA busy_timeout = 0');
      db.exec('BEGIN EXCLUSIVE');
    } catch {
      db.close();
      const pid = holderOf(stateFolder) ?? 'unknown';
      throw new DropgateError('locked', `another Dropgate (pid ${pid}) works on ${stateFolder}`);
    }
    writeFileSync(pidFile, `${process.pid}\n`);
    return new FolderLock(db, pidFile);
  }

  release(): void {
    rmSync(this.#pidFile, { force: true });
    this.#db.exec('ROLLBACK');
    this.#db.close();
  }
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
  } catch {
    return true;
  } finally {
    db.close();
  }
}
