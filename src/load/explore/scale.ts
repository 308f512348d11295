/** Units that times are put together by, from the longest. */
export const TIME_UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** About as long as each unit. */
const UNIT_MS: Record<TimeUnit, number> = {
  year: 365.25 * DAY_MS,
  quarter: 91.3 * DAY_MS,
  month: 30.4 * DAY_MS,
  week: 7 * DAY_MS,
  day: DAY_MS,
  hour: 60 * MINUTE_MS,
  minute: MINUTE_MS,
};

/** Bins of equal width with round edges: bin `i` goes from `(first + i) * width` to the beginning of the next. */
export interface Bins {
  first: number;
  count: number;
  /** `factor * 10 ** power`, with a factor of 1, 2 or 5. */
  width: number;
  factor: number;
  power: number;
}

/** About `wanted` bins (at most twice as many) that cover `min` to `max`; whole numbers get bins of whole width. */
export function roundBins({ min, max, wanted, isWhole }: BinRequest): Bins {
  const span = max - min;
  const raw = span > 0 ? span / wanted : Math.abs(min) / 10 || 1;
  const lowest = isWhole ? 0 : Number.NEGATIVE_INFINITY;
  let power = Math.max(lowest, Math.floor(Math.log10(raw)));
  let factor = [1, 2, 5].find((candidate) => candidate * 10 ** power >= raw * 0.999) ?? 10;
  if (factor === 10) {
    factor = 1;
    power++;
  }
  const width = factor * 10 ** power;
  const first = binOf(min, { factor, power });
  return { first, count: binOf(max, { factor, power }) - first + 1, width, factor, power };
}

export interface BinRequest {
  min: number;
  max: number;
  wanted: number;
  isWhole: boolean;
}

/** Binary fractions miss decimal ones by less than this: 0.29 * 100 is meant to be 29. */
const NOISE = 1e-9;

function binOf(value: number, { factor, power }: Pick<Bins, 'factor' | 'power'>): number {
  return power < 0
    ? Math.floor((value * 10 ** -power) / factor + NOISE)
    : Math.floor(value / 10 ** power / factor);
}

/** The calculation of the bin in SQL, the same to the last bit; `double` is an expression of this type. */
export function binSql(double: string, { factor, power }: Bins): string {
  return power < 0
    ? `FLOOR(${double} * 1E${-power} / ${factor} + 1E-9)`
    : `FLOOR(${double} / 1E${power} / ${factor})`;
}

/** Where a bin begins, without the noise of binary fractions. */
export function edgeOf({ first, factor, power }: Bins, index: number): number {
  const units = (first + index) * factor;
  return power < 0 ? units / 10 ** -power : units * 10 ** power;
}

/** The longest unit that divides the time between two moments (ISO text) into enough pieces, at most `most`. */
export function unitBetween(
  min: string,
  max: string,
  { enough, most }: { enough: number; most: number },
): TimeUnit {
  const spanMs = Date.parse(`${max}Z`) - Date.parse(`${min}Z`);
  const fine = TIME_UNITS.find((unit) => spanMs / UNIT_MS[unit] >= enough) ?? 'minute';
  return (
    TIME_UNITS.slice(0, TIME_UNITS.indexOf(fine) + 1)
      .reverse()
      .find((unit) => spanMs / UNIT_MS[unit] <= most) ?? 'year'
  );
}

/** The beginning of the next unit, in the notation of a bucket. */
export function nextBucket(bucket: string, unit: TimeUnit): string {
  const isShort = bucket.length > 10;
  const time = new Date(isShort ? `${bucket.replace(' ', 'T')}:00Z` : `${bucket}T00:00:00Z`);
  const months = { year: 12, quarter: 3, month: 1 }[unit as string];
  if (months) time.setUTCMonth(time.getUTCMonth() + months);
  else time.setTime(time.getTime() + UNIT_MS[unit]);
  const text = time.toISOString();
  return isShort ? text.slice(0, 16).replace('T', ' ') : text.slice(0, 10);
}
