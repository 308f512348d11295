import type { ByteBuffer } from './byte-buffer.js';
import type { Codec } from './codec.js';
import { ENCODING, type Encoding, PAGE_TYPE } from './format.js';
import type { Scratch } from './scratch.js';
import { ThriftWriter } from './thrift.js';

/** What a version-2 data page says of itself. */
export interface DataPage {
  rowCount: number;
  nullCount: number;
  encoding: Encoding;
}

/** Pages below this size do not shrink enough to be worth the attempt. */
const MIN_COMPRESSIBLE_BYTES = 48;

/**
 * Appends pages to the row group in `scratch.group`. The content of a page is laid out in `scratch.page` (and its
 * definition levels in `scratch.pageLevels`) beforehand.
 */
export class PageWriter {
  /** Bytes that the pages written since it was set to 0 would take without compression, headers included. */
  uncompressedBytes = 0;
  readonly #scratch: Scratch;
  readonly #codec: Codec;
  readonly #header: ThriftWriter;

  constructor(scratch: Scratch, codec: Codec) {
    this.#scratch = scratch;
    this.#codec = codec;
    this.#header = new ThriftWriter(scratch.group);
  }

  /** Appends the page as a dictionary of `count` PLAIN values. */
  putDictionary(count: number): void {
    const { page, group } = this.#scratch;
    // Spec: a dictionary page has no flag to say that it is not compressed.
    const body = this.#codec.name === 'none' ? page : this.#compressed(page);
    const start = group.length;
    const header = this.#header;
    header.element();
    header.i32(1, PAGE_TYPE.dictionary);
    header.i32(2, page.length);
    header.i32(3, body.length);
    header.struct(7);
    header.i32(1, count);
    header.i32(2, ENCODING.plain);
    header.end();
    header.end();
    this.uncompressedBytes += group.length - start + page.length;
    group.putBuffer(body);
  }

  /** Appends the page as version-2 data, compressed only where that makes it smaller. */
  putData({ rowCount, nullCount, encoding }: DataPage): void {
    const { page, pageLevels, group } = this.#scratch;
    const body = this.#smallest(page);
    const start = group.length;
    const header = this.#header;
    header.element();
    header.i32(1, PAGE_TYPE.dataV2);
    header.i32(2, pageLevels.length + page.length);
    header.i32(3, pageLevels.length + body.length);
    header.struct(8);
    header.i32(1, rowCount);
    header.i32(2, nullCount);
    header.i32(3, rowCount);
    header.i32(4, encoding);
    header.i32(5, pageLevels.length);
    header.i32(6, 0);
    // Spec: absent means compressed.
    if (body === page && this.#codec.name !== 'none') header.bool(7, false);
    header.end();
    header.end();
    this.uncompressedBytes += group.length - start + pageLevels.length + page.length;
    group.putBuffer(pageLevels);
    group.putBuffer(body);
  }

  #smallest(page: ByteBuffer): ByteBuffer {
    if (this.#codec.name === 'none' || page.length < MIN_COMPRESSIBLE_BYTES) return page;
    const compressed = this.#compressed(page);
    return compressed.length < page.length ? compressed : page;
  }

  #compressed(page: ByteBuffer): ByteBuffer {
    const { compressed } = this.#scratch;
    compressed.clear();
    this.#codec.compress(page, compressed);
    return compressed;
  }
}
