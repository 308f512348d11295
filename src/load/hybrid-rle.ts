/** Where the numbers of a run go. */
export interface HybridTarget {
  out: Uint32Array;
  /** The part to fill is `out[from .. to)`. */
  from: number;
  to: number;
  /** Added to each number. */
  base: number;
  /** A number must be below this. */
  limit: number;
}

/** Wider numbers do not fit together with the rest of a byte before them. */
export const MAX_HYBRID_BITS = 24;

/** Up to this width, eight numbers are one word. */
const MAX_NARROW_BITS = 4;
const MISSING = 'fewer ids than rows';
const OUTSIDE = 'a value outside of the dictionary';

/**
 * Reads numbers in Parquet's RLE / bit-packing hybrid, without a length in front. Spec: Encodings.md, "RLE = 3".
 * @param bitWidth 0 to {@link MAX_HYBRID_BITS}
 * @throws Error when the bytes end early or a number is too large
 */
export function readHybrid(bytes: Uint8Array, bitWidth: number, target: HybridTarget): void {
  const { to } = target;
  let row = target.from;
  let at = 0;
  while (row < to) {
    let byte = bytes[at++];
    let header = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 32; shift += 7) {
      byte = bytes[at++];
      header |= (byte & 0x7f) << shift;
    }
    if (at > bytes.length) throw new Error(MISSING);
    const half = header >>> 1;
    if ((header & 1) === 0) {
      const end = Math.min(to, row + half);
      const valueBytes = (bitWidth + 7) >> 3;
      putRepeated(bytes.subarray(at, at + valueBytes), { ...target, from: row, to: end });
      at += valueBytes;
      if (at > bytes.length) throw new Error(MISSING);
      row = end;
    } else {
      const end = Math.min(to, row + half * 8);
      putPacked(bytes.subarray(at, at + half * bitWidth), bitWidth, { ...target, from: row, to: end });
      at += half * bitWidth;
      row = end;
    }
  }
}

/** One number again and again. */
function putRepeated(bytes: Uint8Array, { out, from, to, base, limit }: HybridTarget): void {
  let value = 0;
  for (let i = 0; i < bytes.length; i++) value |= bytes[i] << (8 * i);
  if (value >= limit) throw new Error(OUTSIDE);
  out.fill(base + value, from, to);
}

/** Numbers side by side, the lowest bits first. */
function putPacked(bytes: Uint8Array, bitWidth: number, target: HybridTarget): void {
  const { out, to, base, limit } = target;
  const mask = (1 << bitWidth) - 1;
  const last = limit - 1;
  let row = target.from;
  let at = 0;
  /** Negative as soon as a number was above the last one: the differences need not wait for each other, as a maximum would. */
  let signs = 0;
  if (bitWidth <= MAX_NARROW_BITS) {
    // Eight numbers at once, as long as a whole word can be read.
    while (row + 8 <= to && at + 4 <= bytes.length) {
      const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      const high = low >>> (4 * bitWidth);
      const a = low & mask;
      const b = (low >>> bitWidth) & mask;
      const c = (low >>> (2 * bitWidth)) & mask;
      const d = (low >>> (3 * bitWidth)) & mask;
      const e = high & mask;
      const f = (high >>> bitWidth) & mask;
      const g = (high >>> (2 * bitWidth)) & mask;
      const h = (high >>> (3 * bitWidth)) & mask;
      out[row] = base + a;
      out[row + 1] = base + b;
      out[row + 2] = base + c;
      out[row + 3] = base + d;
      out[row + 4] = base + e;
      out[row + 5] = base + f;
      out[row + 6] = base + g;
      out[row + 7] = base + h;
      signs |= (last - a) | (last - b) | (last - c) | (last - d);
      signs |= (last - e) | (last - f) | (last - g) | (last - h);
      at += bitWidth;
      row += 8;
    }
  }
  let word = 0;
  let bits = 0;
  while (row < to) {
    while (bits < bitWidth) {
      word |= bytes[at++] << bits;
      bits += 8;
    }
    const value = word & mask;
    word >>>= bitWidth;
    bits -= bitWidth;
    signs |= last - value;
    out[row++] = base + value;
  }
  if (at > bytes.length) throw new Error(MISSING);
  if (signs < 0) throw new Error(OUTSIDE);
}
