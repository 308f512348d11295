import v8 from 'node:v8';
import vm from 'node:vm';
import type { Worker } from 'node:worker_threads';

/** How much a heap may grow over what was alive in it before the next full collection, in percent. */
const GROWTH_PERCENT = 50;
/** New objects of a thread lie in two spaces of this size. By itself, V8 lets each grow to 16 MB, without being faster here. */
const YOUNG_SPACE_MB = 8;

let isKept = false;

/**
 * Keeps the heaps of this process, those of its threads included, near the size of what is alive in them. V8 by itself lets a
 * heap of 35 MB grow to over 100 MB, so that memory rises with the number of files that were converted. V8 asks for the
 * growth at the end of every collection: it works from the next one on.
 */
export function keepHeapsSmall(): void {
  if (isKept) return;
  isKept = true;
  v8.setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  v8.setFlagsFromString(`--min-semi-space-size=${YOUNG_SPACE_MB}`);
  keepYoungSpaces();
  process.on('worker', keepYoungSpacesBeside);
}

/** They grow no more. */
function keepYoungSpaces(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** V8 sets the factor back to 2 when a new thread gets its heap: at some moment before it is online. */
function keepYoungSpacesBeside(worker: Worker): void {
  const timer = setInterval(keepYoungSpaces, 1);
  const end = () => {
    clearInterval(timer);
    keepYoungSpaces();
  };
  worker.once('online', end).once('exit', end);
}

/** How often the heap is looked at; a look takes some microseconds. */
const LOOK_MS = 15_000;
/** Room that is left to the garbage of small work, such as a look at a folder. */
const ROOM_BYTES = 8 << 20;

/** At the latest after so many looks there is a collection: the last one may have come in the middle of a look at a folder. */
const MAX_LOOKS = 20;

export interface RestOptions {
  /** Is there work that a collection of garbage would hold up? */
  isBusy(): boolean;
  lookMs?: number;
}

/**
 * Gives memory back when there is nothing to do. V8 collects garbage when more memory is wanted, so a process that rests
 * would keep for ever what its last burst of work took, half-empty pages and the space for new objects most of all.
 * @returns a function that ends it
 */
export function collectAtRest({ isBusy, lookMs = LOOK_MS }: RestOptions): () => void {
  /** The heap as the last collection left it, half-empty pages included. */
  let restBytes = 0;
  let looks = 0;
  const timer = setInterval(() => {
    looks++;
    if (isBusy()) return;
    if (v8.getHeapStatistics().total_heap_size <= restBytes + ROOM_BYTES && looks < MAX_LOOKS) return;
    collectGarbage();
    restBytes = v8.getHeapStatistics().total_heap_size;
    looks = 0;
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Takes some 30 ms for each 10 MB in use. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  collect();
}
