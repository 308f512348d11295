import path from 'node:path';
import { fileOps, tempPathFor } from '../base/files.js';
import { encodeFor, type FoundEncoding } from '../read/encoding.js';

const FLUSH_BYTES = 1 << 20;

/**
 * The rows that were set aside or dropped, as they stood in the source, under the source's header, in its encoding:
 * mended, the file can be dropped again. Written to a temporary file that comes into being with the first row.
 */
export class RejectsFile {
  readonly #folder: string;
  readonly #header: Uint8Array;
  readonly #encoding: FoundEncoding;
  #tempPath: string | undefined;
  #fd = -1;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #rows = 0;

  constructor(folder: string, header: Uint8Array, encoding: FoundEncoding) {
    this.#folder = folder;
    this.#header = header;
    this.#encoding = encoding;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Adds a record, without its line end. The bytes are copied. */
  add(record: Uint8Array): void {
    if (this.#rows === 0) this.#put(this.#header.slice());
    this.#rows++;
    const line = new Uint8Array(record.length + 1);
    line.set(record);
    line[record.length] = 10;
    this.#put(line);
  }

  /** Closes the file. Answers its temporary path, or undefined when no row was rejected. */
  finish(): string | undefined {
    if (this.#rows === 0) return undefined;
    this.#flush();
    fileOps.closeSync(this.#fd);
    this.#fd = -1;
    return this.#tempPath;
  }

  /** Gives up: closes the file. Answers what is to be deleted. */
  abandon(): string | undefined {
    if (this.#fd >= 0) fileOps.closeSync(this.#fd);
    this.#fd = -1;
    return this.#tempPath;
  }

  #put(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    const text = encodeFor(this.#encoding.label, Buffer.concat(this.#pending));
    if (this.#fd < 0) {
      this.#tempPath = tempPathFor(path.join(this.#folder, 'rejected.csv'));
      this.#fd = fileOps.openSync(this.#tempPath, 'wx');
      if (this.#encoding.label.startsWith('utf-16') && this.#encoding.bomBytes > 0) {
        writeAll(
          this.#fd,
          this.#encoding.label === 'utf-16le' ? Uint8Array.of(0xff, 0xfe) : Uint8Array.of(0xfe, 0xff),
        );
      }
    }
    writeAll(this.#fd, text);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

/** Writes all bytes; a short write goes on where it stopped. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += fileOps.writeSync(fd, bytes, done, bytes.length - done);
}
