import type { ColumnSpec } from '../base/vector.js';
import { ByteBuffer } from './byte-buffer.js';
import { type PlacedRowGroup, putFooter } from './footer.js';
import { MAGIC } from './format.js';
import type { EncodedRowGroup } from './row-group.js';

/** Where a file goes: an open file, or memory. */
export interface ByteSink {
  /** Appends the bytes; they are valid during the call only. */
  write(bytes: Uint8Array): void;
}

export interface ParquetFileOptions {
  sink: ByteSink;
  columns: readonly ColumnSpec[];
  /** Version of the program, for `created_by`. */
  version: string;
}

/** Row groups below this size are gathered, so that a small file is one system call. */
const GATHER_BYTES = 64 * 1024;

/** Puts encoded row groups into one Parquet file, in the order in which they are appended. */
export class ParquetFile {
  readonly #options: ParquetFileOptions;
  readonly #rowGroups: PlacedRowGroup[] = [];
  /** What the sink has not yet been given. */
  readonly #pending = new ByteBuffer(16 * 1024);
  /** Bytes of the file so far, pending ones included. */
  #byteLength = 0;
  #rowCount = 0;

  constructor(options: ParquetFileOptions) {
    this.#options = options;
    this.#put(MAGIC);
  }

  /** Appends a row group of the same columns; one without rows leaves no trace. */
  append({ bytes, meta }: EncodedRowGroup): void {
    if (meta.rowCount === 0) return;
    this.#rowGroups.push({ ...meta, offset: this.#byteLength, compressedBytes: bytes.length });
    this.#rowCount += meta.rowCount;
    this.#put(bytes);
  }

  /** Writes the footer with the given key-value metadata. The sink stays open. */
  finish(metadata: Record<string, string>): { rowCount: number; byteLength: number } {
    const pending = this.#pending;
    const start = pending.length;
    const { columns, version } = this.#options;
    putFooter(pending, {
      columns,
      rowGroups: this.#rowGroups,
      rowCount: this.#rowCount,
      metadata,
      createdBy: `dropgate ${version}`,
    });
    pending.putUint32(pending.length - start);
    pending.putBytes(MAGIC);
    this.#byteLength += pending.length - start;
    this.#flush();
    return { rowCount: this.#rowCount, byteLength: this.#byteLength };
  }

  #put(bytes: Uint8Array): void {
    this.#byteLength += bytes.length;
    if (bytes.length > GATHER_BYTES) {
      this.#flush();
      this.#options.sink.write(bytes);
      return;
    }
    this.#pending.putBytes(bytes);
    if (this.#pending.length > GATHER_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#options.sink.write(this.#pending.content());
    this.#pending.clear();
  }
}
