import { type ColumnSpec, physicalOf, type TypedColumn, Vector } from '../base/vector.js';

/** Bytes of plain values after which a row group is closed, whatever its rows; fewer where many vectors have room to spare. */
const MAX_PLAIN_BYTES = 64 << 20;
const MAX_PLAIN_BYTES_WHEN_WIDE = 32 << 20;
const WIDE_COLUMNS = 256;

/**
 * Gathers good rows of several batches into one row group. A column keeps the mode of the group's first batch; the
 * group must be closed before a column changes it.
 */
export class RowGroupBuilder {
  readonly #columns: TypedColumn[];
  readonly #specs: readonly ColumnSpec[];
  readonly #maxRows: number;
  #rowCount = 0;

  constructor(specs: readonly ColumnSpec[], maxRows: number) {
    this.#specs = specs;
    this.#maxRows = maxRows;
    this.#columns = specs.map((spec) => ({ values: new Vector(physicalOf(spec.type), 0) }));
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The columns of the group so far; valid until the next call of `add` or `clear`. */
  get columns(): TypedColumn[] {
    return this.#columns;
  }

  /** Is it time to close the group? */
  get isFull(): boolean {
    if (this.#rowCount >= this.#maxRows) return true;
    let bytes = 0;
    for (const column of this.#columns) if (!column.ids) bytes += column.values.byteLength;
    return bytes >= (this.#columns.length > WIDE_COLUMNS ? MAX_PLAIN_BYTES_WHEN_WIDE : MAX_PLAIN_BYTES);
  }

  /** Does a batch's columns agree in mode with what the group holds? */
  accepts(batch: readonly TypedColumn[]): boolean {
    return (
      this.#rowCount === 0 ||
      batch.every(({ ids }, i) => (ids === undefined) === (this.#columns[i].ids === undefined))
    );
  }

  /**
   * Takes the rows `from..` of a batch whose flag is 0, as many as the group has room for. Answers the row where
   * the next group goes on.
   */
  add(batch: readonly TypedColumn[], range: { from: number; rowCount: number; flags: Uint8Array }): number {
    const rows = pickRows(range, this.#maxRows - this.#rowCount);
    for (let i = 0; i < batch.length; i++) {
      const target = this.#columnFor(i, batch[i], rows.count);
      if (target.ids) appendIds(target.ids, this.#rowCount, { ids: batch[i].ids!, rows });
      else appendValues(target, this.#rowCount, { column: batch[i], rows });
    }
    this.#rowCount += rows.count;
    return rows.next;
  }

  /** Begins a new group. */
  clear(): void {
    this.#rowCount = 0;
  }

  #columnFor(index: number, source: TypedColumn, wanted: number): TypedColumn {
    const column = this.#columns[index];
    if (this.#rowCount > 0 && (column.ids === undefined) === (source.ids === undefined)) {
      if (column.ids) column.ids = withRoom(column.ids, this.#rowCount, wanted);
      column.isFull &&= source.isFull;
      return column;
    }
    if (source.ids) {
      // The dictionary is the converter's own; only the ids belong to the group.
      column.values = source.values;
      column.ids = withRoom(this.#spareIds[index] ?? column.ids ?? new Uint32Array(0), 0, wanted);
      this.#spareIds[index] = column.ids;
      column.nulls = undefined;
      column.isFull = source.isFull;
      return column;
    }
    if (column.ids) {
      column.ids = undefined;
      column.values = new Vector(physicalOf(this.#specs[index].type), 64);
    }
    column.values.clear();
    column.nulls = undefined;
    column.isFull = undefined;
    return column;
  }

  readonly #spareIds: Uint32Array[] = [];
}

/** Stretches of rows next to each other. */
interface PickedRows {
  /** Where each stretch begins and where it ends, one after the other. */
  bounds: number[];
  count: number;
  next: number;
}

/** The rows `from..` whose flag is 0, at most `room` of them. */
function pickRows(
  { from, rowCount, flags }: { from: number; rowCount: number; flags: Uint8Array },
  room: number,
): PickedRows {
  const bounds: number[] = [];
  let count = 0;
  let row = from;
  while (row < rowCount && count < room) {
    const start = row;
    while (row < rowCount && flags[row] === 0 && count < room) {
      row++;
      count++;
    }
    if (row > start) bounds.push(start, row);
    while (row < rowCount && flags[row] !== 0) row++;
  }
  return { bounds, count, next: row };
}

function withRoom(ids: Uint32Array, used: number, wanted: number): Uint32Array {
  if (ids.length >= used + wanted) return ids;
  const next = new Uint32Array(Math.max(used + wanted, ids.length * 2));
  next.set(ids.subarray(0, used));
  return next;
}

function appendIds(target: Uint32Array, at: number, source: { ids: Uint32Array; rows: PickedRows }): void {
  const { ids, rows } = source;
  for (let i = 0; i < rows.bounds.length; i += 2) {
    const [start, end] = [rows.bounds[i], rows.bounds[i + 1]];
    target.set(ids.subarray(start, end), at);
    at += end - start;
  }
}

function appendValues(
  target: TypedColumn,
  at: number,
  source: { column: TypedColumn; rows: PickedRows },
): void {
  const { column, rows } = source;
  const { bounds } = rows;
  for (let i = 0; i < bounds.length; i += 2) target.values.pushRange(column.values, bounds[i], bounds[i + 1]);
  if (column.nulls === undefined && target.nulls === undefined) return;
  const nulls = new Uint8Array(at + rows.count);
  if (target.nulls) nulls.set(target.nulls.subarray(0, at));
  target.nulls = nulls;
  if (!column.nulls) return;
  for (let i = 0; i < bounds.length; i += 2) {
    nulls.set(column.nulls.subarray(bounds[i], bounds[i + 1]), at);
    at += bounds[i + 1] - bounds[i];
  }
}
