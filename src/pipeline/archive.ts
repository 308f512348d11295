import fs from 'node:fs';
import path from 'node:path';
import { ignoreErrno } from '../base/files.js';

const DATE_FOLDER = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

/** Deletes the folders `archived/<date>` of days that are longer than `archiveDays` ago; 0 keeps all. Answers how many. */
export async function removeOldArchives(archive: string, archiveDays: number): Promise<number> {
  if (archiveDays === 0) return 0;
  const oldest = Date.now() - archiveDays * DAY_MS;
  const names = await fs.promises.readdir(archive).catch(ignoreErrno<string[]>([], 'ENOENT'));
  const old = names.filter((name) => DATE_FOLDER.test(name) && endOfDay(name) < oldest);
  for (const name of old) await fs.promises.rm(path.join(archive, name), { recursive: true, force: true });
  return old.length;
}

/** Days are named in local time. */
function endOfDay(name: string): number {
  return Date.parse(`${name}T00:00:00`) + DAY_MS;
}
