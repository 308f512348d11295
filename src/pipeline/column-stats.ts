import type { SqlType } from '../base/sql-type.js';
import type { ColumnSpec } from '../base/vector.js';
import type { ChunkMeta } from '../write/column-chunk.js';
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
    for (let i = 0; i < specs.length; i++) {
      const chunks = this.#groups.map((group) => group.chunks[i]);
      putStats(numbers.subarray(i * STATS_WIDTH, (i + 1) * STATS_WIDTH), {
        type: specs[i].type,
        chunks,
        rowCount,
      });
    }
    return { columns: namesOf(specs), numbers };
  }
}

interface ColumnChunks {
  type: SqlType;
  chunks: readonly ChunkMeta[];
  /** Of all chunks. */
  rowCount: number;
}

/** Fills in the numbers of one column. */
function putStats(target: Float64Array, { type, chunks, rowCount }: ColumnChunks): void {
  let [nulls, sum, min, max] = [0, 0, Number.NaN, Number.NaN];
  const hasNumbers = isNumber(type);
  for (const { nullCount, sum: part = Number.NaN, bounds } of chunks) {
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
  target[0] = nulls;
  target[1] = countDistinct(chunks);
  target[2] = Number.isFinite(mean) ? mean / unit : Number.NaN;
  target[3] = min / unit;
  target[4] = max / unit;
}

/** Of one group the writer knows the number; the distinct values of several are told apart by their keys. */
function countDistinct(chunks: readonly ChunkMeta[]): number {
  if (chunks.length === 0) return 0;
  if (chunks.length === 1) return chunks[0].distinctCount ?? Number.NaN;
  const seen = new Set<number>();
  for (const { keys } of chunks) {
    if (!keys) return Number.NaN;
    for (const key of keys) seen.add(key);
  }
  return seen.size;
}

/** A bound as a number; decimals in steps of their last digit. NaN for decimals beyond 18 digits. */
function numberOf(bytes: Uint8Array, { kind }: SqlType): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'real') return view.getFloat32(0, true);
  if (kind === 'double') return view.getFloat64(0, true);
  if (bytes.length === 4) return view.getInt32(0, true);
  if (bytes.length === 8) return view.getInt32(4, true) * 2 ** 32 + view.getUint32(0, true);
  return Number.NaN;
}
