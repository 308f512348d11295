import type { MessagePort } from 'node:worker_threads';
import type { SqlType } from '../base/sql-type.js';
import type { SqlDialect } from '../load/engine.js';
import { type CopyPiece, copyText, type ParquetInfo, readParquetInfo } from '../load/parquet-source.js';
import { asFailure, type WorkerFailure } from './worker-failure.js';

export interface CopyTask {
  /** Parquet files, decoded one after the other. */
  paths: string[];
  columns: { name: string; type: SqlType }[];
  dialect: SqlDialect;
  /** Pieces go out here; one message comes back for each that was used, or `null` to end early. */
  port: MessagePort;
}

export type CopyMessage = ({ kind: 'piece' } & CopyPiece) | { kind: 'end' } | WorkerFailure;

/** What a Parquet file says of itself, as far as it tells which rows it holds. */
export type ParquetLabel = Pick<ParquetInfo, 'rows' | 'metadata'>;
export type ParquetLook = { kind: 'label'; label: ParquetLabel } | WorkerFailure;

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
    port.postMessage(asFailure(error) satisfies CopyMessage);
  } finally {
    port.close();
  }
}

/** Reads the footers of Parquet files: a look a file. */
export async function lookInto(paths: readonly string[]): Promise<ParquetLook[]> {
  const looks: ParquetLook[] = [];
  for (const path of paths) {
    try {
      const { rows, metadata } = await readParquetInfo(path, 'prompt');
      looks.push({ kind: 'label', label: { rows, metadata } });
    } catch (error) {
      looks.push(asFailure(error));
    }
  }
  return looks;
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
  async send({ bytes, ended }: CopyPiece): Promise<boolean> {
    this.#ahead.push(bytes.byteLength);
    this.#bytesAhead += bytes.byteLength;
    const message: CopyMessage = { kind: 'piece', bytes, ended };
    this.#port.postMessage(message, [bytes.buffer as ArrayBuffer]);
    while (this.#bytesAhead >= MAX_BYTES_AHEAD && !this.#isCancelled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#isCancelled;
  }
}
