import { DropgateError } from '../base/errors.js';
import { refuseVoid } from './find-table.js';
import { type Habits, NO_HABITS } from './habits.js';
import type { Scanner } from './scanner.js';
import type { TextFeed, TextWindow } from './text-feed.js';
import { sourceLength } from './transcode.js';

export { type FilePart, NotUtf8, TextFeed, TextWindow } from './text-feed.js';

/** Thrown when the last record of a part of a file goes on behind it: it was not cut where a record begins. */
export class BrokenPart extends Error {}

/** Where a record stands in its file. */
export interface Place {
  /** 1 for the first line of the file. */
  line: number;
  /** Offset of the first byte in the file (decompressed, if it was gzip); -1 where the encoding does not tell. */
  byteOffset: number;
}

export interface BatchReaderOptions {
  feed: TextFeed;
  maxRowBytes: number;
  /** Line number of the first record. */
  firstLine: number;
  /** Offset in the file of the first unread byte. */
  firstOffset: number;
  /** Bytes that are read at once. */
  blockBytes: number;
  /** The header line, whose repetitions are no rows; see {@link Scanner.headerLine}. */
  headerLine?: Uint8Array;
  /** See {@link Scanner.trailingDelimiters}. */
  trailingDelimiters?: number;
  /** See {@link Scanner.habits}. */
  habits?: Habits;
  /** Where the head of the file holds these characters alone: it is no table unless others follow. */
  onlyMarks?: string;
}

/** How records are told from other lines, and read when they break the rules. Plain data. */
export type RecordRules = Pick<BatchReaderOptions, 'headerLine' | 'trailingDelimiters' | 'habits'>;

/** Feeds a scanner block by block and knows the line and the offset of every record of the current batch. */
export class BatchReader {
  readonly #options: BatchReaderOptions;
  readonly #feed: TextFeed;
  readonly #window: TextWindow;
  /** Line of the current batch's first byte. */
  #batchLine: number;
  /** Where the current batch begins in the window's buffer, and in the file. */
  #batchStart: number;
  #batchOffset: number;
  /** A place in the current batch whose offset is known: offsets are mostly asked for in order. */
  #knownAt: number;
  #knownOffset: number;
  /** See {@link BatchReaderOptions.onlyMarks}; undefined as soon as others were found. */
  #onlyMarks: Uint8Array | undefined;

  constructor(options: BatchReaderOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#window = options.feed.window;
    this.#batchLine = options.firstLine;
    this.#batchStart = this.#window.from;
    this.#batchOffset = options.firstOffset;
    this.#knownAt = this.#batchStart;
    this.#knownOffset = this.#batchOffset;
    if (options.onlyMarks !== undefined) this.#onlyMarks = Buffer.from(options.onlyMarks);
  }

  /** The buffer that the scanner's offsets point into. */
  get buffer(): Uint8Array {
    return this.#window.buffer;
  }

  /** Readers of parts of the file need the same rules. */
  get rules(): RecordRules {
    const { headerLine, trailingDelimiters, habits } = this.#options;
    return { headerLine, trailingDelimiters, habits };
  }

  /** Is there nothing so far but empty cells? */
  get isVoid(): boolean {
    return this.#onlyMarks !== undefined;
  }

  /** Has the whole file, or part of it, been scanned? */
  get isFinished(): boolean {
    return (this.#window.final || this.#feed.isPart) && this.#window.from >= this.#window.end;
  }

  /** Decoded bytes taken from the source so far. */
  get bytesRead(): number {
    return this.#window.base + this.#window.end;
  }

  /**
   * Scans the next batch. Answers false at the end of the file. A batch may be without rows.
   * Errors: `row_too_long`, `empty_file` at the end of a file of empty cells, those of the source; {@link NotUtf8},
   * {@link BrokenPart}.
   */
  async next(scanner: Scanner): Promise<boolean> {
    const window = this.#window;
    if (this.isFinished) return false;
    for (;;) {
      const from = window.from;
      const next = this.#scan(scanner);
      if (next > from || window.final) {
        this.#startBatch(from);
        window.from = next;
        if (this.#onlyMarks) this.#refuseVoid(this.#onlyMarks, from);
        return true;
      }
      if (this.#feed.isPart) throw new BrokenPart(`at byte ${this.#offsetOf(from)}`);
      const more = this.#feed.readMore(this.#options.blockBytes);
      if (more !== undefined) await more;
    }
  }

  /** Must be called when the current batch has been used up: moves on line and offset. */
  finishBatch(scanner: Scanner): void {
    this.#batchOffset = this.#offsetOf(this.#window.from);
    this.#batchLine += scanner.lineBreaks;
    this.#startBatch(this.#window.from);
  }

  /** Where in the file a record of the current batch stands. */
  place(linesBefore: number, bufferOffset: number): Place {
    return { line: this.#batchLine + linesBefore, byteOffset: this.#offsetOf(bufferOffset) };
  }

  #refuseVoid(marks: Uint8Array, from: number): void {
    const text = this.#window.buffer.subarray(from, this.#window.from);
    if (text.some((byte) => !marks.includes(byte))) this.#onlyMarks = undefined;
    else if (this.isFinished) refuseVoid();
  }

  #startBatch(at: number): void {
    this.#batchStart = at;
    this.#knownAt = at;
    this.#knownOffset = this.#batchOffset;
  }

  #offsetOf(bufferOffset: number): number {
    const { label } = this.#feed.encoding;
    if (label === 'utf-8') return this.#batchOffset + bufferOffset - this.#batchStart;
    if (bufferOffset < this.#knownAt) this.#startBatch(this.#batchStart);
    this.#knownOffset += sourceLength(label, this.#window.buffer.subarray(this.#knownAt, bufferOffset));
    this.#knownAt = bufferOffset;
    return this.#knownOffset;
  }

  /** Scans what is in the window. Answers where the next batch begins: `from` when more text is needed. */
  #scan(scanner: Scanner): number {
    const { buffer, from, end, final } = this.#window;
    scanner.undecodable = this.#feed.undecodable();
    scanner.headerLine = this.#options.headerLine;
    scanner.trailingDelimiters = this.#options.trailingDelimiters ?? 0;
    scanner.habits = this.#options.habits ?? NO_HABITS;
    const next = scanner.scan(buffer, from, end, final);
    if (next > from || final || this.#feed.isPart || end - from <= this.#options.maxRowBytes) return next;
    // No record is that long; a quote gone astray makes it seem so, and costs its own line.
    const skipped = scanner.skipLine(buffer, from, end);
    if (skipped > from) return skipped;
    throw new DropgateError(
      'row_too_long',
      `line ${this.#batchLine}: the record is longer than ${this.#options.maxRowBytes} bytes (limits.max_row_bytes)`,
    );
  }
}
