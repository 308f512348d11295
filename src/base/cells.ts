import { Vector } from './vector.js';

/** Cells of one column: cell i is `bytes[starts[i] .. ends[i])`, and four bytes can be loaded wherever one of them lies. */
export interface CellSource {
  bytes: Uint8Array;
  /** The bytes as numbers. */
  view: DataView;
  starts: Uint32Array;
  ends: Uint32Array;
}

/**
 * Reads the cells `from..to` of a source and appends a value for each of them to `target`, up to the first cell that is not
 * in the plain form that it knows: that one and those behind it are left alone. Answers how far it came.
 */
export type CellReader = (target: Vector, source: CellSource, range: { from: number; to: number }) => number;

/**
 * The cells of one column of a batch, left where the scanner found them. Only text that does not stand in the scanned
 * buffer as it should, such as a cell with doubled quotes, is copied: it is set aside.
 */
export class Cells implements CellSource {
  bytes: Uint8Array = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  /** Of a cell that was set aside, its number among those plus 1; its end is then before its start. */
  starts = new Uint32Array(0);
  ends = new Uint32Array(0);
  readonly #aside = new Vector('bytes', 16);
  #asideSource: CellSource = { bytes: NOTHING, view: this.view, starts: this.starts, ends: this.ends };

  /** Begins a batch of cells that stand in a buffer, `view` being the same memory. */
  begin(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
    this.#aside.clear();
  }

  /** Makes room for so many rows. */
  grow(rows: number): void {
    if (this.starts.length >= rows) return;
    this.starts = enlarged(this.starts, rows);
    this.ends = enlarged(this.ends, rows);
  }

  /** Has the places of the cells in these arrays from now on. */
  use(starts: Uint32Array<ArrayBuffer>, ends: Uint32Array<ArrayBuffer>): void {
    this.starts = starts;
    this.ends = ends;
  }

  /** Puts a cell that stands in the buffer. */
  put(row: number, start: number, stop: number): void {
    this.starts[row] = start;
    this.ends[row] = stop;
  }

  /** Puts a cell that is not in the buffer as it should be. */
  putAside(row: number, source: Uint8Array, place: { start: number; stop: number }): void {
    this.starts[row] = this.setAside(source, place);
    this.ends[row] = 0;
  }

  /** Copies a cell that is not in the buffer as it should be. Answers what its start is to be; its end is then 0. */
  setAside(source: Uint8Array, { start, stop }: { start: number; stop: number }): number {
    this.#aside.pushBytes(source, start, stop);
    return this.#aside.length;
  }

  /** Was the cell of a row set aside? */
  isAside(row: number): boolean {
    return this.ends[row] < this.starts[row];
  }

  /** Where the cell of `row`, which was set aside, and those below it are that were so next: in which source, and as which of its cells. */
  findAside(row: number, rowCount: number): { source: CellSource; from: number; to: number } {
    const from = this.starts[row] - 1;
    let to = from + 1;
    // A record that was given up half-way leaves cells behind that are no row's.
    for (let next = row + 1; next < rowCount && this.ends[next] === 0 && this.starts[next] === to + 1; next++)
      to++;
    return { source: this.#setAside(), from, to };
  }

  /** Where the cell of a row is: in which source, and as which of its cells. */
  find(row: number): { source: CellSource; index: number } {
    if (!this.isAside(row)) return { source: this, index: row };
    return { source: this.#setAside(), index: this.starts[row] - 1 };
  }

  /** The cells that were set aside. Made anew only when their memory is another. */
  #setAside(): CellSource {
    const { bytes, view, offsets } = this.#aside;
    if (this.#asideSource.bytes !== bytes || this.#asideSource.starts !== offsets)
      this.#asideSource = { bytes, view, starts: offsets, ends: offsets.subarray(1) };
    return this.#asideSource;
  }

  /** The bytes of the cell of a row, without a copy. */
  bytesAt(row: number): Uint8Array {
    const { source, index } = this.find(row);
    return source.bytes.subarray(source.starts[index], source.ends[index]);
  }

  /** The cell of a row as text. */
  textAt(row: number): string {
    const { buffer, byteOffset, length } = this.bytesAt(row);
    return Buffer.from(buffer, byteOffset, length).toString('utf8');
  }
}

const NOTHING = new Uint8Array(0);

function enlarged(array: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(size);
  next.set(array);
  return next;
}
