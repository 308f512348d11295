import { DropgateError } from '../base/errors.js';
import { detectEncoding, type FoundEncoding } from './encoding.js';
import { type ByteSource, type FileSource, GunzipSource } from './file-source.js';
import { SENTINEL_BYTES } from './scanner.js';
import { surveyEncoding } from './survey.js';
import { decode, TranscodingSource } from './transcode.js';
import { findEscapes, findInvalidUtf8, lastCharacterEnd } from './undecodable.js';

/** How many bytes of decoded text are read at once. */
export interface BlockSizes {
  /** Smaller than the others, so that a column can leave dictionary mode early. */
  firstBytes: number;
  nextBytes: number;
}

export const BLOCK_SIZES: BlockSizes = { firstBytes: 1 << 20, nextBytes: 8 << 20 };

/** A window that grew beyond this for one long row is given back. */
const MAX_SPARE_BYTES = 4 * BLOCK_SIZES.nextBytes;
const LEAST_ROOM = 64 * 1024;

/** Thrown when a file that began as UTF-8 turns out not to be: it is to be opened again with the encoding `survey`. */
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
  /** Decoded bytes of the file before `buffer[0]`. */
  base = 0;

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
    this.base = 0;
  }

  /** Room for new bytes at `end`. */
  get room(): number {
    return this.buffer.length - SENTINEL_BYTES - this.end;
  }

  /** Makes room for `bytes` more, moving what is unread to the front. */
  makeRoom(bytes: number): void {
    if (this.from > 0) {
      this.buffer.copyWithin(0, this.from, this.end);
      this.base += this.from;
      this.end -= this.from;
      this.from = 0;
    }
    if (this.room >= bytes) return;
    const next = new Uint8Array(this.end + bytes + SENTINEL_BYTES);
    next.set(this.buffer.subarray(0, this.end));
    this.buffer = next;
  }
}

export interface FeedOptions {
  /** `auto`, `survey` (auto, but not as UTF-8 unless the whole file says so), or a label. */
  encoding: string;
  maxDecompressedRatio: number;
  blockSizes: BlockSizes;
}

/** A stretch of an uncompressed UTF-8 file, from the start of one record to the start of another or the end of the file. */
export interface FilePart {
  /** Offsets in the file. */
  start: number;
  end: number;
}

/** The text of a file as UTF-8, block by block in a window, with the places that cannot be decoded. */
export class TextFeed {
  readonly window: TextWindow;
  readonly encoding: FoundEncoding;
  /** All text that there is to be is in the window, though the file goes on behind it. */
  readonly isPart: boolean;
  readonly #source: ByteSource;
  /** Absent when the file is compressed. */
  readonly #file: FileSource | undefined;
  /** What a byte that is not UTF-8 does: it is noted, or ends the reading. */
  readonly #restartsOnInvalid: boolean;
  /** Offsets in the decoded text of bytes that cannot be decoded, from the window on. */
  #undecodable: number[] = [];
  /** Bytes at the end of the window that were not looked at yet. */
  #unproven: number;

  private constructor(parts: {
    window: TextWindow;
    encoding: FoundEncoding;
    source: ByteSource;
    file: FileSource;
    restartsOnInvalid: boolean;
    isPart?: boolean;
  }) {
    this.window = parts.window;
    this.isPart = parts.isPart ?? false;
    this.#file = isGzip(parts.file) ? undefined : parts.file;
    this.encoding = parts.encoding;
    this.#source = parts.source;
    this.#restartsOnInvalid = parts.restartsOnInvalid;
    this.#unproven = this.window.end;
    this.#prove();
  }

  /** Opens the text: finds the encoding and fills the window with the first block. */
  static async open(file: FileSource, window: TextWindow, options: FeedOptions): Promise<TextFeed> {
    const { firstBytes } = options.blockSizes;
    const source = bytesOf(file, options);
    window.reset(Math.min(file.size + 1, firstBytes));
    await fill(window, source, firstBytes);
    const block = window.buffer.subarray(0, window.end);
    const wish = options.encoding === 'survey' ? 'auto' : options.encoding;
    const encoding = detectEncoding(block, wish);
    if (encoding?.label === 'utf-8') {
      window.from = encoding.bomBytes;
      return new TextFeed({ window, encoding, source, file, restartsOnInvalid: false });
    }
    if (encoding) return TextFeed.#transcoded({ file, window, options, encoding });
    if (options.encoding === 'survey') return TextFeed.#surveyed(file, window, options);
    try {
      return new TextFeed({ window, encoding: detected('utf-8'), source, file, restartsOnInvalid: true });
    } catch (error) {
      if (!(error instanceof NotUtf8)) throw error;
    }
    return TextFeed.#surveyed(file, window, options);
  }

  /** The text of a part of a file that was opened as UTF-8. Errors: {@link NotUtf8}; `unreadable` when the file shrank. */
  static ofPart(file: FileSource, window: TextWindow, { start, end }: FilePart): TextFeed {
    window.reset(end - start);
    while (window.end < end - start) {
      const at = { offset: window.end, length: end - start - window.end, position: start + window.end };
      const count = file.readAt(window.buffer, at);
      if (count === 0) throw new DropgateError('unreadable', `the file ends at byte ${start + window.end}`);
      window.end += count;
    }
    window.base = start;
    window.final = end === file.size;
    return new TextFeed({
      window,
      encoding: detected('utf-8'),
      source: file,
      file,
      restartsOnInvalid: true,
      isPart: !window.final,
    });
  }

  static async #surveyed(file: FileSource, window: TextWindow, options: FeedOptions): Promise<TextFeed> {
    file.rewind();
    const encoding = detected(await surveyEncoding(bytesOf(file, options)));
    if (encoding.label !== 'utf-8') return TextFeed.#transcoded({ file, window, options, encoding });
    file.rewind();
    const source = bytesOf(file, options);
    window.reset(window.end);
    await fill(window, source, options.blockSizes.firstBytes);
    return new TextFeed({ window, encoding, source, file, restartsOnInvalid: false });
  }

  static async #transcoded(parts: {
    file: FileSource;
    window: TextWindow;
    options: FeedOptions;
    encoding: FoundEncoding;
  }): Promise<TextFeed> {
    const { file, window, options, encoding } = parts;
    file.rewind();
    const raw = bytesOf(file, options);
    await skip(raw, encoding.bomBytes);
    const source = new TranscodingSource(raw, encoding.label);
    window.reset(window.end);
    await fill(window, source, options.blockSizes.firstBytes);
    return new TextFeed({ window, encoding, source, file, restartsOnInvalid: false });
  }

  /**
   * Pieces from the middle and the end of the text, each beginning with a line: from the window where all of it is
   * there, else from the file, which must not be compressed.
   */
  pieces(): Uint8Array[] {
    const { window } = this;
    if (window.final) {
      const text = window.buffer.subarray(window.from, window.end);
      return placesOf(text.length).map((at) => fromLineStart(text.subarray(at, at + PIECE_BYTES)));
    }
    if (this.#file === undefined) return [];
    return placesOf(this.#file.size).map((at) => {
      // Characters of two or four bytes begin at even places.
      const piece = this.#file!.peek(at - (at % 4) + this.encoding.bomBytes, PIECE_BYTES);
      const { label } = this.encoding;
      return fromLineStart(label === 'utf-8' ? piece : Buffer.from(decode(label, piece), 'utf8'));
    });
  }

  /** Adds up to `bytes` to the window, moving its unread part to the front. At the end the window becomes final. */
  readMore(bytes: number): Promise<void> | undefined {
    const { window } = this;
    window.makeRoom(bytes);
    const count = this.#source.fill(window.buffer, window.end, bytes);
    if (typeof count !== 'number') return count.then((length) => this.#accept(length));
    this.#accept(count);
    return undefined;
  }

  /** Offsets in the window's buffer of bytes that cannot be decoded; those before the unread text are forgotten. */
  undecodable(): readonly number[] {
    if (this.#undecodable.length === 0) return NONE;
    const { base, from } = this.window;
    this.#undecodable = this.#undecodable.filter((at) => at >= base + from);
    return this.#undecodable.map((at) => at - base);
  }

  #accept(count: number): void {
    this.window.end += count;
    this.window.final = count === 0;
    this.#unproven += count;
    this.#prove();
  }

  /** Looks for what cannot be decoded, up to the last whole character; the rest is looked at with the next block. */
  #prove(): void {
    const { window } = this;
    const from = window.end - this.#unproven;
    const block = window.buffer.subarray(from, window.end);
    const whole = window.final ? block : block.subarray(0, lastCharacterEnd(block));
    const found = this.encoding.label === 'utf-8' ? findInvalidUtf8(whole) : findEscapes(whole);
    this.#unproven = block.length - whole.length;
    if (found.length === 0) return;
    if (this.#restartsOnInvalid) throw new NotUtf8(window.base + from + found[0]);
    for (const at of found) this.#undecodable.push(window.base + from + at);
  }
}

const NONE: readonly number[] = [];

const PIECE_BYTES = 16 * 1024;

/** Where pieces are taken from a text of `length` bytes: its middle and its end. */
function placesOf(length: number): number[] {
  return length < 8 * PIECE_BYTES ? [] : [Math.floor(length / 2), length - PIECE_BYTES];
}

function fromLineStart(piece: Uint8Array): Uint8Array {
  const end = piece.findIndex((byte) => byte === LF || byte === CR);
  return end < 0 ? piece.subarray(piece.length) : piece.subarray(end + 1);
}

const LF = 10;
const CR = 13;

function detected(label: string): FoundEncoding {
  return { label, origin: 'detected', bomBytes: 0 };
}

function isGzip(file: FileSource): boolean {
  return /\.gz$/i.test(file.path);
}

function bytesOf(file: FileSource, { maxDecompressedRatio }: FeedOptions): ByteSource {
  return isGzip(file) ? new GunzipSource(file, maxDecompressedRatio) : file;
}

async function fill(window: TextWindow, source: ByteSource, wantedBytes: number): Promise<void> {
  while (!window.final && window.end < wantedBytes) {
    const missing = wantedBytes - window.end;
    if (window.room === 0) window.makeRoom(Math.min(missing, Math.max(window.end, LEAST_ROOM)));
    const filled = source.fill(window.buffer, window.end, Math.min(window.room, missing));
    const count = typeof filled === 'number' ? filled : await filled;
    window.end += count;
    window.final = count === 0;
  }
}

async function skip(source: ByteSource, bytes: number): Promise<void> {
  const rest = new Uint8Array(bytes);
  for (let done = 0; done < bytes; ) {
    const count = await source.fill(rest, 0, bytes - done);
    if (count === 0) return;
    done += count;
  }
}
