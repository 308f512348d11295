import type { MessagePort } from 'node:worker_threads';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import type { SqlType } from '../base/sql-type.js';
import type { SqlDialect } from '../load/engine.js';
import { type CopyPiece, copyText } from '../load/parquet-source.js';

export interface CopyTask {
  /** Parquet files, decoded one after the other. */
  paths: string[];
  columns: { name: string; type: SqlType }[];
  dialect: SqlDialect;
  /** Pieces go out here; one message comes back for each that was used, or `null` to end early. */
  port: MessagePort;
}

export type CopyMessage =
  | ({ kind: 'piece' } & CopyPiece)
  | { kind: 'end' }
  | { kind: 'refused'; code: DropgateError['code']; message: string; hint: string }
  /** Trouble of the disk, by the name that the system gives it; such a name does not outlive the way between threads. */
  | { kind: 'failed'; errno: string | undefined; message: string };

/** How much may be under way, so that decoding runs ahead of the server, but not far. */
const MAX_BYTES_AHEAD = 4_000_000;

/** Decodes Parquet files into COPY text, piece by piece, as fast as the receiver takes it; `undefined` only wakes the thread. */
export default async function copyTask(task: CopyTask | undefined): Promise<void> {
  if (task === undefined) return;
  const { paths, columns, dialect, port } = task;
  const outbox = new Outbox(port);
  try {
    for await (const piece of copyText({ paths, columns, dialect, access: 'prompt' })) {
      if (!(await outbox.send(piece))) return;
    }
    port.postMessage({ kind: 'end' } satisfies CopyMessage);
  } catch (error) {
    port.postMessage(asMessage(error));
  } finally {
    port.close();
  }
}

/** Hands pieces over, and waits while too much of them has not been used. */
class Outbox {
  readonly #port: MessagePort;
  /** Sizes of the pieces under way. */
  readonly #ahead: number[] = [];
  #bytesAhead = 0;
  #isCancelled = false;
  #wake: () => void = () => undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: unknown) => {
      if (message === null) this.#isCancelled = true;
      this.#bytesAhead -= this.#ahead.shift() ?? 0;
      this.#wake();
    });
    port.on('close', () => {
      this.#isCancelled = true;
      this.#wake();
    });
  }

  /** False when the receiver wants no more. */
  async send({ bytes, filesEnded }: CopyPiece): Promise<boolean> {
    this.#ahead.push(bytes.byteLength);
    this.#bytesAhead += bytes.byteLength;
    const message: CopyMessage = { kind: 'piece', bytes, filesEnded };
    this.#port.postMessage(message, [bytes.buffer as ArrayBuffer]);
    while (this.#bytesAhead >= MAX_BYTES_AHEAD && !this.#isCancelled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#isCancelled;
  }
}

function asMessage(error: unknown): CopyMessage {
  if (!(error instanceof DropgateError))
    return { kind: 'failed', errno: errnoOf(error), message: messageOf(error) };
  const { code, message, hint } = error;
  return { kind: 'refused', code, message, hint };
}
