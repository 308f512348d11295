import type { ByteBuffer } from './byte-buffer.js';
import { bitWidthOf } from './hybrid-rle.js';
import type { Selection } from './plain.js';

/** The sizes that every writer uses. Spec: Encodings.md, "DELTA_BINARY_PACKED = 5". */
const BLOCK = 128;
const MINIBLOCKS = 4;
const MINIBLOCK = BLOCK / MINIBLOCKS;

const TWO_32 = 0x1_0000_0000;
/** Values and deltas within this stay exact as JavaScript numbers, in zigzag form and as differences of deltas too. */
const MAX_MAGNITUDE = 2 ** 52;
const MAX_INT32 = 0x7fff_ffff;

/**
 * The encoding is chosen only where it halves the size: it takes readers longer than PLAIN, above all those in
 * JavaScript, which need BigInt for it.
 */
const SHARE_OF_PLAIN = 0.5;
/** The head of the encoding, forgiven while the first blocks are judged. */
const HEAD_BYTES = 64;

const deltas = new Float64Array(BLOCK);

/**
 * Appends integers as bit-packed differences if that takes at most half of their PLAIN size.
 * Otherwise, or if a value is beyond 2^52, returns false and leaves `out` as it was.
 */
export function putDelta(out: ByteBuffer, { values, indexes, from, to }: Selection): boolean {
  const maxDelta = values.width === 4 ? MAX_INT32 : MAX_MAGNITUDE;
  const read = values.width === 4 ? readInt32 : readInt64;
  const { view } = values;
  const start = out.length;
  if (to === from) return false;

  let previous = read(view, indexes ? indexes[from] : from);
  putHead(out, { count: to - from, first: previous });
  for (let at = from + 1; at < to; at += BLOCK) {
    const count = Math.min(BLOCK, to - at);
    for (let i = 0; i < count; i++) {
      const value = read(view, indexes ? indexes[at + i] : at + i);
      const delta = value - previous;
      // Written so that values too large to be exact fail it too.
      if (!(Math.abs(value) <= MAX_MAGNITUDE && Math.abs(delta) <= maxDelta)) return undo(out, start);
      deltas[i] = delta;
      previous = value;
    }
    putBlock(out, count);
    const allowed = (at + count - from) * values.width * SHARE_OF_PLAIN;
    if (out.length - start > allowed + HEAD_BYTES) return undo(out, start);
  }
  const fits = out.length - start <= (to - from) * values.width * SHARE_OF_PLAIN;
  return fits || undo(out, start);
}

function undo(out: ByteBuffer, length: number): false {
  out.length = length;
  return false;
}

function readInt32(view: DataView, index: number): number {
  return view.getInt32(index * 4, true);
}

/** Exact up to 2^53, and rounded but still too large beyond. */
function readInt64(view: DataView, index: number): number {
  return view.getInt32(index * 8 + 4, true) * TWO_32 + view.getUint32(index * 8, true);
}

function putHead(out: ByteBuffer, { count, first }: { count: number; first: number }): void {
  out.putVarint(BLOCK);
  out.putVarint(MINIBLOCKS);
  out.putVarint(count);
  putZigzag(out, first);
}

function putZigzag(out: ByteBuffer, value: number): void {
  out.putVarint(value < 0 ? -value * 2 - 1 : value * 2);
}

/** Appends the first `count` of `deltas`. */
function putBlock(out: ByteBuffer, count: number): void {
  let least = deltas[0];
  for (let i = 1; i < count; i++) if (deltas[i] < least) least = deltas[i];
  putZigzag(out, least);

  const widthsAt = out.length;
  for (let block = 0; block < MINIBLOCKS; block++) out.putByte(0);
  for (let from = 0, block = 0; from < count; from += MINIBLOCK, block++) {
    const to = Math.min(from + MINIBLOCK, count);
    let greatest = 0;
    for (let i = from; i < to; i++) {
      deltas[i] -= least;
      if (deltas[i] > greatest) greatest = deltas[i];
    }
    const bitWidth = bitWidthOf64(greatest);
    out.bytes[widthsAt + block] = bitWidth;
    putMiniblock(out, { from, to, bitWidth });
  }
}

function bitWidthOf64(max: number): number {
  return max < TWO_32 ? bitWidthOf(max) : 32 + bitWidthOf(Math.floor(max / TWO_32));
}

/** Appends 32 values (absent ones as 0) of `bitWidth` bits: exactly `bitWidth` words. */
function putMiniblock(
  out: ByteBuffer,
  { from, to, bitWidth }: { from: number; to: number; bitWidth: number },
): void {
  if (bitWidth === 0) return;
  const size = bitWidth * 4;
  out.reserve(size);
  out.bytes.fill(0, out.length, out.length + size);
  const lowWidth = Math.min(bitWidth, 32);
  let bit = 0;
  for (let i = from; i < to; i++) {
    orBits(out, bit, deltas[i] >>> 0);
    if (bitWidth > 32) orBits(out, bit + lowWidth, Math.floor(deltas[i] / TWO_32));
    bit += bitWidth;
  }
  out.length += size;
}

/** Adds the bits of a value at a place, in bits, behind the content of `out`. */
function orBits(out: ByteBuffer, bit: number, value: number): void {
  const shift = bit & 31;
  const at = out.length + ((bit >>> 5) << 2);
  const view = out.view;
  view.setUint32(at, view.getUint32(at, true) | (value << shift), true);
  const rest = shift === 0 ? 0 : value >>> (32 - shift);
  if (rest !== 0) view.setUint32(at + 4, view.getUint32(at + 4, true) | rest, true);
}
