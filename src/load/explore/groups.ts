import type { SqlValue } from '../engine.js';
import { type Axis, axisCell } from './axis.js';
import type { ChartCell } from './chart-spec.js';
import { classOf } from './column.js';
import { nextBucket } from './scale.js';

/** Rows that lie together on all axes. */
export interface Group {
  /** As the database gave them. */
  keys: SqlValue[];
  cells: ChartCell[];
  value: ChartCell;
  rows: number;
}

/** Empty bins are shown up to so many. */
const MAX_FILLED = 1000;

/** What is left when only the largest categories of each axis are kept. */
export interface Kept<G> {
  groups: G[];
  total: number;
  rowsLeftOut: number;
  categoriesLeftOut: number;
}

/** Keeps the categories with the most rows: on each axis at most so many. */
export function keepLargest<G extends Group>(
  groups: G[],
  { most, total }: { most: number[]; total: number },
): Kept<G> {
  let kept = groups;
  let categoriesLeftOut = 0;
  for (const [axis, limit] of most.entries()) {
    const sizes = new Map<ChartCell, number>();
    for (const { cells, rows } of groups) sizes.set(cells[axis], (sizes.get(cells[axis]) ?? 0) + rows);
    if (sizes.size <= limit) continue;
    const largest = [...sizes].sort((a, b) => b[1] - a[1] || compareCells(a[0], b[0])).slice(0, limit);
    const names = new Set(largest.map(([cell]) => cell));
    kept = kept.filter(({ cells }) => names.has(cells[axis]));
    categoriesLeftOut += sizes.size - limit;
  }
  const rowsKept = kept.reduce((sum, { rows }) => sum + rows, 0);
  return { groups: kept, total, rowsLeftOut: total - rowsKept, categoriesLeftOut };
}

/** Numbers and times in their order; texts on the first axis by size, as colours by name; missing values last. */
export function sortedGroups<G extends Group>(groups: G[], axes: Axis[]): G[] {
  const sizes = new Map<ChartCell, number>();
  for (const { cells, rows } of groups) sizes.set(cells[0], (sizes.get(cells[0]) ?? 0) + rows);
  const bySize = axes.length > 0 && classOf(axes[0].column) === 'text';
  return groups.toSorted((a, b) => {
    const first = bySize
      ? missingLast(a.cells[0], b.cells[0]) || sizes.get(b.cells[0])! - sizes.get(a.cells[0])!
      : 0;
    return first || compareAll(a.cells, b.cells);
  });
}

function compareAll(a: ChartCell[], b: ChartCell[]): number {
  for (const [index, cell] of a.entries()) {
    const order = compareCells(cell, b[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareCells(a: ChartCell, b: ChartCell): number {
  const missing = missingLast(a, b);
  if (missing !== 0 || a === null || b === null) return missing;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function missingLast(a: ChartCell, b: ChartCell): number {
  return Number(a === null) - Number(b === null);
}

/** A histogram shows where nothing is, too. */
export function withEmptyBins(groups: Group[], axis: Axis): Group[] {
  const keys = allKeys(groups, axis);
  const present = new Map(keys.map((key) => [key, groups.filter((group) => String(group.keys[0]) === key)]));
  const seen = groups[0]?.cells.slice(1) ?? [];
  return keys.flatMap((key) => {
    const found = present.get(key)!;
    const value = axis.bins ? Number(key) : key;
    return found.length > 0
      ? found
      : [{ keys: [value], cells: [axisCell(axis, value), ...seen], value: 0, rows: 0 }];
  });
}

/** From the first to the last. */
function allKeys(groups: Group[], { bins, unit }: Axis): string[] {
  const present = [...new Set(groups.map(({ keys }) => String(keys[0])))];
  if (bins)
    return Array.from({ length: Math.min(bins.count, MAX_FILLED) }, (_, index) => String(bins.first + index));
  if (!unit || present.length === 0) return present;
  const keys = [present[0]];
  const last = present.at(-1)!;
  while (keys.at(-1)! < last && keys.length < MAX_FILLED) keys.push(nextBucket(keys.at(-1)!, unit));
  return keys.at(-1) === last ? keys : present;
}
