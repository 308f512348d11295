import type { SqlType } from '../base/sql-type.js';
import type { ColumnSpec } from '../base/vector.js';
import type { RowGroupMeta } from '../write/row-group.js';
import { isNumber } from '../write/value-summary.js';

/** What is known of one column of a converted file. */
export interface ColumnStats {
  column: string;
  nulls: number;
  /** Number of distinct values; null when they hardly repeat, so that nobody counts them. */
  distinct: number | null;
  /** Of numbers; null for other types, and where every value is NULL. */
  mean: number | null;
  min: number | null;
  max: number | null;
}

/** {@link ColumnStats} of a file in a form that is cheap to send between threads and to keep. */
export interface PackedStats {
  /** Names of the columns as JSON. */
  columns: string;
  /** `nulls, distinct, mean, min, max` of each column in turn; NaN for null. */
  numbers: Float64Array;
}

/** Numbers that a column takes in {@link PackedStats}. */
export const STATS_WIDTH = 5;

/** Unfolds packed statistics. */
export function unpackStats({ columns, numbers }: PackedStats): ColumnStats[] {
  return (JSON.parse(columns) as string[]).map((column, i) => {
    const [nulls, distinct, mean, min, max] = numbers.subarray(i * STATS_WIDTH, (i + 1) * STATS_WIDTH);
    const known = (value: number) => (Number.isNaN(value) ? null : value);
    return {
      column,
      nulls,
      distinct: known(distinct),
      mean: known(mean),
      min: known(min),
      max: known(max),
    };
  });
}

/** Names as JSON by the plan's columns, which are the same for file after file. */
const NAMES = new WeakMap<readonly ColumnSpec[], string>();

function namesOf(specs: readonly ColumnSpec[]): string {
  const known = NAMES.get(specs);
  if (known !== undefined) return known;
  const text = JSON.stringify(specs.map(({ name }) => name));
  NAMES.set(specs, text);
  return text;
}

/** Gathers the statistics of a file from what the writer found out about each of its row groups. */
export class StatsCollector {
  readonly #specs: readonly ColumnSpec[];
  readonly #groups: RowGroupMeta[] = [];

  constructor(specs: readonly ColumnSpec[]) {
    this.#specs = specs;
  }

  add(group: RowGroupMeta): void {
    this.#groups.push(group);
  }

  pack(): PackedStats {
    const specs = this.#specs;
    const numbers = new Float64Array(specs.length * STATS_WIDTH);
    const rowCount = this.#groups.reduce((sum, group) => sum + group.rowCount, 0);
    for (let i = 0; i < specs.length; i++)
      putStats({ groups: this.#groups, column: i, type: specs[i].type, rowCount }, numbers);
    return { columns: namesOf(specs), numbers };
  }
}

interface ColumnOfGroups {
  groups: readonly RowGroupMeta[];
  /** Its place in each group. */
  column: number;
  type: SqlType;
  /** Of all groups. */
  rowCount: number;
}

/** Fills in the numbers of one column. */
function putStats({ groups, column, type, rowCount }: ColumnOfGroups, numbers: Float64Array): void {
  let [nulls, sum, min, max] = [0, 0, Number.NaN, Number.NaN];
  const hasNumbers = isNumber(type);
  for (const { chunks } of groups) {
    const { nullCount, sum: part = Number.NaN, bounds } = chunks[column];
    nulls += nullCount;
    sum += part;
    if (!hasNumbers || !bounds) continue;
    const [least, greatest] = [numberOf(bounds.min, type), numberOf(bounds.max, type)];
    if (!(min <= least)) min = least;
    if (!(max >= greatest)) max = greatest;
  }
  const mean = hasNumbers ? sum / (rowCount - nulls) : Number.NaN;
  // One step of the last digit of a decimal.
  const unit = type.kind === 'decimal' ? 10 ** (type.scale ?? 0) : 1;
  const at = column * STATS_WIDTH;
  numbers[at] = nulls;
  numbers[at + 1] = countDistinct(groups, column);
  numbers[at + 2] = Number.isFinite(mean) ? mean / unit : Number.NaN;
  numbers[at + 3] = min / unit;
  numbers[at + 4] = max / unit;
}

/** Of one group the writer knows the number; the distinct values of several are told apart by their keys. */
function countDistinct(groups: readonly RowGroupMeta[], column: number): number {
  if (groups.length === 0) return 0;
  if (groups.length === 1) return groups[0].chunks[column].distinctCount ?? Number.NaN;
  const seen = new Set<number>();
  for (const { chunks } of groups) {
    const { keys } = chunks[column];
    if (!keys) return Number.NaN;
    for (const key of keys) seen.add(key);
  }
  return seen.size;
}

/** A bound as a number; decimals in steps of their last digit. NaN for decimals beyond 18 digits. */
function numberOf(bytes: Uint8Array, { kind }: SqlType): number {
  if (kind === 'real' || kind === 'double') return floatOf(bytes);
  if (bytes.length === 4) return int32At(bytes, 0);
  if (bytes.length === 8) return int32At(bytes, 4) * 2 ** 32 + (int32At(bytes, 0) >>> 0);
  return Number.NaN;
}

function floatOf({ buffer, byteOffset, length }: Uint8Array): number {
  const view = new DataView(buffer, byteOffset);
  return length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
}

/** Little-endian. To make a view for it would take longer than to read it. */
function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
