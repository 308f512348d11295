import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { DropgateError } from '../base/errors.js';
import type { Origin } from './dialect.js';
import type { ByteSource } from './file-source.js';

/** The encoding of a file and how it is known. */
export interface FoundEncoding {
  /** `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`, or the label that the user gave. */
  label: string;
  origin: Origin;
  /** Length of the byte order mark in bytes. */
  bomBytes: number;
}

const BOMS: { label: string; bytes: number[] }[] = [
  { label: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { label: 'utf-16le', bytes: [0xff, 0xfe] },
  { label: 'utf-16be', bytes: [0xfe, 0xff] },
];

/**
 * Finds the encoding from the first block of a file. A byte order mark decides; then the zero bytes of UTF-16; then
 * validity as UTF-8, which is proven again block by block while the rest is read; else Windows-1252.
 * `whole` says that the block is the whole file. Errors: `binary_file`, and `bad_encoding` for an unknown label.
 */
export function detectEncoding(
  block: Uint8Array,
  options: { encoding: string; whole: boolean },
): FoundEncoding {
  const bom = BOMS.find(({ bytes }) => bytes.every((byte, i) => block[i] === byte));
  if (options.encoding !== 'auto') return userEncoding(options.encoding, bom);
  if (bom) return { label: bom.label, origin: 'detected', bomBytes: bom.bytes.length };
  const wide = utf16WithoutBom(block);
  if (wide) return { label: wide, origin: 'detected', bomBytes: 0 };
  refuseBinary(block);
  const complete = options.whole ? block : block.subarray(0, lastCharacterEnd(block));
  return { label: isUtf8(complete) ? 'utf-8' : 'windows-1252', origin: 'detected', bomBytes: 0 };
}

function userEncoding(label: string, bom: (typeof BOMS)[number] | undefined): FoundEncoding {
  if (!iconv.encodingExists(label)) {
    throw new DropgateError('bad_encoding', `the encoding "${label}" is not known`, {
      hint: 'Use a name such as utf-8, windows-1252, iso-8859-15, shift_jis in schema.yaml.',
    });
  }
  const normal = /^utf-?8$/i.test(label) ? 'utf-8' : label.toLowerCase();
  return { label: normal, origin: 'user', bomBytes: bom && bom.label === normal ? bom.bytes.length : 0 };
}

/** Text in UTF-16 without a mark: nearly every second byte of mostly Latin text is zero. */
function utf16WithoutBom(block: Uint8Array): string | undefined {
  const size = Math.min(block.length, 4096) & ~1;
  if (size < 4) return undefined;
  let evenZeros = 0;
  let oddZeros = 0;
  for (let i = 0; i < size; i += 2) {
    if (block[i] === 0) evenZeros++;
    if (block[i + 1] === 0) oddZeros++;
  }
  const half = size / 2;
  if (oddZeros > half * 0.6 && evenZeros < half * 0.05) return 'utf-16le';
  if (evenZeros > half * 0.6 && oddZeros < half * 0.05) return 'utf-16be';
  return undefined;
}

const MAGIC_NUMBERS: { name: string; bytes: number[] }[] = [
  { name: 'a ZIP archive or an Excel workbook', bytes: [0x50, 0x4b, 0x03, 0x04] },
  { name: 'an old Excel workbook', bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { name: 'a PDF document', bytes: [0x25, 0x50, 0x44, 0x46] },
  { name: 'a PNG picture', bytes: [0x89, 0x50, 0x4e, 0x47] },
  { name: 'a JPEG picture', bytes: [0xff, 0xd8, 0xff] },
  { name: 'a GIF picture', bytes: [0x47, 0x49, 0x46, 0x38] },
  { name: 'a gzip file', bytes: [0x1f, 0x8b] },
  { name: 'a Parquet file', bytes: [0x50, 0x41, 0x52, 0x31] },
  { name: 'a SQLite database', bytes: [0x53, 0x51, 0x4c, 0x69] },
];

/** Share of control characters above which a block is no text, and how much of it is looked at. */
const MAX_CONTROL_SHARE = 0.02;
const CONTROL_SAMPLE_BYTES = 8192;

function refuseBinary(block: Uint8Array): void {
  const magic = MAGIC_NUMBERS.find(({ bytes }) => bytes.every((byte, i) => block[i] === byte));
  const sample = block.subarray(0, CONTROL_SAMPLE_BYTES);
  const controls = countControls(sample);
  if (controls <= sample.length * MAX_CONTROL_SHARE && (!magic || isUtf8(block))) return;
  throw new DropgateError(
    'binary_file',
    magic
      ? `the content is ${magic.name}, not delimited text`
      : `the content is binary: ${controls} of its first ${sample.length} bytes are control characters`,
  );
}

const TEXT_CONTROLS = new Set([9, 10, 12, 13]);

function countControls(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] < 32 && !TEXT_CONTROLS.has(bytes[i])) count++;
  return count;
}

/** The offset behind the last UTF-8 character of a block that is surely complete. */
export function lastCharacterEnd(block: Uint8Array): number {
  let start = block.length - 1;
  const lowest = Math.max(0, block.length - 4);
  while (start > lowest && (block[start] & 0xc0) === 0x80) start--;
  if (start < 0) return 0;
  const lead = block[start];
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + size > block.length ? start : block.length;
}

/** A source in another encoding, read as UTF-8. */
export class TranscodingSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #decoder: iconv.DecoderStream;
  readonly #raw = new Uint8Array(64 * 1024);
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(source: ByteSource, label: string) {
    this.#source = source;
    this.#decoder = iconv.getDecoder(label);
  }

  async fill(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#rest.length === 0 && !this.#ended) {
      const count = await this.#source.fill(this.#raw, 0, this.#raw.length);
      this.#ended = count === 0;
      const text = this.#ended
        ? this.#decoder.end()
        : this.#decoder.write(Buffer.from(this.#raw.subarray(0, count)));
      this.#rest = Buffer.from(text ?? '', 'utf8');
    }
    const count = Math.min(length, this.#rest.length);
    target.set(this.#rest.subarray(0, count), offset);
    this.#rest = this.#rest.subarray(count);
    return count;
  }
}

/** Encodes UTF-8 bytes back to the encoding of the source, so that rejected rows stand as they stood. */
export function encodeFor(label: string, utf8: Uint8Array): Uint8Array {
  if (label === 'utf-8') return utf8;
  return iconv.encode(Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength).toString('utf8'), label);
}

/** How many bytes a stretch of decoded UTF-8 took in the source; undefined where that cannot be told. */
export function sourceLength(label: string, utf8: Uint8Array): number | undefined {
  if (label === 'utf-8') return utf8.length;
  if (label.startsWith('utf-16')) return Buffer.from(utf8).toString('utf8').length * 2;
  return encodeFor(label, utf8).length;
}
