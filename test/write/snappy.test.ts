import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../../src/write/byte-buffer.js';
import { openSnappy } from '../../src/write/snappy.js';

const snappyCompress = await openSnappy();

function compress(input: Uint8Array): Uint8Array {
  const source = new ByteBuffer(1);
  const target = new ByteBuffer(1);
  source.putBytes(input);
  snappyCompress(source, target);
  return target.copy();
}

function expectRoundTrip(input: Uint8Array): void {
  const output = new Uint8Array(input.length);
  snappyUncompress(compress(input), output);
  expect(Buffer.compare(output, input)).toBe(0);
}

/** Bytes that repeat earlier ones at all distances and lengths, between stretches of noise. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => ({ bytes, back: 0, length: 0 })),
      fc.record({
        bytes: fc.constant(new Uint8Array(0)),
        back: fc.integer({ min: 1, max: 5000 }),
        length: fc.integer({ min: 1, max: 300 }),
      }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => {
    const output: number[] = [];
    for (const { bytes, back, length } of parts) {
      output.push(...bytes);
      const from = Math.max(0, output.length - back);
      for (let i = 0; i < length && from + i < output.length; i++) output.push(output[from + i]);
    }
    return Uint8Array.from(output);
  });

describe('snappy', () => {
  it('is undone by a snappy reader', () => {
    fc.assert(fc.property(repetitive, expectRoundTrip), { numRuns: 500 });
  });

  it('handles noise of any length', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), expectRoundTrip));
  });

  it.each([0, 1, 14, 15, 16, 60, 61, 256, 257, 65535, 65536, 65537, 200_000])(
    'handles %i equal bytes',
    (length) => {
      expectRoundTrip(new Uint8Array(length).fill(7));
    },
  );

  it('matches across the whole of a block and starts anew in the next', () => {
    const block = Uint8Array.from({ length: 65_500 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff);
    expectRoundTrip(Uint8Array.from([...block, ...block, ...block.slice(0, 1000)]));
  });

  it('shrinks text and hardly grows noise', () => {
    const text = new TextEncoder().encode('the quick brown fox jumps over the lazy dog; '.repeat(100));
    const noise = Uint8Array.from({ length: 4500 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
    expect(compress(text).length).toBeLessThan(text.length / 10);
    expect(compress(noise).length).toBeLessThan(noise.length + 10);
  });

  it('shrinks text between noise', () => {
    const noise = Uint8Array.from({ length: 1 << 16 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
    const text = new TextEncoder().encode('the quick brown fox jumps over the lazy dog; '.repeat(6000));
    const input = Uint8Array.from([...noise, ...text, ...noise, ...text]);
    expectRoundTrip(input);
    expect(compress(input).length).toBeLessThan(input.length * 0.3);
  });

  it.each([0, 1, 1022, 1023, 1024, 1025, 65_535, 65_536, 65_537, 131_072, 131_073])(
    'handles a page of %i bytes of text and noise',
    (length) => {
      const page = Uint8Array.from({ length }, (_, i) =>
        i % 300 < 200 ? i % 7 : Math.imul(i, 0x9e3779b1) >>> 24,
      );
      expectRoundTrip(page);
    },
  );
});
