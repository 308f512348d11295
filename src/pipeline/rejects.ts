import { createTempFile, fileOps, type TempFile, writeAll } from '../base/files.js';
import type { FoundEncoding } from '../read/encoding.js';
import { encodeFor } from '../read/transcode.js';

export interface RejectsOptions {
  /** Where the temporary file is made. */
  folder: string;
  /** The header record with its line end, UTF-8; empty when the source has none. */
  header: Uint8Array;
  /** What ends a record in the source. */
  lineEnd: string;
  encoding: FoundEncoding;
}

const FLUSH_BYTES = 1 << 20;

/**
 * The rows that were set aside or dropped, as they stood in the source, under the source's header, in its encoding:
 * mended, the file can be dropped again. Written to a temporary file that comes into being with the first row.
 */
export class RejectsFile {
  readonly #options: RejectsOptions;
  readonly #lineEnd: Uint8Array;
  #temp: TempFile | undefined;
  #isOpen = false;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #rows = 0;

  constructor(options: RejectsOptions) {
    this.#options = options;
    this.#lineEnd = Buffer.from(options.lineEnd);
  }

  /** Adds a record, without its line end. The bytes are copied. */
  add(record: Uint8Array): void {
    if (this.#rows === 0) this.#put(this.#options.header.slice());
    this.#rows++;
    this.#put(Buffer.concat([record, this.#lineEnd]));
  }

  /** Path of the temporary file; undefined as long as there is none. */
  get tempPath(): string | undefined {
    return this.#temp?.path;
  }

  /** Completes and closes the file. Answers its temporary path, or undefined when no row was rejected. */
  finish(): string | undefined {
    if (this.#rows === 0) return undefined;
    this.#flush();
    this.close();
    return this.tempPath;
  }

  /** Closes the file, complete or not. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    fileOps.closeSync(this.#temp!.fd);
  }

  #put(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    const { label } = this.#options.encoding;
    const text = encodeFor(label, Buffer.concat(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
    if (!this.#temp) this.#open();
    writeAll(this.#temp!.fd, text);
  }

  #open(): void {
    const { folder, encoding } = this.#options;
    this.#temp = createTempFile(folder);
    this.#isOpen = true;
    if (encoding.label.startsWith('utf-16') && encoding.bomBytes > 0) {
      const isLittleEndian = encoding.label === 'utf-16le';
      writeAll(this.#temp.fd, isLittleEndian ? Uint8Array.of(0xff, 0xfe) : Uint8Array.of(0xfe, 0xff));
    }
  }
}
