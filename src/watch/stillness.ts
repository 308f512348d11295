import type { BigIntStats } from 'node:fs';

type FolderStats = Pick<BigIntStats, 'dev' | 'ino' | 'mtimeNs' | 'ctimeNs'>;

/** Differs whenever an entry of the folder was added, renamed or removed, or another folder stands there. */
export function stampOf({ dev, ino, mtimeNs, ctimeNs }: FolderStats): string {
  return [dev, ino, mtimeNs, ctimeNs].join(' ');
}

/** A folder that seems unchanged is read all the same each so many times: not every file system keeps its times. */
const SKIPS_IN_A_ROW = 9;

/**
 * Tells whether a folder still has the entries that it had when it was last listed: to list 100,000 files every 30 s
 * would cost an idle daemon more than one percent of a core.
 */
export class Stillness {
  #last = '';
  #times = 0;
  #skips = 0;

  /**
   * Asked before each listing. The first listing after a change does not count, since the time of a change that followed
   * could be the same; the next one does.
   * @returns true when the listing can be spared
   */
  isStill(stats: FolderStats): boolean {
    const now = stampOf(stats);
    this.#times = now === this.#last ? this.#times + 1 : 0;
    this.#last = now;
    const isStill = this.#times >= 2 && this.#skips < SKIPS_IN_A_ROW;
    this.#skips = isStill ? this.#skips + 1 : 0;
    return isStill;
  }

  /** A listing failed: what it would have found is not known. */
  forget(): void {
    this.#last = '';
    this.#skips = 0;
  }
}
