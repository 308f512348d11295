import { type ColumnSpec, physicalOf, type TypedColumn, Vector } from '../base/vector.js';

/** Bytes of plain values after which a row group is closed, whatever its rows. */
const MAX_PLAIN_BYTES = 64 << 20;

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
    return bytes >= MAX_PLAIN_BYTES;
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
    const rows = this.#pick(range);
    for (let i = 0; i < batch.length; i++) {
      const target = this.#columnFor(i, batch[i]);
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

  #picked = new Uint32Array(0);

  #pick({ from, rowCount, flags }: { from: number; rowCount: number; flags: Uint8Array }): PickedRows {
    const room = this.#maxRows - this.#rowCount;
    if (this.#picked.length < rowCount) this.#picked = new Uint32Array(rowCount);
    const picked = this.#picked;
    let count = 0;
    let row = from;
    for (; row < rowCount && count < room; row++) if (flags[row] === 0) picked[count++] = row;
    return { rows: picked, count, next: row };
  }

  #columnFor(index: number, source: TypedColumn): TypedColumn {
    const column = this.#columns[index];
    if (this.#rowCount > 0 && (column.ids === undefined) === (source.ids === undefined)) {
      if (column.ids) column.ids = withRoom(column.ids, this.#rowCount, this.#picked.length);
      return column;
    }
    if (source.ids) {
      // The dictionary is the converter's own; only the ids belong to the group.
      column.values = source.values;
      column.ids = withRoom(
        this.#spareIds[index] ?? column.ids ?? new Uint32Array(0),
        0,
        this.#picked.length,
      );
      this.#spareIds[index] = column.ids;
      column.nulls = undefined;
      return column;
    }
    if (column.ids) {
      column.ids = undefined;
      column.values = new Vector(physicalOf(this.#specs[index].type), 1024);
    }
    column.values.clear();
    column.nulls = undefined;
    return column;
  }

  readonly #spareIds: Uint32Array[] = [];
}

interface PickedRows {
  rows: Uint32Array;
  count: number;
  next: number;
}

function withRoom(ids: Uint32Array, used: number, wanted: number): Uint32Array {
  if (ids.length >= used + wanted) return ids;
  const next = new Uint32Array(Math.max(used + wanted, ids.length * 2));
  next.set(ids.subarray(0, used));
  return next;
}

function appendIds(target: Uint32Array, at: number, source: { ids: Uint32Array; rows: PickedRows }): void {
  const { ids, rows } = source;
  for (let i = 0; i < rows.count; i++) target[at + i] = ids[rows.rows[i]];
}

function appendValues(
  target: TypedColumn,
  at: number,
  source: { column: TypedColumn; rows: PickedRows },
): void {
  const { column, rows } = source;
  for (let i = 0; i < rows.count; i++) target.values.pushFrom(column.values, rows.rows[i]);
  if (column.nulls === undefined && target.nulls === undefined) return;
  const nulls = new Uint8Array(at + rows.count);
  if (target.nulls) nulls.set(target.nulls.subarray(0, at));
  if (column.nulls) for (let i = 0; i < rows.count; i++) nulls[at + i] = column.nulls[rows.rows[i]];
  target.nulls = nulls;
}
