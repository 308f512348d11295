const ENCODER = new TextEncoder();
const MAX_VARINT_BYTES = 10;
/** Above this many bytes a memcpy beats a loop. */
const LOOP_COPY_BYTES = 24;
/** And above this many it beats a loop over words. */
const WORD_COPY_BYTES = 256;
const WORD_BYTES = 4;

/**
 * A growable, reusable run of bytes to append to. `bytes[0 .. length)` is the content. Numbers are little-endian.
 * Hot loops may call {@link reserve} once and then write to `bytes` and `view` themselves; both are replaced when
 * the buffer grows, so they must be read again after any call that can grow it.
 */
export class ByteBuffer {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  /** Number of bytes in use. */
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets the content and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.bytes.length * 2, needed));
    next.set(this.bytes.subarray(0, this.length));
    this.bytes = next;
    this.view = new DataView(next.buffer);
  }

  /** The content without a copy; valid until the next append or clear. */
  content(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** A copy of the content in memory of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  putByte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  putUint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Appends an unsigned LEB128 integer from 0 to 2^53. */
  putVarint(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    const bytes = this.bytes;
    let at = this.length;
    while (value > 0x7fff_ffff) {
      bytes[at++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    while (value > 0x7f) {
      bytes[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[at++] = value;
    this.length = at;
  }

  /** Appends `source[start .. end)`. */
  putBytes(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start;
    this.reserve(size);
    const at = this.length;
    if (size > LOOP_COPY_BYTES) this.bytes.set(source.subarray(start, end), at);
    else for (let i = 0; i < size; i++) this.bytes[at + i] = source[start + i];
    this.length = at + size;
  }

  /** Appends the content of another buffer. */
  putBuffer(source: ByteBuffer): void {
    const { length: size } = source;
    if (size > WORD_COPY_BYTES) {
      this.putBytes(source.bytes, 0, size);
      return;
    }
    // Whole words: what is stored behind the content is written over by whatever comes next.
    source.reserve(WORD_BYTES);
    this.reserve(size + WORD_BYTES);
    const { view, length: at } = this;
    for (let i = 0; i < size; i += WORD_BYTES) view.setInt32(at + i, source.view.getInt32(i, true), true);
    this.length = at + size;
  }

  /** Appends a text as UTF-8 behind its length in bytes as a varint. */
  putText(text: string): void {
    if (isAscii(text)) {
      this.putVarint(text.length);
      this.reserve(text.length);
      for (let i = 0; i < text.length; i++) this.bytes[this.length + i] = text.charCodeAt(i);
      this.length += text.length;
      return;
    }
    const encoded = ENCODER.encode(text);
    this.putVarint(encoded.length);
    this.putBytes(encoded);
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
