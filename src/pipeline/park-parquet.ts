import path from 'node:path';
import { crashPoint } from '../base/crash-point.js';
import { type DropgateError, errnoOf } from '../base/errors.js';
import { candidateNames, fileOps, isAbsent, moveIntoOwnFolder, writeFileAtomic } from '../base/files.js';
import { reportPathOf } from './report.js';

/**
 * Puts a Parquet file that no retry can load into `folder`, with a report beside it. The report comes first, so that a
 * file in that folder always has one. Answers the new path; undefined when the file has vanished.
 */
export async function parkParquet(
  file: { name: string; path: string },
  { folder, error }: { folder: string; error: DropgateError },
): Promise<string | undefined> {
  if (await isAbsent(file.path)) return undefined;
  await fileOps.mkdir(folder, { recursive: true });
  const extension = path.extname(file.name);
  const parts = { stem: path.basename(file.name, extension), extension };
  const target = await freePlace(folder, parts);
  await writeFileAtomic(reportPathOf(target), `${JSON.stringify(reportOf(file.name, error), null, 2)}\n`);
  crashPoint('parked-file-reported');
  try {
    await moveIntoOwnFolder(file.path, folder, {
      ...parts,
      isFree: async (candidate) => candidate === target,
    });
  } catch (moveError) {
    if (errnoOf(moveError) === 'ENOENT' && (await isAbsent(file.path))) return undefined;
    throw moveError;
  }
  crashPoint('parked-file-moved');
  return target;
}

async function freePlace(
  folder: string,
  { stem, extension }: { stem: string; extension: string },
): Promise<string> {
  for (const name of candidateNames(stem, extension)) {
    const target = path.join(folder, name);
    if (await isAbsent(target)) return target;
  }
  throw new Error('unreachable: candidate names are endless');
}

function reportOf(file: string, { code, message, hint }: DropgateError) {
  return { file, verdict: 'failed', code, message, hint, reported_at: new Date().toISOString() };
}
