import { setImmediate as nextTurn } from 'node:timers/promises';

/** Enough to keep the four threads of libuv's pool busy, few enough to leave the pool to others. */
const MAX_IN_FLIGHT = 16;

/** Longest stretch of work between two turns of the event loop, where no item has to wait for anything. */
const SLICE_MS = 4;

/** Runs `work` on every item, at most 16 at a time. Rejects with the first failure, after which no more are begun. */
export async function forEachBounded<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let sliceEndMs = performance.now() + SLICE_MS;
  const lane = async () => {
    while (next < items.length) {
      try {
        await work(items[next++]);
      } catch (error) {
        next = items.length;
        throw error;
      }
      if (performance.now() < sliceEndMs) continue;
      await nextTurn();
      sliceEndMs = performance.now() + SLICE_MS;
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_IN_FLIGHT, items.length) }, lane));
}
