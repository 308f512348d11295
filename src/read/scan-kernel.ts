import { isKernelRefusal, openKernel } from '../base/kernel.js';

/** What `kernel/scan.ts` exports; all places are offsets in its memory, in bytes. */
interface KernelExports {
  memory: WebAssembly.Memory;
  chunkAt(): number;
  chunkBytes(): number;
  headerAt(): number;
  headerBytes(): number;
  rowStartsAt(): number;
  rowEndsAt(): number;
  breakPairsAt(): number;
  targetAt(column: number): number;
  stopsAt(column: number): number;
  rowCount(): number;
  breakPairCount(): number;
  isStopped(): number;
  open(delimiter: number, quote: number, width: number, maxRows: number): void;
  forget(): void;
  setColumn(column: number, mode: number): void;
  begin(headerLength: number, trailing: number): void;
  scan(length: number, windowStart: number, firstRow: number, rowLimit: number): number;
}

/** What the kernel asks for while it scans. Places are those of the scanned window. */
export interface KernelHost {
  /** The number of the value at `start..stop`, which the kernel does not know. */
  numberOf(column: number, start: number, stop: number): number;
  /** Takes a cell with doubled quotes; answers its number, or in plain mode its number among the cells that are set aside. */
  takeDoubled(column: number, start: number, stop: number): number;
}

export interface KernelOptions {
  /** A byte, or -1 where there is none. */
  delimiter: number;
  quote: number;
  width: number;
}

/** How a column is scanned: into the numbers of its values, or into the places of its cells. One that is never set is passed over. */
export const COLUMN_MODE = { dictionary: 1, plain: 2 } as const;

/** For the kernel, no byte. */
const NO_BYTE = 256;

/** The inner loops of the scanner in WebAssembly, with a memory of their own: see `kernel/scan.ts`. */
export class ScanKernel {
  readonly #exports: KernelExports;
  readonly #options: KernelOptions;
  /** Rows that there is room for. */
  #rows = 0;
  #bytes = new Uint8Array(0);

  private constructor(exports: KernelExports, options: KernelOptions) {
    this.#exports = exports;
    this.#options = options;
  }

  /** A kernel for one kind of file; undefined where the processor has no SIMD, or the system no memory for it. */
  static open(options: KernelOptions, host: KernelHost): ScanKernel | undefined {
    try {
      return new ScanKernel(openKernel<KernelExports>('scan', { scanner: { ...host } }), options);
    } catch (error) {
      if (isKernelRefusal(error)) return undefined;
      throw error;
    }
  }

  /**
   * Makes room for so many rows. Where there was not enough, all is laid out anew: columns are to be set again and arrays to be
   * asked for again.
   * @returns `refused` when the system has no memory for it; the kernel is of no use then
   */
  makeRoom(rows: number): 'there' | 'made' | 'refused' {
    if (rows <= this.#rows) return 'there';
    const { delimiter, quote, width } = this.#options;
    this.#rows = rows;
    try {
      this.#exports.open(byteOrNone(delimiter), byteOrNone(quote), width, rows);
      return 'made';
    } catch (error) {
      if (isKernelRefusal(error)) return 'refused';
      throw error;
    }
  }

  /** Bytes of text that it scans at a time. */
  get chunkBytes(): number {
    return this.#exports.chunkBytes();
  }

  /** Longest header line that it can compare with. */
  get maxHeaderBytes(): number {
    return this.#exports.headerBytes();
  }

  /** Rows of the batch after the last scan. */
  get rowCount(): number {
    return this.#exports.rowCount();
  }

  /** Did the last scan end at a record that the kernel cannot take? */
  get isStopped(): boolean {
    return this.#exports.isStopped() !== 0;
  }

  /** Was the memory replaced by a larger one, so that all arrays are to be asked for again? */
  get hasMoved(): boolean {
    return this.#bytes.buffer !== this.#exports.memory.buffer;
  }

  /** The memory as it is now is the one whose arrays are in use. */
  settle(): void {
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
  }

  get rowStarts(): Uint32Array<ArrayBuffer> {
    return this.#array(this.#exports.rowStartsAt(), this.#rows);
  }

  get rowEnds(): Uint32Array<ArrayBuffer> {
    return this.#array(this.#exports.rowEndsAt(), this.#rows);
  }

  /** By row: the number of a column's value, or where its cell begins. */
  targetOf(column: number): Uint32Array<ArrayBuffer> {
    return this.#array(this.#exports.targetAt(column), this.#rows);
  }

  /** By row: where a column's cell ends. */
  stopsOf(column: number): Uint32Array<ArrayBuffer> {
    return this.#array(this.#exports.stopsAt(column), this.#rows);
  }

  /** Pairs of a row that the last scan took and how many line breaks are inside of it. */
  get breakPairs(): Uint32Array<ArrayBuffer> {
    return this.#array(this.#exports.breakPairsAt(), this.#exports.breakPairCount() * 2);
  }

  /** Says how a column is scanned from now on. */
  setColumn(column: number, mode: (typeof COLUMN_MODE)[keyof typeof COLUMN_MODE]): void {
    this.#exports.setColumn(column, mode);
  }

  /** Forgets the numbers of all values. */
  forget(): void {
    this.#exports.forget();
  }

  /** Begins a batch: lines equal to `header` are no rows, and records may end with so many empty cells more. */
  begin(header: Uint8Array | undefined, trailing: number): void {
    if (header !== undefined) this.#bytes.set(header, this.#exports.headerAt());
    this.#exports.begin(header?.length ?? -1, trailing);
  }

  /**
   * Takes regular records of `text`, which stands at `windowStart` of the window, as rows from `firstRow` on, until there are
   * `rowLimit`. Answers how many bytes were taken.
   */
  scan(text: Uint8Array, at: { windowStart: number; firstRow: number; rowLimit: number }): number {
    this.#bytes.set(text, this.#exports.chunkAt());
    return this.#exports.scan(text.length, at.windowStart, at.firstRow, at.rowLimit);
  }

  #array(at: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#exports.memory.buffer, at, length);
  }
}

function byteOrNone(byte: number): number {
  return byte < 0 ? NO_BYTE : byte;
}
