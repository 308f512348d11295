/**
 * Joins cells of COPY text, compiled to WebAssembly (AssemblyScript). `src/load/join-kernel.ts` lays out the memory for `join`,
 * `src/load/table-kernel.ts` that for `joinRows`.
 *
 * For `join`, a cell lies in slots of 16 bytes. The last byte of its first slot is its length; the text stands before that. The text of a longer
 * one stands in the slots behind, and its length at the beginning of the first.
 */

const SLOT_BITS: usize = 4;
const SLOT_BYTES: usize = 1 << SLOT_BITS;
const LENGTH: usize = SLOT_BYTES - 1;
/** In place of a length: the cell is a longer one. */
const IS_LONG: usize = 255;

let end: usize = 0;

/**
 * Writes the cells whose numbers stand at `ids..stop`, one behind the other, to `out`. Answers where the numbers of those begin for
 * which there is no room before `limit`: `stop` when there are none. `textEnd` tells where the text ends.
 */
export function join(ids: usize, stop: usize, slots: usize, out: usize, limit: usize): usize {
  const last = limit - SLOT_BYTES;
  while (ids < stop && out <= last) {
    const slot = slots + (<usize>load<u32>(ids) << SLOT_BITS);
    const length: usize = load<u8>(slot, LENGTH);
    if (length !== IS_LONG) {
      // All of the slot: the next cell is written over what is too much.
      v128.store(out, v128.load(slot));
      out += length;
    } else {
      const size: usize = load<u32>(slot);
      if (size > limit - out) break;
      memory.copy(out, slot + SLOT_BYTES, size);
      out += size;
    }
    ids += 4;
  }
  end = out;
  return ids;
}

/**
 * Writes rows of cells to `out`, where cell i is `bytes[offsets[i]..offsets[i + 1])`. The numbers of the cells of a row stand
 * `stride` bytes apart, those of its first column at `ids`, one behind the other. Answers the first row of `row..rows` for which there
 * is no room before `limit`: `rows` when there is none. `textEnd` tells where the text ends.
 */
export function joinRows(
  ids: usize,
  stride: usize,
  width: usize,
  row: usize,
  rows: usize,
  offsets: usize,
  bytes: usize,
  out: usize,
  limit: usize,
): usize {
  end = out;
  for (; row < rows; row++) {
    let place = ids + (row << 2);
    const stop = place + width * stride;
    for (; place < stop; place += stride) {
      const offset = offsets + (<usize>load<u32>(place) << 2);
      const start: usize = load<u32>(offset);
      const size: usize = load<u32>(offset, 4) - start;
      if (size <= SLOT_BYTES) {
        if (out + SLOT_BYTES > limit) return row;
        // Whatever the size: the next cell is written over what is too much.
        v128.store(out, v128.load(bytes + start));
      } else {
        if (out + size > limit) return row;
        memory.copy(out, bytes + start, size);
      }
      out += size;
    }
    end = out;
  }
  return row;
}

/** Where what was written last ends. */
export function textEnd(): usize {
  return end;
}
