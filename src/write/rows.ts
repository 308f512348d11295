import { DropgateError } from '../base/errors.js';
import { type ColumnSpec, NULL_ID, type TypedColumn } from '../base/vector.js';
import type { Selection } from './plain.js';
import type { Scratch } from './scratch.js';

/** The rows of one column of a row group, split into values and the places of NULLs. */
export interface ColumnRows {
  rowCount: number;
  /** Rows that are not NULL. */
  valueCount: number;
  /** Their values. */
  selection: Selection;
  /** Per row 1, or 0 where it is NULL. Absent when no row is NULL. */
  levels?: Uint32Array;
}

/** Reads a column's rows. The arrays of the result lie in `scratch` or in the column itself. */
export function readRows(
  spec: ColumnSpec,
  { column, rowCount, scratch }: { column: TypedColumn; rowCount: number; scratch: Scratch },
): ColumnRows {
  const { ids, values, nulls } = column;
  const nullCount = countNulls(column, rowCount);
  if (nullCount === 0)
    return { rowCount, valueCount: rowCount, selection: { values, indexes: ids, from: 0, to: rowCount } };
  if (!spec.nullable) {
    throw new DropgateError('internal', `Column "${spec.name}" is not nullable but has ${nullCount} NULLs.`);
  }
  const levels = scratch.levels.atLeast(rowCount);
  const indexes = scratch.present.atLeast(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) {
    const isPresent = ids ? ids[row] !== NULL_ID : nulls![row] === 0;
    levels[row] = isPresent ? 1 : 0;
    // Written in any case and kept only if present, which spares a branch that cannot be predicted.
    indexes[count] = ids ? ids[row] : row;
    if (isPresent) count++;
  }
  return { rowCount, valueCount: count, levels, selection: { values, indexes, from: 0, to: count } };
}

function countNulls({ ids, nulls, isFull }: TypedColumn, rowCount: number): number {
  if (isFull) return 0;
  if (ids) return countNullIds(ids, rowCount);
  let count = 0;
  if (nulls) for (let row = 0; row < rowCount; row++) count += nulls[row];
  return count;
}

function countNullIds(ids: Uint32Array, rowCount: number): number {
  // The common case costs one operation a row: ids are below 2^31, so that only NULL_ID sets the highest bit.
  let bits = 0;
  for (let row = 0; row < rowCount; row++) bits |= ids[row];
  if (bits >= 0) return 0;
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (ids[row] === NULL_ID) count++;
  return count;
}
