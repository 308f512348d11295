import { analyse } from 'chardet';
import iconv from 'iconv-lite';

/** Names of the detection library, and what is read in their place: Windows' encodings contain those of ISO 8859. */
const READ_AS: Record<string, string> = {
  'ISO-8859-1': 'windows-1252',
  'ISO-8859-2': 'iso-8859-2',
  'ISO-8859-5': 'iso-8859-5',
  'ISO-8859-6': 'windows-1256',
  'ISO-8859-7': 'windows-1253',
  'ISO-8859-8': 'windows-1255',
  'ISO-8859-9': 'windows-1254',
  'windows-1250': 'windows-1250',
  'windows-1251': 'windows-1251',
  'windows-1252': 'windows-1252',
  'windows-1253': 'windows-1253',
  'windows-1254': 'windows-1254',
  'windows-1255': 'windows-1255',
  'windows-1256': 'windows-1256',
  'windows-1257': 'windows-1257',
  'KOI8-R': 'koi8-r',
  Shift_JIS: 'shift_jis',
  'EUC-JP': 'euc-jp',
  'EUC-KR': 'euc-kr',
  Big5: 'big5',
  GB18030: 'gb18030',
};

/** Encodings of several bytes a character; their structure hardly ever fits text in another encoding. */
const MULTI_BYTE = new Set(['shift_jis', 'euc-jp', 'euc-kr', 'big5', 'gb18030']);

/** Old encodings that the library does not know. */
const ALSO_TRIED = ['cp850', 'cp437', 'macintosh', 'cp866'];

/** Weight of the library's opinion (0 to 100) beside the plausibility of the text (0 to 1). */
const OPINION_WEIGHT = 0.3;
/** Head start of Windows-1252, by far the most frequent. */
const USUAL = 0.05;

/**
 * The most plausible encoding of text that is not UTF-8: how well each candidate's letters stand in words, with the
 * opinion of the library `chardet` (letter frequencies of languages) added.
 */
export function guessEncoding(evidence: Uint8Array): string {
  const opinions = new Map<string, number>();
  for (const { name, confidence } of analyse(evidence)) {
    const label = READ_AS[name];
    if (label) opinions.set(label, Math.max(confidence, opinions.get(label) ?? 0));
  }
  const labels = new Set(['windows-1252', ...opinions.keys(), ...ALSO_TRIED]);
  let best = { label: 'windows-1252', score: Number.NEGATIVE_INFINITY };
  for (const label of labels) {
    const usual = label === 'windows-1252' ? USUAL : 0;
    const opinion = (OPINION_WEIGHT * (opinions.get(label) ?? 0)) / 100;
    const score = plausibility(iconv.decode(evidence, label), MULTI_BYTE.has(label)) + opinion + usual;
    if (score > best.score) best = { label, score };
  }
  return best.label;
}

const SCRIPTS: [name: string, pattern: RegExp][] = [
  ['latin', /\p{Script=Latin}/u],
  ['cyrillic', /\p{Script=Cyrillic}/u],
  ['greek', /\p{Script=Greek}/u],
  ['hebrew', /\p{Script=Hebrew}/u],
  ['arabic', /\p{Script=Arabic}/u],
  ['east asian', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]/u],
];

/** Characters beyond ASCII, other than letters, that tables do have. */
const USUAL_SIGNS = /[€£¥§°ºª²³½¼¾µ·×–—‘’“”„«»…•©®™±\u00a0\u3000-\u303f\uff00-\uffef№]/u;
const IMPOSSIBLE = /[\ufffd\u0080-\u009f]/u;

/** Share of the characters beyond ASCII that stand as such characters stand in text; wrong ones count against it. */
function plausibility(text: string, isMultiByte: boolean): number {
  let score = 0;
  let counted = 0;
  const arePaired = hasPairedQuotes(text);
  for (const word of text.match(
    /[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]*[^\x00-\x7f][^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]*/g,
  ) ?? []) {
    const beyond = [...word].filter((char) => char > '\x7f');
    counted += beyond.length;
    score +=
      beyond.reduce((sum, char) => sum + plausibilityOf(char, { word, arePaired }), 0) -
      oddities(word, beyond.length);
  }
  if (counted === 0) return 0;
  // A random pair of bytes is a letter in an encoding of many thousand characters; only the rest of the evidence counts.
  return score / counted - (isMultiByte ? 0.1 : 0);
}

/** Is each quotation mark that opens followed by one that closes? */
function hasPairedQuotes(text: string): boolean {
  const marks = text.match(/[“”]/g) ?? [];
  return marks.length > 0 && marks.length % 2 === 0 && marks.every((mark, i) => mark === '“”'[i % 2]);
}

function plausibilityOf(char: string, { word, arePaired }: { word: string; arePaired: boolean }): number {
  if (IMPOSSIBLE.test(char)) return -3;
  // A lone capital is rather a sign, as a lone letter at a number is, for a currency or a unit.
  if (/^\p{Lu}$/u.test(word)) return 0.5;
  if (/\p{L}|\p{M}/u.test(char)) return /\d/.test(word) && !/\p{L}{2}/u.test(word) ? 0.5 : 1;
  if (!USUAL_SIGNS.test(char)) return -1;
  // Signs stand between words and beside numbers, not inside words.
  if (isInsideWord(char, word)) return -1;
  return arePaired && /[“”]/.test(char) ? 1 : 0.8;
}

function isInsideWord(char: string, word: string): boolean {
  const at = word.indexOf(char);
  const inside = /\p{L}/u.test(word[at - 1] ?? '') && /\p{L}/u.test(word[at + char.length] ?? '');
  return inside && !/[’·\u00a0]/u.test(char);
}

/** What words do not do: mix scripts, go on in capitals after a small letter, accent most letters of a Latin word. */
function oddities(word: string, beyond: number): number {
  const scripts = SCRIPTS.filter(([, pattern]) => pattern.test(word)).length;
  const mixed = scripts > 1 ? 0.5 * beyond : 0;
  const turns = word.match(/\p{Ll}\p{Lu}/gu)?.length ?? 0;
  const isLatin = /\p{Script=Latin}/u.test(word);
  const accented = isLatin && beyond >= 3 && beyond * 2 > word.length ? 0.5 * beyond : 0;
  return mixed + turns + accented;
}
