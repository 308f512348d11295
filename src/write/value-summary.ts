import type { SqlType } from '../base/sql-type.js';
import type { Vector } from '../base/vector.js';
import type { LocalDictionary } from './local-dictionary.js';
import type { Selection } from './plain.js';
import type { Scratch } from './scratch.js';

/** Distinct values of a row group up to which they can be told apart from those of the other groups of a file. */
const MAX_KEYS = 4096;

/**
 * The sum of the values of a column of numbers; undefined for other types, and for decimals beyond 18 digits.
 * Decimals are summed as whole numbers of their last digit.
 */
export function sumOf(
  { selection, dictionary }: { selection: Selection; dictionary: LocalDictionary | undefined },
  { type, scratch }: { type: SqlType; scratch: Scratch },
): number | undefined {
  const read = isNumber(type) ? readerOf(selection.values) : undefined;
  if (!read) return undefined;
  if (dictionary) return sumOfIds(dictionary, { read, scratch });
  const { indexes, from, to } = selection;
  let sum = 0;
  for (let i = from; i < to; i++) sum += read(indexes ? indexes[i] : i);
  return sum;
}

/** Each distinct value is decoded once; four sums side by side do not wait for each other. */
function sumOfIds(
  { entries, size, ids, selection }: LocalDictionary,
  { read, scratch }: { read: (index: number) => number; scratch: Scratch },
): number {
  const numbers = scratch.numbersFor(size);
  for (let i = 0; i < size; i++) numbers[i] = read(entries.indexes[i]);
  const count = selection.to;
  const even = count - (count % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += numbers[ids[i]];
    b += numbers[ids[i + 1]];
    c += numbers[ids[i + 2]];
    d += numbers[ids[i + 3]];
  }
  for (let i = even; i < count; i++) a += numbers[ids[i]];
  return a + b + (c + d);
}

/** Is the mean of such values worth knowing? */
export function isNumber({ kind }: SqlType): boolean {
  return NUMBERS.has(kind);
}

const NUMBERS: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'decimal', 'real', 'double']);

/** Reads a value of a vector as a number. */
function readerOf(values: Vector): ((index: number) => number) | undefined {
  const { view } = values;
  switch (values.physical) {
    case 'int32':
      return (index) => view.getInt32(index * 4, true);
    case 'int64':
      return (index) => view.getInt32(index * 8 + 4, true) * 2 ** 32 + view.getUint32(index * 8, true);
    case 'float':
      return (index) => view.getFloat32(index * 4, true);
    case 'double':
      return (index) => view.getFloat64(index * 8, true);
    default:
      return undefined;
  }
}

/**
 * One number of 53 bits for each distinct value, equal for equal values, by which the distinct values of several row
 * groups are counted together: of 4,096 values two are the same with a probability of one in a thousand million.
 * Undefined when there are more.
 */
export function keysOf({ values, indexes, from, to }: Selection): Float64Array | undefined {
  if (to - from > MAX_KEYS) return undefined;
  const keys = new Float64Array(to - from);
  const { bytes, offsets, width } = values;
  for (let i = from; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    const start = width > 0 ? index * width : offsets[index];
    const end = width > 0 ? start + width : offsets[index + 1];
    let low = 0x811c9dc5;
    let high = 0x9747b28c;
    for (let at = start; at < end; at++) {
      low = Math.imul(low ^ bytes[at], 0x01000193);
      high = Math.imul(high ^ bytes[at], 0x5bd1e995);
      high ^= high >>> 15;
    }
    keys[i - from] = (high >>> 11) * 2 ** 32 + (low >>> 0);
  }
  return keys;
}
