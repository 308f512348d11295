import type { ByteBuffer } from './byte-buffer.js';

/** Element and field types of Thrift's compact protocol. Spec: thrift-compact-protocol.md */
export const THRIFT = { true: 1, false: 2, i8: 3, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

const STOP = 0;
const LONG_LIST = 15;

/**
 * Writes Thrift's compact protocol field by field, in ascending order of field ids, without building objects.
 * Structs nest: {@link struct} and {@link element} open one, {@link end} closes it.
 *
 * Why not hyparquet-writer's serialiser: it goes through objects with keys such as `field_1`, which for a small file
 * of 33 columns took three times as long as everything else together, and it writes the width of an INTEGER type as
 * i32 instead of i8, at which DuckDB and arrow refuse the file.
 */
export class ThriftWriter {
  readonly #out: ByteBuffer;
  /** Id of the last field of each open struct, innermost last. */
  readonly #lastIds: number[] = [];
  #lastId = 0;

  constructor(out: ByteBuffer) {
    this.#out = out;
  }

  /** An integer field. Of magnitude at most 2^31, as against 2^52 in {@link i64}. */
  i32(id: number, value: number): void {
    this.#field(id, THRIFT.i32);
    this.#zigzag(value);
  }

  i64(id: number, value: number): void {
    this.#field(id, THRIFT.i64);
    this.#zigzag(value);
  }

  i8(id: number, value: number): void {
    this.#field(id, THRIFT.i8);
    this.#out.putByte(value);
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? THRIFT.true : THRIFT.false);
  }

  binary(id: number, value: Uint8Array): void {
    this.#field(id, THRIFT.binary);
    this.#out.putVarint(value.length);
    this.#out.putBytes(value);
  }

  text(id: number, value: string): void {
    this.#field(id, THRIFT.binary);
    this.#out.putText(value);
  }

  /** Opens a list field of `size` elements, which the caller writes next. */
  list(id: number, { type, size }: { type: number; size: number }): void {
    this.#field(id, THRIFT.list);
    if (size < LONG_LIST) {
      this.#out.putByte((size << 4) | type);
      return;
    }
    this.#out.putByte((LONG_LIST << 4) | type);
    this.#out.putVarint(size);
  }

  /** An integer element of a list. */
  i32Element(value: number): void {
    this.#zigzag(value);
  }

  /** A text element of a list. */
  textElement(value: string): void {
    this.#out.putText(value);
  }

  /** Opens a struct field. */
  struct(id: number): void {
    this.#field(id, THRIFT.struct);
    this.element();
  }

  /** Opens a struct as an element of a list, or as the whole message. */
  element(): void {
    this.#lastIds.push(this.#lastId);
    this.#lastId = 0;
  }

  /** Closes the innermost struct. */
  end(): void {
    this.#out.putByte(STOP);
    this.#lastId = this.#lastIds.pop()!;
  }

  /** A struct field without fields of its own, such as a member of a union. */
  emptyStruct(id: number): void {
    this.#field(id, THRIFT.struct);
    this.#out.putByte(STOP);
  }

  /** Field ids of Parquet's structs ascend in steps below 16, so the short form of the header always does. */
  #field(id: number, type: number): void {
    this.#out.putByte(((id - this.#lastId) << 4) | type);
    this.#lastId = id;
  }

  #zigzag(value: number): void {
    this.#out.putVarint(value < 0 ? -value * 2 - 1 : value * 2);
  }
}
