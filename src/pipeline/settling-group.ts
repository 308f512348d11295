import { pause } from '../base/retry.js';
import { Withdrawn } from '../load/load-files.js';
import type { Waiting, WaitingFiles } from './waiting-files.js';

/** A file that neither settles nor stirs is waited for no longer than this; its rows would keep a transaction open. */
const MAX_WAIT_MS = 5000;

/** Holds up the commit of files whose rows went to the database while they settled. */
export class SettlingGroup {
  readonly #waiting: WaitingFiles;
  readonly #signal: AbortSignal;
  #wake: () => void = () => undefined;

  /** @param options signal: ends the waiting */
  constructor({ waiting, signal }: { waiting: WaitingFiles; signal: AbortSignal }) {
    this.#waiting = waiting;
    this.#signal = signal;
  }

  /** Files have settled, or left the queue. */
  changed(): void {
    this.#wake();
  }

  /**
   * Resolves when all files have settled, or there is something else to do meanwhile.
   * @throws Withdrawn when one of the files is not going to settle
   */
  async settled(group: readonly Waiting[], isWorkThere: () => boolean = () => false): Promise<void> {
    const deadlineMs = performance.now() + MAX_WAIT_MS;
    while (group.some(({ stage }) => stage !== 'settled') && !isWorkThere()) {
      const leftMs = deadlineMs - performance.now();
      if (this.#signal.aborted || leftMs <= 0 || group.some((file) => !this.#waiting.has(file)))
        throw new Withdrawn();
      const stopWaiting = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, pause(leftMs, AbortSignal.any([stopWaiting.signal, this.#signal]))]);
      stopWaiting.abort();
    }
  }
}
