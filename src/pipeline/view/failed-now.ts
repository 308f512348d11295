import fs from 'node:fs';
import type { Folders } from '../../config/settings.js';
import { listFailed } from '../failed-files.js';

/** Files that lie in the two folders for failed files. */
export interface FailedNow {
  /** That could not be converted. */
  files: number;
  /** Parquet files that could not be loaded. */
  parquetFiles: number;
  /** `*.rejected.csv`: rows that were left out of files that passed. */
  rejectedFiles: number;
}

/** A folder that changed so lately may change again without showing another time. */
const COARSE_MTIME_MS = 100;

/** Counts the files in the failed folders, and lists them again only when a folder has changed. */
export class FailedCounter {
  readonly #folders: Folders;
  #last: { version: string; count: FailedNow } | undefined;

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  async count(): Promise<FailedNow> {
    const version = this.#version();
    if (version !== undefined && this.#last?.version === version) return this.#last.count;
    const count = { files: 0, parquetFiles: 0, rejectedFiles: 0 };
    for (const { kind } of await listFailed(this.#folders)) count[KEYS[kind]]++;
    this.#last = version === undefined ? undefined : { version, count };
    return count;
  }

  #version(): string | undefined {
    const { failed, outputFailed } = this.#folders;
    const stats = [failed, outputFailed].map((folder) =>
      fs.statSync(folder, { bigint: true, throwIfNoEntry: false }),
    );
    const isRecent = stats.some((one) => one && Date.now() - Number(one.mtimeMs) < COARSE_MTIME_MS);
    return isRecent ? undefined : stats.map((one) => one && `${one.ino}:${one.mtimeNs}`).join();
  }
}

const KEYS = { delimited: 'files', parquet: 'parquetFiles', rejected: 'rejectedFiles' } as const;
