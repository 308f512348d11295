import type { ByteBuffer } from './byte-buffer.js';

/** Spec: snappy/format_description.txt; the method is that of the reference implementation. */
const BLOCK_BYTES = 64 * 1024;
const MIN_TABLE_BITS = 8;
/** One bit more than the reference takes: fewer matches are lost, which is faster, too. */
const MAX_TABLE_BITS = 15;
/** A block's last bytes are never searched, so that four of them can always be loaded at once. */
const MARGIN_BYTES = 15;
/** Behind a block that hardly shrank, so many are not tried: random numbers stay random. */
const BLOCKS_PASSED_OVER = 3;
const WORTHLESS_SHARE = 0.99;
const WORD_BYTES = 4;
const HASH_FACTOR = 0x1e35a7bd;

const TAG_LITERAL = 0;
const TAG_COPY_1 = 1;
const TAG_COPY_2 = 2;
/** Literals up to this length carry it in their tag. */
const MAX_SHORT_LITERAL = 60;
const MAX_COPY = 64;
const MAX_COPY_1_LENGTH = 11;
const MAX_COPY_1_DISTANCE = 2047;

/** Where four bytes with a hash were last seen, from the start of the block. */
const table = new Uint16Array(1 << MAX_TABLE_BITS);

/**
 * Appends the content of `source`, compressed, to `target`.
 *
 * Why not hyparquet-writer's snappyCompress: this one is three to five times as fast (more on pages of some hundred
 * bytes), since it loads words instead of bytes, clears a smaller table and writes straight into the caller's buffer.
 */
export function snappyCompress(source: ByteBuffer, target: ByteBuffer): void {
  target.putVarint(source.length);
  // The most that incompressible content can grow by.
  target.reserve(32 + source.length + Math.ceil(source.length / 6));
  let passedOver = 0;
  for (let start = 0; start < source.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, source.length);
    const before = target.length;
    const rest = passedOver > 0 ? start : compressMatches({ source, target, start, end });
    putLiteral(target, { bytes: source.bytes, start: rest, end });
    if (passedOver > 0) passedOver--;
    else if (target.length - before > (end - start) * WORTHLESS_SHARE) passedOver = BLOCKS_PASSED_OVER;
  }
}

interface Block {
  source: ByteBuffer;
  target: ByteBuffer;
  start: number;
  end: number;
}

/** Compresses a block up to the end of its last match, and returns where that is. */
function compressMatches({ source, target, start, end }: Block): number {
  const { bytes, view } = source;
  const limit = end - MARGIN_BYTES;
  const shift = 32 - clearTable(end - start);
  let unwritten = start;
  let at = start + 1;
  while (at <= limit) {
    // 1. Look for four bytes seen before, in steps that grow while none are found.
    let misses = 32;
    let next = at;
    let candidate: number;
    let word: number;
    do {
      at = next;
      next = at + (misses++ >>> 5);
      if (at > limit) return unwritten;
      word = view.getInt32(at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> shift;
      candidate = start + table[slot];
      table[slot] = at - start;
    } while (word !== view.getInt32(candidate, true));
    if (at - unwritten > MAX_SHORT_LITERAL) putLiteral(target, { bytes, start: unwritten, end: at });
    else if (at > unwritten) putShortLiteral(target, { view, start: unwritten, size: at - unwritten });

    // 2. Copy as far as the bytes agree, and go on as long as the next four are known, too.
    do {
      const distance = at - candidate;
      const length = 4 + commonLength(view, { at: at + 4, distance, end });
      at += length;
      putCopy(target, { distance, length });
      unwritten = at;
      if (at > limit) return unwritten;
      table[Math.imul(view.getInt32(at - 1, true), HASH_FACTOR) >>> shift] = at - 1 - start;
      word = view.getInt32(at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> shift;
      candidate = start + table[slot];
      table[slot] = at - start;
    } while (word === view.getInt32(candidate, true));
    at++;
  }
  return unwritten;
}

/** How many bytes from `at` on agree with those `distance` bytes before them. */
function commonLength(
  view: DataView,
  { at, distance, end }: { at: number; distance: number; end: number },
): number {
  let to = at;
  for (; to <= end - WORD_BYTES; to += WORD_BYTES) {
    const difference = view.getInt32(to, true) ^ view.getInt32(to - distance, true);
    // The lowest bit in which the words differ is in the first byte that does.
    if (difference !== 0) return to - at + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (to < end && view.getUint8(to) === view.getUint8(to - distance)) to++;
  return to - at;
}

/** Empties as much of the table as a block of this size uses, and returns the number of bits of its index. */
function clearTable(size: number): number {
  const bits = Math.min(Math.max(MIN_TABLE_BITS, 32 - Math.clz32(size - 1)), MAX_TABLE_BITS);
  table.fill(0, 0, 1 << bits);
  return bits;
}

/** Whole words are copied: what is behind the literal is written over, and lies within the block, or its margin. */
function putShortLiteral(
  target: ByteBuffer,
  { view, start, size }: { view: DataView; start: number; size: number },
): void {
  const out = target.view;
  const at = target.length;
  out.setUint8(at, ((size - 1) << 2) | TAG_LITERAL);
  for (let i = 0; i < size; i += WORD_BYTES) out.setInt32(at + 1 + i, view.getInt32(start + i, true), true);
  target.length = at + 1 + size;
}

interface Literal {
  bytes: Uint8Array;
  start: number;
  end: number;
}

function putLiteral(target: ByteBuffer, { bytes: source, start, end }: Literal): void {
  const size = end - start;
  if (size === 0) return;
  const { bytes } = target;
  let at = target.length;
  const last = size - 1;
  if (last < MAX_SHORT_LITERAL) {
    bytes[at++] = (last << 2) | TAG_LITERAL;
  } else if (last < 0x100) {
    bytes[at++] = (MAX_SHORT_LITERAL << 2) | TAG_LITERAL;
    bytes[at++] = last;
  } else {
    bytes[at++] = ((MAX_SHORT_LITERAL + 1) << 2) | TAG_LITERAL;
    bytes[at++] = last & 0xff;
    bytes[at++] = last >>> 8;
  }
  bytes.set(source.subarray(start, end), at);
  target.length = at + size;
}

function putCopy(target: ByteBuffer, { distance, length }: { distance: number; length: number }): void {
  const out = target.view;
  let at = target.length;
  while (length > MAX_COPY) {
    // At least four bytes stay for the last copy, which the short form requires.
    const part = length < MAX_COPY + 4 ? MAX_COPY - 4 : MAX_COPY;
    out.setInt32(at, longCopy(part, distance), true);
    at += 3;
    length -= part;
  }
  if (length <= MAX_COPY_1_LENGTH && distance <= MAX_COPY_1_DISTANCE) {
    const tag = ((distance >>> 8) << 5) | ((length - 4) << 2) | TAG_COPY_1;
    out.setUint16(at, tag | ((distance & 0xff) << 8), true);
    target.length = at + 2;
  } else {
    out.setInt32(at, longCopy(length, distance), true);
    target.length = at + 3;
  }
}

/** The three bytes of a copy as a word. */
function longCopy(length: number, distance: number): number {
  return ((length - 1) << 2) | TAG_COPY_2 | (distance << 8);
}
