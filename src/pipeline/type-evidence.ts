import type { SqlKind, SqlType } from '../base/sql-type.js';
import { parserFor, Violation } from '../check/parse-value.js';

/** Lengths that are proposed for a VARCHAR; longer texts become TEXT. */
const VARCHAR_LENGTHS = [10, 20, 50, 100, 200, 500];
/** A sample seldom holds the longest text there will be. */
const LENGTH_HEADROOM = 1.25;
/** Digits that a 32-bit, a 64-bit and a 128-bit decimal hold; a smaller precision would save nothing. */
const DECIMAL_PRECISIONS = [9, 18, 38];
/** Digits after the point that are proposed; longer fractions are measurements, not amounts. */
const DECIMAL_SCALES = [0, 2, 4, 6, 9];
/** Digits that a double gives back unchanged, as programs print it. */
const DOUBLE_DIGITS = 17;

const NUMBER = /^-?(\d*)(?:(\.)(\d*))?(e[+-]?\d+)?$/i;
const DATE_SHAPE = /^\d{4}[-/]\d{2}[-/]\d{2}$/;
const TIMESTAMP_SHAPE = /^\d{4}[-/]\d{2}[-/]\d{2}[ t]+[\d:.,]+\s*(z|utc|[+-]\d{2}(?::?\d{2})?)?$/i;
const UUID_SHAPE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TRUTH_WORD = /^(true|false)$/i;

/** What all values have in common with a type that is not a number: their shape, and that the type's own parser takes them. */
const SHAPES: [SqlKind, RegExp][] = [
  ['boolean', TRUTH_WORD],
  ['date', DATE_SHAPE],
  ['time', /^\d{1,2}:\d{2}/],
  ['uuid', UUID_SHAPE],
];

const PARSERS = new Map(
  (['boolean', 'date', 'time', 'uuid', 'timestamp', 'integer', 'bigint'] as const).map(
    (kind) => [kind as SqlKind, parserFor({ kind })] as const,
  ),
);

function isA(kind: SqlKind, text: string): boolean {
  return !(PARSERS.get(kind)!.parse(text) instanceof Violation);
}

/**
 * Gathers clean values of one column and concludes the smallest type that takes them all as they are. Careful where a
 * number would lose something: digits with leading zeros or a plus sign stay text, so do 0/1 and yes/no, which may get
 * a third value. Dates need separators, since eight digits may be anything.
 */
export class TypeEvidence {
  /** A value was added. */
  #isEmpty = true;
  readonly #shapes = new Set(SHAPES.map(([kind]) => kind));
  readonly #numbers = new NumberEvidence();
  #timestamps: 'none yet' | 'local' | 'zoned' | 'no' = 'none yet';
  #longest = 0;

  /** Takes one value; a second time changes nothing. */
  add(text: string): void {
    this.#isEmpty = false;
    this.#longest = Math.max(this.#longest, text.length > this.#longest ? [...text].length : 0);
    for (const [kind, shape] of SHAPES) {
      if (this.#shapes.has(kind) && !(shape.test(text) && isA(kind, text))) this.#shapes.delete(kind);
    }
    this.#numbers.add(text);
    this.#addTimestamp(text);
  }

  /** The type; TEXT when there was no value. */
  conclude(): SqlType {
    if (this.#isEmpty) return { kind: 'text' };
    const shape = SHAPES.find(([kind]) => this.#shapes.has(kind));
    if (shape) return { kind: shape[0] };
    if (this.#timestamps === 'local') return { kind: 'timestamp' };
    if (this.#timestamps === 'zoned') return { kind: 'timestamp', zoned: true };
    return this.#numbers.conclude() ?? textType(this.#longest);
  }

  /** Smallest and largest value, when all are numbers. */
  get range(): { min: number; max: number } | undefined {
    return this.#isEmpty ? undefined : this.#numbers.range;
  }

  /** A date alone goes with local timestamps; local and zoned ones in one column mean no certain instant. */
  #addTimestamp(text: string): void {
    if (this.#timestamps === 'no') return;
    const match = TIMESTAMP_SHAPE.exec(text);
    const fits = (match !== null || DATE_SHAPE.test(text)) && isA('timestamp', text);
    const kind = match?.[1] ? 'zoned' : 'local';
    const agrees = this.#timestamps === 'none yet' || this.#timestamps === kind;
    this.#timestamps = fits && agrees ? kind : 'no';
  }
}

/** What is known of a column as long as all its values are numbers. */
class NumberEvidence {
  #isNumeric = true;
  #isInteger = true;
  #isBigint = true;
  #hasPoint = false;
  #hasExponent = false;
  #isFinite = true;
  /** Digits before the point, after it, and together without leading zeros. */
  #whole = 0;
  #fraction = 0;
  #significant = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(text: string): void {
    if (!this.#isNumeric) return;
    const match = NUMBER.exec(text);
    const [whole, fraction] = [match?.[1] ?? '', match?.[3] ?? ''];
    if (!match || whole + fraction === '' || /^0\d/.test(whole)) {
      this.#isNumeric = false;
      return;
    }
    this.#hasPoint ||= match[2] !== undefined;
    this.#hasExponent ||= match[4] !== undefined;
    this.#isInteger &&= isA('integer', text);
    this.#isBigint &&= isA('bigint', text);
    const digits = whole === '0' ? '' : whole;
    this.#whole = Math.max(this.#whole, digits.length);
    this.#fraction = Math.max(this.#fraction, fraction.length);
    this.#significant = Math.max(this.#significant, (digits + fraction).replace(/^0+/, '').length);
    const value = Number(text);
    this.#isFinite &&= Number.isFinite(value);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  get range(): { min: number; max: number } | undefined {
    return this.#isNumeric ? { min: this.#min, max: this.#max } : undefined;
  }

  /** Undefined when the values are no numbers, or none that a type gives back unchanged. */
  conclude(): SqlType | undefined {
    if (!this.#isNumeric) return undefined;
    if (this.#isInteger) return { kind: 'integer' };
    if (this.#isBigint) return { kind: 'bigint' };
    const isAmount = this.#fraction <= DECIMAL_SCALES.at(-1)!;
    const decimal = this.#hasExponent ? undefined : this.#decimal();
    if (decimal && isAmount) return decimal;
    const isDouble = this.#isFinite && this.#significant <= DOUBLE_DIGITS;
    if (isDouble && (this.#hasPoint || this.#hasExponent)) return { kind: 'double' };
    return decimal;
  }

  #decimal(): SqlType | undefined {
    const scale = DECIMAL_SCALES.find((one) => one >= this.#fraction) ?? this.#fraction;
    const most = DECIMAL_PRECISIONS.at(-1)!;
    // Room for one more digit before the point, where there is room.
    const precision = DECIMAL_PRECISIONS.find((one) => one >= this.#whole + 1 + scale) ?? most;
    if (this.#whole + scale <= precision) return { kind: 'decimal', precision, scale };
    return this.#whole + this.#fraction <= most
      ? { kind: 'decimal', precision: most, scale: this.#fraction }
      : undefined;
  }
}

function textType(longest: number): SqlType {
  const length = VARCHAR_LENGTHS.find((one) => one >= longest * LENGTH_HEADROOM);
  return length === undefined ? { kind: 'text' } : { kind: 'varchar', length };
}
