import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Streams of Node keep less than this when they say that they have room for more. */
const MAX_KEPT_BYTES = 1 << 17;

/**
 * Sends chunks through a COPY stream of pg-copy-streams and waits until the server has taken them. When the chunks
 * fail, COPY is called off, so that the connection can be used for the ROLLBACK; stream.pipeline would call it off
 * after an error of the server too, when the session no longer listens for it. A chunk has been sent, or copied, when the
 * next one is asked for.
 */
export async function pumpCopy(stream: Writable, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const server = watchErrors(stream);
  try {
    for await (const chunk of chunks) {
      if (server.failed) break;
      const lasting = chunk.length < MAX_KEPT_BYTES ? Buffer.from(chunk) : chunk;
      if (!stream.write(lasting)) await Promise.race([server.failure, once(stream, 'drain')]);
    }
  } catch (error) {
    if (!server.failed) await callOff(stream, error as Error);
    throw error;
  }
  if (!server.failed) stream.end();
  await Promise.race([server.failure, once(stream, 'finish')]);
}

interface ServerWatch {
  readonly failed: boolean;
  /** Rejects with the error of the server or of the connection. */
  failure: Promise<never>;
}

function watchErrors(stream: Writable): ServerWatch {
  const watch = { failed: false, failure: undefined as unknown as Promise<never> };
  watch.failure = new Promise((_, reject) => {
    stream.on('error', (error) => {
      watch.failed = true;
      reject(error);
    });
  });
  // It is awaited only when there is something to wait for.
  watch.failure.catch(() => {});
  return watch;
}

async function callOff(stream: Writable, error: Error): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.destroy(error);
  });
}
