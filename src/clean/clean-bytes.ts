import type { Vector } from '../base/vector.js';
import { type CleanOptions, folded } from './clean-value.js';

/**
 * Copies the clean form of the cell `source.bytes[start..end)`, which has no white space around it, and appends it to
 * `target`. False, and nothing is appended, unless it is all ASCII.
 */
export type TextCopier = (target: Vector, source: Vector, start: number, end: number) => boolean;

/** A byte of every word. */
const ONES = 0x01010101;
const HIGHEST_BITS = 0x80808080 | 0;
const LOWER_BITS = 0x7f7f7f7f;

/** What, added to a byte, sets its highest bit from the first letter on, and from the first character after the last one. */
const LETTERS = {
  lower: { first: (0x80 - 0x41) * ONES, after: (0x80 - 0x5b) * ONES },
  upper: { first: (0x80 - 0x61) * ONES, after: (0x80 - 0x7b) * ONES },
  keep: { first: 0, after: 0 },
} as const;

/** The copier of a rule. Four characters at a time change their case, or do not. */
export function textCopier(rule: CleanOptions['case']): TextCopier {
  const { first, after } = LETTERS[rule];
  return (target, source, start, end) => {
    let to = target.beginBytes(end - start);
    const from = source.view;
    const into = target.view;
    let seen = 0;
    let at = start;
    for (; at + 4 <= end; at += 4, to += 4) {
      const word = from.getInt32(at, true);
      seen |= word;
      into.setInt32(to, recased(word, first, after), true);
    }
    for (; at < end; at++, to++) {
      const byte = source.bytes[at];
      seen |= byte;
      target.bytes[to] = recased(byte, first, after);
    }
    if ((seen & HIGHEST_BITS) !== 0) return false;
    target.endBytes(to);
    return true;
  };
}

/** Turns the bit that tells the case of a letter in every byte that is a letter to be changed. All bytes are ASCII. */
function recased(word: number, first: number, after: number): number {
  const bits = word & LOWER_BITS;
  const letters = ((bits + first) ^ (bits + after)) & HIGHEST_BITS;
  return word ^ (letters >>> 2);
}

/**
 * Returns a test whether a cell might be cleaned into nothing, or has white space or other characters than ASCII at its
 * ends. Such cells are for the cleaner of texts; all others are neither missing nor changed by trimming.
 */
export function oddCellTest(
  nullTokens: readonly string[],
): (bytes: Uint8Array, start: number, end: number) => boolean {
  // In another letter case a token may take three times its bytes.
  const longest = Math.max(0, ...nullTokens.map((token) => 3 * token.length));
  const isFirst = new Uint8Array(256);
  for (const token of nullTokens) {
    const [byte] = Buffer.from(folded(token));
    if (byte === undefined) continue;
    isFirst[byte] = 1;
    isFirst[String.fromCharCode(byte).toUpperCase().charCodeAt(0)] = 1;
  }
  return (bytes, start, end) => {
    if (end === start || isEdgeOdd(bytes[start]) || isEdgeOdd(bytes[end - 1])) return true;
    return end - start <= longest && isFirst[bytes[start]] === 1;
  };
}

const SPACE = 0x20;
const DELETE = 0x7f;

function isEdgeOdd(byte: number): boolean {
  return byte <= SPACE || byte >= DELETE;
}
