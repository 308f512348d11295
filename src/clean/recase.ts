import type { CleanOptions } from './clean-value.js';

/** What is no single character of as many bytes in the other case, or depends on its neighbours, or is white space. */
const UNUSUAL = 0xffff;
/** From here on no character has another case: among them the emoji. */
const FIRST_CASELESS = 0x1f000;
/** Its lower case depends on whether the word ends behind it. */
const CAPITAL_SIGMA = 0x3a3;

export interface RecaseOptions extends Pick<CleanOptions, 'case'> {
  /** Texts of so many UTF-16 units or fewer are not copied. */
  tooShort: number;
  /** In characters. */
  maxLength: number;
}

/** A text of UTF-8, and where it is to be copied to. */
export interface Recasing {
  bytes: Uint8Array;
  start: number;
  end: number;
  into: Uint8Array;
  at: number;
  /** So many bytes at its start are copied already; they are ASCII. */
  copied: number;
}

/**
 * Returns a function that copies a text of any script in the case asked for, which has as many bytes, and answers true; or
 * answers false: where a character is unusual ({@link UNUSUAL}), and where the text is too short or too long. What it has
 * written by then means nothing.
 */
export function recaser({ case: rule, tooShort, maxLength }: RecaseOptions): (text: Recasing) => boolean {
  const recased = tableOf(rule);
  const recase = (character: number) => {
    recased[character] = recasedOf(character, rule);
    return recased[character];
  };
  const firstCopied = rule === 'keep' ? 0 : FIRST_CASELESS;
  return ({ bytes, start, end, into, at, copied }) => {
    let continuing = 0;
    let surrogates = 0;
    at += copied;
    for (let i = start + copied; i < end; i++) {
      const lead = bytes[i];
      if (lead < 0x80) {
        const character = recased[lead] || recase(lead);
        if (character === UNUSUAL) return false;
        into[at++] = character;
      } else if (lead < 0xe0) {
        const given = ((lead & 0x1f) << 6) | (bytes[++i] & 0x3f);
        const character = recased[given] || recase(given);
        if (character === UNUSUAL) return false;
        into[at++] = 0xc0 | (character >> 6);
        into[at++] = 0x80 | (character & 0x3f);
        continuing++;
      } else if (lead < 0xf0) {
        const given = ((lead & 0xf) << 12) | ((bytes[i + 1] & 0x3f) << 6) | (bytes[i + 2] & 0x3f);
        const character = recased[given] || recase(given);
        if (character === UNUSUAL) return false;
        into[at++] = 0xe0 | (character >> 12);
        into[at++] = 0x80 | ((character >> 6) & 0x3f);
        into[at++] = 0x80 | (character & 0x3f);
        i += 2;
        continuing += 2;
      } else {
        const character = ((lead & 7) << 18) | ((bytes[i + 1] & 0x3f) << 12) | ((bytes[i + 2] & 0x3f) << 6);
        if (character < firstCopied) return false;
        for (let k = 0; k < 4; k++) into[at++] = bytes[i + k];
        i += 3;
        continuing += 3;
        surrogates++;
      }
    }
    const characters = end - start - continuing;
    return characters <= maxLength && characters + surrogates > tooShort;
  };
}

/** By case: for each character of the basic plane the one to write, 0 where nobody has asked yet. All columns share them. */
const tables = new Map<RecaseOptions['case'], Uint16Array>();

function tableOf(rule: RecaseOptions['case']): Uint16Array {
  const known = tables.get(rule);
  if (known) return known;
  const table = new Uint16Array(0x10000);
  tables.set(rule, table);
  return table;
}

function recasedOf(character: number, rule: RecaseOptions['case']): number {
  const text = String.fromCharCode(character);
  if (text.trim() === '' && character > 0x7f) return UNUSUAL;
  if (rule === 'keep') return character || UNUSUAL;
  if (rule === 'lower' && character === CAPITAL_SIGMA) return UNUSUAL;
  const other = rule === 'lower' ? text.toLowerCase() : text.toUpperCase();
  const isUsual = other.length === 1 && Buffer.byteLength(other) === Buffer.byteLength(text);
  return (isUsual && other.charCodeAt(0)) || UNUSUAL;
}
