import v8 from 'node:v8';

/** How much a heap may grow over what was alive in it before the next full collection, in percent. */
const GROWTH_PERCENT = 50;

/**
 * Keeps the heaps of this process, those of its threads included, near the size of what is alive in them. V8 by itself lets a
 * heap of 35 MB grow to over 100 MB, so that memory rises with the number of files that were converted. V8 asks for the
 * flag at the end of every full collection: it works from the next one on.
 */
export function keepHeapsSmall(): void {
  v8.setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
