import { MessageChannel } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { DropgateError } from '../base/errors.js';
import type { CopyPiece } from '../load/parquet-source.js';
import type { CopyMessage, CopyTask, ParquetLook } from './copy-worker.js';
import { asError, asFailure } from './worker-failure.js';

/**
 * The COPY text of Parquet files, decoded by a worker of `pool`. Ending the iteration early ends the decoding.
 * Errors: those of `copyText`; whatever ended the worker.
 */
export async function* copyStream(pool: Piscina, task: Omit<CopyTask, 'port'>): AsyncGenerator<CopyPiece> {
  const { port1: port, port2 } = new MessageChannel();
  const inbox: CopyMessage[] = [];
  let isClosed = false;
  let wake: () => void = () => undefined;
  port.on('message', (message: CopyMessage) => {
    inbox.push(message);
    wake();
  });
  // Comes after the last message, also when the worker dies.
  port.on('close', () => {
    isClosed = true;
    wake();
  });
  const run: Promise<unknown> = pool.run({ ...task, port: port2 } satisfies CopyTask, {
    transferList: [port2],
  });
  const failure = run.then(
    () => new DropgateError('internal', `decoding ${task.paths[0]} ended without an end`),
    (error: unknown) => error,
  );
  try {
    for (;;) {
      while (inbox.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const message = inbox.shift();
      if (message === undefined) throw await failure;
      if (message.kind === 'end') return;
      if (message.kind !== 'piece') throw asError(message);
      yield message;
      port.postMessage(1);
    }
  } finally {
    port.postMessage(null);
    port.close();
    await failure;
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
