import fs from 'node:fs';
import path from 'node:path';
import { type Clocks, ClockWatch, OWN_CLOCKS } from '../base/clock-watch.js';
import { messageOf } from '../base/errors.js';
import { ignoreErrno, writeFileAtomic } from '../base/files.js';
import type { Log } from '../base/log.js';
import { formatDuration } from '../base/text.js';

const DATE_FOLDER = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;
/** A clock that is in doubt must go on for this long before originals are removed: a wrong date would be the end of them. */
const TRUST_AFTER_MS = DAY_MS;
/** A clock that is so far ahead of the last look is in doubt; or half the time that originals are kept, if that is less. */
const MAX_AHEAD_MS = 7 * DAY_MS;
/** Clocks are set back by less than this without any harm. */
const TOLERANCE_MS = 60_000;

export interface ArchiveKeeperOptions {
  /** Folder of the originals, one folder a day. */
  archive: string;
  /** 0 keeps them for ever. */
  archiveDays: number;
  /** Where is written down when the clock was looked at. */
  stateFolder: string;
  log: Log;
  /** Default: those of the machine. */
  clocks?: Clocks;
}

/** What the state folder says of the clock, in milliseconds since 1970. */
interface ClockNote {
  /** The last look. */
  seenMs: number;
  /** When the clock was in doubt the last time. */
  doubtedMs: number;
}

/**
 * Removes old originals, and leaves them for a day when the clock is in doubt: when it has jumped, also while the program
 * was not running, or when nothing is known of it.
 */
export class ArchiveKeeper {
  readonly #options: ArchiveKeeperOptions;
  readonly #clocks: Clocks;
  readonly #watch: ClockWatch;
  readonly #noteFile: string;

  constructor(options: ArchiveKeeperOptions) {
    this.#options = options;
    this.#clocks = options.clocks ?? OWN_CLOCKS;
    this.#watch = new ClockWatch(this.#clocks);
    this.#noteFile = path.join(options.stateFolder, 'clock.json');
  }

  /** Looks at the clock and removes what is old. To be called now and then. Never rejects. */
  async sweep(): Promise<void> {
    const { archive, archiveDays, log } = this.#options;
    if (archiveDays === 0) return;
    const nowMs = this.#clocks.wall();
    const doubtedMs = this.#doubt(nowMs);
    try {
      const note: ClockNote = { seenMs: nowMs, doubtedMs };
      await writeFileAtomic(this.#noteFile, `${JSON.stringify(note)}\n`);
      if (nowMs - doubtedMs < TRUST_AFTER_MS) return;
      const count = await removeOldArchives(archive, { archiveDays, nowMs });
      if (count > 0) log.info(`Removed ${count} archive folders older than ${archiveDays} days`);
    } catch (error) {
      log.warning(`Old archive folders cannot be removed: ${messageOf(error)}`);
    }
  }

  /** When the clock was in doubt the last time: now, perhaps. */
  #doubt(nowMs: number): number {
    const jumpMs = this.#watch.look();
    const known = readNote(this.#noteFile);
    if (jumpMs !== 0) {
      const way = jumpMs > 0 ? 'forwards' : 'backwards';
      this.#warn(`has jumped ${way} by ${formatDuration(Math.abs(jumpMs))}`);
      return nowMs;
    }
    if (!known) return nowMs;
    const aheadMs = nowMs - known.seenMs;
    const mayBeAheadMs = Math.min(MAX_AHEAD_MS, (this.#options.archiveDays * DAY_MS) / 2);
    if (aheadMs >= -TOLERANCE_MS && aheadMs <= mayBeAheadMs) return known.doubtedMs;
    const way = aheadMs > 0 ? 'ahead of' : 'behind';
    this.#warn(`is ${formatDuration(Math.abs(aheadMs))} ${way} the last time that Dropgate ran here`);
    return nowMs;
  }

  #warn(what: string): void {
    this.#options.log.warning(
      `The clock of this machine ${what}; nothing is removed from the archive for a day`,
    );
  }
}

function readNote(file: string): ClockNote | undefined {
  try {
    const note = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<ClockNote> | null;
    const { seenMs, doubtedMs } = note ?? {};
    return typeof seenMs === 'number' && typeof doubtedMs === 'number' ? { seenMs, doubtedMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Deletes the folders `archived/<date>` of days that are longer than `archiveDays` ago; 0 keeps all. Answers how many. */
export async function removeOldArchives(
  archive: string,
  { archiveDays, nowMs }: { archiveDays: number; nowMs: number },
): Promise<number> {
  if (archiveDays === 0) return 0;
  const oldest = nowMs - archiveDays * DAY_MS;
  const names = await fs.promises.readdir(archive).catch(ignoreErrno<string[]>([], 'ENOENT'));
  const old = names.filter((name) => DATE_FOLDER.test(name) && endOfDay(name) < oldest);
  for (const name of old) await fs.promises.rm(path.join(archive, name), { recursive: true, force: true });
  return old.length;
}

/** Days are named in local time. */
function endOfDay(name: string): number {
  return Date.parse(`${name}T00:00:00`) + DAY_MS;
}
