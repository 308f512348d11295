import fs from 'node:fs';
import path from 'node:path';
import { crashPoint } from '../base/crash-point.js';
import { errnoOf } from '../base/errors.js';
import {
  CannotCopy,
  candidateNames,
  cutBytes,
  fileOps,
  fingerprintText,
  isAbsent,
  moveIntoOwnFolder,
  moveNoOverwrite,
  pathFrom,
  removeFile,
  sha256Of,
  splitDataName,
} from '../base/files.js';
import type { Log } from '../base/log.js';
import { plural } from '../base/text.js';
import type { Folders } from '../config/settings.js';
import type { FileRecord, Ledger, OriginalRecord } from '../ledger/ledger.js';
import { MARKER_SUFFIX } from '../watch/names.js';
import { type Report, reportPathOf } from './report.js';

export interface OriginalsOptions {
  folders: Folders;
  /** What becomes of the original of a converted file. */
  keep: 'archive' | 'delete';
  ledger: Ledger;
  log: Log;
  /** A file lies beside its marker, which goes when the file goes. */
  hasMarkers: boolean;
  /** For paths in messages. */
  root: string;
}

/** An original that is to be put away, as it was read. */
export interface OriginalRead {
  /** Absolute path in the input folder. */
  path: string;
  /** See `fingerprintText`; '' when it could not even be opened. */
  fingerprint: string;
  sha256: string;
}

/**
 * - `there`: it is where it was to be put
 * - `nowhere`: it was deleted meanwhile, or is not to be kept
 * - `stuck`: it is no regular file and its place is on another disk: it stays where it lies
 * - `replaced`: another file had taken its place in the moment of the move, and was given back
 */
export type PutAway = 'there' | 'nowhere' | 'stuck' | 'replaced';

/** Room for `-12345` and `.rejected.csv.report.json` within 255 bytes. */
export const MAX_STEM_BYTES = 220;

/** Moves the originals of judged files out of the input folder, and finishes the moves of a run that was killed. */
export class Originals {
  readonly #options: OriginalsOptions;
  /** Where the search for a free name begins, by the name that is looked for. */
  readonly #taken = new Map<string, number>();

  constructor(options: OriginalsOptions) {
    this.#options = options;
  }

  /** A free place in today's folder of the archive; `planned` places are taken. */
  async placeInArchive(name: string, planned: ReadonlySet<string>): Promise<string> {
    const folder = path.join(this.#options.folders.archive, localDate(new Date()));
    const first = path.join(folder, name);
    const skip = this.#taken.get(first) ?? 0;
    let tried = 0;
    for (const candidate of candidateNames(...nameParts(name))) {
      if (tried++ < skip) continue;
      const target = path.join(folder, candidate);
      if (planned.has(target) || !(await isAbsent(target))) continue;
      // Every day has names of its own.
      if (this.#taken.size > MAX_REMEMBERED_NAMES) this.#taken.clear();
      if (tried > 1) this.#taken.set(first, tried - 1);
      return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  /** A free place in the failed folder, or that of the same file, which failed before and is replaced by itself. */
  async placeInFailed(
    original: OriginalRead,
    { report, planned }: { report: Report; planned: ReadonlySet<string> },
  ): Promise<string> {
    for (const candidate of candidateNames(...nameParts(path.basename(original.path)))) {
      const target = path.join(this.#options.folders.failed, candidate);
      if (planned.has(target)) continue;
      if ((await isAbsent(target)) || (await isSameFailure(target, { report, original }))) return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  /** Moves an original to its place and makes sure that it is the one that was read; a newer one is given back. */
  async putAway(original: OriginalRead, target: string): Promise<PutAway> {
    try {
      await this.#move(original, target);
    } catch (error) {
      // Trying again would be no use, and nothing is in it that could be lost.
      if (error instanceof CannotCopy) return 'stuck';
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (await isAbsent(original.path)) return 'nowhere';
      // The first original of the day, or somebody removed the folder.
      await fileOps.mkdir(path.dirname(target), { recursive: true });
      await this.#move(original, target);
    }
    crashPoint('original-moved');
    if (!(await isAsRead(target, original))) {
      await giveBack(target, original.path);
      return 'replaced';
    }
    return this.#keepOrDelete(target);
  }

  async #move(original: OriginalRead, target: string): Promise<void> {
    const { archive } = this.#options.folders;
    await moveIntoOwnFolder(original.path, path.dirname(target), {
      ...partsOf(path.basename(target)),
      isFree: async (candidate) => candidate === target,
      // Copies from another disk are made where the start sweeps: not in a folder of a day.
      scratch: isWithin(target, archive) ? archive : undefined,
    });
  }

  /** Finishes what a run began that was killed: called before new files are taken. */
  async recover(): Promise<void> {
    for (const one of this.#options.ledger.originals()) if (!one.isPutAway) await this.finish(one);
  }

  /**
   * Finds out what became of an original on its way. Still in the input folder, it is left there: it is judged once
   * more, and then recognised.
   */
  async finish({ file, target: relative, fingerprint }: OriginalRecord): Promise<void> {
    const { folders, ledger } = this.#options;
    const original = { path: path.join(folders.input, file.name), fingerprint, sha256: file.sha256 };
    const target = path.resolve(folders.input, relative);
    const [source, place] = await Promise.all([lookAt(original.path), lookAt(target)]);
    // 1. Not moved yet, or not all of it.
    if (source !== undefined && (fingerprint === '' || fingerprintText(source) === fingerprint)) {
      if (place !== undefined) await this.#removeCopy(target, { place, original });
      return;
    }
    // 2. Moved, or another file was moved in its stead.
    let putAway: PutAway = 'nowhere';
    if (place !== undefined) {
      if (await isAsRead(target, original)) putAway = await this.#keepOrDelete(target);
      else {
        await giveBack(target, original.path);
        putAway = 'replaced';
      }
    }
    if (source === undefined && putAway !== 'replaced') await this.removeMarker(original.path);
    // 3. The record, and a word about it.
    this.#tell(file, putAway === 'there' ? target : undefined);
    ledger.inTransaction(() => {
      ledger.putAway(file.id, putAway === 'there' ? relative : null);
      if (putAway !== 'there') ledger.forgetOriginals([file.id]);
    });
  }

  /** The sign that a file is complete must not outlive it: it would speak of the next one of this name. */
  async removeMarker(original: string): Promise<void> {
    if (this.#options.hasMarkers) await removeFile(original + MARKER_SUFFIX);
  }

  /** On another disk the place gets a copy first; the file itself will be copied again. */
  async #removeCopy(
    target: string,
    { place, original }: { place: fs.BigIntStats; original: OriginalRead },
  ): Promise<void> {
    if (!isWithin(target, this.#options.folders.archive) || !place.isFile()) return;
    if (hasInodeOf(place, original.fingerprint) || original.sha256 === '') return;
    if ((await sha256Of(target)) === original.sha256) await removeFile(target);
  }

  async #keepOrDelete(target: string): Promise<PutAway> {
    const { folders, keep } = this.#options;
    if (keep === 'archive' || !isWithin(target, folders.archive)) return 'there';
    await removeFile(target);
    return 'nowhere';
  }

  /** The run that was killed may not have come to tell the verdict. */
  #tell(file: FileRecord, place: string | undefined): void {
    const { folders, log } = this.#options;
    const source = this.#shown(path.join(folders.input, file.name));
    const end = `as a run that was interrupted had decided; ${
      place === undefined ? 'the original is not there any more' : `the original is ${this.#shown(place)}`
    }`;
    if (file.state === 'failed') {
      const fields = { event: 'failed', file: file.name, code: file.code };
      log.error(`Failed ${source}: ${file.message} [${file.code}], ${end}`, fields);
    } else if (file.state === 'duplicate') {
      const fields = { event: 'duplicate', file: file.name };
      log.warning(`Skipped ${source}: the same content was delivered before, ${end}`, fields);
    } else {
      const parquet = this.#shown(path.join(folders.output, file.parquet ?? ''));
      const fields = { event: 'converted', file: file.name, dataset: file.dataset };
      log.info(`Converted ${source} to ${parquet}: ${plural(file.rowsOut, 'row')}, ${end}`, fields);
    }
  }

  #shown(file: string): string {
    return pathFrom(this.#options.root, file);
  }
}

const MAX_REMEMBERED_NAMES = 100_000;

/** Gives a file back to the folder it came from, never over another, to be taken as a new one. Answers where it is. */
export async function giveBack(moved: string, original: string): Promise<string> {
  const { stem, extension } = splitDataName(path.basename(original));
  for (const name of candidateNames(stem, extension)) {
    const target = path.join(path.dirname(original), name);
    if (await moveNoOverwrite(moved, target)) return target;
  }
  throw new Error('unreachable: candidate names are endless');
}

/** `2026-11-22`, local time. */
export function localDate(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** lstat(2), or undefined when there is nothing of this name. */
export async function lookAt(file: string): Promise<fs.BigIntStats | undefined> {
  return fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
}

function nameParts(name: string): [stem: string, extension: string] {
  const { stem, extension } = splitDataName(name);
  return [cutBytes(stem, MAX_STEM_BYTES), extension];
}

function partsOf(name: string): { stem: string; extension: string } {
  return splitDataName(name);
}

function isWithin(file: string, folder: string): boolean {
  return file.startsWith(folder + path.sep);
}

/** Is this the file that was read, or its copy on another disk, which has an inode and a time of its own? */
async function isAsRead(place: string, { fingerprint, sha256 }: OriginalRead): Promise<boolean> {
  const stats = fs.lstatSync(place, { bigint: true });
  if (fingerprint === '' || fingerprintText(stats) === fingerprint) return true;
  return !hasInodeOf(stats, fingerprint) && stats.isFile() && (await sha256Of(place)) === sha256;
}

function hasInodeOf({ ino }: fs.BigIntStats, fingerprint: string): boolean {
  return fingerprint.endsWith(`:${ino}`);
}

/** Is this the same content, which failed before? Whatever a person has mended in place is not. */
async function isSameFailure(
  target: string,
  { report, original }: { report: Report; original: OriginalRead },
): Promise<boolean> {
  const stats = await lookAt(target);
  if (report.sha256 === '' || !stats?.isFile()) return false;
  const earlier = await readReport(target);
  return (
    earlier?.sha256 === report.sha256 &&
    earlier.file === report.file &&
    (await sha256Of(target)) === original.sha256
  );
}

/** The report beside a file; undefined when there is none that can be read. */
export async function readReport(target: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await fs.promises.readFile(reportPathOf(target), 'utf8')) as Report;
  } catch (error) {
    // Deleted, or edited by somebody. A disk that has trouble says nothing.
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
