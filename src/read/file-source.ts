import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';

const LF = 10;
const CR = 13;

/** What must stand still while a file is read; compared again afterwards. */
export interface FileFingerprint {
  size: number;
  mtimeNs: bigint;
  ino: bigint;
}

/** A sequence of bytes; `fill` answers at once where it can, so that a small file costs no turn of the event loop. */
export interface ByteSource {
  /** Puts up to `length` bytes at `offset` of `target`. Answers how many, 0 at the end. */
  fill(target: Uint8Array, offset: number, length: number): number | Promise<number>;
}

/**
 * An opened file: a regular one, never through a symbolic link, never waiting on a pipe. Counts and hashes every
 * byte that is read, so that the SHA-256 at the end is that of what was converted.
 */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly fingerprint: FileFingerprint;
  readonly #fd: number;
  #hash: Hash = createHash('sha256');
  #position = 0;

  /** Opens the file. Errors: `not_regular_file`, `unreadable`; ENOENT is thrown on, the file is gone. */
  constructor(path: string) {
    this.path = path;
    const { fd, stats } = openRegular(path);
    this.#fd = fd;
    this.fingerprint = fingerprintOf(stats);
  }

  get size(): number {
    return this.fingerprint.size;
  }

  fill(target: Uint8Array, offset: number, length: number): number {
    const count = this.readAt(target, { offset, length, position: this.#position });
    this.#position += count;
    this.#hash.update(target.subarray(offset, offset + count));
    return count;
  }

  /** Up to `length` bytes from `position`, read beside the sequence: neither hashed nor counted. */
  peek(position: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    return target.subarray(0, this.readAt(target, { offset: 0, length, position }));
  }

  /** Starts again from the first byte. */
  rewind(): void {
    this.#position = 0;
    this.#hash = createHash('sha256');
  }

  /** SHA-256 of the file in hexadecimal; reads what nobody has read yet. */
  sha256(): string {
    if (this.#position < this.size) {
      const rest = new Uint8Array(Math.min(1 << 20, this.size - this.#position));
      while (this.fill(rest, 0, rest.length) > 0);
    }
    return this.#hash.digest('hex');
  }

  /** Does the file end without a line end (or not even begin), as one whose writer is not done? */
  endsMidLine(): boolean {
    if (this.size === 0) return true;
    const tail = new Uint8Array(Math.min(2, this.size));
    fs.readSync(this.#fd, tail, 0, tail.length, this.size - tail.length);
    // UTF-16 puts a zero beside the line feed.
    return !tail.some((byte) => byte === LF || byte === CR);
  }

  /**
   * Was the file written to after it got its name and its rights? Whoever renames a file into place is done with it,
   * and that changes its ctime alone.
   */
  wasLastWritten(): boolean {
    const { ctimeNs, mtimeNs } = fs.fstatSync(this.#fd, { bigint: true });
    return ctimeNs <= mtimeNs;
  }

  /** False when the file was changed or replaced since it was opened. */
  isUnchanged(): boolean {
    const open = fingerprintOf(fs.fstatSync(this.#fd, { bigint: true }));
    const named = fs.lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return (
      named !== undefined &&
      sameFile(open, this.fingerprint) &&
      sameFile(fingerprintOf(named), this.fingerprint)
    );
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  /** Reads as {@link peek} does, into a buffer. Answers how many bytes, 0 at the end. */
  readAt(target: Uint8Array, at: { offset: number; length: number; position: number }): number {
    const { offset, length, position } = at;
    try {
      return fs.readSync(this.#fd, target, offset, length, position);
    } catch (error) {
      throw new DropgateError('unreadable', `reading failed at byte ${position}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** The decompressed content of a gzip file. Refuses what expands beyond any sane ratio. */
export class GunzipSource implements ByteSource {
  readonly #file: FileSource;
  readonly #maxRatio: number;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #produced = 0;

  constructor(file: FileSource, maxRatio: number) {
    this.#file = file;
    this.#maxRatio = maxRatio;
    const gunzip = createGunzip();
    const compressed = Readable.from(compressedChunks(file));
    compressed.on('error', (error) => gunzip.destroy(error));
    this.#chunks = compressed.pipe(gunzip)[Symbol.asyncIterator]();
  }

  async fill(target: Uint8Array, offset: number, length: number): Promise<number> {
    if (this.#rest.length === 0) this.#rest = await this.#nextChunk();
    const count = Math.min(length, this.#rest.length);
    target.set(this.#rest.subarray(0, count), offset);
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  async #nextChunk(): Promise<Uint8Array> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done) return new Uint8Array(0);
      this.#produced += value.length;
      this.#checkRatio();
      return value;
    } catch (error) {
      if (error instanceof DropgateError) throw error;
      throw new DropgateError(
        'bad_gzip',
        `the gzip stream is damaged after ${this.#produced} bytes: ${messageOf(error)}`,
      );
    }
  }

  #checkRatio(): void {
    // Small files may repeat one short row many times; only what also gets large is dangerous.
    if (this.#produced < 100_000_000 || this.#produced < this.#file.size * this.#maxRatio) return;
    throw new DropgateError(
      'bad_gzip',
      `the file expands more than ${this.#maxRatio} times (${this.#file.size} bytes became over ${this.#produced})`,
      {
        hint: 'If the file is right, raise limits.max_decompressed_ratio in dropgate.yaml or drop it uncompressed.',
      },
    );
  }
}

function* compressedChunks(file: FileSource): Generator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(64 * 1024);
    const count = file.fill(chunk, 0, chunk.length);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

function openRegular(path: string): { fd: number; stats: fs.BigIntStats } {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') {
      throw new DropgateError('not_regular_file', 'the entry is a symbolic link', { cause: error });
    }
    if (errnoOf(error) === 'ENXIO') {
      throw new DropgateError('not_regular_file', 'the entry is a pipe or a socket', { cause: error });
    }
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EIO') {
      throw new DropgateError('unreadable', `the file cannot be opened: ${messageOf(error)}`, {
        cause: error,
      });
    }
    throw error;
  }
  try {
    const stats = fs.fstatSync(fd, { bigint: true });
    if (stats.isFile()) return { fd, stats };
    throw new DropgateError('not_regular_file', 'the entry is not a regular file');
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function fingerprintOf(stats: fs.BigIntStats): FileFingerprint {
  return { size: Number(stats.size), mtimeNs: stats.mtimeNs, ino: stats.ino };
}

/** Do two fingerprints speak of the same content of the same file? */
export function sameFile(a: FileFingerprint, b: FileFingerprint): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino;
}
