import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import type { SqlType } from '../base/sql-type.js';
import type { SqlDialect } from '../load/engine.js';
import { copyText } from '../load/parquet-source.js';

export interface CopyTask {
  path: string;
  columns: { name: string; type: SqlType }[];
  dialect: SqlDialect;
  /** Chunks go out here; one message comes back for each chunk that was used, or `null` to end early. */
  port: MessagePort;
}

export type CopyMessage =
  | { kind: 'chunk'; bytes: Uint8Array }
  | { kind: 'end' }
  | { kind: 'refused'; code: DropgateError['code']; message: string; hint: string }
  /** Trouble of the disk, by the name that the system gives it; such a name does not outlive the way between threads. */
  | { kind: 'failed'; errno: string | undefined; message: string };

/** Chunks that may be under way, so that decoding runs ahead of the server, but not far. */
const MAX_AHEAD = 4;

/** Decodes one Parquet file into COPY text, piece by piece, as fast as the receiver takes it. */
export default async function copyTask({ path, columns, dialect, port }: CopyTask): Promise<void> {
  let ahead = 0;
  let isCancelled = false;
  port.on('message', (message: unknown) => {
    if (message === null) isCancelled = true;
    ahead--;
  });
  port.on('close', () => {
    isCancelled = true;
  });
  try {
    for await (const bytes of copyText({ path, columns, dialect })) {
      const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      port.postMessage({ kind: 'chunk', bytes: own } satisfies CopyMessage, [own.buffer as ArrayBuffer]);
      ahead++;
      while (ahead >= MAX_AHEAD && !isCancelled)
        await Promise.race([once(port, 'message'), once(port, 'close')]);
      if (isCancelled) return;
    }
    port.postMessage({ kind: 'end' } satisfies CopyMessage);
  } catch (error) {
    port.postMessage(asMessage(error));
  } finally {
    port.close();
  }
}

function asMessage(error: unknown): CopyMessage {
  if (!(error instanceof DropgateError))
    return { kind: 'failed', errno: errnoOf(error), message: messageOf(error) };
  const { code, message, hint } = error;
  return { kind: 'refused', code, message, hint };
}
