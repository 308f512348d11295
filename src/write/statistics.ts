import type { SqlType } from '../base/sql-type.js';
import { wholeCharacters } from '../base/text.js';
import type { Vector } from '../base/vector.js';
import type { Selection } from './plain.js';

/** The least and the greatest value as PLAIN bytes (texts without their length). */
export interface Bounds {
  min: Uint8Array;
  max: Uint8Array;
  /** False where a long text was cut: then the bound is outside the values but not one of them. */
  minIsExact: boolean;
  maxIsExact: boolean;
}

/** Longer texts are cut in bounds, as arrow and parquet-mr do in their column indexes. */
const MAX_TEXT_BOUND_BYTES = 64;

const LAST_BEFORE_SURROGATES = 0xd7ff;
const FIRST_AFTER_SURROGATES = 0xe000;
const LAST_CODE_POINT = 0x10ffff;

const ENCODER = new TextEncoder();
// A byte order mark that is part of a value is to stay.
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The bounds of a selection in the order that Parquet defines for the type: numbers by value, decimals by signed
 * value, texts and UUIDs by unsigned bytes, false before true. NaN is passed over.
 * Undefined when there is nothing to compare. Spec: parquet.thrift, ColumnOrder.
 */
export function boundsOf(selection: Selection, type: SqlType): Bounds | undefined {
  const found = extremes(selection, type);
  if (!found) return undefined;
  const { values } = selection;
  switch (values.physical) {
    case 'bytes':
      return textBounds(values, found);
    case 'float':
    case 'double':
      return exact(signedZero(values, found.min, 0x80), signedZero(values, found.max, 0));
    default:
      return exact(values.copyAt(found.min), values.copyAt(found.max));
  }
}

/** Indexes into the vector of a least and a greatest value. */
interface Extremes {
  min: number;
  max: number;
}

function extremes(selection: Selection, type: SqlType): Extremes | undefined {
  if (selection.from === selection.to) return undefined;
  switch (selection.values.physical) {
    case 'int64':
      return int64Extremes(selection);
    case 'bytes':
      return textExtremes(selection);
    case 'fixed':
      return fixedExtremes(selection, type.kind === 'decimal');
    default:
      return numberExtremes(selection, numbersOf(selection.values));
  }
}

type Numbers = Uint8Array | Int32Array | Float32Array | Float64Array;

function numbersOf({ physical, bytes: { buffer }, length }: Vector): Numbers {
  switch (physical) {
    case 'float':
      return new Float32Array(buffer, 0, length);
    case 'double':
      return new Float64Array(buffer, 0, length);
    case 'int32':
      return new Int32Array(buffer, 0, length);
    default:
      return new Uint8Array(buffer, 0, length);
  }
}

function numberExtremes({ indexes, from, to }: Selection, numbers: Numbers): Extremes | undefined {
  let min = -1;
  let max = -1;
  let least = Number.NaN;
  let greatest = Number.NaN;
  for (let i = from; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    const value = numbers[index];
    if (value >= least && value <= greatest) continue;
    // The first number takes over from the NaN at the start; a NaN never does.
    if (!(value >= least) && !Number.isNaN(value)) {
      least = value;
      min = index;
    }
    if (!(value <= greatest) && !Number.isNaN(value)) {
      greatest = value;
      max = index;
    }
  }
  return min < 0 ? undefined : { min, max };
}

function int64Extremes({ values, indexes, from, to }: Selection): Extremes {
  const { view } = values;
  let min = indexes ? indexes[from] : from;
  let max = min;
  let minHigh = view.getInt32(min * 8 + 4, true);
  let minLow = view.getUint32(min * 8, true);
  let maxHigh = minHigh;
  let maxLow = minLow;
  for (let i = from + 1; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    const high = view.getInt32(index * 8 + 4, true);
    const low = view.getUint32(index * 8, true);
    if (high < minHigh || (high === minHigh && low < minLow)) {
      min = index;
      minHigh = high;
      minLow = low;
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      max = index;
      maxHigh = high;
      maxLow = low;
    }
  }
  return { min, max };
}

function textExtremes({ values, indexes, from, to }: Selection): Extremes {
  let min = indexes ? indexes[from] : from;
  let max = min;
  for (let i = from + 1; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    if (compareTexts(values, index, min) < 0) min = index;
    else if (compareTexts(values, index, max) > 0) max = index;
  }
  return { min, max };
}

function compareTexts({ bytes, offsets }: Vector, left: number, right: number): number {
  const leftStart = offsets[left];
  const rightStart = offsets[right];
  const leftLength = offsets[left + 1] - leftStart;
  const rightLength = offsets[right + 1] - rightStart;
  const common = Math.min(leftLength, rightLength);
  for (let i = 0; i < common; i++) {
    const difference = bytes[leftStart + i] - bytes[rightStart + i];
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

function fixedExtremes({ values, indexes, from, to }: Selection, isSigned: boolean): Extremes {
  // Big-endian: after a signed first byte, two's complement orders as unsigned bytes do.
  const flip = isSigned ? 0x80 : 0;
  let min = indexes ? indexes[from] : from;
  let max = min;
  for (let i = from + 1; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    if (compareFixed(values, { left: index, right: min, flip }) < 0) min = index;
    else if (compareFixed(values, { left: index, right: max, flip }) > 0) max = index;
  }
  return { min, max };
}

function compareFixed(
  { bytes, width }: Vector,
  { left, right, flip }: { left: number; right: number; flip: number },
): number {
  const first = (bytes[left * width] ^ flip) - (bytes[right * width] ^ flip);
  if (first !== 0) return first;
  for (let i = 1; i < width; i++) {
    const difference = bytes[left * width + i] - bytes[right * width + i];
    if (difference !== 0) return difference;
  }
  return 0;
}

function exact(min: Uint8Array, max: Uint8Array): Bounds {
  return { min, max, minIsExact: true, maxIsExact: true };
}

/** Spec: a zero is written as -0 in a minimum and +0 in a maximum, since readers may tell them apart. */
function signedZero(values: Vector, index: number, signByte: number): Uint8Array {
  const bytes = values.copyAt(index);
  const value = values.physical === 'float' ? values.floatAt(index) : values.doubleAt(index);
  if (value === 0) bytes[bytes.length - 1] = signByte;
  return bytes;
}

function textBounds(values: Vector, found: Extremes): Bounds {
  const min = values.copyAt(found.min);
  const max = values.copyAt(found.max);
  const lower = min.length > MAX_TEXT_BOUND_BYTES ? cutText(min) : undefined;
  const upper = max.length > MAX_TEXT_BOUND_BYTES ? cutUpwards(max) : undefined;
  return {
    min: lower ?? min,
    max: upper ?? max,
    minIsExact: lower === undefined,
    maxIsExact: upper === undefined,
  };
}

/** A prefix of whole characters, and so a lower bound. */
function cutText(text: Uint8Array): Uint8Array {
  return text.slice(0, wholeCharacters(text, MAX_TEXT_BOUND_BYTES));
}

/**
 * A short text above `text`: its prefix, with the last character that has a successor replaced by that.
 * Undefined when no character has one. Code points order as their UTF-8 bytes do.
 */
function cutUpwards(text: Uint8Array): Uint8Array | undefined {
  const characters = Array.from(DECODER.decode(cutText(text)));
  while (characters.length > 0) {
    const last = characters.pop()!.codePointAt(0)!;
    if (last === LAST_CODE_POINT) continue;
    const next = last === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : last + 1;
    return ENCODER.encode(characters.join('') + String.fromCodePoint(next));
  }
  return undefined;
}
