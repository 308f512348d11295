import { lstatSync } from 'node:fs';
import { fingerprintText } from '../base/files.js';
import { openParquet, type ParquetFile } from './parquet-file.js';

/** Room for about as many small files as one transaction takes. */
const MAX_HELD_BYTES = 8_000_000;
/** Whoever looked at a file and has not opened it by then does not want its rows. */
const MAX_AGE_MS = 10_000;

interface Looked {
  file: ParquetFile;
  atMs: number;
}

/** Small Parquet files between a look at them and their decoding, which mostly follows: so they are read once. */
export class LookedFiles {
  /** By path, the one looked at first first. */
  readonly #files = new Map<string, Looked>();
  #heldBytes = 0;

  /** Opens a file, which need not be closed, to see what it says of itself. @throws as `openParquet` */
  async look(path: string): Promise<ParquetFile> {
    const file = await openParquet(path, 'prompt');
    await file.close();
    if (file.heldBytes > 0) this.#keep(path, file);
    return file;
  }

  /** Opens a file to read its rows, from memory if it is as it was when it was looked at. @throws as `openParquet` */
  async open(path: string): Promise<ParquetFile> {
    const file = this.#take(path);
    return file && (await file.fingerprint()) === fingerprintOf(path) ? file : openParquet(path, 'prompt');
  }

  /** What is not opened soon makes room; while there is none, a file is read again. */
  #keep(path: string, file: ParquetFile): void {
    const nowMs = performance.now();
    this.#take(path);
    for (const [oldest, { atMs }] of this.#files) {
      if (atMs + MAX_AGE_MS > nowMs) break;
      this.#take(oldest);
    }
    if (this.#heldBytes + file.heldBytes > MAX_HELD_BYTES) return;
    this.#heldBytes += file.heldBytes;
    this.#files.set(path, { file, atMs: nowMs });
  }

  #take(path: string): ParquetFile | undefined {
    const looked = this.#files.get(path);
    if (!looked) return undefined;
    this.#files.delete(path);
    this.#heldBytes -= looked.file.heldBytes;
    return looked.file;
  }
}

/** Undefined for a file that is not there, or cannot be looked at. */
function fingerprintOf(path: string): string | undefined {
  try {
    return fingerprintText(lstatSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}
