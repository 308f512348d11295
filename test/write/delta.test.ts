import fc from 'fast-check';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/base/vector.js';
import { ByteBuffer } from '../../src/write/byte-buffer.js';
import { putDelta } from '../../src/write/delta.js';

function vectorOf(values: bigint[], physical: 'int32' | 'int64'): Vector {
  const vector = new Vector(physical);
  for (const value of values) {
    if (physical === 'int32') vector.pushInt32(Number(value));
    else vector.pushBigInt(value);
  }
  return vector;
}

function encode(values: bigint[], physical: 'int32' | 'int64'): Uint8Array | undefined {
  const out = new ByteBuffer(1);
  const vector = vectorOf(values, physical);
  const fits = putDelta(out, { values: vector, from: 0, to: values.length });
  if (!fits) expect(out.length).toBe(0);
  return fits ? out.copy() : undefined;
}

function decode(bytes: Uint8Array, { count, physical }: { count: number; physical: string }): bigint[] {
  const output = physical === 'int32' ? new Int32Array(count) : new BigInt64Array(count);
  deltaBinaryUnpack({ view: new DataView(bytes.buffer), offset: 0 }, count, output);
  return Array.from(output, BigInt);
}

/** Values that start anywhere and move in steps of up to 2^bits. */
function walks(bits: number): fc.Arbitrary<bigint[]> {
  const step = fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) });
  return fc
    .tuple(
      fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n }),
      fc.array(step, { minLength: 1, maxLength: 600, size: 'max' }),
    )
    .map(([start, steps]) => {
      let value = start;
      return steps.map((delta) => {
        value += delta;
        return value;
      });
    });
}

const sequences = fc.integer({ min: 0, max: 34 }).chain(walks);

describe('putDelta', () => {
  it('is read back by hyparquet, or leaves the page to another encoding', () => {
    let written = 0;
    fc.assert(
      fc.property(sequences, (values) => {
        const bytes = encode(values, 'int64');
        if (!bytes) return;
        written++;
        expect(bytes.length).toBeLessThanOrEqual(values.length * 4);
        expect(decode(bytes, { count: values.length, physical: 'int64' })).toEqual(values);
      }),
      { numRuns: 400 },
    );
    expect(written).toBeGreaterThan(20);
  });

  it('is read back as 32-bit integers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }).chain(walks), (walk) => {
        const values = walk.map((value) => BigInt.asIntN(32, value));
        const bytes = encode(values, 'int32');
        if (bytes) expect(decode(bytes, { count: values.length, physical: 'int32' })).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1n, -1n, 1000n])('takes next to nothing for steps of %i', (step) => {
    const values = Array.from({ length: 10_000 }, (_, i) => 1_700_000_000_000_000n + BigInt(i) * step);
    expect(encode(values, 'int64')!.length).toBeLessThan(1000);
  });

  it('declines what it cannot hold exactly', () => {
    const far = Array.from({ length: 500 }, (_, i) => 2n ** 60n + BigInt(i));
    expect(encode(far, 'int64')).toBeUndefined();
    const apart = Array.from({ length: 500 }, (_, i) => (i === 250 ? -(2n ** 31n) : 2n ** 31n - 1n));
    expect(encode(apart, 'int32')).toBeUndefined();
  });

  it('declines what does not shrink by half', () => {
    const noise = Array.from({ length: 5000 }, (_, i) => BigInt(Math.imul(i, 0x9e3779b1)));
    expect(encode(noise, 'int32')).toBeUndefined();
    expect(encode([5n], 'int32')).toBeUndefined();
    expect(encode([], 'int64')).toBeUndefined();
  });

  it('follows the indexes of a selection', () => {
    const out = new ByteBuffer();
    const values = vectorOf([30n, 10n, 20n], 'int64');
    const indexes = Uint32Array.from({ length: 100 }, (_, i) => i % 3);
    expect(putDelta(out, { values, indexes, from: 1, to: 100 })).toBe(true);
    const read = decode(out.copy(), { count: 99, physical: 'int64' });
    expect(read.slice(0, 4)).toEqual([10n, 20n, 30n, 10n]);
  });
});
