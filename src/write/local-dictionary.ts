import { bitWidthOf } from './hybrid-rle.js';
import type { Selection } from './plain.js';
import { LENGTH_BYTES, plainSize } from './plain.js';
import type { Scratch } from './scratch.js';

/** The distinct values of a selection, numbered anew from 0 in order of first use. */
export interface LocalDictionary {
  selection: Selection;
  /** The distinct values, in order of their new numbers. */
  entries: Selection;
  /** Number of distinct values. */
  size: number;
  /** New number of each value of the selection. */
  ids: Uint32Array;
  /** Bits of the largest new number. */
  bitWidth: number;
}

/** Spec: the size of a page is a signed 32-bit number, which content that does not compress must not exceed either. */
const MAX_DICTIONARY_BYTES = 2 ** 30;

/** A dictionary page costs its header and the entry of its offset in the footer. */
const PAGE_OVERHEAD_BYTES = 24;

/**
 * Renumbers a whole selection that has `indexes`. The arrays of the result lie in `scratch` or are those of the
 * selection.
 */
export function buildLocalDictionary(selection: Selection, scratch: Scratch): LocalDictionary {
  const { values, to: count } = selection;
  const indexes = selection.indexes!;
  const inOrder = countNumberedByFirstUse(indexes, count);
  if (inOrder !== undefined) {
    const entries = { values, from: 0, to: inOrder };
    return {
      selection,
      entries,
      size: inOrder,
      ids: indexes,
      bitWidth: bitWidthOf(Math.max(0, inOrder - 1)),
    };
  }
  // New number + 1 of each value, 0 for a value not seen.
  const localOf = scratch.localOf.atLeast(values.length).fill(0, 0, values.length);
  const used = scratch.usedValues.atLeast(Math.min(values.length, count));
  const ids = scratch.localIds.atLeast(count);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const index = indexes[i];
    let local = localOf[index];
    if (local === 0) {
      used[size++] = index;
      local = size;
      localOf[index] = local;
    }
    ids[i] = local - 1;
  }
  const entries = { values, indexes: used, from: 0, to: size };
  return { selection, entries, size, ids, bitWidth: bitWidthOf(Math.max(0, size - 1)) };
}

/**
 * The number of distinct values if they are numbered from 0 in order of first use already, as in a file of one row
 * group that lost no rows; otherwise undefined, mostly after a few rows.
 */
function countNumberedByFirstUse(indexes: Uint32Array, count: number): number | undefined {
  let seen = 0;
  for (let i = 0; i < count; i++) {
    const index = indexes[i];
    if (index < seen) continue;
    if (index > seen) return undefined;
    seen++;
  }
  return seen;
}

/** Whether dictionary and ids are smaller than the values written out in full. */
export function dictionaryPays({ selection, entries, size, bitWidth }: LocalDictionary): boolean {
  const count = selection.to;
  const dictionaryBytes = plainSize(entries);
  if (dictionaryBytes > MAX_DICTIONARY_BYTES) return false;
  const idBytes = (count * bitWidth) / 8 + PAGE_OVERHEAD_BYTES;
  // Each repetition of a value saves at least this much; mostly that settles it without a look at every row.
  const leastSaving = (count - size) * (selection.values.width || LENGTH_BYTES);
  return leastSaving >= idBytes || dictionaryBytes + idBytes < plainSize(selection);
}
