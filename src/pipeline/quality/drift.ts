import type { FileStats } from '../../ledger/quality-store.js';
import { STATS_WIDTH } from '../column-stats.js';

/*
 * Has something about a file left its usual range? The range is made of the last files, of their median and the median
 * distance from it, which a few odd files do not move. It always contains what was seen before, but for the very extremes
 * of a long history: what happens every Sunday is usual. Small files may stray further, since a share or a mean of few rows
 * strays by chance.
 */

/**
 * - `null_share`: NULLs, as a share of the rows of a column
 * - `distinct`: number of distinct values of a column
 * - `mean`: mean of a column of numbers
 * - `left_out_share`: rows that were set aside or dropped, as a share of the rows of the file
 */
export type DriftMetric = 'null_share' | 'distinct' | 'mean' | 'left_out_share';

/** Files that a file is compared with. */
export const HISTORY_FILES = 30;
/** With fewer files nothing is said. */
export const MIN_HISTORY_FILES = 8;

/** What the values of one metric were in the last files. */
export interface UsualRange {
  metric: DriftMetric;
  /** Index of the column; -1 where the whole file is meant. */
  column: number;
  low: number;
  high: number;
  median: number;
  /** Number of files that had a value. */
  compared: number;
  /** How far the value of a file of one row would stray by chance; n rows stray by this divided by the root of n. */
  noise: number;
}

/** The usual ranges of files with the same columns. */
export interface UsualRanges {
  ranges: UsualRange[];
  medianRows: number;
}

/** A value that left its range. */
export interface DriftFinding
  extends Pick<UsualRange, 'metric' | 'column' | 'low' | 'high' | 'median' | 'compared'> {
  value: number;
}

/** A file as it is compared. */
export type DriftSample = Pick<FileStats, 'rowsIn' | 'rowsOut' | 'numbers'>;

/** Shares and means of fewer rows say nothing. */
const MIN_ROWS = 10;
/** Number of distinct values depends on the number of rows: only files of a similar size are compared. */
const MAX_SIZE_RATIO = 1.5;
/** Normal values are this many times the median distance away from the median, on average. */
const MAD_TO_DEVIATION = 1.4826;
/** Of so many files the most extreme one on each side is passed over. */
const FILES_PER_EXTREME = 15;
/** Chance may move a share or a mean by so many standard errors. */
const CHANCE = 5;

/** The usual ranges, of at most {@link HISTORY_FILES} files with the same columns; empty while they are too few. */
export function usualRanges(history: readonly DriftSample[]): UsualRanges {
  const files = history.filter(({ rowsOut }) => rowsOut >= MIN_ROWS).slice(-HISTORY_FILES);
  const medianRows = files.length === 0 ? 0 : medianOf(sorted(files.map(({ rowsOut }) => rowsOut)));
  if (files.length < MIN_HISTORY_FILES) return { ranges: [], medianRows };
  const ranges = [rangeOf(files, { metric: 'left_out_share', column: -1 })];
  const columns = files[0].numbers.length / STATS_WIDTH;
  for (let column = 0; column < columns; column++) {
    for (const metric of ['null_share', 'distinct', 'mean'] as const)
      ranges.push(rangeOf(files, { metric, column }));
  }
  return { ranges: ranges.filter((range) => range !== undefined), medianRows };
}

/** What of a file is out of its usual range. */
export function findDrift({ ranges, medianRows }: UsualRanges, sample: DriftSample): DriftFinding[] {
  const { rowsOut } = sample;
  if (rowsOut < MIN_ROWS) return [];
  const isSimilar = rowsOut <= medianRows * MAX_SIZE_RATIO && rowsOut * MAX_SIZE_RATIO >= medianRows;
  const findings: DriftFinding[] = [];
  for (const range of ranges) {
    if (range.metric === 'distinct' && !isSimilar) continue;
    const value = metricOf(sample, range);
    const slack = range.noise / Math.sqrt(rowsOut);
    if (!(value < range.low - slack || value > range.high + slack)) continue;
    const { metric, column, median, compared } = range;
    const isShare = metric === 'null_share' || metric === 'left_out_share';
    const low = isShare || metric === 'distinct' ? Math.max(0, range.low - slack) : range.low - slack;
    const high = isShare ? Math.min(1, range.high + slack) : range.high + slack;
    findings.push({ metric, column, value, low, high, median, compared });
  }
  return findings;
}

/** The value of a metric; NaN where it is not known. */
function metricOf(sample: DriftSample, { metric, column }: Pick<UsualRange, 'metric' | 'column'>): number {
  const { numbers, rowsIn, rowsOut } = sample;
  const at = column * STATS_WIDTH;
  switch (metric) {
    case 'left_out_share':
      return rowsIn === 0 ? Number.NaN : (rowsIn - rowsOut) / rowsIn;
    case 'null_share':
      return numbers[at] / rowsOut;
    case 'distinct':
      return numbers[at + 1];
    case 'mean':
      return numbers[at + 2];
  }
}

function rangeOf(
  files: readonly DriftSample[],
  of: Pick<UsualRange, 'metric' | 'column'>,
): UsualRange | undefined {
  const values = sorted(files.map((file) => metricOf(file, of)).filter((value) => !Number.isNaN(value)));
  const compared = values.length;
  if (compared < MIN_HISTORY_FILES) return undefined;
  const median = medianOf(values);
  const deviation = MAD_TO_DEVIATION * medianOf(sorted(values.map((value) => Math.abs(value - median))));
  // 1. What was seen, without the extremes of a long history, and a margin: a short history has seen little.
  const extremes = Math.floor(compared / FILES_PER_EXTREME);
  const [least, greatest] = [values[extremes], values[compared - 1 - extremes]];
  const margin = (greatest - least) * (0.1 + 6 / compared);
  // 2. What may be expected of such files.
  const { floor, noise } = toleranceOf(files, { ...of, median, greatest });
  const reach = Math.max(floor, deviation * (5 + 20 / compared));
  return {
    ...of,
    low: Math.min(least - margin, median - reach),
    high: Math.max(greatest + margin, median + reach),
    median,
    compared,
    noise,
  };
}

/** The least deviation that is worth a word, and what chance does. */
function toleranceOf(
  files: readonly DriftSample[],
  {
    metric,
    column,
    median,
    greatest,
  }: Pick<UsualRange, 'metric' | 'column' | 'median'> & { greatest: number },
): { floor: number; noise: number } {
  if (metric === 'distinct') return { floor: Math.max(2, median * 0.1), noise: 0 };
  if (metric !== 'mean') {
    const share = Math.min(0.5, Math.max(greatest, 0.01));
    return { floor: 0.01, noise: CHANCE * Math.sqrt(share * (1 - share)) };
  }
  const width = usualWidth(files, column);
  return { floor: Math.abs(median) * 0.01 + width * 0.02, noise: (CHANCE * width) / 4 };
}

/** The distance from the least to the greatest value of a column, as large as it gets but for extremes. */
function usualWidth(files: readonly DriftSample[], column: number): number {
  const at = column * STATS_WIDTH;
  const widths = files.map(({ numbers }) => numbers[at + 4] - numbers[at + 3]);
  const known = sorted(widths.filter((width) => !Number.isNaN(width)));
  return known[known.length - 1 - Math.floor(known.length / FILES_PER_EXTREME)];
}

function sorted(values: readonly number[] | Float64Array): Float64Array {
  return Float64Array.from(values).sort();
}

function medianOf(values: Float64Array): number {
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
