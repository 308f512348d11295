import path from 'node:path';
import { errnoOf } from '../base/errors.js';
import { fingerprintText } from '../base/files.js';
import { type Arrivals, byArrival } from './arrivals.js';
import { forEachBounded } from './bounded.js';
import type { FaultBook } from './fault-book.js';
import { entryFault, heldOpenFault } from './faults.js';
import type { FolderPort } from './folder-port.js';
import { MARKER_SUFFIX } from './names.js';
import { type FileVersion, type SettleBook, type TrackedFile, versionOf } from './settle.js';
import type { AheadFile, ReadyFile, WatchFault } from './types.js';

interface InspectorOptions {
  /** Absolute. */
  folder: string;
  port: FolderPort;
  book: SettleBook;
  faults: FaultBook;
  needsMarker: boolean;
  /** How long a file stands still in a writer's hands before it is reported. */
  heldNoticeMs: number;
  onFault(fault: WatchFault): void;
  /** True when the watcher has been stopped, so that a long round ends early. */
  isStopped(): boolean;
}

/** What the first look at files goes by. */
export interface FirstLook {
  /** A file that has not changed for this long needs no settling. */
  unchangedForMs?: number;
  /** Fingerprints of files that an earlier run was through with, by name. */
  doneBefore?: ReadonlyMap<string, string>;
  /** When files were first seen, milliseconds since the epoch, by name; without it, now. */
  arrivedAtMs?: ReadonlyMap<string, number>;
}

const ENTRY_RETRY_MS = 5000;
/** Of the time, for walks over /proc when files keep coming. */
const WALK_SHARE = 0.1;
/** What a burst after a rest may take beforehand. */
const WALK_CREDIT_MS = 40;

/** Looks at single files, with lstat(2) and by way of /proc, and tells the settle book what it saw. */
export class Inspector {
  readonly #options: InspectorOptions;
  /** Files that cannot be looked at. */
  readonly #failing = new Set<string>();
  /** Files whose writer was reported. */
  readonly #reportedHolds = new WeakSet<TrackedFile>();
  /** The folder, with a separator behind it. */
  readonly #prefix: string;
  #checkPauseEndMs = 0;
  /** What walks may still take before there is a pause. */
  #walkCreditMs = WALK_CREDIT_MS;
  #lastWalkMs = 0;

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#prefix = path.join(options.folder, path.sep);
  }

  /** Looks at each of the names. */
  async examine(names: readonly string[], first: FirstLook = {}): Promise<void> {
    const { book, isStopped } = this.#options;
    const { unchangedForMs = Number.POSITIVE_INFINITY, doneBefore, arrivedAtMs } = first;
    await forEachBounded(names, async (name) => {
      if (isStopped()) return;
      const version = await this.#look(name);
      if (!version) return;
      if (doneBefore?.get(name) === fingerprintText(version)) book.settleAsDone({ name, version });
      else
        book.observe({
          name,
          version,
          nowMs: performance.now(),
          backlog: ageMs(version) > unchangedForMs,
          wasMoved: wasMoved(version),
          arrivedAtMs: arrivedAtMs?.get(name),
        });
    });
  }

  /** Looks at files that are not followed yet, and adds those that are there to `arrivals`. */
  async survey(names: readonly string[], arrivals: Arrivals): Promise<void> {
    await forEachBounded(names, async (name) => {
      if (this.#options.isStopped()) return;
      const version = await this.#look(name);
      if (version) arrivals.add({ name, ...version });
    });
  }

  /** Earliest time of the next `check`, so that walks over /proc take about a tenth of the time at most. */
  get checkPauseEndMs(): number {
    return this.#checkPauseEndMs;
  }

  /** Files that are no longer listed cannot fail any more. */
  keepFailing(listed: ReadonlySet<string>): void {
    for (const name of this.#failing) if (!listed.has(name)) this.#lookWorks(name);
  }

  /** Checks files that stood still for the settle time. Those that are ready become the consumer's, in order of arrival. */
  async check(ripe: readonly TrackedFile[]): Promise<ReadyFile[]> {
    const marked = this.#options.needsMarker ? await this.#keepMarked(ripe) : ripe;
    // First the writers, then the last look: what a writer wrote before it closed the file is then seen.
    const held = await this.#findHeld(marked);
    const free = marked.filter((file) => !this.#noteHold(file, held.get(file)));
    await this.examine(free.map(({ name }) => name));
    const nowMs = performance.now();
    const settled = free.filter(
      (file) => this.#options.book.isSettled(file, nowMs) && !this.#failing.has(file.name),
    );
    return settled.map((file) => this.#offer(file)).sort(byArrival);
  }

  /**
   * Checks, as thoroughly, files that stood still for a while; those that were moved here are taken at their word, as what is
   * read ahead is not published before it has settled. Those that may be read ahead stay the watcher's.
   */
  async checkAhead(early: readonly TrackedFile[]): Promise<AheadFile[]> {
    const likely = early.filter(isWorthReadingAhead);
    const fresh = likely.filter((file) => !file.wasMoved);
    const held = await this.#findHeld(fresh);
    await this.examine(fresh.flatMap((file) => (held.has(file) ? [] : file.name)));
    const nowMs = performance.now();
    const free = likely.filter((file) => !held.has(file));
    const ahead = free.flatMap((file): AheadFile[] => {
      if (this.#failing.has(file.name)) return [];
      const ticket = this.#options.book.handAhead(file, nowMs);
      return ticket === undefined ? [] : [{ ...this.#describe(file), ticket }];
    });
    return ahead.sort(byArrival);
  }

  /** @returns undefined when there is nothing to observe; the book knows why */
  async #look(name: string): Promise<FileVersion | undefined> {
    const { port, book } = this.#options;
    const file = this.#pathOf(name);
    book.beginLook(name);
    try {
      const stats = await port.lstat(file);
      const version = stats && versionOf(stats);
      this.#lookWorks(name);
      if (!version) book.miss(name);
      return version;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        book.miss(name);
        this.#lookWorks(name);
      } else this.#lookFails(name, error);
      return undefined;
    }
  }

  #lookFails(name: string, error: unknown): void {
    const { book, faults } = this.#options;
    this.#failing.add(name);
    book.postpone(name, performance.now() + ENTRY_RETRY_MS);
    faults.raise(entryFault(this.#pathOf(name), error));
  }

  #lookWorks(name: string): void {
    const { folder, faults } = this.#options;
    if (!this.#failing.delete(name) || this.#failing.size > 0) return;
    faults.clear('entry', { path: folder, subject: `Looking at files in ${folder}` });
  }

  async #keepMarked(files: readonly TrackedFile[]): Promise<TrackedFile[]> {
    const { port, book } = this.#options;
    const marked: TrackedFile[] = [];
    await forEachBounded(files, async (file) => {
      const hasMarker = await port.lstat(this.#markerOf(file)).then(
        (stats) => stats !== undefined,
        () => false,
      );
      if (hasMarker) marked.push(file);
      else book.park(file);
    });
    return marked;
  }

  /** @returns the process that holds a file open for writing, for each that is held */
  async #findHeld(files: readonly TrackedFile[]): Promise<Map<TrackedFile, number>> {
    const { port } = this.#options;
    const targets = files
      .filter(({ version }) => version.kind === 'file')
      .map(({ name, version: { dev, ino } }) => ({ path: this.#pathOf(name), dev, ino }));
    if (targets.length === 0) return new Map();
    const startMs = performance.now();
    const writers = await port.findOpenWriters(targets);
    this.#noteWalk(startMs);
    if (writers.size === 0) return new Map();
    return new Map(
      files.flatMap((file) => {
        const pid = writers.get(this.#pathOf(file.name));
        return pid === undefined ? [] : [[file, pid]];
      }),
    );
  }

  #noteWalk(startMs: number): void {
    const nowMs = performance.now();
    const earnedMs = (startMs - this.#lastWalkMs) * WALK_SHARE;
    this.#walkCreditMs = Math.min(WALK_CREDIT_MS, this.#walkCreditMs + earnedMs) - (nowMs - startMs);
    this.#lastWalkMs = startMs;
    this.#checkPauseEndMs = nowMs + Math.max(0, -this.#walkCreditMs / WALK_SHARE);
  }

  #noteHold(file: TrackedFile, pid: number | undefined): boolean {
    if (pid === undefined) return false;
    this.#options.book.hold(file, { pid, nowMs: performance.now() });
    this.#reportLongHold(file);
    return true;
  }

  #reportLongHold(file: TrackedFile): void {
    const { folder, heldNoticeMs, onFault } = this.#options;
    if (performance.now() - file.heldBy!.sinceMs < heldNoticeMs || this.#reportedHolds.has(file)) return;
    this.#reportedHolds.add(file);
    onFault(heldOpenFault(folder, file));
  }

  /** Short of `path.join`, whose result is made of many small pieces: very many of them are kept. */
  #pathOf(name: string): string {
    return this.#prefix + name;
  }

  #markerOf(file: TrackedFile): string {
    return this.#pathOf(file.name) + MARKER_SUFFIX;
  }

  #offer(file: TrackedFile): ReadyFile {
    this.#options.book.offer(file);
    const ticket = file.ahead?.ticket;
    return { ...this.#describe(file), ...(ticket !== undefined && { ticket }) };
  }

  #describe(file: TrackedFile): ReadyFile {
    const { kind, size, mtimeNs, ino, dev } = file.version;
    return {
      name: file.name,
      path: this.#pathOf(file.name),
      kind,
      size,
      mtimeMs: Number(mtimeNs) / 1e6,
      mtimeNs,
      ino,
      dev,
      arrivedAtMs: file.arrivedAtMs,
      ...(this.#options.needsMarker ? { marker: this.#markerOf(file) } : {}),
    };
  }
}

/** A file larger than this is read ahead only when it lay somewhere else before: what is read in vain takes seconds. */
const MAX_FRESH_AHEAD_BYTES = 8 << 20;
/** By the wall clock; who moved a file here did not write to it for so long. */
const MOVED_AGE_MS = 10_000;

function isWorthReadingAhead({ version }: TrackedFile): boolean {
  return version.kind === 'file' && (version.size <= MAX_FRESH_AHEAD_BYTES || wasMoved(version));
}

function wasMoved({ mtimeNs }: FileVersion): boolean {
  return sinceMs(mtimeNs) > MOVED_AGE_MS;
}

function ageMs({ mtimeNs, ctimeNs }: FileVersion): number {
  return sinceMs(mtimeNs > ctimeNs ? mtimeNs : ctimeNs);
}

/** By the wall clock; negative when a file's time lies in the future. */
function sinceMs(timeNs: bigint): number {
  return Date.now() - Number(timeNs) / 1e6;
}
