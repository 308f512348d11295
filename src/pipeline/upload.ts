import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import {
  fileOps,
  fingerprintText,
  isAbsent,
  moveNoOverwrite,
  removeFile,
  syncFolder,
  tempPathFor,
} from '../base/files.js';
import { escapeControls, formatBytes, quoteValue } from '../base/text.js';
import { isDelimitedName, isIgnoredName, MARKER_SUFFIX } from '../watch/names.js';

/** A file that somebody wants to send. */
export interface UploadOffer {
  /** As it came, not to be trusted. */
  name: string;
  /** What the sender says how long the file is; undefined when it does not. */
  announcedBytes: number | undefined;
}

/** Where uploads go, and how long they may be. */
export interface UploadPlace {
  /** The watched folder. */
  folder: string;
  maxBytes: number;
  /** Lay a marker beside the file, without which the watcher does not take it. */
  hasMarkers: boolean;
}

/** A file that lies in the input folder, complete. */
export interface ReceivedFile {
  name: string;
  bytes: number;
}

const MAX_NAME_BYTES = 255;

/**
 * Refuses what cannot be taken before its content is sent.
 * @throws DropgateError `upload_name`, `upload_too_large`, `upload_name_taken`, `upload_disk_full`, `upload_unwritable`
 */
export async function admitUpload({ name, announcedBytes }: UploadOffer, place: UploadPlace): Promise<void> {
  const { folder, maxBytes } = place;
  // 1. Its name.
  const fault = nameFault(name, place);
  if (fault !== undefined) throw new DropgateError('upload_name', fault);
  // 2. Its size.
  if (announcedBytes !== undefined && announcedBytes > maxBytes) throw tooLarge(maxBytes);
  // 3. Room for it. A disk that uploads have filled would hold up the conversion as well.
  if (!(await isAbsent(path.join(folder, name)))) throw nameTaken(name);
  const { bavail, bsize } = await fs.promises.statfs(folder).catch(throwFolderFault);
  if ((announcedBytes ?? 0) > bavail * bsize) throw new DropgateError('upload_disk_full', 'the disk is full');
}

/**
 * Writes an upload into the input folder, where it appears under its name when it is complete and durable, and never over
 * another file. Memory does not grow with the file: the next piece is asked for when the last one is written.
 * @param beforeNaming hears the fingerprint of the file just before the watcher can see it
 * @throws DropgateError as {@link admitUpload}, and `upload_broken_off`; nothing of the file is left then
 */
export async function receiveUpload(
  offer: UploadOffer & { content: AsyncIterable<Uint8Array> },
  { place, beforeNaming }: { place: UploadPlace; beforeNaming?: (fingerprint: string) => void },
): Promise<ReceivedFile> {
  await admitUpload(offer, place);
  const { name } = offer;
  const temp = tempPathFor(path.join(place.folder, name), '.part');
  try {
    // 1. The content.
    const bytes = await writeContent(offer, { temp, maxBytes: place.maxBytes });
    const fingerprint = await fingerprintOf(temp);
    beforeNaming?.(fingerprint);
    // 2. Its name.
    await giveName({ temp, name, fingerprint }, place);
    return { name, bytes };
  } catch (error) {
    throw asUploadError(error);
  } finally {
    await removeFile(temp).catch(() => undefined);
  }
}

/** Why a file cannot be delivered under this name; undefined when it can. */
function nameFault(name: string, { hasMarkers }: { hasMarkers: boolean }): string | undefined {
  const shown = quoteValue(name, 100);
  if (name === '') return 'the address names no file';
  if (/[/\\]/.test(name)) return `${shown} names a folder; files go into the input folder itself`;
  if (!name.isWellFormed() || escapeControls(name) !== name) return `${shown} holds control characters`;
  if (name.startsWith('-')) return `${shown} begins with a dash, which programs take for an option`;
  if (isIgnoredName(name)) return `${shown} is a name of hidden or unfinished files, which are never taken`;
  if (!isDelimitedName(name)) return `${shown} does not end like a file of delimited text`;
  const maxBytes = MAX_NAME_BYTES - (hasMarkers ? MARKER_SUFFIX.length : 0);
  if (Buffer.byteLength(name) > maxBytes) return `${shown} is longer than ${maxBytes} bytes`;
  return undefined;
}

async function writeContent(
  { content, announcedBytes }: { content: AsyncIterable<Uint8Array>; announcedBytes: number | undefined },
  { temp, maxBytes }: { temp: string; maxBytes: number },
): Promise<number> {
  let bytes = 0;
  const handle = await fileOps.open(temp, 'wx');
  try {
    for await (const piece of unbroken(content)) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      await handle.writeFile(piece);
    }
    if (announcedBytes !== undefined && bytes !== announcedBytes)
      throw brokenOff(`after ${formatBytes(bytes)}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return bytes;
}

/** Tells trouble of the sender from trouble of the disk. */
async function* unbroken(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    throw brokenOff(`(${messageOf(error)})`);
  }
}

async function giveName(
  { temp, name, fingerprint }: { temp: string; name: string; fingerprint: string },
  { folder, hasMarkers }: UploadPlace,
): Promise<void> {
  const target = path.join(folder, name);
  const isNew = await moveNoOverwrite(temp, target).catch(async (error: unknown) => {
    // It may have got its name and only not lost the other one.
    if ((await fingerprintOf(target).catch(() => undefined)) === fingerprint) return true;
    throw error;
  });
  if (!isNew) throw nameTaken(name);
  if (hasMarkers) await mark(target);
  // It is there and may be taken already; that its name outlives a power cut is all that a fault here would leave open.
  await syncFolder(folder).catch(() => undefined);
}

async function fingerprintOf(file: string): Promise<string> {
  return fingerprintText(await fs.promises.lstat(file, { bigint: true }));
}

/** A file that stays without its marker would wait for ever: it is taken back. */
async function mark(target: string): Promise<void> {
  const marker = target + MARKER_SUFFIX;
  try {
    await (await fileOps.open(marker, 'a')).close();
  } catch (error) {
    await removeFile(target);
    await removeFile(marker);
    throw error;
  }
}

function tooLarge(maxBytes: number): DropgateError {
  return new DropgateError(
    'upload_too_large',
    `files of more than ${formatBytes(maxBytes)} are not taken here`,
  );
}

function nameTaken(name: string): DropgateError {
  return new DropgateError('upload_name_taken', `${quoteValue(name, 100)} is in the input folder already`);
}

function brokenOff(how: string): DropgateError {
  return new DropgateError('upload_broken_off', `the upload ended too early ${how}`);
}

/** What the system answers when a disk, or somebody's share of it, is full. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function asUploadError(error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  const code = FULL.has(errnoOf(error) ?? '') ? 'upload_disk_full' : 'upload_unwritable';
  return new DropgateError(code, `the file cannot be written (${messageOf(error)})`, { cause: error });
}

function throwFolderFault(error: unknown): never {
  throw asUploadError(error);
}
