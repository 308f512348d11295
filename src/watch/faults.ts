import { isUtf8 } from 'node:buffer';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import { escapeControls, quoteValue } from '../base/text.js';
import type { TrackedFile } from './settle.js';
import type { WatchFault } from './types.js';

const FOLDER_HINTS: Record<string, string> = {
  ENOENT: 'Create the folder again, or mount the disk that it lies on.',
  EACCES: 'Give the user that runs Dropgate the rights to read, write and enter the folder.',
  EPERM: 'Give the user that runs Dropgate the rights to read, write and enter the folder.',
  ENOTDIR: 'Something that is no folder stands at this path; move it away.',
  EMFILE: 'Raise the limit of open files (LimitNOFILE in the service file, or ulimit -n).',
  ENFILE: 'Raise the limit of open files of the system (fs.file-max).',
};

const WATCH_HINTS: Record<string, string> = {
  ENOSPC: 'Raise fs.inotify.max_user_watches with sysctl.',
  EMFILE: 'Raise fs.inotify.max_user_instances with sysctl.',
};

/** The folder cannot be listed. */
export function folderFault(folder: string, error: unknown): WatchFault {
  const code = errnoOf(error) ?? 'unknown';
  return {
    kind: 'folder',
    code,
    path: folder,
    message: `The folder ${quoteValue(folder, 300)} cannot be listed (${messageOf(error)}); trying again.`,
    hint: FOLDER_HINTS[code] ?? 'Check the health of the disk or of the network mount.',
    cause: error,
  };
}

/** The system gives no events for the folder. */
export function watchFault(folder: string, error: unknown): WatchFault {
  const code = errnoOf(error) ?? 'unknown';
  return {
    kind: 'watch',
    code,
    path: folder,
    message: `The system gives no events for ${quoteValue(folder, 300)} (${messageOf(error)}); polling instead.`,
    hint: WATCH_HINTS[code] ?? 'If this lasts, set "watch.polling: true" in dropgate.yaml.',
    cause: error,
  };
}

/** A file in the folder cannot be looked at. */
export function entryFault(file: string, error: unknown): WatchFault {
  return {
    kind: 'entry',
    code: errnoOf(error) ?? 'unknown',
    path: file,
    message: `${quoteValue(file, 300)} cannot be looked at (${messageOf(error)}); other files go on, this one is tried again.`,
    hint: 'Check the rights on the folder and the health of the disk.',
    cause: error,
  };
}

/** A name that no program can pass on as text. */
export function nameFault(rawPath: Buffer): WatchFault {
  const shown = escapeRawPath(rawPath);
  return {
    kind: 'name',
    code: 'EILSEQ',
    path: shown,
    message: `The name of "${shown}" is not valid UTF-8; the file is left alone.`,
    hint: 'Rename the file; the bytes that are not UTF-8 are shown as \\xNN.',
    rawPath,
  };
}

/** A file that stands still but is kept open by its writer. */
export function heldOpenFault(folder: string, file: TrackedFile): WatchFault {
  const shown = path.join(folder, file.name);
  const pid = file.heldBy!.pid;
  return {
    kind: 'held_open',
    code: 'EBUSY',
    path: shown,
    message: `${quoteValue(shown, 300)} has not changed for a while, but process ${pid} holds it open for writing; waiting until it is closed.`,
    hint: `Look at process ${pid}: it may have forgotten to close the file, and may not have written all of it.`,
    pid,
  };
}

/** Bytes as one line of text: what is not valid UTF-8 as `\\xNN`, control characters escaped. */
function escapeRawPath(rawPath: Buffer): string {
  let text = '';
  for (let at = 0; at < rawPath.length; ) {
    const length = [1, 2, 3, 4].find((bytes) => isUtf8(rawPath.subarray(at, at + bytes)));
    text += length
      ? rawPath.toString('utf8', at, at + length)
      : `\\x${rawPath[at].toString(16).padStart(2, '0').toUpperCase()}`;
    at += length ?? 1;
  }
  return escapeControls(text);
}
