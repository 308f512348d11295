import iconv from 'iconv-lite';
import type { ByteSource } from './file-source.js';
import { ESCAPE_BYTES, escapedByte, escapeOf, findEscapes, isEscapeAt } from './undecodable.js';

/** How the characters of an encoding lie in its bytes. */
type Form = 'single' | 'utf-16le' | 'utf-16be' | 'utf-32' | 'multi';

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const forms = new Map<string, Form>();

function formOf(label: string): Form {
  let form = forms.get(label);
  if (form === undefined) {
    if (label === 'utf-16le' || label === 'utf-16be') form = label;
    else if (label.startsWith('utf-32')) form = 'utf-32';
    else form = iconv.decode(ALL_BYTES, label, { stripBOM: false }).length === 256 ? 'single' : 'multi';
    forms.set(label, form);
  }
  return form;
}

/** Replacement characters, and those for private use, which not every encoder takes back. */
const DOUBTFUL = /[\ufffd\ue000-\uf8ff]/;

/** Decodes whole characters; bytes that the encoding does not know become escapes (see undecodable.ts). */
export function decode(label: string, bytes: Uint8Array): string {
  const form = formOf(label);
  if (form === 'utf-16le' || form === 'utf-16be') return decodeUtf16(bytes, form === 'utf-16be');
  const text = iconv.decode(bytes, label, { stripBOM: false });
  if (!DOUBTFUL.test(text)) return text;
  return form === 'single' ? escapeSingle(text, bytes) : escapeMulti(label, bytes);
}

function decodeUtf16(bytes: Uint8Array, bigEndian: boolean): string {
  const units = bytes.length & ~1;
  const buffer = Buffer.from(bytes.subarray(0, units));
  const text = (bigEndian ? buffer.swap16() : buffer).toString('utf16le');
  const rest = units < bytes.length ? escapeOf(bytes[units]) : '';
  if (text.isWellFormed()) return text + rest;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point >= 0xd800 && point <= 0xdfff) out += escapeOf(bytes[2 * i]) + escapeOf(bytes[2 * i + 1]);
    else out += String.fromCodePoint(point);
    if (point > 0xffff) i++;
  }
  return out + rest;
}

function escapeSingle(text: string, bytes: Uint8Array): string {
  return text.replace(/\ufffd/g, (_, i: number) => escapeOf(bytes[i]));
}

/** Goes byte by byte, so that it is known which bytes gave a replacement character. */
function escapeMulti(label: string, bytes: Uint8Array): string {
  let out = '';
  for (let from = 0; from < bytes.length; ) {
    const { text, size } = firstCharacter(label, bytes.subarray(from, from + MAX_CHARACTER_BYTES));
    out += text;
    from += size;
  }
  return out;
}

const MAX_CHARACTER_BYTES = 4;

function firstCharacter(label: string, bytes: Uint8Array): { text: string; size: number } {
  for (let size = 1; size <= bytes.length; size++) {
    const head = bytes.subarray(0, size);
    const text = iconv.decode(head, label, { stripBOM: false });
    if (!DOUBTFUL.test(text)) return { text, size };
    // GB18030 has these as characters.
    if (Buffer.compare(iconv.encode(text, label), head) === 0) return { text, size };
  }
  return { text: escapeOf(bytes[0]), size: 1 };
}

const LF = 10;

/** How many bytes of a stretch that begins with a whole character are whole characters. */
function wholeCharacters(label: string, bytes: Uint8Array): number {
  const form = formOf(label);
  if (form === 'single') return bytes.length;
  if (form === 'utf-32') return bytes.length & ~3;
  if (form === 'multi') return wholeMulti(label, bytes);
  const units = bytes.length & ~1;
  const high = units === 0 ? 0 : bytes[form === 'utf-16le' ? units - 1 : units - 2];
  return high >= 0xd8 && high <= 0xdb ? units - 2 : units;
}

/**
 * No character of the multi-byte encodings has a line feed as its second byte. Without one, the decoder is asked: what it
 * answers before the end is what the bytes give without those that it holds back.
 */
function wholeMulti(label: string, bytes: Uint8Array): number {
  const lineEnd = bytes.lastIndexOf(LF) + 1;
  if (lineEnd > 0) return lineEnd;
  const text = iconv.getDecoder(label, { stripBOM: false }).write(Buffer.from(bytes));
  for (let held = 0; held < MAX_CHARACTER_BYTES && held <= bytes.length; held++) {
    const head = bytes.subarray(0, bytes.length - held);
    if (iconv.decode(head, label, { stripBOM: false }) === text) return head.length;
  }
  return bytes.length;
}

const RAW_BYTES = 64 * 1024;

/** A source in another encoding, read as UTF-8. */
export class TranscodingSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #label: string;
  #raw = new Uint8Array(RAW_BYTES);
  /** Raw bytes that wait for the rest of their character. */
  #held = 0;
  #decoded: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(source: ByteSource, label: string) {
    this.#source = source;
    this.#label = label;
  }

  async fill(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#decoded.length === 0 && !this.#ended) await this.#decodeMore();
    const count = Math.min(length, this.#decoded.length);
    target.set(this.#decoded.subarray(0, count), offset);
    this.#decoded = this.#decoded.subarray(count);
    return count;
  }

  async #decodeMore(): Promise<void> {
    const count = await this.#source.fill(this.#raw, this.#held, this.#raw.length - this.#held);
    this.#ended = count === 0;
    const bytes = this.#raw.subarray(0, this.#held + count);
    const whole = this.#ended ? bytes.length : wholeCharacters(this.#label, bytes);
    this.#decoded = Buffer.from(decode(this.#label, bytes.subarray(0, whole)), 'utf8');
    this.#raw.copyWithin(0, whole, bytes.length);
    this.#held = bytes.length - whole;
  }
}

/** Encodes decoded text back to the encoding of the source, so that rejected rows stand as they stood. */
export function encodeFor(label: string, utf8: Uint8Array): Uint8Array {
  if (label === 'utf-8') return utf8;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const at of findEscapes(utf8)) {
    parts.push(encode(label, utf8.subarray(from, at)), Uint8Array.of(escapedByte(utf8, at)));
    from = at + ESCAPE_BYTES;
  }
  parts.push(encode(label, utf8.subarray(from)));
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function encode(label: string, utf8: Uint8Array): Uint8Array {
  const text = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength).toString('utf8');
  return iconv.encode(text, label);
}

/** How many bytes a stretch of decoded text takes in the source. */
export function sourceLength(label: string, utf8: Uint8Array): number {
  if (label === 'utf-8') return utf8.length;
  const form = formOf(label);
  if (form === 'multi') return encodeFor(label, utf8).length;
  const unit = form === 'single' ? 1 : form === 'utf-32' ? 4 : 2;
  let length = 0;
  for (let i = 0; i < utf8.length; i++) {
    const byte = utf8[i];
    if ((byte & 0xc0) === 0x80) continue;
    if (byte < 0xf0) length += unit;
    else if (isEscapeAt(utf8, i)) length += 1;
    else length += unit === 2 ? 4 : unit;
  }
  return length;
}
