import { bitWidthOf } from './hybrid-rle.js';
import type { Selection } from './plain.js';
import { LENGTH_BYTES, plainSize } from './plain.js';
import type { Scratch } from './scratch.js';

/** The values that the rows of a row group use, numbered anew from 0 in order of first use. */
export interface LocalDictionary {
  /** The values, in order of their new numbers. */
  entries: Selection;
  /** New number of each value of the selection. */
  ids: Uint32Array;
  bitWidth: number;
}

/** Readers hold a dictionary in memory as a whole; larger ones are not written. */
const MAX_DICTIONARY_BYTES = 16 * 1024 * 1024;

/** A dictionary page costs its header and the entry of its offset in the footer. */
const PAGE_OVERHEAD_BYTES = 24;

/** Renumbers a selection that has `indexes`. The arrays of the result lie in `scratch`. */
export function buildLocalDictionary(selection: Selection, scratch: Scratch): LocalDictionary {
  const { values, count } = selection;
  const indexes = selection.indexes!;
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
  return {
    entries: { values, indexes: used, count: size },
    ids,
    bitWidth: bitWidthOf(Math.max(0, size - 1)),
  };
}

/** Whether dictionary and ids are smaller than the values written out in full. */
export function dictionaryPays(selection: Selection, dictionary: LocalDictionary): boolean {
  const { entries, bitWidth } = dictionary;
  const dictionaryBytes = plainSize(entries);
  if (dictionaryBytes > MAX_DICTIONARY_BYTES) return false;
  const idBytes = (selection.count * bitWidth) / 8 + PAGE_OVERHEAD_BYTES;
  // Each repetition of a value saves at least this much; mostly that settles it without a look at every row.
  const leastSaving = (selection.count - entries.count) * (selection.values.width || LENGTH_BYTES);
  return leastSaving >= idBytes || dictionaryBytes + idBytes < plainSize(selection);
}
