import { ByteBuffer } from './byte-buffer.js';

/** An array that is kept between uses and grows on demand; what it held is lost each time. */
export class ReusableIds {
  #array = new Uint32Array(512);

  atLeast(length: number): Uint32Array {
    if (this.#array.length < length) this.#array = new Uint32Array(Math.max(length, this.#array.length * 2));
    return this.#array;
  }
}

/** Working memory of the encoder, kept from file to file so that a small file allocates next to nothing. */
export class Scratch {
  /** The row group under construction. */
  readonly group = new ByteBuffer(64 * 1024);
  /** The page under construction, uncompressed. */
  readonly page = new ByteBuffer(64 * 1024);
  /** Definition levels of that page. */
  readonly pageLevels = new ByteBuffer();
  /** The page, compressed. */
  readonly compressed = new ByteBuffer(64 * 1024);
  readonly levels = new ReusableIds();
  readonly present = new ReusableIds();
  readonly bits = new ReusableIds();
  #numbers = new Float64Array(512);

  /** Room for so many numbers; what it held is lost. */
  numbersFor(length: number): Float64Array {
    if (this.#numbers.length < length) this.#numbers = new Float64Array(length * 2);
    return this.#numbers;
  }
}
