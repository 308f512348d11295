import { setImmediate as nextTurn } from 'node:timers/promises';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { SqlType } from '../base/sql-type.js';
import type { SqlDialect } from '../load/engine.js';
import { type CopyPiece, copyText, type ParquetInfo, readParquetInfo } from '../load/parquet-source.js';
import { asFailure, type WorkerFailure } from './worker-failure.js';

export interface CopyTask {
  /** Parquet files, decoded one after the other. */
  paths: string[];
  columns: { name: string; type: SqlType }[];
  dialect: SqlDialect;
  /** Pieces go out here; a {@link CopyAnswer} comes back for each that was used. */
  port: MessagePort;
}

/** The buffer of a piece that was used, or `undefined` when it is still needed; `null` to end early. */
export type CopyAnswer = ArrayBuffer | undefined | null;

export type CopyMessage = ({ kind: 'piece' } & CopyPiece) | { kind: 'end' } | WorkerFailure;

/** What a Parquet file says of itself, as far as it tells which rows it holds. */
export type ParquetLabel = Pick<ParquetInfo, 'rows' | 'metadata'>;
export type ParquetLook = { kind: 'label'; label: ParquetLabel } | WorkerFailure;

/** Footers that are read before a task that has come in the meantime gets its turn. */
const LOOKS_IN_A_ROW = 32;
/** How much may be under way, so that decoding runs ahead of the server, but not far. */
const MAX_BYTES_AHEAD = 4_000_000;

/** Decodes Parquet files into COPY text, piece by piece, as fast as the receiver takes it. */
export default async function copyTask({ paths, columns, dialect, port }: CopyTask): Promise<void> {
  const outbox = new Outbox(port);
  try {
    const spare = () => outbox.spare();
    for await (const piece of copyText({ paths, columns, dialect, access: 'prompt', spare })) {
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
  for (const [i, path] of paths.entries()) {
    // The database may be waiting for rows.
    if (i % LOOKS_IN_A_ROW === LOOKS_IN_A_ROW - 1) await nextTurn();
    try {
      const { rows, metadata } = await readParquetInfo(path, 'prompt');
      looks.push({ kind: 'label', label: { rows, metadata } });
    } catch (error) {
      looks.push(asFailure(error));
    }
  }
  return looks;
}

/**
 * Buffers of pieces that were used. New ones would be garbage of a megabyte each, which V8 collects with everything else
 * that it finds, and which the system has to fill with zeros.
 */
const spares: ArrayBuffer[] = [];
const MAX_SPARES = 4;
/** A row made one larger that has this size twice. */
const MAX_SPARE_BYTES = 1_500_000;

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
    port.on('message', (answer: CopyAnswer) => {
      this.#take(answer);
      this.#wake();
    });
    port.on('close', () => {
      this.#isCancelled = true;
      this.#wake();
    });
  }

  /** A buffer that can be filled again. Decoding looks for it, as it may go on for long before it waits for a message. */
  spare(): ArrayBuffer | undefined {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      this.#take(next.message);
    return spares.pop();
  }

  #take(answer: CopyAnswer): void {
    if (answer === null) this.#isCancelled = true;
    this.#bytesAhead -= this.#ahead.shift() ?? 0;
    if (answer && answer.byteLength <= MAX_SPARE_BYTES && spares.length < MAX_SPARES) spares.push(answer);
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
