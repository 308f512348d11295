import type { ByteBuffer } from './byte-buffer.js';

/** Pages below this size: the way to the library and back takes longer than the work. */
const SMALL_PAGE_BYTES = 1024;
/**
 * The format's blocks: nothing refers to an earlier one, so each can be compressed by itself. Given a page of many at once, the
 * library takes memory from the system and gives it back, for each page again; that took twice as long.
 */
const BLOCK_BYTES = 64 * 1024;

/**
 * Makes ready to append the content of `source`, compressed, to `target`. Spec: google/snappy, format_description.txt.
 * The library takes 0.6 times as long as the loop below where there is something to compress.
 */
export async function openSnappy(): Promise<(source: ByteBuffer, target: ByteBuffer) => void> {
  const { default: library } = await import('snappy');
  const options = { copyOutputData: true };
  const compress = (input: Uint8Array) => library.compressSync(input, options);
  return (source, target) => {
    if (source.length < SMALL_PAGE_BYTES) compressSmall(source, target);
    else compressBlocks(source, { target, compress });
  };
}

function compressBlocks(
  source: ByteBuffer,
  { target, compress }: { target: ByteBuffer; compress(input: Uint8Array): Uint8Array },
): void {
  target.putVarint(source.length);
  for (let start = 0; start < source.length; start += BLOCK_BYTES) {
    const output = compress(source.bytes.subarray(start, Math.min(start + BLOCK_BYTES, source.length)));
    // Each has its length in front, as a varint.
    let from = 0;
    while (output[from++] > 0x7f);
    target.putBytes(output, from);
  }
}

const MIN_TABLE_BITS = 8;
/** A page's last bytes are never searched, so that four of them can always be loaded at once. */
const MARGIN_BYTES = 15;
const WORD_BYTES = 4;
const HASH_FACTOR = 0x1e35a7bd;

const TAG_LITERAL = 0;
const TAG_COPY_1 = 1;
const TAG_COPY_2 = 2;
/** Literals up to this length carry it in their tag. */
const MAX_SHORT_LITERAL = 60;
const MAX_COPY = 64;
/** Copies up to this length take two bytes where they come from less than 2,048 bytes before, as all within a small page do. */
const MAX_COPY_1_LENGTH = 11;

/** Where four bytes with a hash were last seen, from the start of the page. */
const table = new Uint16Array(SMALL_PAGE_BYTES);

/** The method is that of the reference implementation, with a larger table, in which fewer matches are lost. */
function compressSmall(source: ByteBuffer, target: ByteBuffer): void {
  const { length } = source;
  target.putVarint(length);
  // The most that incompressible content can grow by.
  target.reserve(32 + length + Math.ceil(length / 6));
  const rest = compressMatches(source, target);
  putLiteral(target, { bytes: source.bytes, start: rest, end: length });
}

/** Compresses a page up to the end of its last match, and returns where that is. */
function compressMatches(source: ByteBuffer, target: ByteBuffer): number {
  const { bytes, view, length: end } = source;
  const limit = end - MARGIN_BYTES;
  const shift = 32 - clearTable(end);
  let unwritten = 0;
  let at = 1;
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
      candidate = table[slot];
      table[slot] = at;
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
      table[Math.imul(view.getInt32(at - 1, true), HASH_FACTOR) >>> shift] = at - 1;
      word = view.getInt32(at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> shift;
      candidate = table[slot];
      table[slot] = at;
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

/** Empties as much of the table as a page of this size uses, and returns the number of bits of its index. */
function clearTable(size: number): number {
  const bits = Math.max(MIN_TABLE_BITS, 32 - Math.clz32(size));
  table.fill(0, 0, 1 << bits);
  return bits;
}

/** Whole words are copied: what is behind the literal is written over, and lies within the page, or its margin. */
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
  if (length <= MAX_COPY_1_LENGTH) {
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
