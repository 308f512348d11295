/** How much a cell looks like a value of a table, 0 to 1, and whether its form is one that words do not have. */
export interface ValueShape {
  score: number;
  /** `form`: a date, a time, an address …, which accident does not give. */
  kind: 'number' | 'form' | 'other';
}

/** Numbers, with signs, thousands, decimals, exponents, percent, currencies. */
const NUMBERS: RegExp[] = [
  /^[+-]?\d+$/,
  /^[+-]?(\d+[.,]\d+|\d*\.\d+|\d+\.?)([eE][+-]?\d+)?\s?%?$/,
  /^[+-]?\d{1,3}([ ,.'\u00a0\u202f]\d{3})+([.,]\d+)?\s?%?$/,
  /^\(?[+-]?[$€£¥]\s?[+-]?[\d.,' ]*\d\)?$|^[+-]?[\d.,' ]*\d\s?([$€£¥]|USD|EUR|GBP|CHF)$/,
];

/**
 * Dates, times, addresses, identifiers. Behind the decimal comma of a time stand thousandths, millionths or billionths;
 * a comma before other digits parts cells.
 */
const FORMS: RegExp[] = [
  /^\d{1,4}([-/.])\d{1,2}\1\d{1,4}\.?$/,
  /^\d{1,4}([-/.])\d{1,2}\1\d{1,4}[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+|,(\d{3}){1,3})?)?( ?(Z|[+-]\d{2}:?\d{2}|UTC|[AaPp][Mm]))?$/,
  /^\d{1,2}:\d{2}(:\d{2}(\.\d+|,(\d{3}){1,3})?)?( ?[AaPp]\.?[Mm]\.?)?$/,
  /^(\d{1,2}[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ -](\d{1,2},? ?)?\d{2,4}$/i,
  /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/,
  /^(https?|ftp|s3|file|mailto):\S+$/i,
  /^(www\.)?[\w-]+(\.[\w-]+)*\.(com|org|net|gov|edu|io|eu|uk|de|fr|es|it|nl|ch|at)(\/\S*)?$/i,
  /^\d{1,3}(\.\d{1,3}){3}(\/\d+)?$/,
  /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i,
  /^([\da-f]{2}[:-]){5}[\da-f]{2}$/i,
];

const MISSING = /^(n\/?a|#n\/a|nan|null|none|-{1,3}|\.{1,3}|\?|\*)$/i;
const WORDS = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\-/&'’+()° ]*$/u;
/** Several numbers are rather several values. */
const NUMBER_LIST = /^[+-]?[\d.]+([ ,;:|]+[+-]?[\d.]+)+$/;
const JSON_LIKE = /^(\{.*\}|\[.*\])$/s;
/** Quotes at the edge of an unquoted cell are not understood yet. */
const HALF_QUOTED = /^["']|["']$/;
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\r]/;

const EMPTY: ValueShape = { score: 0.75, kind: 'other' };
const ODD: ValueShape = { score: 0.1, kind: 'other' };
const NUMBER: ValueShape = { score: 1, kind: 'number' };
const FORM: ValueShape = { score: 1, kind: 'form' };
/** No number and no form is longer. */
const MAX_PATTERN_LENGTH = 200;

/** The shape of an unquoted cell. */
export function shapeOf(cell: string): ValueShape {
  const text = cell.trim();
  if (text === '') return EMPTY;
  if (CONTROLS.test(cell)) return ODD;
  if (text.length <= MAX_PATTERN_LENGTH) {
    if (NUMBERS.some((pattern) => pattern.test(text))) return NUMBER;
    if (FORMS.some((pattern) => pattern.test(text))) return FORM;
  }
  return { score: textScore(text), kind: 'other' };
}

function textScore(text: string): number {
  if (HALF_QUOTED.test(text)) return 0.1;
  if (MISSING.test(text)) return 0.95;
  if (NUMBER_LIST.test(text)) return 0.1;
  if (WORDS.test(text)) return text.length < 100 ? 1 : 0.8;
  if (JSON_LIKE.test(text)) return 0.6;
  if (text.includes('\t')) return 0.02;
  if (/[;|](?! )/.test(text)) return 0.08;
  if (/[;|]/.test(text)) return 0.4;
  // In prose a space follows a comma; where none does, the comma rather parts cells.
  if (/,(?! )/.test(text)) return 0.25;
  return text.includes(',') ? 0.6 : 0.7;
}
