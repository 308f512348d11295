import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import { fingerprintText, pathFrom, removeFile, sha256Of } from '../base/files.js';
import type { Log } from '../base/log.js';
import { formatBytes } from '../base/text.js';
import type { Folders } from '../config/settings.js';
import type { Ledger, OriginalRecord } from '../ledger/ledger.js';
import { giveBack, lookAt, type OriginalRead } from './originals.js';
import { reportPathOf } from './report.js';

export interface GrowthWatchOptions {
  folders: Folders;
  ledger: Ledger;
  log: Log;
  /** For paths in messages. */
  root: string;
  /** How long after a file was put away it is looked at, in milliseconds, in growing order. */
  looksAfterMs?: readonly number[];
}

/** Four looks in a minute: 100,000 files in that time cost one to two seconds of work. */
const LOOKS_AFTER_MS = [1000, 5000, 20_000, 60_000];
const TICK_MS = 500;
/** Originals that are put away soon after each other are looked at together: so many take some milliseconds. */
const GROUP_FILES = 256;
const GROUP_MS = 100;

/**
 * Originals that are looked at together. There may be 100,000 within a minute, so where they lie and what they looked like is
 * asked in the ledger each time.
 */
interface Group {
  putAwayAtMs: number;
  /** Their deliveries in the ledger. */
  recordIds: number[];
}

/** An original in the place where it was put. */
interface Original extends OriginalRead {
  recordId: number;
  /** Absolute path. */
  place: string;
}

/**
 * Looks at originals for a minute after they were put away. A sender who paused for so long that the file looked
 * complete, and whose hold on it could not be seen, goes on writing to it where it lies now: such a file is given back
 * to the input folder, where it is taken as a new version once it stands still.
 */
export class GrowthWatch {
  readonly #options: GrowthWatchOptions;
  readonly #looksAfterMs: readonly number[];
  /** One queue a look; each is in the order of time, since all its members wait equally long. */
  readonly #queues: Group[][];
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: GrowthWatchOptions) {
    this.#options = options;
    this.#looksAfterMs = options.looksAfterMs ?? LOOKS_AFTER_MS;
    this.#queues = this.#looksAfterMs.map(() => []);
  }

  /** Looks at what the last run put away, and goes on for a minute with what it put away lately. */
  async start(): Promise<void> {
    const left = this.#options.ledger.putAwayLately();
    for (let at = 0; at < left.length; at += GROUP_FILES) {
      const some = left.slice(at, at + GROUP_FILES);
      const staying = new Set(await this.#lookAtAll(some.map(({ id }) => id)));
      const [young, done] = parted(some, ({ id, judgedAt }) => staying.has(id) && this.#isYoung(judgedAt));
      this.follow(young.map(({ id }) => id));
      this.#forget(done.map(({ id }) => id));
    }
  }

  #isYoung(judgedAt: string): boolean {
    return Date.now() - Date.parse(judgedAt) < this.#looksAfterMs.at(-1)!;
  }

  /** Looks at the originals of these deliveries, of one task, for a minute from now on. */
  follow(recordIds: readonly number[]): void {
    if (recordIds.length === 0) return;
    const nowMs = performance.now();
    const queue = this.#queues[0];
    const last = queue.at(-1);
    const isNear = last && nowMs - last.putAwayAtMs < GROUP_MS;
    if (isNear && last.recordIds.length + recordIds.length <= GROUP_FILES) last.recordIds.push(...recordIds);
    else queue.push({ putAwayAtMs: nowMs, recordIds: [...recordIds] });
    this.#arm();
  }

  /** Looks no more; what is still to be looked at is found by the next start. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    for (const queue of this.#queues) queue.length = 0;
    await this.#round;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#queues.every((queue) => queue.length === 0)) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#look().finally(() => {
        this.#timer = undefined;
        this.#arm();
      });
    }, TICK_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const done: number[] = [];
    for (const [stage, queue] of this.#queues.entries()) {
      const dueSinceMs = performance.now() - this.#looksAfterMs[stage];
      const count = queue.findIndex(({ putAwayAtMs }) => putAwayAtMs > dueSinceMs);
      for (const { putAwayAtMs, recordIds } of queue.splice(0, count < 0 ? queue.length : count)) {
        const staying = new Set(await this.#lookAtAll(recordIds));
        const next = this.#queues[stage + 1];
        const [again, over] = parted(recordIds, (id) => next !== undefined && staying.has(id));
        if (again.length > 0) next.push({ putAwayAtMs, recordIds: again });
        done.push(...over);
      }
    }
    this.#forget(done);
  }

  /** @returns those at which something may still happen */
  async #lookAtAll(recordIds: number[]): Promise<number[]> {
    const { ledger, folders } = this.#options;
    const staying: number[] = [];
    try {
      for (const { id, target, fingerprint } of ledger.putAwayAmong(recordIds)) {
        // Nearly all of them look as they did, or are gone: no promise for each.
        const found = fingerprintAt(path.resolve(folders.input, target));
        if (found === undefined) continue;
        if (found === fingerprint || (await this.#stays(ledger.original(id)))) staying.push(id);
      }
    } catch {
      // The disk has trouble, which is told by whoever has to write to the ledger: the next look comes all the same.
      return recordIds;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return staying;
  }

  #originalOf({ file, target, fingerprint }: OriginalRecord): Original {
    const { input } = this.#options.folders;
    const read = { path: path.join(input, file.name), fingerprint, sha256: file.sha256 };
    return { ...read, recordId: file.id, place: path.resolve(input, target) };
  }

  /** False when nothing more can happen: it is gone, was replaced, or has been given back. */
  async #stays(record: OriginalRecord | undefined): Promise<boolean> {
    if (!record) return false;
    const one = this.#originalOf(record);
    try {
      const stats = await lookAt(one.place);
      if (stats === undefined) return false;
      if (fingerprintText(stats) === one.fingerprint) return true;
      // A copy on another disk, or something that a person has put there.
      if (!one.fingerprint.endsWith(`:${stats.ino}`)) return false;
      if (!(await this.#isWrittenTo(one, stats))) return true;
      await this.#takeAgain(one, stats);
      return false;
    } catch (error) {
      const shown = this.#shown(one.place);
      this.#options.log.error(`Cannot look whether ${shown} was still written to: ${messageOf(error)}`);
      return errnoOf(error) !== undefined;
    }
  }

  /** In the failed folder people mend files in place; there a sender shows by going on behind what was read. */
  async #isWrittenTo(one: Original, { size }: fs.BigIntStats): Promise<boolean> {
    const { place, sha256 } = one;
    const readBytes = sizeOf(one);
    const isPrefix = size >= readBytes && (await sha256Of(place, readBytes)) === sha256;
    if (isPrefix) return size > readBytes;
    return path.dirname(place) !== this.#options.folders.failed;
  }

  async #takeAgain(one: Original, stats: fs.BigIntStats): Promise<void> {
    const { ledger, log } = this.#options;
    const { recordId, place } = one;
    const back = await giveBack(place, one.path);
    const report = reportPathOf(place);
    if (path.dirname(place) === this.#options.folders.failed) await removeFile(report);
    ledger.putAway(recordId, null);
    const grown = Number(stats.size) - sizeOf(one);
    const what = grown > 0 ? `grew by ${formatBytes(grown)}` : 'was changed';
    log.warning(
      `${this.#shown(place)} ${what} after it was read: its sender was not done. It goes back to ${this.#shown(back)} ` +
        'and is taken again as a new version; rows of the first one that were loaded stay where they are',
      { event: 'grew', file: path.basename(one.path) },
    );
  }

  #forget(recordIds: readonly number[]): void {
    if (recordIds.length === 0) return;
    const { ledger } = this.#options;
    try {
      ledger.forgetOriginals(recordIds);
    } catch {
      // The disk is full: they are looked at once more by the next start.
    }
  }

  #shown(file: string): string {
    return pathFrom(this.#options.root, file);
  }
}

/** Those of which it is true, and the others. */
function parted<T>(all: readonly T[], isTrue: (one: T) => boolean): [yes: T[], no: T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const one of all) (isTrue(one) ? yes : no).push(one);
  return [yes, no];
}

/** What a file looks like; '' where the disk does not say, undefined when there is none. */
function fingerprintAt(place: string): string | undefined {
  try {
    const stats = fs.lstatSync(place, { bigint: true, throwIfNoEntry: false });
    return stats && fingerprintText(stats);
  } catch {
    return '';
  }
}

/** Bytes. */
function sizeOf({ fingerprint }: OriginalRead): number {
  return Number.parseInt(fingerprint, 10);
}
