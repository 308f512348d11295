import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { crashPoint } from './crash-point.js';
import { errnoOf } from './errors.js';
import { wholeCharacters } from './text.js';

/**
 * Every file operation that changes something goes through this object, so that a test can make each of them fail.
 * Replaced only by tests.
 */
export const fileOps = {
  open: fs.promises.open,
  rename: atOnce(fs.renameSync) as typeof fs.promises.rename,
  link: atOnce(fs.linkSync) as typeof fs.promises.link,
  unlink: atOnce(fs.unlinkSync) as typeof fs.promises.unlink,
  mkdir: atOnce(fs.mkdirSync) as typeof fs.promises.mkdir,
  readdir: fs.promises.readdir,
  copyFile: fs.promises.copyFile,
  symlink: fs.promises.symlink,
  fsync: promisify(fs.fsync),
  openSync: fs.openSync,
  writeSync: fs.writeSync,
  closeSync: fs.closeSync,
  mkdirSync: fs.mkdirSync,
};

/**
 * Calls that change names only, look at them, or put a little into the system's memory, are made on the spot: they take some
 * microseconds each, where handing one to a thread and hearing of it takes 50. Whatever waits for the disk (sync, copy) goes
 * to a thread.
 */
function atOnce<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => Promise<R> {
  return async (...args) => call(...args);
}

/** Prefix and suffixes of files that are being written; the watcher never touches such names, the start sweeps them. */
const TEMP_PREFIX = '.dropgate-';
/** `.part`: an upload. */
const TEMP_SUFFIXES = ['.tmp', '.part'] as const;

/** What tells the temporary files of this thread from those of all others, and how many there were. */
const OWN = [process.pid, Date.now(), Math.floor(Math.random() * 2 ** 32)]
  .map((n) => n.toString(36))
  .join('-');
let tempCounter = 0;

/** A new temporary path in the same folder as `target`, so that a rename into place is atomic. */
export function tempPathFor(target: string, suffix: (typeof TEMP_SUFFIXES)[number] = '.tmp'): string {
  return tempPathIn(path.dirname(target), suffix);
}

function tempPathIn(folder: string, suffix: (typeof TEMP_SUFFIXES)[number]): string {
  tempCounter++;
  // Not the target's own name: 255-byte names leave no room for a suffix.
  return path.join(folder, `${TEMP_PREFIX}${OWN}-${tempCounter.toString(36)}${suffix}`);
}

/** A temporary file that is being written. */
export interface TempFile {
  path: string;
  fd: number;
}

/** Creates and opens a temporary file in `folder`, which comes into being again when somebody removed it. */
export function createTempFile(folder: string): TempFile {
  const file = tempPathIn(folder, '.tmp');
  try {
    return { path: file, fd: fileOps.openSync(file, 'wx') };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    fileOps.mkdirSync(folder, { recursive: true });
    return { path: file, fd: fileOps.openSync(file, 'wx') };
  }
}

/** The way from a folder to a path, both absolute and normal; the path itself when they are the same. */
export function pathFrom(folder: string, file: string): string {
  // Mostly the file lies in the folder, and `path.relative` would take both apart for it.
  if (file.startsWith(folder) && file[folder.length] === path.sep) return file.slice(folder.length + 1);
  return path.relative(folder, file) || file;
}

/** Deletes temporary files that a killed run left in `folder`. Returns how many. Only safe under the daemon's lock. */
export async function sweepTempFiles(folder: string): Promise<number> {
  const names = await fileOps.readdir(folder).catch(ignoreErrno([], 'ENOENT'));
  const leftovers = names.filter(
    (name) => name.startsWith(TEMP_PREFIX) && TEMP_SUFFIXES.some((suffix) => name.endsWith(suffix)),
  );
  await Promise.all(leftovers.map((name) => removeFile(path.join(folder, name))));
  return leftovers.length;
}

/**
 * Writes `content` to `target` so that a reader sees the old file or the new one whole, also after a crash.
 * @param options isNameDurable: false leaves it to the caller to sync the folder
 */
export async function writeFileAtomic(
  target: string,
  content: string | Uint8Array,
  { isNameDurable = true } = {},
): Promise<void> {
  const temp = tempPathFor(target);
  try {
    const fd = fileOps.openSync(temp, 'wx');
    try {
      writeAll(fd, typeof content === 'string' ? Buffer.from(content) : content);
      await fileOps.fsync(fd);
    } finally {
      fileOps.closeSync(fd);
    }
    await fileOps.rename(temp, target);
  } catch (error) {
    await removeFile(temp).catch(() => undefined);
    throw error;
  }
  if (isNameDurable) await syncFolder(path.dirname(target));
}

/** Flushes an already written file to the disk. The flush is under way, in a thread, when this returns its promise. */
export async function syncFile(file: string): Promise<void> {
  const fd = fileOps.openSync(file, 'r+');
  try {
    await fileOps.fsync(fd);
  } finally {
    fileOps.closeSync(fd);
  }
}

/** Makes renames and new names in `folder` durable. Folders that cannot be synced (some network mounts) are passed over. */
export async function syncFolder(folder: string): Promise<void> {
  let fd: number;
  try {
    fd = fileOps.openSync(folder, 'r');
  } catch (error) {
    return ignoreErrno(undefined, 'EISDIR', 'EPERM', 'EACCES', 'ENOENT')(error);
  }
  try {
    await fileOps.fsync(fd);
  } catch (error) {
    ignoreErrno(undefined, 'EINVAL', 'EPERM', 'ENOTSUP')(error);
  } finally {
    fileOps.closeSync(fd);
  }
}

/** Writes all bytes; a short write goes on where it stopped. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += fileOps.writeSync(fd, bytes, done, bytes.length - done);
}

/** Deletes a file; one that is gone already is fine. */
export async function removeFile(file: string): Promise<void> {
  await fileOps.unlink(file).catch(ignoreErrno(undefined, 'ENOENT'));
}

/**
 * Gives `source` the name `target` without ever overwriting. Returns false, with nothing changed, when `target`
 * is taken. Atomic against everybody: the name comes into being by link(2), which fails on a taken name. Where
 * links are not to be had (FAT, some network mounts) or the folders are on two disks, the name is reserved by an
 * exclusive create first.
 */
export async function moveNoOverwrite(source: string, target: string): Promise<boolean> {
  try {
    await fileOps.link(source, target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return finishInterruptedMove(source, target);
    // Some file systems say EXDEV of two names in one folder, where no copy would help.
    if (errno === 'EXDEV' && path.dirname(source) !== path.dirname(target))
      return copyNoOverwrite(source, target);
    if (errno !== undefined && NO_LINKS.has(errno)) return reserveAndRename(source, target);
    throw error;
  }
  crashPoint('linked');
  await fileOps.unlink(source);
  return true;
}

/** What link(2) answers where links are not to be had. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS', 'EXDEV']);

/** A move that was killed between link and unlink left the same file under both names: finish it. */
async function finishInterruptedMove(source: string, target: string): Promise<boolean> {
  const [from, to] = await Promise.all([source, target].map(identityOf));
  if (!isSameFile(from, to)) return false;
  await fileOps.unlink(source);
  return true;
}

async function reserveAndRename(source: string, target: string): Promise<boolean> {
  try {
    await (await fileOps.open(target, 'wx')).close();
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  await fileOps.rename(source, target);
  return true;
}

async function copyNoOverwrite(source: string, target: string): Promise<boolean> {
  return moveByCopy(source, { temp: tempPathFor(target), place: (temp) => moveNoOverwrite(temp, target) });
}

/**
 * Moves across disks: copies to `temp`, lets `place` give the copy its name, and deletes the source, unless that was
 * replaced or written to meanwhile; then the copy is the old version and the new one stays where it is. Answers what
 * `place` answers; false means that it found no place, and nothing has changed.
 */
async function moveByCopy(
  source: string,
  { temp, place }: { temp: string; place: (temp: string) => Promise<boolean> },
): Promise<boolean> {
  try {
    const copied = await copyStill(source, temp);
    if (!(await place(temp))) return false;
    const now = await identityOf(source).catch(ignoreErrno(undefined, 'ENOENT'));
    if (now !== undefined && isSameVersion(now, copied)) await removeFile(source);
    return true;
  } finally {
    await removeFile(temp);
  }
}

/** A source that keeps changing while it is copied is given up after so many attempts. */
const MAX_COPY_ATTEMPTS = 3;

/** Copies one version of a file, durably, and answers which it was. */
async function copyStill(source: string, temp: string): Promise<fs.BigIntStats> {
  for (let attempt = 1; attempt <= MAX_COPY_ATTEMPTS; attempt++) {
    const before = await identityOf(source);
    await copyEntry(source, temp, before);
    if (isSameVersion(await identityOf(source), before)) return before;
    await removeFile(temp);
  }
  throw new Error(`${source} changes while it is copied to another disk`);
}

/** Thrown for a pipe, a device or a folder that is to be moved to another disk: there is nothing to copy. */
export class CannotCopy extends Error {}

/** A link is copied as a link: what it leads to is none of our business. */
async function copyEntry(source: string, temp: string, stats: fs.BigIntStats): Promise<void> {
  if (stats.isSymbolicLink()) return fileOps.symlink(await fs.promises.readlink(source), temp);
  // Reading a pipe or a device would wait for ever.
  if (!stats.isFile())
    throw new CannotCopy(`${source} is no regular file and cannot be moved to another disk`);
  await fileOps.copyFile(source, temp, fs.constants.COPYFILE_EXCL);
  await syncFile(temp);
}

async function identityOf(file: string): Promise<fs.BigIntStats> {
  return fs.lstatSync(file, { bigint: true });
}

function isSameVersion(a: fs.BigIntStats, b: fs.BigIntStats): boolean {
  return isSameFile(a, b) && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

function isSameFile(a: fs.BigIntStats, b: fs.BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

const MAX_NAME_BYTES = 255;

/**
 * The names to try for a file that must not overwrite another: `scores.csv`, `scores-2.csv`, `scores-3.csv`, …
 * `extension` (with its dot) stays at the end; a stem that would make the name longer than 255 bytes is cut.
 */
export function* candidateNames(stem: string, extension: string): Generator<string> {
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? extension : `-${n}${extension}`;
    yield cutBytes(stem, MAX_NAME_BYTES - Buffer.byteLength(suffix)) + suffix;
  }
}

/**
 * Moves whatever is named `source` now into a folder in which nobody else makes names, under the first candidate
 * name that `isFree` accepts; what may be there already is replaced. One rename, so that a file which is replaced at
 * this very moment is moved, not lost: the caller compares what arrived with what it meant. Answers the new path, and
 * whether it is a copy because the folder lies on another disk; copies are made in `scratch`, a folder on that disk.
 */
export async function moveIntoOwnFolder(
  source: string,
  folder: string,
  options: {
    stem: string;
    extension: string;
    isFree?: (target: string) => Promise<boolean>;
    scratch?: string;
  },
): Promise<{ path: string; isCopy: boolean }> {
  const isFree = options.isFree ?? isAbsent;
  for (const name of candidateNames(options.stem, options.extension)) {
    const target = path.join(folder, name);
    if (!(await isFree(target))) continue;
    try {
      await fileOps.rename(source, target);
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
      const temp = tempPathFor(path.join(options.scratch ?? folder, name));
      await moveByCopy(source, { temp, place: (copy) => fileOps.rename(copy, target).then(() => true) });
      return { path: target, isCopy: true };
    }
    // Of two names of one file rename(2) does nothing: an interrupted retry leaves such a pair.
    if (!(await isAbsent(source))) await finishInterruptedMove(source, target);
    return { path: target, isCopy: false };
  }
  throw new Error('unreachable: candidate names are endless');
}

/** SHA-256 of a file's content, or of its first `bytes`, in hexadecimal. */
export async function sha256Of(file: string, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256');
  if (bytes > 0) for await (const chunk of fs.createReadStream(file, { end: bytes - 1 })) hash.update(chunk);
  return hash.digest('hex');
}

/** What tells one version of a file from another, as one text: size, mtime and inode. */
export function fingerprintText(stats: { size: number | bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${stats.size}:${stats.mtimeNs}:${stats.ino}`;
}

/** Is there nothing of this name? */
export async function isAbsent(file: string): Promise<boolean> {
  return fs.lstatSync(file, { throwIfNoEntry: false }) === undefined;
}

/** Cuts a text to at most `maxBytes` of UTF-8 without splitting a character. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return bytes.toString('utf8', 0, wholeCharacters(bytes, maxBytes));
}

const DATA_EXTENSION = /\.(csv|tsv|txt)(\.gz)?$/i;

/** `scores.csv.gz` → stem `scores`, extension `.csv.gz`; a name without a known extension is all stem. */
export function splitDataName(name: string): { stem: string; extension: string } {
  const match = DATA_EXTENSION.exec(name);
  if (!match) return { stem: name, extension: '' };
  return { stem: name.slice(0, match.index), extension: match[0] };
}

/** Returns a handler that swallows the named errno codes, answering `fallback`, and throws everything else on. */
export function ignoreErrno<T>(fallback: T, ...codes: string[]): (error: unknown) => T {
  return (error) => {
    if (codes.includes(errnoOf(error) ?? '')) return fallback;
    throw error;
  };
}
