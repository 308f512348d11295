import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHybrid } from '../../src/load/hybrid-rle.js';
import { ByteBuffer } from '../../src/write/byte-buffer.js';
import { putHybrid } from '../../src/write/hybrid-rle.js';

/** Numbers below 2^bitWidth, in runs of one number and of many. */
const runs = fc.integer({ min: 0, max: 24 }).chain((bitWidth) =>
  fc.record({
    bitWidth: fc.constant(bitWidth),
    runs: fc.array(fc.tuple(fc.nat(2 ** bitWidth - 1), fc.integer({ min: 1, max: 40 })), { minLength: 1 }),
  }),
);

function packed(values: Uint32Array, bitWidth: number): Uint8Array {
  const out = new ByteBuffer();
  putHybrid(out, { values, from: 0, to: values.length, bitWidth });
  return out.bytes.slice(0, out.length);
}

function read(
  bytes: Uint8Array,
  {
    count,
    bitWidth,
    limit = 2 ** bitWidth,
    base = 0,
  }: { count: number; bitWidth: number; limit?: number; base?: number },
) {
  const out = new Uint32Array(count + 2).fill(77);
  readHybrid(bytes, bitWidth, { out, from: 1, to: count + 1, base, limit });
  expect([out[0], out[count + 1]], 'nothing is written beside the part').toEqual([77, 77]);
  return out.subarray(1, count + 1);
}

test('numbers read back as they were written, each with the base added', () => {
  fc.assert(
    fc.property(runs, ({ bitWidth, runs }) => {
      const values = Uint32Array.from(runs.flatMap(([value, count]) => Array(count).fill(value)));
      const found = read(packed(values, bitWidth), { count: values.length, bitWidth, base: 5 });
      expect(found).toEqual(values.map((value) => value + 5));
    }),
  );
});

test('a last group without its padding is enough', () => {
  const values = Uint32Array.from([1, 0, 3]);
  const bytes = packed(values, 2).subarray(0, 2);
  expect(read(bytes, { count: 3, bitWidth: 2 })).toEqual(values);
});

test.each([1, 3, 8, 12])('numbers of %i bits that are cut short are refused', (bitWidth) => {
  const mixed = Uint32Array.from({ length: 48 }, (_, i) => (i * 7) % 2 ** bitWidth);
  const same = new Uint32Array(48).fill(1);
  for (const values of [mixed, same]) {
    const bytes = packed(values, bitWidth);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => read(bytes.subarray(0, length), { count: 48, bitWidth })).toThrow(/fewer ids than rows/);
    }
  }
});

test.each([2, 9])('a number of %i bits outside of the dictionary is refused', (bitWidth) => {
  const mixed = Uint32Array.from({ length: 50 }, (_, i) => i % 4);
  const same = new Uint32Array(50).fill(3);
  for (const values of [mixed, same])
    expect(() => read(packed(values, bitWidth), { count: 50, bitWidth, limit: 3 })).toThrow(
      /outside of the dictionary/,
    );
});
