/** A complete file, or an entry that can never be one. Safe to send to a worker thread. */
export interface ReadyFile {
  /** Name in the watched folder; unique among the files in hand. */
  name: string;
  /** Absolute path. */
  path: string;
  /** `other`: a symbolic link, FIFO, socket or device. It must not be opened: a FIFO would block for ever. */
  kind: 'file' | 'other';
  /** Bytes. */
  size: number;
  /** Milliseconds since the epoch, for people; `mtimeNs` is the exact one. */
  mtimeMs: number;
  mtimeNs: bigint;
  ino: bigint;
  dev: bigint;
  /** When this version's file was first seen, milliseconds since the epoch. */
  arrivedAtMs: number;
  /** Absolute path of the marker `<name>.done`, to be deleted when the file is done; only with `ready: 'marker'`. */
  marker?: string;
  /** Of an {@link AheadFile}, when nothing was seen to stir at it since. */
  ticket?: number;
}

/**
 * A file that seems complete and still has to stand still for a while. It may be read, but not touched; what was read
 * counts when the file is offered with the same ticket.
 */
export interface AheadFile extends ReadyFile {
  ticket: number;
}

/**
 * - `folder`: the folder cannot be listed; tried again after growing pauses, at most 30 s
 * - `watch`: the system gives no events; polling stands in until it does
 * - `entry`: some files cannot be looked at (lstat fails); the others go on
 * - `name`: a name that is not valid UTF-8; the file is left alone until it is renamed
 * - `held_open`: a file stands still, but a process has held it open for writing for a minute; told once a file
 */
export type FaultKind = 'folder' | 'watch' | 'entry' | 'name' | 'held_open';

/** Trouble that the watcher lives with. `folder`, `watch` and `entry` are told once and end with a recovery. */
export interface WatchFault {
  kind: FaultKind;
  /** The errno name, such as `EACCES` or `ENOSPC`; EILSEQ for `name`, EBUSY for `held_open`. */
  code: string;
  /** Absolute path of the folder, or of the (first) file concerned. */
  path: string;
  /** One sentence: what happened and what the watcher does about it. Safe for one line of a log. */
  message: string;
  /** What a person can do. */
  hint: string;
  /** With `name`: the exact bytes of the path, for rename(2). */
  rawPath?: Buffer;
  /** With `held_open`: the process. */
  pid?: number;
  cause?: unknown;
}

/** The end of a fault of kind `folder`, `watch` or `entry`. */
export interface WatchRecovery {
  kind: FaultKind;
  /** Absolute path of the watched folder. */
  path: string;
  /** One sentence. */
  message: string;
  /** How long the trouble lasted. */
  afterMs: number;
}

/** A file in the folder that is not (yet) ready, and why. */
export interface UnreadyFile {
  name: string;
  reason: 'settling' | 'held_open' | 'no_marker';
  /** With `held_open`: the process that holds it open for writing. */
  pid?: number;
}

/** How many files are where, for `dropgate status`. */
export interface PendingCounts {
  /** Seen, not yet known to be complete; includes `heldOpen`. */
  settling: number;
  /** Standing still, but open for writing in some process. */
  heldOpen: number;
  /** Complete but without their marker. */
  unmarked: number;
  /** In the consumer's hands. */
  offered: number;
  /** Released, to be offered again later. */
  waiting: number;
  /** Released for good, still in the folder. */
  done: number;
  /** Not followed yet, as there are so many. */
  heldBack: number;
}
