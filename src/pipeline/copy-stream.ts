import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { DropgateError } from '../base/errors.js';
import type { CopyPiece } from '../load/parquet-source.js';
import type { CopyAnswer, CopyMessage, CopyTask, ParquetLook } from './copy-worker.js';
import { asError, asFailure } from './worker-failure.js';

/**
 * The COPY text of Parquet files, decoded by a worker of `pool` from now on, so that some of it is there when it is asked for.
 * It can be read once, and ending that early ends the decoding.
 * Errors: those of `copyText`; whatever ended the worker.
 */
export class CopyStream implements AsyncIterable<CopyPiece> {
  readonly #isReturning: boolean;
  readonly #port: MessagePort;
  readonly #inbox: CopyMessage[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;
  /** Why there is no more, when the worker did not say so. */
  readonly #failure: Promise<unknown>;

  /** @param isReturning a piece is done with when the next one is asked for, and its buffer can be filled again */
  constructor(pool: Piscina, { isReturning, ...task }: Omit<CopyTask, 'port'> & { isReturning: boolean }) {
    this.#isReturning = isReturning;
    const { port1, port2: port } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: CopyMessage) => {
      this.#inbox.push(message);
      this.#wake();
    });
    // Comes after the last message, also when the worker dies.
    port1.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    const run: Promise<unknown> = pool.run({ ...task, port } satisfies CopyTask, { transferList: [port] });
    this.#failure = run.then(
      () => new DropgateError('internal', `decoding ${task.paths[0]} ended without an end`),
      (error: unknown) => error,
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CopyPiece> {
    try {
      for (;;) {
        const message = await this.#next();
        if (message.kind === 'end') return;
        if (message.kind !== 'piece') throw asError(message);
        yield message;
        this.#answer(message);
      }
    } finally {
      this.cancel();
      await this.#failure;
    }
  }

  /** Nobody is going to read it (any more). */
  cancel(): void {
    this.#port.postMessage(null satisfies CopyAnswer);
    this.#port.close();
  }

  #answer({ bytes }: CopyPiece): void {
    const { buffer } = bytes as Uint8Array<ArrayBuffer>;
    if (this.#isReturning) this.#port.postMessage(buffer satisfies CopyAnswer, [buffer]);
    else this.#port.postMessage(undefined satisfies CopyAnswer);
  }

  async #next(): Promise<CopyMessage> {
    while (this.#inbox.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#inbox.shift();
    if (message === undefined) throw await this.#failure;
    return message;
  }
}

const LOOK_INTO: keyof typeof import('./copy-worker.js') = 'lookInto';

/** What Parquet files say of themselves, read by a worker of `pool`: a look a file. */
export async function looksInto(pool: Piscina, paths: readonly string[]): Promise<ParquetLook[]> {
  try {
    return await pool.run(paths, { name: LOOK_INTO });
  } catch (error) {
    return paths.map(() => asFailure(error));
  }
}
