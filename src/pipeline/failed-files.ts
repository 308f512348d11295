import fs from 'node:fs';
import path from 'node:path';
import { ignoreErrno } from '../base/files.js';
import type { Folders } from '../config/settings.js';
import { isDelimitedName, isIgnoredName, isParquetName } from '../watch/names.js';
import { reportPathOf } from './report.js';

/**
 * - `delimited`: a file that could not be converted
 * - `rejected`: rows that were left out of a file that passed, to be mended
 * - `parquet`: a Parquet file that could not be loaded
 */
export type FailedKind = 'delimited' | 'rejected' | 'parquet';

/** A file in one of the two folders for failed files. */
export interface FailedFile {
  kind: FailedKind;
  /** Its name there, which may have got a suffix. */
  name: string;
  /** Absolute. */
  path: string;
}

/** What the report beside a failed file says of it. */
export interface FailureReport {
  /** Name under which the file was delivered. */
  file: string;
  verdict: string;
  code: string | null;
  /** Inode of the report, to tell it from one that is written in its place later. */
  ino: bigint;
}

/** The files in both folders for failed files, by name. Folders that are not there hold none. */
export async function listFailed({ failed, outputFailed }: Folders): Promise<FailedFile[]> {
  const delimited = await namesIn(failed, isDelimitedName);
  const parquet = await namesIn(outputFailed, isParquetName);
  const described = await Promise.all(delimited.map((name) => describe(path.join(failed, name))));
  return [
    ...described,
    ...parquet.map((name) => ({ kind: 'parquet' as const, name, path: path.join(outputFailed, name) })),
  ];
}

/** The report beside a failed file; undefined when there is none that can be read. */
export async function readFailure(file: string): Promise<FailureReport | undefined> {
  const reportPath = reportPathOf(file);
  try {
    const { ino } = await fs.promises.lstat(reportPath, { bigint: true });
    const content: unknown = JSON.parse(await fs.promises.readFile(reportPath, 'utf8'));
    const { file: name, verdict, code } = content as Partial<Record<keyof FailureReport, unknown>>;
    if (typeof name !== 'string' || typeof verdict !== 'string') return undefined;
    return { file: name, verdict, code: typeof code === 'string' ? code : null, ino };
  } catch {
    // Somebody deleted or edited it; the file itself is what counts.
    return undefined;
  }
}

async function namesIn(folder: string, accepts: (name: string) => boolean): Promise<string[]> {
  const entries = await fs.promises
    .readdir(folder, { withFileTypes: true })
    .catch(ignoreErrno<fs.Dirent[]>([], 'ENOENT'));
  return entries
    .filter((entry) => !entry.isDirectory() && accepts(entry.name) && !isIgnoredName(entry.name))
    .map(({ name }) => name)
    .sort();
}

async function describe(file: string): Promise<FailedFile> {
  const name = path.basename(file);
  // A mended rejects file may have been dropped under its own name, and have failed as a whole.
  const isRejects = name.endsWith('.rejected.csv') && (await readFailure(file))?.verdict !== 'failed';
  return { kind: isRejects ? 'rejected' : 'delimited', name, path: file };
}
