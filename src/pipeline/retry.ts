import path from 'node:path';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import {
  candidateNames,
  fileOps,
  isAbsent,
  moveNoOverwrite,
  removeFile,
  splitDataName,
  syncFolder,
} from '../base/files.js';
import type { Log } from '../base/log.js';
import { didYouMean } from '../base/suggest.js';
import { quoteValue } from '../base/text.js';
import type { Folders, Settings } from '../config/settings.js';
import { isDelimitedName, isIgnoredName, isParquetName, MARKER_SUFFIX } from '../watch/names.js';
import { type FailedFile, type FailureReport, listFailed, readFailure } from './failed-files.js';
import { reportPathOf } from './publish.js';

/** Which failed files are to be tried again. */
export interface RetryRequest {
  settings: Settings;
  /** Names of failed files, with or without their extension, or paths of them; for `all` none. */
  names: readonly string[];
  /** Every failed file, but no rejected rows: those would be rejected again as long as nobody mends them. */
  all: boolean;
  log: Log;
}

/** What became of them. Paths are absolute. */
export interface RetryOutcome {
  moved: { from: string; to: string }[];
  /** They stay where they are. */
  kept: { file: string; reason: string }[];
}

/**
 * Gives failed files back to the folder they came from, under the name they came with (or one with a suffix where that
 * is taken), to be tried again by whoever watches it. Safe beside a running daemon; nothing is ever overwritten.
 * @throws DropgateError `usage` for a name that no failed file has; nothing has been moved then
 */
export async function retryFailed({ settings, names, all, log }: RetryRequest): Promise<RetryOutcome> {
  const { folders, root } = settings;
  // 1. Which files.
  const failed = await listFailed(folders);
  const chosen = all
    ? failed.filter(({ kind }) => kind !== 'rejected')
    : [...new Set(names.flatMap((name) => match(name, failed)))];
  // 2. Back, one by one.
  const outcome: RetryOutcome = { moved: [], kept: [] };
  for (const file of chosen) {
    try {
      const to = await giveBack(file, settings);
      outcome.moved.push({ from: file.path, to });
      const [from, target] = [file.path, to].map((one) => path.relative(root, one));
      log.info(`Sent ${from} back to ${target}, to be tried again`, { event: 'retried', file: file.name });
    } catch (error) {
      // Another retry was quicker: nothing to tell.
      if (errnoOf(error) === 'ENOENT' && (await isAbsent(file.path))) continue;
      outcome.kept.push({ file: file.path, reason: messageOf(error) });
    }
  }
  await syncFolders(folders);
  return outcome;
}

function match(given: string, failed: readonly FailedFile[]): FailedFile[] {
  const name = path.basename(given);
  const isPath = name !== given;
  const here = isPath ? failed.filter(({ path: file }) => file === path.resolve(given)) : failed;
  const exact = here.filter((file) => file.name === name);
  if (exact.length > 0) return exact;
  const byStem = isPath ? [] : here.filter((file) => stemOf(file) === name);
  if (byStem.length > 0) return byStem;
  const known = failed.map((file) => file.name);
  throw new DropgateError(
    'usage',
    `no failed file is called ${quoteValue(given, 300)}${didYouMean(name, known)}`,
    {
      hint: 'Run "dropgate retry" for a list of the failed files.',
    },
  );
}

function stemOf({ kind, name }: FailedFile): string {
  return split(kind, name).stem;
}

function split(kind: FailedFile['kind'], name: string): { stem: string; extension: string } {
  if (kind !== 'parquet') return splitDataName(name);
  const extension = path.extname(name);
  return { stem: path.basename(name, extension), extension };
}

/** Answers the new path. */
async function giveBack(file: FailedFile, { folders, watch }: Settings): Promise<string> {
  const report = await readFailure(file.path);
  const folder = file.kind === 'parquet' ? folders.output : folders.input;
  await fileOps.mkdir(folder, { recursive: true });
  // 1. The file, never over another.
  const target = await moveTo(folder, file, nameBefore(file, report));
  // 2. Its report, unless the file has failed again in the meantime and this is a new one.
  if (report && (await readFailure(file.path))?.ino === report.ino) await removeFile(reportPathOf(file.path));
  // 3. The sign that it is complete, where one is wanted.
  if (watch.ready === 'marker' && file.kind !== 'parquet') await touch(target + MARKER_SUFFIX);
  return target;
}

/** The name that the file was delivered with. Rejected rows are a file of their own, with a name of its own. */
function nameBefore({ kind, name }: FailedFile, report: FailureReport | undefined): string {
  const accepts = kind === 'parquet' ? isParquetName : isDelimitedName;
  const before = report?.file;
  const isUsable =
    before !== undefined && path.basename(before) === before && accepts(before) && !isIgnoredName(before);
  return isUsable && kind !== 'rejected' ? before : name;
}

async function moveTo(folder: string, file: FailedFile, wanted: string): Promise<string> {
  const { stem, extension } = split(file.kind, wanted);
  for (const name of candidateNames(stem, extension)) {
    const target = path.join(folder, name);
    if (await moveNoOverwrite(file.path, target)) return target;
  }
  throw new Error('unreachable: candidate names are endless');
}

async function touch(file: string): Promise<void> {
  await (await fileOps.open(file, 'a')).close();
}

async function syncFolders({ input, failed, output, outputFailed }: Folders): Promise<void> {
  for (const folder of [input, output, failed, outputFailed]) await syncFolder(folder);
}
