import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../base/errors.js';
import { backoffMs } from '../base/retry.js';
import { Admission } from './admission.js';
import { FaultBook } from './fault-book.js';
import { folderFault, nameFault, watchFault } from './faults.js';
import { type FolderPort, patientPort, systemPort } from './folder-port.js';
import type { HeldFile } from './held-back.js';
import { Inspector } from './inspector.js';
import { type Listing, listFolder, REPLACEMENT_CHARACTER, rawPathOf } from './listing.js';
import { isIgnoredName, MARKER_SUFFIX } from './names.js';
import { type FileState, SettleBook, type TrackedFile } from './settle.js';
import { Stillness } from './stillness.js';
import { Subscription } from './subscription.js';
import type { AheadFile, PendingCounts, ReadyFile, UnreadyFile, WatchFault, WatchRecovery } from './types.js';

export interface FolderWatcherOptions {
  /** Only its top level is looked at. */
  folder: string;
  /** Which names to deal with; unfinished names (see `isIgnoredName`) are never asked about. Must be pure. */
  accepts(name: string): boolean;
  /** How long size, mtime and inode must stand still before a file is ready. */
  settleMs: number;
  /** `marker`: besides, `<name>.done` must lie beside the file. */
  ready: 'settle' | 'marker';
  /** Poll instead of listening to events, for network mounts. */
  polling: boolean;
  /** How often polling looks at the folder. Default 500. */
  pollIntervalMs?: number;
  /** How often a listing looks for what events missed. */
  rescanMs: number;
  /** How long a file stands still in the hands of a writer before that is a fault. Default 60,000. */
  heldNoticeMs?: number;
  /**
   * About so many files are followed and offered at a time; of more, those that arrived later are held back and offered when some of
   * the first have been released. Without it all are offered at once. With `doneBefore` it does not hold for the first listing.
   */
  maxFollowed?: number;
  /** Create the folder at start, and again when it vanishes. Default false. */
  ensureFolder?: boolean;
  /**
   * Takes ready files, ordered by mtime, then name. Each is in the consumer's hands, and not offered again, until
   * `release`. Must not throw.
   */
  onReady(files: ReadyFile[]): void;
  /** Reads files ahead while they settle. Without it, and with `polling` or markers, they are only offered when they are ready. */
  ahead?: {
    /** Takes files that seem complete, ordered by mtime, then name. Must not throw. */
    onAhead(files: AheadFile[]): void;
    /** Something stirred at the files of these tickets. Must not throw. */
    onLost(tickets: number[]): void;
  };
  /**
   * Fingerprints (see `fingerprintText`) that files of these names had when an earlier run was through with them: those that still
   * have them are done without being offered. Asked at the first listing, a thousand names at a time. Must not throw.
   */
  doneBefore?(names: readonly string[]): ReadonlyMap<string, string>;
  /**
   * Has the consumer come by a file of this name in another way? Then it is in its hands without being offered. Must not throw.
   */
  isInHand?(name: string): boolean;
  /** Hears, at once and often, that a file is on its way that was not known. Must not throw. */
  onStirring?(): void;
  /** Hears of trouble that the watcher lives with. Must not throw. */
  onFault(fault: WatchFault): void;
  /** Hears of its end. Must not throw. */
  onRecovered(recovery: WatchRecovery): void;
  /** Replaced in part by tests. */
  port?: Partial<FolderPort>;
}

/** Lets the events of one burst gather. */
const EVENT_DEBOUNCE_MS = 5;
/** More events than this since the last listing may have overflowed the kernel's queue (16,384 by default) unseen. */
const MAX_EVENTS_WITHOUT_LISTING = 8192;
/** Listings that events ask for take at most about a tenth of the time. */
const LISTING_PAUSE_FACTOR = 10;
/** A folder's mtime may have no finer grain than this, which hides from polling a change that follows another. */
const COARSE_MTIME_MS = 2500;
/** At start, files unchanged for this long need no settling. Generous, as clocks may differ. */
const BACKLOG_AGE_MS = 10_000;
/** How long a file stands still before it may be read ahead: longer than any grain in the times of a local file system. */
const AHEAD_MS = 25;
/** How many files that rest in the folder are compared at each listing, in turn. */
const RESTING_PER_LISTING = 1000;
/** For so many names at a time it is asked whether they were done before. */
const NAMES_AT_A_TIME = 1000;
const FOLDER_BACKOFF = { firstMs: 250, maxMs: 30_000 };
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Offers the files of one folder once they are complete. Events only wake it; what it believes comes from listings and
 * lstat(2). Every wait is one timer aimed at the next moment at which something can be due, so an idle watcher costs
 * one listing every `rescanMs`.
 */
export class FolderWatcher {
  readonly #options: FolderWatcherOptions;
  readonly #folder: string;
  readonly #port: FolderPort;
  readonly #book: SettleBook;
  readonly #faults: FaultBook;
  readonly #inspector: Inspector;
  readonly #admission: Admission;
  readonly #subscription: Subscription;

  /** Names that events spoke of and that the book does not follow by itself. */
  readonly #dirty = new Set<string>();
  #dirtyAtMs = Number.POSITIVE_INFINITY;
  #listAtMs = Number.POSITIVE_INFINITY;
  /** Earliest time of a listing that an event asks for. */
  #listingPauseEndMs = 0;
  #eventsSinceListing = 0;
  /** Polling said that the folder changed; it may keep silent about the next change. */
  #hasNamelessEvent = false;
  #hasListed = false;
  readonly #stillness = new Stillness();
  #failedListings = 0;
  /** Names that are not valid UTF-8 and were reported, as hexadecimal bytes. */
  #reportedNames = new Set<string>();

  #isRunning = false;
  #round: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #listingWaiters: (() => void)[] = [];
  #idleWaiters: (() => void)[] = [];

  constructor(options: FolderWatcherOptions) {
    this.#options = options;
    this.#folder = path.resolve(options.folder);
    this.#port = { ...(options.polling ? patientPort : systemPort), ...options.port };
    const readsAhead = options.ahead && !options.polling && options.ready === 'settle';
    this.#book = new SettleBook({ settleMs: options.settleMs, aheadMs: readsAhead ? AHEAD_MS : undefined });
    this.#faults = new FaultBook(options);
    this.#inspector = new Inspector({
      folder: this.#folder,
      port: this.#port,
      book: this.#book,
      faults: this.#faults,
      needsMarker: options.ready === 'marker',
      heldNoticeMs: options.heldNoticeMs ?? 60_000,
      onFault: (fault) => options.onFault(fault),
      isStopped: () => !this.#isRunning,
    });
    this.#admission = new Admission({
      book: this.#book,
      inspector: this.#inspector,
      settleMs: options.settleMs,
      maxFollowed: options.maxFollowed ?? Number.POSITIVE_INFINITY,
    });
    this.#subscription = new Subscription({
      folder: this.#folder,
      polling: options.polling,
      pollIntervalMs: options.pollIntervalMs ?? 500,
      listen: this.#port.listen,
      onEvent: (name) => this.#noteEvent(name),
      onError: (error) => this.#noteLostEvents(error),
    });
  }

  /** Begins to watch; resolves after the first listing. A folder that is not there is a fault, not an error. Once only. */
  async start(): Promise<void> {
    // What prevents this shows in the listing.
    if (this.#options.ensureFolder) await this.#port.mkdir(this.#folder).catch(() => undefined);
    this.#isRunning = true;
    await this.rescan();
  }

  /** Ends for good: no callback comes afterwards, and nothing keeps the process alive. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#subscription.close();
    for (const resolve of [...this.#listingWaiters.splice(0), ...this.#idleWaiters.splice(0)]) resolve();
  }

  /** Lists the folder now; resolves when that is done, also when it failed. */
  rescan(): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => {
      this.#listingWaiters.push(resolve);
      this.#listAtMs = 0;
      this.#arm();
    });
  }

  /** Resolves when no known file is on its way to being offered (those without their marker do not count). */
  idle(): Promise<void> {
    if (!this.#isRunning || (!this.#round && this.#isIdle())) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  /**
   * The consumer is through with a file. Without `retryInMs` it is done: if it still lies in the folder it is offered
   * again only after a change. With `retryInMs` it is offered again after that time, or once it has settled after a
   * change. Names that are not in hand are ignored.
   */
  release(name: string, { retryInMs }: { retryInMs?: number } = {}): void {
    const retryAtMs = retryInMs === undefined ? undefined : performance.now() + retryInMs;
    if (this.#book.release(name, retryAtMs)) this.#markDirty(name);
  }

  /** How many files are where. */
  pending(): PendingCounts {
    const heldOpen = [...this.#book.files()].filter((file) => file.heldBy).length;
    return { ...this.#book.counts(), heldOpen, heldBack: this.heldBackCount };
  }

  /** How many files are in each state; costs nothing, however many there are. */
  counts(): Readonly<Record<FileState, number>> {
    return this.#book.counts();
  }

  /** Every file that is followed and not done with, those first that were first seen. Only to be looked at. */
  known(): IterableIterator<Readonly<TrackedFile>> {
    return this.#book.files();
  }

  /** The files behind those, which wait to be followed, in order of arrival. */
  heldBack(): Iterable<HeldFile> {
    return this.#admission.held;
  }

  /** How many they are. */
  get heldBackCount(): number {
    return this.#admission.held.size;
  }

  /** Trouble of kind `folder`, `watch` or `entry` that lasts. */
  faults(): WatchFault[] {
    return this.#faults.active;
  }

  /** The files that are not (yet) ready, and why. */
  unready(): UnreadyFile[] {
    return [...this.#book.files()].flatMap((file): UnreadyFile[] => {
      const { name } = file;
      if (file.state === 'unmarked') return [{ name, reason: 'no_marker' }];
      if (file.heldBy) return [{ name, reason: 'held_open', pid: file.heldBy.pid }];
      return file.state === 'settling' ? [{ name, reason: 'settling' }] : [];
    });
  }

  // What wakes the watcher.

  #noteEvent(name: string | undefined): void {
    if (++this.#eventsSinceListing > MAX_EVENTS_WITHOUT_LISTING) this.#listSoon();
    if (name === undefined || name.includes(REPLACEMENT_CHARACTER)) {
      this.#hasNamelessEvent = true;
      this.#listSoon();
      return;
    }
    const subject = this.#subjectOf(name);
    if (isIgnoredName(subject) || !this.#options.accepts(subject)) return;
    if (this.#admission.held.has(subject)) return;
    if (this.#book.touch(subject, performance.now())) this.#arm();
    else {
      this.#options.onStirring?.();
      this.#markDirty(subject);
    }
  }

  #subjectOf(name: string): string {
    const isMarker = this.#options.ready === 'marker' && name.endsWith(MARKER_SUFFIX);
    return isMarker ? name.slice(0, -MARKER_SUFFIX.length) : name;
  }

  #noteLostEvents(error: unknown): void {
    if (!this.#isRunning) return;
    this.#faults.raise(watchFault(this.#folder, error));
    this.#listSoon(1000);
  }

  #markDirty(name: string): void {
    this.#dirty.add(name);
    this.#dirtyAtMs = Math.min(this.#dirtyAtMs, performance.now() + EVENT_DEBOUNCE_MS);
    this.#arm();
  }

  #listSoon(delayMs = EVENT_DEBOUNCE_MS): void {
    const atMs = Math.max(performance.now() + delayMs, this.#listingPauseEndMs);
    this.#listAtMs = Math.min(this.#listAtMs, atMs);
    this.#arm();
  }

  // The one loop: nothing below runs twice at a time.

  #arm(): void {
    if (!this.#isRunning || this.#round) return;
    const atMs = this.#nextAtMs();
    if (atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - performance.now()));
    this.#timer = setTimeout(() => this.#startRound(), Math.min(delayMs, MAX_TIMER_MS));
  }

  #nextAtMs(): number {
    if (this.#failedListings > 0) return this.#listAtMs;
    const dueAtMs = Math.max(this.#book.nextDueMs(), this.#inspector.checkPauseEndMs);
    return Math.min(this.#listAtMs, this.#dirtyAtMs, this.#admission.nextAtMs(), dueAtMs);
  }

  #startRound(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#round = this.#runRound().finally(() => {
      this.#round = undefined;
      if (this.#isIdle()) for (const resolve of this.#idleWaiters.splice(0)) resolve();
      this.#arm();
    });
  }

  async #runRound(): Promise<void> {
    while (this.#isRunning && this.#nextAtMs() <= performance.now()) {
      await this.#step();
      this.#tellLost();
    }
  }

  #step(): Promise<void> {
    const nowMs = performance.now();
    if (this.#listAtMs <= nowMs) return this.#list();
    if (this.#dirtyAtMs <= nowMs) return this.#examineDirty();
    if (this.#admission.nextAtMs() <= nowMs) return this.#admission.letIn();
    return this.#offerDue();
  }

  #isIdle(): boolean {
    return this.#book.counts().settling === 0 && this.#dirty.size === 0 && this.heldBackCount === 0;
  }

  async #examineDirty(): Promise<void> {
    const known: string[] = [];
    const fresh: string[] = [];
    for (const name of this.#takeDirty()) (this.#book.knows(name) ? known : fresh).push(name);
    await this.#inspector.examine(known);
    await this.#admission.takeIn(fresh);
  }

  #takeDirty(): string[] {
    const names = [...this.#dirty];
    this.#dirty.clear();
    this.#dirtyAtMs = Number.POSITIVE_INFINITY;
    return names;
  }

  async #offerDue(): Promise<void> {
    const { touched, ripe, early } = this.#book.takeDue(performance.now());
    await this.#inspector.examine(touched);
    const ready = await this.#inspector.check(this.#notInHand(ripe));
    if (ready.length > 0 && this.#isRunning) this.#options.onReady(ready);
    const ahead = await this.#inspector.checkAhead(this.#notInHand(early));
    if (ahead.length > 0 && this.#isRunning) this.#options.ahead?.onAhead(ahead);
  }

  /** Those that have to be offered: what the consumer has already is looked at again when it is released. */
  #notInHand(files: readonly TrackedFile[]): TrackedFile[] {
    return files.filter((file) => {
      const isInHand = this.#options.isInHand?.(file.name) ?? false;
      if (isInHand) this.#book.offer(file);
      return !isInHand;
    });
  }

  #tellLost(): void {
    const lost = this.#book.takeLost();
    if (lost.length > 0 && this.#isRunning) this.#options.ahead?.onLost(lost);
  }

  // The listing.

  async #list(): Promise<void> {
    const waiters = this.#listingWaiters.splice(0);
    const isAskedFor = waiters.length > 0 || this.#hasNamelessEvent;
    const startMs = performance.now();
    this.#listAtMs = startMs + this.#pauseMs();
    this.#hasNamelessEvent = false;
    this.#eventsSinceListing = 0;
    try {
      const stats = await this.#statFolder();
      const watchError = await this.#subscribe(stats);
      const isKnown = this.#stillness.isStill(stats) && !isAskedFor;
      const listing = isKnown ? undefined : await this.#listFolder();
      this.#pauseListings(performance.now() - startMs);
      this.#noteListed(watchError);
      if (listing) await this.#digest(listing);
      else await this.#inspector.examine(this.#book.nextResting(RESTING_PER_LISTING));
    } catch (error) {
      this.#stillness.forget();
      this.#noteUnlistable(error);
    }
    for (const resolve of waiters) resolve();
  }

  /** Events that came during the listing wait for the end of the pause, too; who asked for a listing does not. */
  #pauseListings(tookMs: number): void {
    this.#listingPauseEndMs = performance.now() + LISTING_PAUSE_FACTOR * tookMs;
    if (this.#listingWaiters.length === 0) {
      this.#listAtMs = Math.max(this.#listAtMs, this.#listingPauseEndMs);
    }
  }

  #listFolder(): Promise<Listing> {
    return listFolder(this.#folder, { port: this.#port, accepts: this.#options.accepts });
  }

  #pauseMs(): number {
    const { rescanMs } = this.#options;
    return this.#hasNamelessEvent ? Math.min(COARSE_MTIME_MS, rescanMs) : rescanMs;
  }

  /** Comes before the listing, so that nothing falls between the two. */
  #subscribe({ dev, ino, birthtimeNs }: BigIntStats): Promise<unknown> {
    // A folder that was removed and created again may well get the inode of the old one.
    return this.#subscription.ensure(`${dev}:${ino}:${birthtimeNs}`);
  }

  async #statFolder(): Promise<BigIntStats> {
    try {
      return await this.#port.stat(this.#folder);
    } catch (error) {
      if (!this.#options.ensureFolder || errnoOf(error) !== 'ENOENT') throw error;
      this.#faults.raise(folderFault(this.#folder, error));
      await this.#port.mkdir(this.#folder);
      return this.#port.stat(this.#folder);
    }
  }

  async #digest(listing: Listing): Promise<void> {
    this.#reportNames(listing.undecodable);
    const { known, fresh } = this.#compare(listing);
    await this.#inspector.examine(known);
    if (this.#hasListed) return this.#admission.takeIn(fresh);
    this.#hasListed = true;
    await this.#takeInFirst(fresh);
  }

  /** What of a listing is to be looked at. */
  #compare({ names, marked }: Listing): { known: string[]; fresh: string[] } {
    this.#inspector.keepFailing(names);
    this.#admission.held.keepOnly(names);
    const fresh: string[] = [];
    const known = new Set([...this.#book.missingFrom(names), ...this.#book.nextResting(RESTING_PER_LISTING)]);
    for (const name of names) {
      if (this.#book.get(name)?.state === 'unmarked' && marked.has(name)) known.add(name);
      else if (!this.#book.knows(name) && !this.#admission.held.has(name)) fresh.push(name);
    }
    for (const name of known) this.#dirty.delete(name);
    for (const name of fresh) this.#dirty.delete(name);
    return { known: [...known], fresh };
  }

  /** There may be very many files, nearly all of them done with: nothing is kept of those while the others are looked at. */
  async #takeInFirst(names: readonly string[]): Promise<void> {
    const { polling, settleMs, doneBefore } = this.#options;
    const unchangedForMs = polling ? undefined : Math.max(BACKLOG_AGE_MS, settleMs);
    if (doneBefore) {
      for (let at = 0; at < names.length; at += NAMES_AT_A_TIME) {
        const some = names.slice(at, at + NAMES_AT_A_TIME);
        await this.#inspector.examine(some, { unchangedForMs, doneBefore: doneBefore(some) });
      }
    } else await this.#admission.takeIn(names, { unchangedForMs });
    this.#book.settleTogether(performance.now());
  }

  /** Each once, for as long as it lies there. */
  #reportNames(undecodable: readonly Buffer[]): void {
    const reported = this.#reportedNames;
    this.#reportedNames = new Set(undecodable.map((name) => name.toString('hex')));
    for (const name of undecodable) {
      if (!reported.has(name.toString('hex')))
        this.#options.onFault(nameFault(rawPathOf(this.#folder, name)));
    }
  }

  #noteListed(watchError: unknown): void {
    this.#failedListings = 0;
    this.#faults.clear('folder', { path: this.#folder, subject: `Listing ${this.#folder}` });
    if (watchError !== undefined) this.#faults.raise(watchFault(this.#folder, watchError));
    else this.#faults.clear('watch', { path: this.#folder, subject: `Listening to ${this.#folder}` });
  }

  #noteUnlistable(error: unknown): void {
    this.#failedListings++;
    this.#listAtMs = performance.now() + backoffMs(this.#failedListings, FOLDER_BACKOFF);
    if (this.#isRunning) this.#faults.raise(folderFault(this.#folder, error));
  }
}
