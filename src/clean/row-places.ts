import type { OverflowingRow, RowOverflow } from './duplicates.js';

const FIRST_BYTES = 1024;

/** Rows of a file that an earlier pass over it has found to repeat others: one bit a row, by part. */
export class RowPlaces implements RowOverflow {
  /** Bits by part: plain data, fit to be sent to another thread. */
  readonly parts: (Uint8Array | undefined)[];
  #count = 0;

  constructor(parts: (Uint8Array | undefined)[] = []) {
    this.parts = parts;
  }

  /** Rows that were added. */
  get count(): number {
    return this.#count;
  }

  add(part: number, row: number): void {
    const byte = row >>> 3;
    let bits = this.parts[part] ?? new Uint8Array(FIRST_BYTES);
    if (byte >= bits.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(byte + 1)));
      larger.set(bits);
      bits = larger;
    }
    bits[byte] |= 1 << (row & 7);
    this.parts[part] = bits;
    this.#count++;
  }

  isNew({ part, row }: OverflowingRow): boolean {
    return !this.has(part, row);
  }

  has(part: number, row: number): boolean {
    const bits = this.parts[part];
    return bits !== undefined && ((bits[row >>> 3] >>> (row & 7)) & 1) === 1;
  }
}
