import { isUtf8 } from 'node:buffer';
import { DropgateError } from '../base/errors.js';
import { type FoundEncoding, lastCharacterEnd, sourceLength } from './encoding.js';
import type { ByteSource } from './file-source.js';
import { type Scanner, SENTINEL_BYTES } from './scanner.js';

/** Bytes that are read at once. The first block is smaller, so that a column can leave dictionary mode early. */
export const FIRST_BLOCK_BYTES = 1 << 20;
export const BLOCK_BYTES = 8 << 20;

/** A window that grew beyond this for one long row is given back. */
const MAX_SPARE_BYTES = 4 * BLOCK_BYTES;

/** Thrown when a file that looked like UTF-8 turns out not to be; the reader starts again with another encoding. */
export class NotUtf8 extends Error {
  /** Offset in the file of the first byte that cannot be decoded. */
  readonly byteOffset: number;

  constructor(byteOffset: number) {
    super(`not UTF-8 at byte ${byteOffset}`);
    this.byteOffset = byteOffset;
  }
}

/** Growing window over the decoded text of a file, with room for the scanner's sentinel. */
export class TextWindow {
  buffer: Uint8Array;
  /** The unread text is `buffer[from..end)`. */
  from = 0;
  end = 0;
  /** Nothing follows `end`. */
  final = false;

  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity + SENTINEL_BYTES);
  }

  /** Empties the window, keeping memory unless it became very large. */
  reset(capacity: number): void {
    const size = capacity + SENTINEL_BYTES;
    if (this.buffer.length < size || this.buffer.length > MAX_SPARE_BYTES) this.buffer = new Uint8Array(size);
    this.from = 0;
    this.end = 0;
    this.final = false;
  }

  /** Room for new bytes at `end`. */
  get room(): number {
    return this.buffer.length - SENTINEL_BYTES - this.end;
  }

  /** Makes room for `bytes` more, moving what is unread to the front. */
  makeRoom(bytes: number): void {
    if (this.from > 0) {
      this.buffer.copyWithin(0, this.from, this.end);
      this.end -= this.from;
      this.from = 0;
    }
    if (this.room >= bytes) return;
    const next = new Uint8Array(this.end + bytes + SENTINEL_BYTES);
    next.set(this.buffer.subarray(0, this.end));
    this.buffer = next;
  }
}

/** Where a record stands in its file. */
export interface Place {
  /** 1 for the first line of the file. */
  line: number;
  /** Offset of the first byte in the file (decompressed, if it was gzip); -1 where the encoding does not tell. */
  byteOffset: number;
}

export interface BatchReaderOptions {
  source: ByteSource;
  window: TextWindow;
  encoding: FoundEncoding;
  maxRowBytes: number;
  /** Line number of the first record. */
  firstLine: number;
  /** Offset in the file of `window.from`. */
  firstOffset: number;
  /** Bytes at the end of the window that begin a character and wait for its rest (UTF-8). */
  unprovenBytes: number;
}

/** Feeds a scanner block by block and knows the line and the offset of every record of the current batch. */
export class BatchReader {
  readonly #options: BatchReaderOptions;
  readonly #window: TextWindow;
  /** Line and offset in the file of the current batch's first byte. */
  #batchLine: number;
  #batchOffset: number;
  #batchStart: number;
  #readSoFar = 0;
  /** Bytes at the end of the window that begin a character and wait for its rest. */
  #unprovenBytes: number;

  constructor(options: BatchReaderOptions) {
    this.#options = options;
    this.#window = options.window;
    this.#batchLine = options.firstLine;
    this.#batchOffset = options.firstOffset;
    this.#batchStart = options.window.from;
    this.#unprovenBytes = options.unprovenBytes;
  }

  /** The buffer that the scanner's offsets point into. */
  get buffer(): Uint8Array {
    return this.#window.buffer;
  }

  /** Has the whole file been scanned? */
  get isFinished(): boolean {
    return this.#window.final && this.#window.from >= this.#window.end;
  }

  /** Decoded bytes taken from the source so far. */
  get bytesRead(): number {
    return this.#readSoFar;
  }

  /**
   * Scans the next batch. Answers false at the end of the file. A batch may be without rows.
   * Errors: `row_too_long`, `bad_encoding`, those of the source; {@link NotUtf8}.
   */
  async next(scanner: Scanner): Promise<boolean> {
    const window = this.#window;
    if (window.final && window.from >= window.end) return false;
    for (;;) {
      const from = window.from;
      const next = scanner.scan(window.buffer, from, window.end, window.final);
      if (next > from || window.final) {
        this.#batchStart = from;
        window.from = next;
        return true;
      }
      this.#refuseLongRow();
      const more = this.#readBlock();
      if (more !== undefined) await more;
    }
  }

  /** Must be called when the current batch has been used up: moves on line and offset. */
  finishBatch(scanner: Scanner): void {
    this.#batchOffset = this.#offsetOf(this.#window.from);
    this.#batchLine += scanner.lineBreaks;
    this.#batchStart = this.#window.from;
  }

  /** Where in the file a record of the current batch stands. */
  place(linesBefore: number, bufferOffset: number): Place {
    return { line: this.#batchLine + linesBefore, byteOffset: this.#offsetOf(bufferOffset) };
  }

  #offsetOf(bufferOffset: number): number {
    const { label } = this.#options.encoding;
    if (label === 'utf-8') return this.#batchOffset + bufferOffset - this.#batchStart;
    const length = sourceLength(label, this.#window.buffer.subarray(this.#batchStart, bufferOffset));
    return length === undefined || this.#batchOffset < 0 ? -1 : this.#batchOffset + length;
  }

  #refuseLongRow(): void {
    const length = this.#window.end - this.#window.from;
    if (length <= this.#options.maxRowBytes) return;
    throw new DropgateError(
      'row_too_long',
      `line ${this.#batchLine}: the record is longer than ${this.#options.maxRowBytes} bytes (limits.max_row_bytes)`,
    );
  }

  #readBlock(): Promise<void> | undefined {
    const window = this.#window;
    window.makeRoom(BLOCK_BYTES);
    const count = this.#options.source.fill(window.buffer, window.end, window.room);
    if (typeof count === 'number') {
      this.#accept(count);
      return undefined;
    }
    return count.then((length) => this.#accept(length));
  }

  #accept(count: number): void {
    const window = this.#window;
    const start = window.end;
    window.end += count;
    window.final = count === 0;
    this.#readSoFar += count;
    if (this.#options.encoding.label === 'utf-8') this.#proveUtf8(start);
  }

  /** Proves the new bytes valid, up to the last whole character; what is left over is proven with the next block. */
  #proveUtf8(start: number): void {
    const window = this.#window;
    const from = start - this.#unprovenBytes;
    const block = window.buffer.subarray(from, window.end);
    const complete = window.final ? block : block.subarray(0, lastCharacterEnd(block));
    if (!isUtf8(complete)) throw new NotUtf8(this.#offsetOf(from + firstInvalid(complete)));
    this.#unprovenBytes = block.length - complete.length;
  }
}

/** Offset of the first byte that is not valid UTF-8. */
export function firstInvalid(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const head = bytes.subarray(0, middle);
    if (isUtf8(head.subarray(0, lastCharacterEnd(head)))) low = middle;
    else high = middle;
  }
  return lastCharacterEnd(bytes.subarray(0, low));
}
