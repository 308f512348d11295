import { pause } from '../base/retry.js';
import { Withdrawn } from '../load/load-files.js';
import type { Waiting, WaitingFiles } from './waiting-files.js';

/** A file that neither settles nor stirs is waited for no longer than this; its rows would keep a transaction open. */
const MAX_WAIT_MS = 5000;

/** What may come about while files settle. */
interface Expected {
  /** Is there something to do? */
  isWorkThere(): boolean;
  /** How much longer it is worth waiting for something to do, though all files have settled. */
  patienceMs(): number;
}

const NOTHING: Expected = { isWorkThere: () => false, patienceMs: () => 0 };

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

  /** Files have settled, come into the queue or left it, or no more are going to come. */
  changed(): void {
    this.#wake();
  }

  /**
   * Resolves when all files have settled and nothing else is expected, or when there is something else to do.
   * @throws Withdrawn when one of the files is not going to settle
   */
  async settled(group: readonly Waiting[], { isWorkThere, patienceMs }: Expected = NOTHING): Promise<void> {
    const deadlineMs = performance.now() + MAX_WAIT_MS;
    while (!isWorkThere()) {
      const isSettled = group.every(({ stage }) => stage === 'settled');
      const leftMs = isSettled ? patienceMs() : deadlineMs - performance.now();
      const isOver = this.#signal.aborted || leftMs <= 0;
      if (isSettled && isOver) return;
      if (isOver || group.some((file) => !this.#waiting.has(file))) throw new Withdrawn();
      await this.#change(leftMs);
    }
  }

  /** Waits for a change, so long at most. */
  async #change(milliseconds: number): Promise<void> {
    const stopWaiting = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, pause(milliseconds, AbortSignal.any([stopWaiting.signal, this.#signal]))]);
    stopWaiting.abort();
  }
}
