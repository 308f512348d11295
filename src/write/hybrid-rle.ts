import type { ByteBuffer } from './byte-buffer.js';

/** Values of one bit-packed group; a run of groups packs to `groups * bitWidth` bytes. */
const GROUP = 8;
/** Up to this width, a group fits a 32-bit word. */
const MAX_NARROW_WIDTH = 4;

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
export function putHybrid(out: ByteBuffer, run: HybridRun): void {
  const { values, to, bitWidth } = run;
  const shortestRun = shortestWorthwhileRun(bitWidth);
  let packedFrom = run.from;
  let at = run.from;
  while (at < to) {
    if (at + GROUP <= to && !isGroupEqual(values, at)) {
      // Spec: packed runs hold whole groups of eight, so the next look is eight values on.
      at += GROUP;
      continue;
    }
    const end = endOfRepetition(values, at, to);
    const isWholeRange = at === run.from && end === to;
    if (end - at < shortestRun && !isWholeRange) {
      at += GROUP;
      continue;
    }
    if (at > packedFrom) putPacked(out, { values, from: packedFrom, to: at, bitWidth });
    putRepeated(out, { value: values[at], count: end - at, bitWidth });
    at = end;
    packedFrom = end;
  }
  if (packedFrom < to) putPacked(out, { values, from: packedFrom, to, bitWidth });
}

/** Below this length a repetition costs more as a run (its own header, its value, a new header after it) than packed. */
function shortestWorthwhileRun(bitWidth: number): number {
  if (bitWidth === 0) return 1;
  const overheadBytes = 2 + ((bitWidth + 7) >> 3);
  return Math.max(GROUP, Math.floor((overheadBytes * 8) / bitWidth) + 1);
}

/** Looks at all eight values at once: a branch for each would be guessed wrong about once a group. */
function isGroupEqual(values: Uint32Array, at: number): boolean {
  const value = values[at];
  const low = (value ^ values[at + 1]) | (value ^ values[at + 2]) | (value ^ values[at + 3]);
  const high = (value ^ values[at + 4]) | (value ^ values[at + 5]) | (value ^ values[at + 6]);
  return (low | high | (value ^ values[at + 7])) === 0;
}

function endOfRepetition(values: Uint32Array, at: number, to: number): number {
  const value = values[at];
  let end = at + 1;
  while (end < to && values[end] === value) end++;
  return end;
}

/** Appends one value `count` times as a run of its own. */
export function putRepeated(
  out: ByteBuffer,
  { value, count, bitWidth }: { value: number; count: number; bitWidth: number },
): void {
  out.putVarint(count * 2);
  for (let bits = 0; bits < bitWidth; bits += 8) out.putByte((value >>> bits) & 0xff);
}

function putPacked(out: ByteBuffer, run: HybridRun): void {
  const { values, from, to, bitWidth } = run;
  const groups = Math.ceil((to - from) / GROUP);
  out.putVarint(groups * 2 + 1);
  // Whole words are stored, so that the last one may reach past the end.
  out.reserve(groups * bitWidth + 4);
  const end = out.length + groups * bitWidth;
  out.bytes.fill(0, end - bitWidth, end);
  if (bitWidth <= MAX_NARROW_WIDTH) {
    const wholeTo = to - ((to - from) % GROUP);
    putNarrowGroups(out, { values, from, to: wholeTo, bitWidth });
    putWords(out, { values, from: wholeTo, to, bitWidth });
  } else {
    putWords(out, run);
  }
  out.length = end;
}

/** Stores whole groups that fit a word each; a store may reach into the place of the next group. */
function putNarrowGroups(out: ByteBuffer, { values, from, to, bitWidth }: HybridRun): void {
  const view = out.view;
  let at = out.length;
  for (let i = from; i < to; i += GROUP) {
    const low =
      values[i] |
      (values[i + 1] << bitWidth) |
      (values[i + 2] << (2 * bitWidth)) |
      (values[i + 3] << (3 * bitWidth));
    const high =
      values[i + 4] |
      (values[i + 5] << bitWidth) |
      (values[i + 6] << (2 * bitWidth)) |
      (values[i + 7] << (3 * bitWidth));
    view.setUint32(at, low | (high << (4 * bitWidth)), true);
    at += bitWidth;
  }
  out.length = at;
}

/** Stores values of any width as a stream of words. */
function putWords(out: ByteBuffer, { values, from, to, bitWidth }: HybridRun): void {
  const view = out.view;
  let at = out.length;
  let word = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    word |= value << bits;
    bits += bitWidth;
    if (bits >= 32) {
      view.setUint32(at, word, true);
      at += 4;
      bits -= 32;
      // What did not fit; a shift by 32 would be a shift by 0.
      word = bits === 0 ? 0 : value >>> (bitWidth - bits);
    }
  }
  if (bits > 0) view.setUint32(at, word, true);
}
