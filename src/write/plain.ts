import type { Vector } from '../base/vector.js';
import type { ByteBuffer } from './byte-buffer.js';

/** Bytes of the length in front of a variable-length value. */
export const LENGTH_BYTES = 4;
const WORD_BYTES = 4;
/** Above this many bytes a memcpy beats a loop. */
const LOOP_COPY_BYTES = 128;

/**
 * Values of a vector in row order, NULLs left out: for each i in `[from .. to)` the value `indexes[i]`, or value i
 * itself where `indexes` is absent.
 */
export interface Selection {
  values: Vector;
  indexes?: Uint32Array;
  from: number;
  to: number;
}

/** Appends values in Parquet's PLAIN encoding. Spec: Encodings.md, "PLAIN = 0". */
export function putPlain(out: ByteBuffer, selection: Selection): void {
  const { values, indexes, from, to } = selection;
  if (values.physical === 'boolean') putBits(out, selection);
  else if (values.physical === 'bytes') putTexts(out, selection);
  else if (indexes) putGathered(out, selection);
  else out.putBytes(values.bytes, from * values.width, to * values.width);
}

/** Bytes that the values take in PLAIN encoding. */
export function plainSize({ values, indexes, from, to }: Selection): number {
  const count = to - from;
  if (values.physical === 'boolean') return Math.ceil(count / 8);
  if (values.width > 0) return count * values.width;
  const offsets = values.offsets;
  if (!indexes) return offsets[to] - offsets[from] + count * LENGTH_BYTES;
  let size = count * LENGTH_BYTES;
  for (let i = from; i < to; i++) size += offsets[indexes[i] + 1] - offsets[indexes[i]];
  return size;
}

function putBits(out: ByteBuffer, { values, indexes, from, to }: Selection): void {
  out.reserve(Math.ceil((to - from) / 8));
  let byte = 0;
  let bit = 0;
  for (let i = from; i < to; i++) {
    byte |= values.bytes[indexes ? indexes[i] : i] << bit++;
    if (bit < 8) continue;
    out.bytes[out.length++] = byte;
    byte = 0;
    bit = 0;
  }
  if (bit > 0) out.bytes[out.length++] = byte;
}

function putTexts(out: ByteBuffer, selection: Selection): void {
  const { values, indexes, from, to } = selection;
  out.reserve(plainSize(selection) + WORD_BYTES);
  const { offsets } = values;
  const source = values.view;
  const target = out.view;
  let end = out.length;
  for (let i = from; i < to; i++) {
    const index = indexes ? indexes[i] : i;
    const start = offsets[index];
    const size = offsets[index + 1] - start;
    target.setUint32(end, size, true);
    end += LENGTH_BYTES;
    if (size > LOOP_COPY_BYTES) out.bytes.set(values.bytes.subarray(start, start + size), end);
    // Whole words: what is stored behind the text is written over by the next one.
    else
      for (let at = 0; at < size; at += WORD_BYTES)
        target.setInt32(end + at, source.getInt32(start + at, true), true);
    end += size;
  }
  out.length = end;
}

function putGathered(out: ByteBuffer, { values, indexes, from, to }: Selection): void {
  const words = values.width / 4;
  out.reserve((to - from) * values.width);
  const source = values.view;
  const target = out.view;
  let at = out.length;
  for (let i = from; i < to; i++) {
    let read = indexes![i] * values.width;
    for (let word = 0; word < words; word++) {
      target.setUint32(at, source.getUint32(read, true), true);
      read += 4;
      at += 4;
    }
  }
  out.length = at;
}
