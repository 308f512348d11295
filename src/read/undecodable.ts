import { isUtf8 } from 'node:buffer';

/**
 * A byte that its encoding does not know is carried through the decoded text as the private-use character
 * U+10FE00 + byte (the idea of Python's "surrogateescape", PEP 383), so that it can be found, told and written back.
 */
const ESCAPE_BASE = 0x10fe00;
/** The first two bytes of those characters in UTF-8, and the range of the third. */
const ESCAPE_LEAD = 0xf4;
const ESCAPE_SECOND = 0x8f;
const ESCAPE_THIRD_LOW = 0xb8;
const ESCAPE_THIRD_HIGH = 0xbb;

/** Length of an escape in UTF-8. */
export const ESCAPE_BYTES = 4;

/** The character that stands for a byte that cannot be decoded. */
export function escapeOf(byte: number): string {
  return String.fromCodePoint(ESCAPE_BASE + byte);
}

/** Does an escape stand at `position`? */
export function isEscapeAt(utf8: Uint8Array, position: number): boolean {
  const third = utf8[position + 2];
  return (
    utf8[position] === ESCAPE_LEAD &&
    utf8[position + 1] === ESCAPE_SECOND &&
    third >= ESCAPE_THIRD_LOW &&
    third <= ESCAPE_THIRD_HIGH
  );
}

/** The byte that the escape at `position` stands for. */
export function escapedByte(utf8: Uint8Array, position: number): number {
  return ((utf8[position + 2] & 3) << 6) | (utf8[position + 3] & 0x3f);
}

/** Offsets of the escapes in a stretch of decoded text. */
export function findEscapes(utf8: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = utf8.indexOf(ESCAPE_LEAD); at >= 0; at = utf8.indexOf(ESCAPE_LEAD, at + 1)) {
    if (isEscapeAt(utf8, at)) found.push(at);
  }
  return found;
}

/** Blocks that are not valid UTF-8 are looked at in pieces of this size, most of which are valid. */
const PIECE_BYTES = 4096;

/** Offsets of the bytes that belong to no valid UTF-8 character. */
export function findInvalidUtf8(bytes: Uint8Array): number[] {
  const found: number[] = [];
  if (isUtf8(bytes)) return found;
  for (let from = 0; from < bytes.length; ) {
    let end = Math.min(bytes.length, from + PIECE_BYTES);
    if (end < bytes.length) end = from + Math.max(1, lastCharacterEnd(bytes.subarray(from, end)));
    if (!isUtf8(bytes.subarray(from, end))) addInvalid(bytes, { from, end, found });
    from = end;
  }
  return found;
}

function addInvalid(bytes: Uint8Array, piece: { from: number; end: number; found: number[] }): void {
  for (let i = piece.from; i < piece.end; ) {
    const size = characterSize(bytes, i, piece.end);
    if (size === 0) piece.found.push(i);
    i += size || 1;
  }
}

/** Length of the valid UTF-8 character at `at`, or 0 (Unicode Standard, table 3-7). */
function characterSize(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > end) return 0;
  const second = bytes[at + 1];
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
  return size;
}

/** The offset behind the last UTF-8 character of a block that is surely complete. */
export function lastCharacterEnd(block: Uint8Array): number {
  let start = block.length - 1;
  const lowest = Math.max(0, block.length - 4);
  while (start > lowest && (block[start] & 0xc0) === 0x80) start--;
  if (start < 0) return 0;
  const lead = block[start];
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + size > block.length ? start : block.length;
}
