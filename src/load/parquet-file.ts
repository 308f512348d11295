import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DropgateError, messageOf } from '../base/errors.js';
import { fingerprintText } from '../base/files.js';
import { type Footer, readFooter, TAIL_BYTES } from './parquet-footer.js';

/** Decompressors by codec; zlib's own are several times faster than those in JavaScript. */
export const COMPRESSORS: Compressors = {
  ...compressors,
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
};

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
const MAGIC_BYTES = 4;
/** Magic at both ends and the length of the footer. */
const LEAST_BYTES = 12;

/** An open Parquet file whose footer has been read and makes sense. */
export interface ParquetFile {
  footer: Footer;
  /** Reads bytes `start` (inclusive) to `end` (exclusive). */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The file as it is now, see `fingerprintText`. */
  fingerprint(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens a Parquet file and reads its footer.
 * @param access `prompt` blocks the thread while it reads, which is faster where the thread has nothing else to do
 * @throws DropgateError `unreadable`, `not_parquet`
 */
export async function openParquet(
  path: string,
  access: 'patient' | 'prompt' = 'patient',
): Promise<ParquetFile> {
  const handle = await (access === 'prompt' ? openPromptly(path) : openPatiently(path)).catch((error) => {
    throw unreadable(path, error);
  });
  try {
    const { size } = handle;
    const read = await readerOf({ handle, path });
    await checkMagic({ path, size, read });
    const footer = await readFooterOf({ path, size, read });
    return { footer, read, fingerprint: () => handle.fingerprint(), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A file that is open for reading. */
interface Handle {
  /** Bytes. */
  size: number;
  /** Reads into `bytes` from `filled` on, from the file's byte `at` on; answers how many bytes it got. */
  read(bytes: Uint8Array, filled: number, at: number): Promise<number>;
  fingerprint(): Promise<string>;
  close(): Promise<void>;
}

async function openPatiently(path: string): Promise<Handle> {
  const handle = await fs.open(path, 'r');
  const { size } = await handle.stat();
  return {
    size,
    read: async (bytes, filled, at) =>
      (await handle.read(bytes, filled, bytes.length - filled, at)).bytesRead,
    fingerprint: async () => fingerprintText(await handle.stat({ bigint: true })),
    close: () => handle.close(),
  };
}

async function openPromptly(path: string): Promise<Handle> {
  const fd = openSync(path, 'r');
  return {
    size: fstatSync(fd).size,
    read: async (bytes, filled, at) => readSync(fd, bytes, filled, bytes.length - filled, at),
    fingerprint: async () => fingerprintText(fstatSync(fd, { bigint: true })),
    close: async () => closeSync(fd),
  };
}

/** A `not_parquet` error about `path`. */
export function notParquet(path: string, what: string, cause?: unknown): DropgateError {
  return new DropgateError('not_parquet', `${path} is not a readable Parquet file: ${what}.`, { cause });
}

interface Source {
  path: string;
  /** Bytes. */
  size: number;
  read: ParquetFile['read'];
}

async function checkMagic({ path, size, read }: Source): Promise<void> {
  if (size < LEAST_BYTES) throw notParquet(path, size === 0 ? 'it is empty' : `it has only ${size} bytes`);
  const [first, last] = await Promise.all([read(0, MAGIC_BYTES), read(size - MAGIC_BYTES, size)]);
  const [start, end] = [first, last].map((bytes) => Buffer.from(bytes).toString('latin1'));
  if (end === ENCRYPTED_MAGIC) throw notParquet(path, 'it is encrypted');
  if (start !== MAGIC) throw notParquet(path, 'it does not begin with PAR1');
  if (end !== MAGIC)
    throw notParquet(path, 'it does not end with PAR1, so it is cut short or still being written');
}

async function readFooterOf({ path, size, read }: Source): Promise<Footer> {
  const tail = await read(size - TAIL_BYTES, size);
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (length > size - LEAST_BYTES) throw notParquet(path, `its footer would have ${length} bytes`);
  const bytes = await read(size - TAIL_BYTES - length, size);
  try {
    const footer = readFooter(bytes);
    checkExtent({ path, size, footer });
    return footer;
  } catch (error) {
    if (error instanceof DropgateError) throw error;
    throw notParquet(path, `its footer is damaged (${messageOf(error)})`, error);
  }
}

/** A footer that points outside of the file would otherwise be found half way through the rows. */
function checkExtent({ path, size, footer }: { path: string; size: number; footer: Footer }): void {
  let rows = 0;
  for (const [group, { chunks, rows: groupRows }] of footer.groups.entries()) {
    if (groupRows < 0) throw notParquet(path, `row group ${group + 1} counts ${groupRows} rows`);
    rows += groupRows;
    for (const chunk of chunks) {
      if (!chunk) throw notParquet(path, 'its columns lie in other files or are encrypted');
      if (chunk.start < MAGIC_BYTES || chunk.length < 0 || chunk.start + chunk.length > size) {
        throw notParquet(path, `row group ${group + 1} lies outside of the file, which is cut short`);
      }
    }
  }
  if (rows !== footer.rows) {
    throw notParquet(path, `its footer counts ${footer.rows} rows, its row groups hold ${rows}`);
  }
}

/** A small file is read in one go: asking for each of its columns takes longer than decoding them. */
const WHOLE_FILE_BYTES = 1 << 20;

async function readerOf(file: { handle: Handle; path: string }): Promise<ParquetFile['read']> {
  const { size } = file.handle;
  if (size > WHOLE_FILE_BYTES) return (start, end) => readRange({ ...file, start, end });
  const whole = await readRange({ ...file, start: 0, end: size });
  return async (start, end) => whole.subarray(start, end);
}

interface Range {
  handle: Handle;
  path: string;
  start: number;
  end: number;
}

async function readRange({ handle, path, start, end }: Range): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  let filled = 0;
  while (filled < bytes.length) {
    const count = await handle.read(bytes, filled, start + filled).catch((error) => {
      throw unreadable(path, error);
    });
    if (count === 0) throw notParquet(path, 'it became shorter while it was read');
    filled += count;
  }
  return bytes;
}

/** Errors of the disk that pass (too many open files, an I/O error) keep their own code, so that they are retried. */
function unreadable(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'EIO') return error;
  return new DropgateError('unreadable', `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
}
