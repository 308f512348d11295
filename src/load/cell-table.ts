import { CellBuffer } from './cell-buffer.js';

/** Pairs stay few enough to lie in the processor's cache. */
const MAX_PAIRS = 4096;
/** Of fewer rows, making the pairs takes longer than they save. */
const MANY_ROWS = 8192;

/** A column of a {@link CellTable}: row r holds the cell `ids[start + r]`, one of `count` cells from `first` on. */
export interface CellColumn {
  start: number;
  first: number;
  count: number;
}

/** The rows of a row group as cells of COPY text. Equal values of a column share a cell. Used again for the next group. */
export class CellTable {
  readonly cells = new CellBuffer();
  /** Cells of all rows, one column behind the other. */
  ids = new Uint32Array(0);
  columns: CellColumn[] = [];
  rows = 0;
  #levels = new Uint32Array(0);

  /** Makes room for a row group. */
  reset({ columns, rows }: { columns: number; rows: number }): void {
    this.cells.clear();
    this.columns = [];
    this.rows = rows;
    if (this.ids.length < columns * rows) this.ids = new Uint32Array(columns * rows);
  }

  /** Room for a definition level of each of `count` rows; always the same place. */
  levelsFor(count: number): Uint32Array {
    if (this.#levels.length < count) this.#levels = new Uint32Array(count);
    return this.#levels;
  }

  /** Where the ids of the next column go. */
  get nextStart(): number {
    return this.columns.length * this.rows;
  }

  /** Adds a column whose ids stand at {@link nextStart}, and whose cells are those from `first` on. */
  addColumn(first: number): void {
    this.columns.push({ start: this.nextStart, first, count: this.cells.length - first });
  }

  /** All columns are there: what has to be done before rows are written. */
  finish(): void {
    if (this.rows >= MANY_ROWS) this.#pair();
    const last = this.columns.at(-1);
    if (last) this.cells.endRows(last.first, last.count);
  }

  /**
   * Neighbours of few values become one column of their pairs, again and again: copying one cell of ten bytes takes
   * little longer than one of three.
   */
  #pair(): void {
    const paired: CellColumn[] = [];
    for (const column of this.columns) {
      const left = paired.at(-1);
      if (left && left.count * column.count <= MAX_PAIRS)
        paired[paired.length - 1] = this.#pairOf(left, column);
      else paired.push(column);
    }
    this.columns = paired;
  }

  #pairOf(left: CellColumn, right: CellColumn): CellColumn {
    const { cells, ids, rows } = this;
    const first = cells.length;
    for (let i = 0; i < left.count; i++) {
      for (let j = 0; j < right.count; j++) cells.pushPair(left.first + i, right.first + j);
    }
    for (let row = 0; row < rows; row++) {
      const place = left.start + row;
      ids[place] = first + (ids[place] - left.first) * right.count + (ids[right.start + row] - right.first);
    }
    return { start: left.start, first, count: left.count * right.count };
  }
}
