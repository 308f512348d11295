import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../base/errors.js';
import {
  candidateNames,
  cutBytes,
  fileOps,
  isAbsent,
  moveIntoOwnFolder,
  moveNoOverwrite,
  removeFile,
  sha256Of,
  splitDataName,
  syncFolder,
  writeFileAtomic,
} from '../base/files.js';
import type { Folders } from '../config/settings.js';
import type { FileRecord, Ledger, NewFileRecord } from '../ledger/ledger.js';
import { readParquetInfo } from '../load/parquet-source.js';
import { sameFile } from '../read/file-source.js';
import type { ReadyFile } from '../watch/types.js';
import { type ConvertedFile, type ConvertResult, stemOf } from './convert-file.js';
import type { Report } from './report.js';

export interface PublishOptions {
  folders: Folders;
  originals: 'archive' | 'delete';
  identity: 'name_and_content' | 'content';
  /** Converted files are loaded; then one whose Parquet vanished before it was loaded counts as not seen. */
  isLoading: boolean;
  ledger: Ledger;
}

/** A result together with the file it speaks of. */
export interface Judged<R extends ConvertResult = ConvertResult> {
  file: ReadyFile;
  result: R;
}

type FailedFile = Extract<ConvertResult, { status: 'failed' }>;

/** What became of a file, for the log and for the loader. Paths are absolute. */
export type Published =
  | {
      kind: 'converted';
      file: ReadyFile;
      result: ConvertedFile;
      parquet: string;
      rejects?: string;
      original?: string;
    }
  | { kind: 'duplicate'; file: ReadyFile; result: ConvertedFile; earlier: FileRecord; original?: string }
  | { kind: 'failed'; file: ReadyFile; result: FailedFile; failed?: string };

/**
 * Gives converted files their names and puts originals away, in this order, so that a crash between any two steps
 * is mended by simply doing it all again: rejects and report, Parquet, folder sync, original, ledger. The Parquet
 * file says from which content it was made; found in place at the second try, it is adopted.
 */
export class Publisher {
  readonly #options: PublishOptions;
  /** Where the search for a free Parquet name begins, by stem. */
  readonly #takenNames = new Map<string, number>();

  constructor(options: PublishOptions) {
    this.#options = options;
  }

  /** Publishes the converted and the failed files of one task. */
  async publish(judged: readonly Judged[]): Promise<Published[]> {
    const published: Published[] = [];
    // 1. New names for new files.
    for (const { file, result } of judged) {
      if (result.status === 'converted')
        published.push(await this.#publishConverted(file, result, published));
      else if (result.status === 'failed') published.push({ kind: 'failed', file, result });
    }
    // 2. The new names are durable before any original goes.
    await this.#syncTargets(published);
    // 3. Originals.
    for (const one of published) await this.#putAway(one);
    // 4. The record of it.
    this.#record(published);
    return published;
  }

  /** Deletes the temporary files of results that were not published. */
  async discard(results: readonly ConvertResult[]): Promise<void> {
    for (const result of results) {
      if (result.status === 'converted') await this.#removeTemps(result).catch(() => undefined);
    }
  }

  async #publishConverted(
    file: ReadyFile,
    result: ConvertedFile,
    inSameTask: readonly Published[],
  ): Promise<Published> {
    const earlier = await this.#findEarlier(result, inSameTask);
    if (earlier) {
      await this.#removeTemps(result);
      return { kind: 'duplicate', file, result, earlier };
    }
    const rejects = result.rejectsTemp && (await this.#publishRejects(result));
    const parquet = await this.#publishParquet(result);
    return { kind: 'converted', file, result, parquet, rejects };
  }

  /** The earlier delivery of the same content, if it is (or will be) in the table. */
  async #findEarlier(
    result: ConvertedFile,
    inSameTask: readonly Published[],
  ): Promise<FileRecord | undefined> {
    const { identity, ledger, folders, isLoading } = this.#options;
    const name = identity === 'content' ? undefined : result.name;
    const sibling = inSameTask.find(
      (one) =>
        one.kind === 'converted' &&
        one.result.sha256 === result.sha256 &&
        (!name || one.result.name === name),
    );
    if (sibling?.kind === 'converted') return recordOf(sibling, folders) as FileRecord;
    const seen = ledger.findSeen({ sha256: result.sha256, name });
    if (!seen || seen.state === 'loaded' || !isLoading) return seen;
    const isGone = await isAbsent(path.join(folders.output, seen.parquet ?? ''));
    return isGone ? undefined : seen;
  }

  async #publishRejects(result: ConvertedFile): Promise<string> {
    const { failed } = this.#options.folders;
    for (const name of candidateNames(cutBytes(stemOf(result.name), MAX_STEM_BYTES), '.rejected.csv')) {
      const target = path.join(failed, name);
      if (!(await isAbsent(target)) && !(await isOwnRejects(target, result))) continue;
      await this.#writeReport(target, result.report!);
      await fileOps.rename(result.rejectsTemp!, target);
      return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  async #publishParquet(result: ConvertedFile): Promise<string> {
    const { output } = this.#options.folders;
    const stem = stemOf(result.name);
    let tried = 0;
    const skip = this.#takenNames.get(stem) ?? 0;
    for (const name of candidateNames(stem, '.parquet')) {
      if (tried++ < skip) continue;
      const target = path.join(output, name);
      const isNew = await moveNoOverwrite(result.parquetTemp!, target);
      if (!isNew && !(await this.#isOwnEarlierWork(target, result))) continue;
      if (!isNew) await removeFile(result.parquetTemp!);
      if (tried > 1) this.#takenNames.set(stem, tried - 1);
      return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  /** Was the Parquet file in place made from this very content, by a run that was killed before it wrote it down? */
  async #isOwnEarlierWork(target: string, result: ConvertedFile): Promise<boolean> {
    const known = this.#options.ledger.findByParquet(path.basename(target));
    if (known) return known.sha256 === result.sha256 && known.name === result.name;
    const metadata = await readParquetInfo(target).then(
      (info) => info.metadata,
      () => ({}) as Record<string, string>,
    );
    return (
      metadata['dropgate.sha256'] === result.sha256 &&
      metadata['dropgate.source'] === result.name &&
      metadata['dropgate.dataset'] === result.dataset
    );
  }

  async #removeTemps(result: ConvertedFile): Promise<void> {
    if (result.parquetTemp) await removeFile(result.parquetTemp);
    if (result.rejectsTemp) await removeFile(result.rejectsTemp);
  }

  async #syncTargets(published: readonly Published[]): Promise<void> {
    const { output, failed } = this.#options.folders;
    if (published.some(({ kind }) => kind === 'converted')) await syncFolder(output);
    if (published.some((one) => one.kind === 'converted' && one.rejects)) await syncFolder(failed);
  }

  async #putAway(one: Published): Promise<void> {
    if (one.kind === 'failed') one.failed = await this.#moveToFailed(one);
    else one.original = await this.#moveToArchive(one.file, one.result);
    if (one.file.marker) await removeFile(one.file.marker);
  }

  /** Undefined when the original has been deleted or replaced meanwhile, or is not to be kept. */
  async #moveToArchive(file: ReadyFile, result: ConvertedFile): Promise<string | undefined> {
    const folder = path.join(this.#options.folders.archive, localDate(new Date()));
    await fileOps.mkdir(folder, { recursive: true });
    // Copies from another disk are made where the start sweeps: not in a folder of a day.
    const moved = await this.#moveOriginal(file, { folder, result, scratch: this.#options.folders.archive });
    if (moved === undefined || this.#options.originals === 'archive') return moved;
    await removeFile(moved);
    return undefined;
  }

  async #moveToFailed({ file, result }: Extract<Published, { kind: 'failed' }>): Promise<string | undefined> {
    const { failed } = this.#options.folders;
    await fileOps.mkdir(failed, { recursive: true });
    const isFree = (target: string) => isFreeForFailed(target, result.report);
    let target: string | undefined;
    for (const name of candidateNames(...failedName(file.name))) {
      target = path.join(failed, name);
      if (await isFree(target)) break;
    }
    await this.#writeReport(target!, result.report);
    return this.#moveOriginal(file, {
      folder: failed,
      result,
      isFree: async (candidate) => candidate === target,
    });
  }

  /** Moves an original and makes sure that it is the one that was read; a newer one is given back. */
  async #moveOriginal(
    file: ReadyFile,
    to: {
      folder: string;
      result: ConvertedFile | FailedFile;
      isFree?: (target: string) => Promise<boolean>;
      scratch?: string;
    },
  ): Promise<string | undefined> {
    const { folder, result, ...options } = to;
    const [stem, extension] = failedName(file.name);
    let moved: { path: string; isCopy: boolean };
    try {
      moved = await moveIntoOwnFolder(file.path, folder, { stem, extension, ...options });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && (await isAbsent(file.path))) return undefined;
      throw error;
    }
    if (await isWhatWasRead(moved, result)) return moved.path;
    await giveBack(moved.path, file.path);
    return undefined;
  }

  async #writeReport(target: string, report: Report): Promise<void> {
    await fileOps.mkdir(path.dirname(target), { recursive: true });
    await writeFileAtomic(reportPathOf(target), `${JSON.stringify(report, null, 2)}\n`);
  }

  #record(published: readonly Published[]): void {
    const { ledger, folders } = this.#options;
    ledger.inTransaction(() => {
      for (const one of published) ledger.add(recordOf(one, folders));
    });
  }
}

/** Room for `-12345` and `.rejected.csv.report.json` within 255 bytes. */
const MAX_STEM_BYTES = 220;

/** The report of a file lies beside it. */
export function reportPathOf(file: string): string {
  return `${file}.report.json`;
}

function failedName(name: string): [stem: string, extension: string] {
  const { stem, extension } = splitDataName(name);
  return [cutBytes(stem, MAX_STEM_BYTES), extension];
}

/** Free, or held by an earlier delivery of the same content, which failed before and is replaced by itself. */
async function isFreeForFailed(target: string, report: Report): Promise<boolean> {
  if (await isAbsent(target)) return true;
  return report.sha256 !== '' && (await reportedSha256(target)) === report.sha256;
}

/** Were these rows set aside from this very content, by a run that was killed before it went on? */
async function isOwnRejects(target: string, { sha256, rejectsTemp }: ConvertedFile): Promise<boolean> {
  return (await reportedSha256(target)) === sha256 && (await hasSameContent(target, rejectsTemp!));
}

/** What the report beside a file says of the content that it speaks of; undefined when there is no such report. */
async function reportedSha256(target: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await fs.promises.readFile(reportPathOf(target), 'utf8')) as Report).sha256;
  } catch {
    return undefined;
  }
}

async function hasSameContent(a: string, b: string): Promise<boolean> {
  const [statsA, statsB] = await Promise.all([fs.promises.lstat(a), fs.promises.lstat(b)]);
  if (!statsA.isFile() || statsA.size !== statsB.size) return false;
  const [contentA, contentB] = await Promise.all([fs.promises.readFile(a), fs.promises.readFile(b)]);
  return contentA.equals(contentB);
}

async function isWhatWasRead(
  moved: { path: string; isCopy: boolean },
  { fingerprint, sha256 }: ConvertedFile | FailedFile,
): Promise<boolean> {
  if (!fingerprint) return true;
  // A copy on another disk has an inode and a time of its own.
  if (moved.isCopy) return (await sha256Of(moved.path)) === sha256;
  const stats = await fs.promises.lstat(moved.path, { bigint: true });
  return sameFile({ size: Number(stats.size), mtimeNs: stats.mtimeNs, ino: stats.ino }, fingerprint);
}

/** A newer file took the place of the one that was read, in the moment of the move: it goes back to be taken itself. */
async function giveBack(moved: string, original: string): Promise<void> {
  const { stem, extension } = splitDataName(path.basename(original));
  for (const name of candidateNames(stem, extension)) {
    if (await moveNoOverwrite(moved, path.join(path.dirname(original), name))) return;
  }
}

/** `2026-11-22`, local time. */
export function localDate(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

const STATES = { converted: 'converted', duplicate: 'duplicate', failed: 'failed' } as const;

function recordOf(one: Published, folders: Folders): NewFileRecord {
  const { file, result } = one;
  const counts = one.kind === 'failed' ? one.result.report.counts : one.result.counts;
  const place = one.kind === 'failed' ? one.failed : one.original;
  return {
    name: file.name,
    sha256: result.sha256,
    dataset: one.kind === 'failed' ? one.result.report.dataset : one.result.dataset,
    state: STATES[one.kind],
    code: one.kind === 'failed' ? one.result.report.code : null,
    message: one.kind === 'failed' ? one.result.report.message : null,
    bytesIn: result.bytesIn,
    bytesOut: one.kind === 'converted' ? one.result.bytesOut : 0,
    rowsIn: counts.rows_in,
    rowsOut: counts.rows_out,
    droppedMissing: counts.dropped_missing,
    droppedDuplicate: counts.dropped_duplicate,
    setAside: counts.set_aside,
    parquet: one.kind === 'converted' ? path.basename(one.parquet) : null,
    original: place === undefined ? null : path.relative(folders.input, place),
    convertMs: one.kind === 'failed' ? null : one.result.durationMs,
    arrivedAt: new Date(file.arrivedAtMs).toISOString(),
    judgedAt: new Date().toISOString(),
  };
}
