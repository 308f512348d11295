import { KnownDictionary, type Physical, type TypedColumn, type Vector } from '../base/vector.js';
import { CellBuffer } from './cell-buffer.js';
import { CellError } from './cell-error.js';
import { type CellWriter, cellWriter } from './cell-text.js';
import type { SqlDialect } from './engine.js';
import { JoinKernel } from './join-kernel.js';
import { matchColumns } from './match-columns.js';
import type { TargetColumn } from './parquet-source.js';
import { sourceTypeOfOwn } from './parquet-type.js';

/** The table that rows go into. */
export interface RowTarget {
  /** In the order that the rows shall have. */
  columns: readonly TargetColumn[];
  dialect: SqlDialect;
}

/** Of a character and what stands behind it; less would be rows of empty texts. */
const LEAST_CELL_BYTES = 2;
/** Cells of values beyond this are made anew for each file. */
const MAX_KEPT_BYTES = 4 << 20;

/** Why there is no text of some rows. */
class NoText extends Error {}

/**
 * Turns columns in memory into the COPY text that `copyText` makes of the Parquet file into which they are written. Values of
 * dictionaries that live from file to file become cells once.
 */
export class RowText {
  readonly #columns: RowColumn[];
  readonly #kernel: JoinKernel;

  private constructor(columns: RowColumn[], kernel: JoinKernel) {
    this.#columns = columns;
    this.#kernel = kernel;
  }

  /** Undefined when the columns of the files are not those of the table, and where there is no {@link JoinKernel}. */
  static for(columns: readonly TargetColumn[], { columns: wanted, dialect }: RowTarget): RowText | undefined {
    const found = matchColumns(wanted, {
      columns: [...columns.entries()],
      nameOf: ([, column]) => column.name,
    });
    if (columns.length !== wanted.length || found.size !== wanted.length) return undefined;
    const kernel = JoinKernel.open(wanted.length);
    if (!kernel) return undefined;
    const made: RowColumn[] = [];
    for (const target of wanted) {
      const [index, { type }] = found.get(target)!;
      const write = cellWriter({ source: sourceTypeOfOwn(type), target: target.type, dialect });
      if (!write) return undefined;
      made.push(
        new RowColumn({ index, cells: new CellMaker({ kernel, write, isLast: target === wanted.at(-1) }) }),
      );
    }
    return new RowText(made, kernel);
  }

  /**
   * Writes rows into `room` from `at` on.
   * @param data the columns of the file, in the order in which they were given
   * @returns where the text ends; undefined when there is no room for all of it, or when a column of the table cannot hold a
   *   value. What is written then is of no use
   */
  write(
    data: readonly TypedColumn[],
    { rowCount, room, at }: { rowCount: number; room: Uint8Array; at: number },
  ): number | undefined {
    const width = this.#columns.length;
    if (rowCount * width * LEAST_CELL_BYTES > room.length - at) return undefined;
    if (this.#isStale(data)) this.#forgetCells();
    try {
      for (const column of this.#columns) column.learn(data[column.index]);
      const blockRows = this.#kernel.blockCells / width;
      let end: number | undefined = at;
      for (let from = 0; from < rowCount && end !== undefined; from += blockRows)
        end = this.#writeBlock(data, { from, to: Math.min(rowCount, from + blockRows), room, at: end });
      return end;
    } catch (error) {
      if (error instanceof CellError || error instanceof NoText) return undefined;
      throw error;
    }
  }

  /** Writes some rows, and forgets the cells that only they have. Answers where they end. @throws CellError, NoText */
  #writeBlock(
    data: readonly TypedColumn[],
    { from, to, room, at }: { from: number; to: number; room: Uint8Array; at: number },
  ): number | undefined {
    const kernel = this.#kernel;
    const step = this.#columns.length;
    const kept = kernel.top;
    try {
      for (const [first, column] of this.#columns.entries())
        column.place(data[column.index], { from, to, first, step });
      return kernel.join((to - from) * step, room, at);
    } finally {
      kernel.truncate(kept);
    }
  }

  /** Has a dictionary begun anew, or have the cells become many? */
  #isStale(data: readonly TypedColumn[]): boolean {
    if (this.#kernel.byteLength > MAX_KEPT_BYTES) return true;
    return this.#columns.some((column) => column.isStale(data[column.index]));
  }

  #forgetCells(): void {
    this.#kernel.truncate(0);
    for (const column of this.#columns) column.forget();
  }
}

/** Makes the cells of one column, which are kept in the kernel. */
class CellMaker {
  readonly kernel: JoinKernel;
  readonly #write: CellWriter;
  /** They end the row. */
  readonly #isLast: boolean;
  readonly #one = new CellBuffer();

  constructor({ kernel, write, isLast }: { kernel: JoinKernel; write: CellWriter; isLast: boolean }) {
    this.kernel = kernel;
    this.#write = write;
    this.#isLast = isLast;
  }

  /** @throws CellError, NoText */
  make(value: unknown): number {
    this.#one.clear();
    this.#write(value, this.#one);
    return this.#keep();
  }

  /** @throws NoText */
  makeNull(): number {
    this.#one.clear();
    this.#one.pushNull();
    return this.#keep();
  }

  #keep(): number {
    const { bytes, offsets } = this.#one;
    if (this.#isLast) this.#one.endRows(0, 1);
    const cell = this.kernel.add(bytes, 0, offsets[1]);
    if (cell === undefined) throw new NoText();
    return cell;
  }
}

/** One column of the table. */
class RowColumn {
  /** Its place among the columns of the file. */
  readonly index: number;
  readonly #cells: CellMaker;
  /** The dictionary of which the cells are known. */
  #known: KnownDictionary | undefined;
  /** Cells by value: that of NULL, and behind it those of the dictionary. */
  #cellOf = new Uint32Array(64);
  /** Number of these. */
  #length = 0;
  /** Values that the column of the table cannot hold. They matter only where a row has one. */
  readonly #misfits = new Map<number, CellError>();

  constructor({ index, cells }: { index: number; cells: CellMaker }) {
    this.index = index;
    this.#cells = cells;
  }

  /** Are there cells of another dictionary than this? */
  isStale(column: TypedColumn): boolean {
    return column.ids !== undefined && this.#known !== undefined && !this.#known.isOf(column);
  }

  forget(): void {
    this.#known = undefined;
    this.#length = 0;
    this.#misfits.clear();
  }

  /** Makes the cells of values that are new in the dictionary, where there is one. @throws NoText */
  learn({ ids, values }: TypedColumn): void {
    if (!ids) return;
    if (this.#known === undefined) this.#begin(values);
    if (values.length + 1 > this.#cellOf.length) this.#grow(values.length + 1);
    while (this.#length <= values.length) {
      const cell = this.#cellOfValue(values, this.#length - 1);
      this.#cellOf[this.#length++] = cell;
    }
  }

  /** Puts the cells of the rows `from..to` in their places among those that are to be joined. @throws CellError, NoText */
  place({ ids, values, nulls }: TypedColumn, rows: Rows): void {
    if (ids) this.#placeIds(ids, rows);
    else this.#placeValues({ values, nulls }, rows);
  }

  #placeIds(ids: Uint32Array, { from, to, first, step }: Rows): void {
    if (this.#misfits.size > 0) this.#mustFit(ids.subarray(from, to));
    const cellOf = this.#cellOf;
    const places = this.#cells.kernel.ids;
    // The id of NULL is the largest number there is, and wraps around to 0.
    for (let row = from, place = first; row < to; row++, place += step)
      places[place] = cellOf[(ids[row] + 1) >>> 0];
  }

  #placeValues({ values, nulls }: TypedColumn, { from, to, first, step }: Rows): void {
    const cells = this.#cells;
    const valueAt = READERS[values.physical];
    for (let row = from, place = first; row < to; row++, place += step) {
      const cell = nulls?.[row] ? cells.makeNull() : cells.make(valueAt(values, row));
      cells.kernel.ids[place] = cell;
    }
  }

  /** That of NULL for one that the table cannot hold. */
  #cellOfValue(values: Vector, value: number): number {
    try {
      return this.#cells.make(READERS[values.physical](values, value));
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      this.#misfits.set(value, error);
      return this.#cellOf[0];
    }
  }

  #mustFit(ids: Uint32Array): void {
    const value = ids.find((id) => this.#misfits.has(id));
    if (value !== undefined) throw this.#misfits.get(value)!;
  }

  #begin(values: Vector): void {
    this.#cellOf[0] = this.#cells.makeNull();
    this.#length = 1;
    this.#known = new KnownDictionary(values);
  }

  #grow(needed: number): void {
    const next = new Uint32Array(needed * 2);
    next.set(this.#cellOf.subarray(0, this.#length));
    this.#cellOf = next;
  }
}

/** Some rows of the file, and where the cells of a column go: to `first`, and every `step` places behind it. */
interface Rows {
  from: number;
  to: number;
  first: number;
  step: number;
}

/** A value as Parquet stores it; see `CellWriter`. */
const READERS: Record<Physical, (values: Vector, index: number) => unknown> = {
  boolean: (values, index) => values.bytes[index] === 1,
  int32: (values, index) => values.int32At(index),
  int64: (values, index) => values.bigIntAt(index),
  float: (values, index) => values.floatAt(index),
  double: (values, index) => values.doubleAt(index),
  bytes: (values, index) => values.bytesAt(index),
  fixed: (values, index) => values.bytesAt(index),
};
