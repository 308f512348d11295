import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { DropgateError } from '../base/errors.js';
import type { Origin } from './dialect.js';
import { lastCharacterEnd } from './undecodable.js';

/** The encoding of a file and how it is known. */
export interface FoundEncoding {
  /** `utf-8`, `utf-16le`, `utf-16be`, `utf-32le`, `utf-32be`, or a lower-case label of iconv-lite. */
  label: string;
  origin: Origin;
  /** Length of the byte order mark in bytes. */
  bomBytes: number;
}

interface Bom {
  label: string;
  bytes: number[];
}

const BOMS: Bom[] = [
  { label: 'utf-32le', bytes: [0xff, 0xfe, 0, 0] },
  { label: 'utf-32be', bytes: [0, 0, 0xfe, 0xff] },
  { label: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { label: 'utf-16le', bytes: [0xff, 0xfe] },
  { label: 'utf-16be', bytes: [0xfe, 0xff] },
];

/**
 * What the first block of a file says of its encoding: the user's word decides, then a byte order mark, then the
 * zero bytes of UTF-16. Answers undefined where only validity as UTF-8 can tell.
 * Errors: `binary_file`, and `bad_encoding` for an unknown label.
 */
export function detectEncoding(block: Uint8Array, encoding: string): FoundEncoding | undefined {
  const bom = BOMS.find(({ bytes }) => bytes.every((byte, i) => block[i] === byte));
  if (encoding !== 'auto') return userEncoding(encoding, { block, bom });
  if (bom) return { label: bom.label, origin: 'detected', bomBytes: bom.bytes.length };
  const wide = utf16WithoutBom(block);
  if (wide) return { label: wide, origin: 'detected', bomBytes: 0 };
  refuseBinary(block);
  return undefined;
}

/** Labels under which iconv-lite knows what has a name of its own here. */
const SYNONYMS: Record<string, string> = {
  utf8: 'utf-8',
  utf16le: 'utf-16le',
  ucs2: 'utf-16le',
  utf16be: 'utf-16be',
  utf32le: 'utf-32le',
  utf32be: 'utf-32be',
};

/** Labels that leave the order of the bytes to the file. */
const OPEN_ORDER = new Set(['utf16', 'utf32']);

function userEncoding(label: string, start: { block: Uint8Array; bom: Bom | undefined }): FoundEncoding {
  if (!iconv.encodingExists(label)) {
    throw new DropgateError('bad_encoding', `the encoding "${label}" is not known`, {
      hint: 'Use a name such as utf-8, windows-1252, iso-8859-15, shift_jis in schema.yaml.',
    });
  }
  const bare = label.toLowerCase().replace(/[^a-z0-9]/g, '');
  const ordered = OPEN_ORDER.has(bare) ? withOrder(bare, start) : bare;
  const known = SYNONYMS[ordered] ?? label.toLowerCase();
  return { label: known, origin: 'user', bomBytes: start.bom?.label === known ? start.bom.bytes.length : 0 };
}

function withOrder(bare: string, { block, bom }: { block: Uint8Array; bom: Bom | undefined }): string {
  const order = bom?.label ?? utf16WithoutBom(block) ?? 'le';
  return bare + order.slice(-2);
}

/** Bytes of a file that are looked at for UTF-16. */
const WIDE_SAMPLE_BYTES = 16 * 1024;
/** Of the bytes that could be ASCII signs and digits, at least this share must have its zero byte beside it. */
const MIN_PAIRED_SHARE = 0.4;

/**
 * Text in UTF-16 without a mark: whatever the language, its delimiters, digits and line ends are ASCII characters,
 * each with a zero byte on the same side.
 */
function utf16WithoutBom(block: Uint8Array): string | undefined {
  const size = Math.min(block.length, WIDE_SAMPLE_BYTES) & ~1;
  if (!Buffer.from(block.buffer, block.byteOffset, size).includes(0)) return undefined;
  const zeros = [0, 0];
  const paired = [0, 0];
  let structural = 0;
  for (let i = 0; i < size; i++) {
    if (block[i] === 0) zeros[i & 1]++;
    if (!isStructural(block[i])) continue;
    structural++;
    if (block[i ^ 1] === 0) paired[i & 1]++;
  }
  for (const [label, side] of [
    ['utf-16le', 0],
    ['utf-16be', 1],
  ] as const) {
    const [own, other] = [zeros[1 - side], zeros[side]];
    if (own >= 2 && other <= own * 0.05 && paired[side] > structural * MIN_PAIRED_SHARE) return label;
  }
  return undefined;
}

/** Line ends, tab, space, digits, comma, semicolon. */
function isStructural(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) ||
    byte === 10 ||
    byte === 13 ||
    byte === 9 ||
    byte === 32 ||
    byte === 44 ||
    byte === 59
  );
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

/** How much of a block is looked at for control characters. */
const CONTROL_SAMPLE_BYTES = 8192;
/** Share of control characters above which a block is no text; what is valid UTF-8 otherwise has more credit. */
const MAX_CONTROL_SHARE = 0.02;
const MAX_CONTROL_SHARE_UTF8 = 0.1;
/** So few may be an accident in a small file. */
const FEW_CONTROLS = 4;

function refuseBinary(block: Uint8Array): void {
  const magic = MAGIC_NUMBERS.find(({ bytes }) => bytes.every((byte, i) => block[i] === byte));
  const sample = block.subarray(0, CONTROL_SAMPLE_BYTES);
  const controls = countControls(sample);
  const isText = isUtf8(sample.subarray(0, lastCharacterEnd(sample)));
  const allowed = Math.max(
    isText ? FEW_CONTROLS : 0,
    sample.length * (isText ? MAX_CONTROL_SHARE_UTF8 : MAX_CONTROL_SHARE),
  );
  if (controls <= allowed && (!magic || isText)) return;
  throw new DropgateError(
    'binary_file',
    magic
      ? `the content is ${magic.name}, not delimited text`
      : `the content is binary: ${controls} of its first ${sample.length} bytes are control characters`,
  );
}

const TEXT_CONTROLS = [9, 10, 12, 13];
/** By byte: 1 for a control character that has no business in a text. */
const IS_CONTROL = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 32 && !TEXT_CONTROLS.includes(byte) ? 1 : 0,
);

/** Looks at four bytes at a time, as most of them are no controls. */
function countControls({ buffer, byteOffset, length }: Uint8Array): number {
  const view = new DataView(buffer, byteOffset, length);
  const whole = length & ~3;
  let count = 0;
  for (let at = 0; at < whole; at += 4) {
    const word = view.getInt32(at, true);
    // Some byte is below 32 (Mycroft's test for a zero byte, and its kin).
    if (((word - 0x20202020) & ~word & 0x80808080) === 0) continue;
    for (let i = at; i < at + 4; i++) count += IS_CONTROL[view.getUint8(i)];
  }
  for (let i = whole; i < length; i++) count += IS_CONTROL[view.getUint8(i)];
  return count;
}

export { encodeFor } from './transcode.js';
