const STOP = 0;
const TYPE = {
  true: 1,
  false: 2,
  i8: 3,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;
const LONG_LIST = 15;
const CONTINUED = 0x80;

/**
 * Reads Thrift's compact protocol without building objects: what nobody asks for is skipped. Spec: thrift-compact-protocol.md.
 * Every method throws an Error when the bytes end early or are something else than was asked for.
 */
export class ThriftReader {
  /** Offset of the next byte. */
  at: number;
  readonly #bytes: Uint8Array;
  /** Of the field or list element in hand. */
  #type = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Reads a whole message, as {@link struct} reads a field. */
  message(read: (id: number) => void): void {
    this.#type = TYPE.struct;
    this.struct(read);
  }

  /** Calls `read` for each field of the struct in hand; it reads the field, or skips it. */
  struct(read: (id: number) => void): void {
    this.#expect(this.#type === TYPE.struct);
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === STOP) return;
      this.#type = head & 0x0f;
      id = head >> 4 ? id + (head >> 4) : zigzag(this.#varint());
      read(id);
    }
  }

  /** Calls `read` for each element of the list in hand; it reads the element, or skips it. */
  list(read: () => void): void {
    this.#expect(this.#type === TYPE.list || this.#type === TYPE.set);
    const head = this.#byte();
    const type = head & 0x0f;
    const size = head >> 4 === LONG_LIST ? this.#varint() : head >> 4;
    for (let i = 0; i < size; i++) {
      this.#type = type;
      // A boolean takes a byte of its own here, and none as a field.
      if (type === TYPE.true || type === TYPE.false) this.#byte();
      else read();
    }
  }

  /** An integer of any width, at most 2^53. */
  int(): number {
    this.#expect(this.#type >= TYPE.i8 && this.#type <= TYPE.i64);
    return this.#type === TYPE.i8 ? (this.#byte() << 24) >> 24 : zigzag(this.#varint());
  }

  bool(): boolean {
    this.#expect(this.#type === TYPE.true || this.#type === TYPE.false);
    return this.#type === TYPE.true;
  }

  /** Bytes that belong to the message. */
  binary(): Uint8Array {
    this.#expect(this.#type === TYPE.binary);
    const length = this.#varint();
    this.#move(length);
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** Passes over the field or list element in hand. */
  skip(): void {
    switch (this.#type) {
      case TYPE.true:
      case TYPE.false:
        return;
      case TYPE.i8:
        this.#move(1);
        return;
      case TYPE.double:
        this.#move(8);
        return;
      case TYPE.binary:
        this.#move(this.#varint());
        return;
      case TYPE.list:
      case TYPE.set:
        this.list(() => this.skip());
        return;
      case TYPE.struct:
        this.struct(() => this.skip());
        return;
      default:
        this.int();
    }
  }

  #byte(): number {
    this.#move(1);
    return this.#bytes[this.at - 1];
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++];
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= CONTINUED; scale *= 0x80) {
      byte = bytes[this.at++];
      value += (byte & 0x7f) * scale;
    }
    this.#expect(this.at <= bytes.length && value <= Number.MAX_SAFE_INTEGER);
    return value;
  }

  #move(count: number): void {
    this.at += count;
    this.#expect(this.at <= this.#bytes.length);
  }

  #expect(isAsExpected: boolean): void {
    if (!isAsExpected) throw new Error(`unexpected bytes at ${this.at}`);
  }
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
