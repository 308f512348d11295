import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { HelpTask } from './help-convert.js';

export interface LenderOptions {
  pool: Piscina;
  /** Is there a thread that has nothing else to do? */
  isIdle(): boolean;
  /** A thread is lent. */
  onLent(): void;
  /** It is back. */
  onBack(): void;
}

/** Lends idle threads to tasks that have a large file in hand, and calls them back when they are wanted for other files. */
export class Lender {
  readonly #options: LenderOptions;
  /** Tasks that want help. */
  readonly #seekers = new Set<MessagePort>();
  /** Counters by which threads that are out are called back. */
  readonly #out = new Set<Int32Array>();

  constructor(options: LenderOptions) {
    this.#options = options;
  }

  /** A way for a task to ask for help: one end goes to the task, the other is closed when the task is done. */
  openDesk(): { port: MessagePort; close: () => void } {
    const { port1: here, port2: port } = new MessageChannel();
    here.on('message', (isWanted: boolean) => {
      if (isWanted) this.#seekers.add(here);
      else this.#seekers.delete(here);
      this.lend();
    });
    return {
      port,
      close: () => {
        this.#seekers.delete(here);
        here.close();
      },
    };
  }

  /** Sends idle threads to those who want help. */
  lend(): void {
    for (const seeker of this.#seekers) {
      while (this.#options.isIdle() && this.#seekers.has(seeker)) this.#send(seeker);
    }
  }

  /** Files wait for threads that are out: they come back as soon as they can. */
  callBack(): void {
    for (const demand of this.#out) Atomics.store(demand, 0, 1);
  }

  #send(seeker: MessagePort): void {
    const { pool, onLent, onBack } = this.#options;
    const { port1: toHelper, port2: toLead } = new MessageChannel();
    const demand = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#out.add(demand);
    onLent();
    const task: HelpTask = { port: toHelper, demand: demand.buffer as SharedArrayBuffer };
    seeker.postMessage(toLead, [toLead]);
    void Promise.resolve(pool.run(task, { transferList: [toHelper] }))
      // Whoever leads sees that it is gone, and goes on alone.
      .catch(() => undefined)
      .finally(() => {
        this.#out.delete(demand);
        // It came back by itself: there is nothing left to help with.
        if (Atomics.load(demand, 0) === 0) this.#seekers.delete(seeker);
        onBack();
      });
  }
}
