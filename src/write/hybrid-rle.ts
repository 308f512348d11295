import type { ByteBuffer } from './byte-buffer.js';
import { encodeKernel } from './encode-kernel.js';

export interface HybridRun {
  /** Values below 2^bitWidth. */
  values: Uint32Array;
  /** The part to encode is `values[from .. to)`. */
  from: number;
  to: number;
  /** 0 to 32. */
  bitWidth: number;
}

/** Fewest bits that hold every number from 0 to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

/**
 * Appends values in Parquet's RLE / bit-packing hybrid, without a length in front.
 * Repetitions become a run where that is smaller than packing them. Spec: Encodings.md, "RLE = 3".
 */
export function putHybrid(out: ByteBuffer, { values, from, to, bitWidth }: HybridRun): void {
  out.putBytes(encodeKernel().hybrid(values.subarray(from, to), bitWidth));
}

/** Appends one value `count` times as a run of its own. */
export function putRepeated(
  out: ByteBuffer,
  { value, count, bitWidth }: { value: number; count: number; bitWidth: number },
): void {
  out.putVarint(count * 2);
  for (let bits = 0; bits < bitWidth; bits += 8) out.putByte((value >>> bits) & 0xff);
}
