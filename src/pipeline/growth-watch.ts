import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import { fingerprintText, removeFile, sha256Of } from '../base/files.js';
import type { Log } from '../base/log.js';
import { formatBytes } from '../base/text.js';
import type { Folders } from '../config/settings.js';
import type { Ledger } from '../ledger/ledger.js';
import { giveBack, lookAt, type OriginalRead } from './originals.js';
import { reportPathOf } from './report.js';

/** An original that was just put away. */
export interface PutAwayOriginal {
  /** Its delivery in the ledger. */
  recordId: number;
  /** Absolute path, where it lies now. */
  place: string;
  read: OriginalRead;
}

export interface GrowthWatchOptions {
  folders: Folders;
  ledger: Ledger;
  log: Log;
  /** For paths in messages. */
  root: string;
  /** How long after a file was put away it is looked at, in milliseconds, in growing order. */
  looksAfterMs?: readonly number[];
}

/** Four looks in a minute: 100,000 files in that time cost about a second of work. */
const LOOKS_AFTER_MS = [1000, 5000, 20_000, 60_000];
const TICK_MS = 500;
/** Longest stretch of work between two turns of the event loop. */
const SLICE_MS = 4;

interface Appointment extends PutAwayOriginal {
  putAwayAtMs: number;
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
  readonly #queues: Appointment[][];
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: GrowthWatchOptions) {
    this.#options = options;
    this.#looksAfterMs = options.looksAfterMs ?? LOOKS_AFTER_MS;
    this.#queues = this.#looksAfterMs.map(() => []);
  }

  /** Looks at what the last run put away, and goes on with it for a minute. */
  async start(): Promise<void> {
    const { ledger, folders } = this.#options;
    const forgotten: number[] = [];
    for (const { file, target, fingerprint, isPutAway } of ledger.originals()) {
      if (!isPutAway) continue;
      const read = { path: path.join(folders.input, file.name), fingerprint, sha256: file.sha256 };
      const one = { recordId: file.id, place: path.resolve(folders.input, target), read };
      const isYoung = Date.now() - Date.parse(file.judgedAt) < this.#looksAfterMs.at(-1)!;
      if ((await this.#stays(one)) && isYoung) this.follow(one);
      else forgotten.push(file.id);
    }
    this.#forget(forgotten);
  }

  /** Looks at an original for a minute from now on. */
  follow(one: PutAwayOriginal): void {
    this.#queues[0].push({ ...one, putAwayAtMs: performance.now() });
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
    let sliceEndMs = performance.now() + SLICE_MS;
    for (const [stage, queue] of this.#queues.entries()) {
      const dueSinceMs = performance.now() - this.#looksAfterMs[stage];
      const count = queue.findIndex(({ putAwayAtMs }) => putAwayAtMs > dueSinceMs);
      for (const one of queue.splice(0, count < 0 ? queue.length : count)) {
        const next = this.#queues[stage + 1];
        // Nearly all of them: no promise for each.
        const stays = looksAsRead(one) || (await this.#stays(one));
        if (stays && next) next.push(one);
        else done.push(one.recordId);
        if (performance.now() < sliceEndMs) continue;
        await new Promise((resolve) => setImmediate(resolve));
        sliceEndMs = performance.now() + SLICE_MS;
      }
    }
    this.#forget(done);
  }

  /** False when nothing more can happen: it is gone, was replaced, or has been given back. */
  async #stays(one: PutAwayOriginal): Promise<boolean> {
    try {
      const stats = await lookAt(one.place);
      if (stats === undefined) return false;
      if (fingerprintText(stats) === one.read.fingerprint) return true;
      // A copy on another disk, or something that a person has put there.
      if (!one.read.fingerprint.endsWith(`:${stats.ino}`)) return false;
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
  async #isWrittenTo({ place, read }: PutAwayOriginal, { size }: fs.BigIntStats): Promise<boolean> {
    const readBytes = sizeOf(read);
    const isPrefix = size >= readBytes && (await sha256Of(place, readBytes)) === read.sha256;
    if (isPrefix) return size > readBytes;
    return path.dirname(place) !== this.#options.folders.failed;
  }

  async #takeAgain({ recordId, place, read }: PutAwayOriginal, stats: fs.BigIntStats): Promise<void> {
    const { ledger, log } = this.#options;
    const back = await giveBack(place, read.path);
    const report = reportPathOf(place);
    if (path.dirname(place) === this.#options.folders.failed) await removeFile(report);
    ledger.putAway(recordId, null);
    const grown = Number(stats.size) - sizeOf(read);
    const what = grown > 0 ? `grew by ${formatBytes(grown)}` : 'was changed';
    log.warning(
      `${this.#shown(place)} ${what} after it was read: its sender was not done. It goes back to ${this.#shown(back)} ` +
        'and is taken again as a new version; rows of the first one that were loaded stay where they are',
      { event: 'grew', file: path.basename(read.path) },
    );
  }

  #forget(recordIds: readonly number[]): void {
    if (recordIds.length === 0) return;
    const { ledger } = this.#options;
    try {
      ledger.inTransaction(() => {
        for (const id of recordIds) ledger.forgetOriginal(id);
      });
    } catch {
      // The disk is full: they are looked at once more by the next start.
    }
  }

  #shown(file: string): string {
    return path.relative(this.#options.root, file) || file;
  }
}

function looksAsRead({ place, read }: PutAwayOriginal): boolean {
  try {
    return fingerprintText(fs.lstatSync(place, { bigint: true })) === read.fingerprint;
  } catch {
    return false;
  }
}

/** Bytes. */
function sizeOf({ fingerprint }: OriginalRead): number {
  return Number.parseInt(fingerprint, 10);
}
