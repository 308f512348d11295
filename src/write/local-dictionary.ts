import { encodeKernel } from './encode-kernel.js';
import { bitWidthOf } from './hybrid-rle.js';
import type { Selection } from './plain.js';
import { LENGTH_BYTES, plainSize } from './plain.js';

/** The distinct values of a selection, numbered anew from 0 in order of first use. */
export interface LocalDictionary {
  selection: Selection;
  /** The distinct values, in order of their new numbers. */
  entries: Selection & { indexes: Uint32Array };
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

/** Renumbers a whole selection that has `indexes`. The arrays of the result are valid until the next call. */
export function buildLocalDictionary(selection: Selection): LocalDictionary {
  const { values, to: count } = selection;
  const { numbers: ids, usedValues } = encodeKernel().number(
    selection.indexes!.subarray(0, count),
    values.length,
  );
  const size = usedValues.length;
  const entries = { values, indexes: usedValues, from: 0, to: size };
  return { selection, entries, size, ids, bitWidth: bitWidthOf(Math.max(0, size - 1)) };
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
