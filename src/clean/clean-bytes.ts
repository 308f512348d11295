import type { CellReader, CellSource } from '../base/cells.js';
import { type CleanOptions, folded, longestOf } from './clean-value.js';
import { recaser } from './recase.js';

/** A byte of every word. */
const ONES = 0x01010101;
const HIGHEST_BITS = 0x80808080 | 0;
const LOWER_BITS = 0x7f7f7f7f;
const WORD_BYTES = 4;

/** What, added to a byte, sets its highest bit from the first letter on, and from the first character after the last one. */
const LETTERS = {
  lower: { first: (0x80 - 0x41) * ONES, after: (0x80 - 0x5b) * ONES },
  upper: { first: (0x80 - 0x61) * ONES, after: (0x80 - 0x7b) * ONES },
  keep: { first: 0, after: 0 },
} as const;

/** What a cell must be like to be copied. */
export interface TextCopierOptions extends Pick<CleanOptions, 'case' | 'nullTokens'> {
  /** In characters. Default: any. */
  maxLength?: number;
}

/**
 * Returns a reader that copies the clean form of texts: of ASCII, four characters at a time change their case, or do not. It
 * stops at cells that have white space at their ends, that are missing or may be, or that hold unusual characters.
 */
export function textCopier({
  case: rule,
  nullTokens,
  maxLength = Number.POSITIVE_INFINITY,
}: TextCopierOptions): CellReader {
  const { first, after } = LETTERS[rule];
  const tokens = tokensOf(nullTokens);
  const { isFirst } = tokens;
  const recase = recaser({ case: rule, tooShort: longestOf(nullTokens), maxLength });
  return (target, { bytes, view, starts, ends }, { from, to }) => {
    target.reserveValues(to - from);
    const { offsets } = target;
    let into = target.view;
    let room = target.bytes.length;
    let { length, byteLength: end } = target;
    let row = from;
    for (; row < to; row++) {
      const start = starts[row];
      const size = ends[row] - start;
      if (size <= 0 || isEdgeOdd(bytes[start]) || isEdgeOdd(bytes[start + size - 1])) break;
      if (isFirst[bytes[start]] === 1 && tokens.includes(bytes, start, size)) break;
      if (end + size + WORD_BYTES > room) {
        target.length = length;
        target.reserveBytes(end, size + WORD_BYTES);
        into = target.view;
        room = target.bytes.length;
      }
      let seen = 0;
      let at = 0;
      for (; at + WORD_BYTES < size && (seen & HIGHEST_BITS) === 0; at += WORD_BYTES) {
        const word = view.getInt32(start + at, true);
        seen |= word;
        into.setInt32(end + at, recased(word, first, after), true);
      }
      // The last one to four bytes; what is stored behind them is written over or never read.
      const word = view.getInt32(start + at, true);
      seen |= word << ((at + WORD_BYTES - size) << 3);
      into.setInt32(end + at, recased(word, first, after), true);
      if ((seen & HIGHEST_BITS) !== 0 || size > maxLength) {
        const copied = Math.max(0, at - WORD_BYTES);
        if (!recase({ bytes, start, end: start + size, into: target.bytes, at: end, copied })) break;
      }
      end += size;
      offsets[++length] = end;
    }
    target.length = length;
    return row;
  };
}

/** Turns the bit that tells the case of a letter in every byte that is a letter to be changed. All bytes are ASCII. */
function recased(word: number, first: number, after: number): number {
  const bits = word & LOWER_BITS;
  const letters = ((bits + first) ^ (bits + after)) & HIGHEST_BITS;
  return word ^ (letters >>> 2);
}

/** A cell of another source, without the ASCII white space around it. */
export class TrimmedCell implements CellSource {
  bytes: Uint8Array = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  readonly starts = new Uint32Array(1);
  readonly ends = new Uint32Array(1);

  set(source: CellSource, index: number): void {
    const { bytes, starts, ends } = source;
    let start = starts[index];
    let end = ends[index];
    while (start < end && isWhiteSpace(bytes[start])) start++;
    while (start < end && isWhiteSpace(bytes[end - 1])) end--;
    this.bytes = bytes;
    this.view = source.view;
    this.starts[0] = start;
    this.ends[0] = end;
  }
}

const NOTHING = new Uint8Array(0);
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;

function isWhiteSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/**
 * Returns a function that finds the first of the cells `from..to` that is empty or seems to be a token, or else answers `to`.
 * Cells of other characters than ASCII, or with white space at their ends, it does not judge.
 */
export function tokenFinder(
  nullTokens: readonly string[],
): (source: CellSource, range: { from: number; to: number }) => number {
  const tokens = tokensOf(nullTokens);
  const { isFirst } = tokens;
  return ({ bytes, starts, ends }, { from, to }) => {
    for (let row = from; row < to; row++) {
      const start = starts[row];
      const size = ends[row] - start;
      if (size <= 0 || (isFirst[bytes[start]] === 1 && tokens.includes(bytes, start, size))) return row;
    }
    return to;
  };
}

interface Tokens {
  /** 1 for each byte by which a token begins. */
  isFirst: Uint8Array;
  /** Is the ASCII text `bytes[start .. start + size)` a token, in whatever letter case? */
  includes(bytes: Uint8Array, start: number, size: number): boolean;
}

/** What is to be known of tokens to tell them from other texts of ASCII alone. */
function tokensOf(nullTokens: readonly string[]): Tokens {
  const tokens = nullTokens.map((token) => Buffer.from(folded(token))).filter((token) => token.length > 0);
  const isFirst = new Uint8Array(256);
  for (const [byte] of tokens) {
    isFirst[byte] = 1;
    if (isLowerCase(byte)) isFirst[byte ^ CASE_BIT] = 1;
  }
  const isAt = (token: Uint8Array, bytes: Uint8Array, start: number) => {
    for (let i = 0; i < token.length; i++) {
      const byte = bytes[start + i];
      if (byte !== token[i] && !((byte ^ CASE_BIT) === token[i] && isLowerCase(token[i]))) return false;
    }
    return true;
  };
  return {
    isFirst,
    includes: (bytes, start, size) =>
      tokens.some((token) => token.length === size && isAt(token, bytes, start)),
  };
}

const CASE_BIT = 0x20;

function isLowerCase(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

const SPACE = 0x20;
const DELETE = 0x7f;

function isEdgeOdd(byte: number): boolean {
  return byte <= SPACE || byte === DELETE;
}
