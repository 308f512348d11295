import type { BigIntStats } from 'node:fs';
import { Agenda } from './agenda.js';
import { NameTable } from './name-table.js';

/** What a file looked like at one moment; two looks that agree mean that nothing was written in between. */
export interface FileVersion {
  /** `other`: a symbolic link, FIFO, socket or device, which is never opened. */
  kind: 'file' | 'other';
  /** Bytes. */
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  ino: bigint;
  /** Tells a new file from a deleted one whose inode it got; 0 where the file system does not record it. */
  birthtimeNs: bigint;
  dev: bigint;
}

/** The version that lstat(2) shows, or undefined for a folder. */
export function versionOf(stats: BigIntStats): FileVersion | undefined {
  if (stats.isDirectory()) return undefined;
  return {
    kind: stats.isFile() ? 'file' : 'other',
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    ino: stats.ino,
    birthtimeNs: stats.birthtimeNs,
    dev: stats.dev,
  };
}

const ODD = 0x9e3779b97f4a7c15n;

/**
 * One number for all that `sameContent` compares, for the many files that are done with. Two versions of a file have the
 * same one by chance once in 2^30; V8 keeps a number of up to 31 bits without an object.
 */
function digestOf({ kind, size, mtimeNs, ino, dev, birthtimeNs }: FileVersion): number {
  let digest = kind === 'file' ? 1n : 2n;
  for (const part of [dev, ino, birthtimeNs, BigInt(size), mtimeNs]) {
    digest = BigInt.asUintN(64, (digest ^ part) * ODD);
    digest ^= digest >> 29n;
  }
  return Number(digest >> 34n);
}

/** The same file with the same content. ctime is left out: a rename, a link or a chmod is no writing. */
function sameContent(a: FileVersion, b: FileVersion): boolean {
  return isSameFile(a, b) && a.size === b.size && a.mtimeNs === b.mtimeNs && a.kind === b.kind;
}

function isSameFile(a: FileVersion, b: FileVersion): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.birthtimeNs === b.birthtimeNs;
}

/**
 * - `settling`: seen, not yet known to be complete
 * - `unmarked`: stands still, its marker is not there (marker mode only)
 * - `offered`: in the consumer's hands; not looked at until released
 * - `waiting`: released, to be offered again later, or at once when it changes
 * - `done`: released for good, to be offered again only when it changes
 */
export type FileState = 'settling' | 'unmarked' | 'offered' | 'waiting' | 'done';

/** One known file that is not done with. Read-only for everybody but the book. */
export interface TrackedFile {
  readonly name: string;
  state: Exclude<FileState, 'done'>;
  version: FileVersion;
  /** When this version was first seen, on the clock of `performance.now()`. */
  stillSinceMs: number;
  /** When the file was first seen, milliseconds since the epoch. */
  arrivedAtMs: number;
  /** Nobody wrote to it lately: whoever put it here moved it. It may be read ahead at once. */
  wasMoved: boolean;
  /** An event spoke of the file after the last look. */
  touched: boolean;
  /** It was handed out to be read ahead, once for each arrival; the number is gone as soon as anything stirs. */
  ahead?: { ticket?: number };
  /** The writer that was last found holding the file open, while it stands still. */
  heldBy?: { pid: number; sinceMs: number; looks: number; nextLookMs: number };
}

/** One look at a file. */
export interface Observation {
  name: string;
  version: FileVersion;
  nowMs: number;
  /** The file was last changed so long ago that it needs no settling. */
  backlog?: boolean;
  /** A file that is not known yet was last written to before it came. */
  wasMoved?: boolean;
  /** When a file that is not known yet was first seen, milliseconds since the epoch; without it, now. */
  arrivedAtMs?: number;
}

/** What is to be done now. */
export interface DueFiles {
  /** Stood still for the whole settle time as far as is known: ready if the last look agrees. */
  ripe: TrackedFile[];
  /** Stood still for long enough to be read ahead, if the last look agrees. */
  early: TrackedFile[];
  /** An event says that they changed: look again. */
  touched: string[];
}

export interface SettleOptions {
  settleMs: number;
  /** How long a file stands still before it may be read ahead; without it, none is. */
  aheadMs?: number;
}

const MIN_LOOK_MS = 10;
/** Keeps the looks at files that are being written below about 2,000 a second, however many they are. */
const LOOK_MS_PER_SETTLING_FILE = 0.5;
const MAX_HELD_LOOK_MS = 1000;

/**
 * Decides when a file is complete: its size, mtime and inode must stand still for `settleMs`, counted from the look
 * that first showed them, never from the file's own times, which may lie in the future or in 1970. Pure book-keeping:
 * the caller looks at the files and tells the time, on a clock that never jumps.
 */
export class SettleBook {
  readonly #settleMs: number;
  readonly #aheadMs: number;
  #lastTicket = 0;
  readonly #lostTickets: number[] = [];
  /** All but those that are done with. */
  readonly #files = new Map<string, TrackedFile>();
  readonly #agenda = new Agenda();
  /** Files in state `waiting`, the one looked at longest ago first. */
  readonly #waiting = new Set<string>();
  /** Files in state `done` with the digests of their versions; there may be very many. */
  readonly #done = new NameTable(1);
  readonly #counts: Record<FileState, number> = { settling: 0, unmarked: 0, offered: 0, waiting: 0, done: 0 };

  constructor({ settleMs, aheadMs = Number.POSITIVE_INFINITY }: SettleOptions) {
    this.#settleMs = settleMs;
    this.#aheadMs = aheadMs < settleMs ? aheadMs : Number.POSITIVE_INFINITY;
  }

  /** A file that is not done with. */
  get(name: string): TrackedFile | undefined {
    return this.#files.get(name);
  }

  /** Is the file known, done with or not? */
  knows(name: string): boolean {
    return this.#files.has(name) || this.#done.placeOf(name) !== undefined;
  }

  /** The files that are not done with. */
  files(): IterableIterator<TrackedFile> {
    return this.#files.values();
  }

  /** The known names that are not among these. */
  missingFrom(names: ReadonlySet<string>): string[] {
    const missing = [...this.#files.keys()].filter((name) => !names.has(name));
    for (const place of this.#done.places()) {
      const name = this.#done.nameAt(place);
      if (!names.has(name)) missing.push(name);
    }
    return missing;
  }

  /** Number of files by state. */
  counts(): Readonly<Record<FileState, number>> {
    return this.#counts;
  }

  /** When something is due next; Infinity when nothing is. */
  nextDueMs(): number {
    return this.#agenda.nextAtMs();
  }

  /** A look at the file begins: events from here on may speak of what the look does not show. */
  beginLook(name: string): void {
    const file = this.#files.get(name);
    if (file) file.touched = false;
  }

  /** Takes in what a look at a file showed. A file in the consumer's hands is left alone. */
  observe({ name, version, nowMs, backlog = false, wasMoved, arrivedAtMs }: Observation): void {
    const file = this.#files.get(name);
    if (!file) {
      const donePlace = this.#done.placeOf(name);
      if (donePlace !== undefined && this.#done.numberAt(donePlace) === digestOf(version)) return;
      this.#forgetDone(name);
      const sinceMs = backlog ? nowMs - this.#settleMs : nowMs;
      this.#begin({ name, version, nowMs: sinceMs, wasMoved, arrivedAtMs });
    } else if (file.state === 'offered') return;
    else if (this.#hasChanged(file, version)) this.#restart(file, { version, nowMs });
    else if (!this.#waiting.has(name)) this.#resume(file, { version, nowMs });
  }

  /** Takes in a file that an earlier run was through with, unless it is known already. */
  settleAsDone({ name, version }: Pick<Observation, 'name' | 'version'>): void {
    if (this.knows(name)) return;
    this.#done.add(name, [digestOf(version)]);
    this.#counts.done++;
  }

  /**
   * A look found nothing of this name. A file in the consumer's hands stays known until it is released, and one that an
   * event spoke of during the look is looked at again.
   */
  miss(name: string): void {
    this.#forgetDone(name);
    const file = this.#files.get(name);
    if (!file || file.state === 'offered' || file.touched) return;
    this.#loseTicket(file);
    this.#counts[file.state]--;
    this.#files.delete(name);
    this.#waiting.delete(name);
    this.#agenda.delete(name);
  }

  /**
   * An event spoke of this name. Returns true when nothing more is to be done: the book asks for a look by itself, or
   * the file is in the consumer's hands. On false the caller looks at the file.
   */
  touch(name: string, nowMs: number): boolean {
    const file = this.#files.get(name);
    if (file?.state === 'offered') return true;
    if (file?.state !== 'settling') return false;
    this.#loseTicket(file);
    if (!file.touched) this.#lookSoon(file, nowMs);
    return true;
  }

  /**
   * Takes the files that are due off the agenda; the caller must observe, miss, park, hold, offer or postpone each. Those
   * that may be read ahead have their next appointment already.
   */
  takeDue(nowMs: number): DueFiles {
    const due: DueFiles = { ripe: [], early: [], touched: [] };
    for (const name of this.#agenda.takeDue(nowMs)) {
      const file = this.#files.get(name)!;
      this.#move(file, 'settling');
      if (file.touched) due.touched.push(name);
      else if (file.stillSinceMs + this.#settleMs <= nowMs) due.ripe.push(file);
      else if (this.#isEarly(file, nowMs)) due.early.push(this.#passEarly(file));
      else due.touched.push(name);
    }
    return due;
  }

  /** True if the last look left the file untouched and still for the settle time. */
  isSettled(file: TrackedFile, nowMs: number): boolean {
    return this.#isStill(file, { forMs: this.#settleMs, nowMs });
  }

  /**
   * The file goes to be read ahead.
   * @returns a number for what is seen of it now, or undefined when it did not stand still for long enough
   */
  handAhead(file: TrackedFile, nowMs: number): number | undefined {
    if (!this.#isStill(file, { forMs: this.#aheadMsOf(file), nowMs })) return undefined;
    this.#lastTicket++;
    file.ahead = { ticket: this.#lastTicket };
    return this.#lastTicket;
  }

  /** Tickets of files at which something has stirred since they were handed ahead; each is told once. */
  takeLost(): number[] {
    return this.#lostTickets.splice(0);
  }

  /** Its marker is missing: nothing happens until the file is observed again. */
  park(file: TrackedFile): void {
    this.#move(file, 'unmarked');
  }

  /** A process holds the file open for writing: asks for another check, after growing pauses. */
  hold(file: TrackedFile, { pid, nowMs }: { pid: number; nowMs: number }): void {
    const looks = (file.heldBy?.looks ?? 0) + 1;
    const pauseMs = Math.min(MAX_HELD_LOOK_MS, Math.max(this.#settleMs, MIN_LOOK_MS) * 2 ** (looks - 1));
    this.#loseTicket(file);
    file.heldBy = { pid, sinceMs: file.heldBy?.sinceMs ?? nowMs, looks, nextLookMs: nowMs + pauseMs };
    this.#agenda.set(file.name, file.heldBy.nextLookMs);
    if (file.touched) this.#lookSoon(file, nowMs);
  }

  /** Files that were looked at one after the other settle together, so that they are offered in one order. */
  settleTogether(nowMs: number, names: Iterable<string> = this.#files.keys()): void {
    for (const name of names) {
      const file = this.#files.get(name);
      if (file?.state !== 'settling' || file.touched || file.stillSinceMs + this.#settleMs <= nowMs) continue;
      file.stillSinceMs = nowMs;
      this.#agenda.set(file.name, this.#nextLookMs(file));
    }
  }

  /** The file cannot be looked at now: asks for another look at `atMs`. */
  postpone(name: string, atMs: number): void {
    const file = this.#files.get(name);
    if (file?.state === 'settling') this.#agenda.set(name, atMs);
  }

  /** The file goes to the consumer. */
  offer(file: TrackedFile): void {
    file.heldBy = undefined;
    this.#agenda.delete(file.name);
    this.#move(file, 'offered');
  }

  /**
   * The consumer is through with the file; with `retryAtMs`, until then. Returns false for a file that was not in its
   * hands.
   */
  release(name: string, retryAtMs?: number): boolean {
    const file = this.#files.get(name);
    if (file?.state !== 'offered') return false;
    if (retryAtMs === undefined) {
      this.#counts.offered--;
      this.#counts.done++;
      this.#files.delete(name);
      this.#done.add(name, [digestOf(file.version)]);
    } else {
      if (file.ahead) file.ahead.ticket = undefined;
      this.#move(file, 'waiting');
      this.#agenda.set(name, retryAtMs);
    }
    return true;
  }

  /** Up to `limit` of the waiting files, and as many that are done, those first that were returned longest ago. */
  nextResting(limit: number): string[] {
    const waiting = firstOf(this.#waiting, limit);
    for (const name of waiting) {
      this.#waiting.delete(name);
      this.#waiting.add(name);
    }
    return [...waiting, ...this.#done.nextInCircle(limit)];
  }

  #forgetDone(name: string): void {
    const place = this.#done.placeOf(name);
    if (place === undefined) return;
    this.#done.remove(place);
    this.#counts.done--;
  }

  #begin({ name, version, nowMs, wasMoved = false, arrivedAtMs = Date.now() }: Observation): void {
    const file: TrackedFile = {
      name,
      state: 'settling',
      version,
      stillSinceMs: nowMs,
      arrivedAtMs,
      wasMoved,
      touched: false,
    };
    this.#files.set(name, file);
    this.#counts.settling++;
    this.#agenda.set(name, this.#nextLookMs(file));
  }

  #isStill(file: TrackedFile, { forMs, nowMs }: { forMs: number; nowMs: number }): boolean {
    const known = this.#files.get(file.name) === file && file.state === 'settling';
    return known && !file.touched && file.stillSinceMs + forMs <= nowMs;
  }

  #isEarly(file: TrackedFile, nowMs: number): boolean {
    return file.ahead === undefined && file.stillSinceMs + this.#aheadMsOf(file) <= nowMs;
  }

  #aheadMsOf({ wasMoved }: TrackedFile): number {
    return wasMoved && Number.isFinite(this.#aheadMs) ? 0 : this.#aheadMs;
  }

  /** A sender who writes piece by piece has its file read in vain no more than once. */
  #passEarly(file: TrackedFile): TrackedFile {
    file.ahead = {};
    this.#agenda.set(file.name, this.#nextLookMs(file));
    return file;
  }

  #loseTicket({ ahead }: TrackedFile): void {
    if (ahead?.ticket === undefined) return;
    this.#lostTickets.push(ahead.ticket);
    ahead.ticket = undefined;
  }

  #hasChanged(file: TrackedFile, version: FileVersion): boolean {
    if (!sameContent(file.version, version)) return true;
    // What kept a waiting file from being read may have been its rights or its owner: worth another attempt.
    return file.state === 'waiting' && file.version.ctimeNs !== version.ctimeNs;
  }

  #restart(file: TrackedFile, { version, nowMs }: { version: FileVersion; nowMs: number }): void {
    const isNewArrival = this.#waiting.has(file.name) || !isSameFile(file.version, version);
    this.#loseTicket(file);
    if (isNewArrival) {
      file.arrivedAtMs = Date.now();
      file.ahead = undefined;
    }
    file.version = version;
    file.wasMoved = false;
    file.stillSinceMs = nowMs;
    file.heldBy = undefined;
    this.#move(file, 'settling');
    this.#agenda.set(file.name, this.#nextLookMs(file));
    if (file.touched) this.#lookSoon(file, nowMs);
  }

  #resume(file: TrackedFile, { version, nowMs }: { version: FileVersion; nowMs: number }): void {
    file.version = version;
    this.#move(file, 'settling');
    this.#agenda.set(file.name, Math.max(this.#nextLookMs(file), file.heldBy?.nextLookMs ?? 0));
    if (file.touched) this.#lookSoon(file, nowMs);
  }

  /** When the file can be ripe, or read ahead before. */
  #nextLookMs(file: TrackedFile): number {
    const waitMs = file.ahead ? this.#settleMs : Math.min(this.#aheadMsOf(file), this.#settleMs);
    return file.stillSinceMs + waitMs;
  }

  /** The sooner a change is seen, the sooner the file is known to stand still after it. */
  #lookSoon(file: TrackedFile, nowMs: number): void {
    file.touched = true;
    const wishMs = Math.max(MIN_LOOK_MS, this.#counts.settling * LOOK_MS_PER_SETTLING_FILE);
    const lookAtMs = nowMs + Math.min(wishMs, this.#settleMs);
    // Without an appointment the file is being checked at this moment; the check sees `touched`.
    const dueAtMs = this.#agenda.get(file.name) ?? Number.POSITIVE_INFINITY;
    this.#agenda.set(file.name, Math.min(dueAtMs, lookAtMs));
  }

  #move(file: TrackedFile, state: TrackedFile['state']): void {
    this.#counts[file.state]--;
    this.#counts[state]++;
    file.state = state;
    if (state === 'waiting') this.#waiting.add(file.name);
    else this.#waiting.delete(file.name);
  }
}

function firstOf(names: Iterable<string>, limit: number): string[] {
  const first: string[] = [];
  for (const name of names) {
    if (first.length === limit) break;
    first.push(name);
  }
  return first;
}
