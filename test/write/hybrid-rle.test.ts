import fc from 'fast-check';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../../src/write/byte-buffer.js';
import { bitWidthOf, putHybrid } from '../../src/write/hybrid-rle.js';

function encode(values: number[], bitWidth: number): Uint8Array {
  const out = new ByteBuffer(1);
  putHybrid(out, { values: Uint32Array.from(values), from: 0, to: values.length, bitWidth });
  return out.copy();
}

/** hyparquet's reader, which shifts in 32 bits and so is right up to a width of 24. */
function decode(bytes: Uint8Array, { count, bitWidth }: { count: number; bitWidth: number }): number[] {
  const output = new Array<number>(count);
  readRleBitPackedHybrid({ view: new DataView(bytes.buffer), offset: 0 }, bitWidth, output, bytes.length);
  return output;
}

/** Straight from the specification, one bit at a time. */
function decodeBitByBit(
  bytes: Uint8Array,
  { count, bitWidth }: { count: number; bitWidth: number },
): number[] {
  const output: number[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const bitsFrom = (from: number, width: number) => {
    let value = 0;
    for (let i = 0; i < width; i++) value += ((bytes[(from + i) >> 3] >> ((from + i) & 7)) & 1) * 2 ** i;
    return value;
  };
  while (output.length < count) {
    const header = varint();
    const run = Math.floor(header / 2);
    if (header % 2 === 1) {
      for (let i = 0; i < run * 8; i++) output.push(bitsFrom(at * 8 + i * bitWidth, bitWidth));
      at += run * bitWidth;
    } else {
      const value = bitsFrom(at * 8, bitWidth);
      for (let i = 0; i < run; i++) output.push(value);
      at += Math.ceil(bitWidth / 8);
    }
  }
  expect(at).toBe(bytes.length);
  return output.slice(0, count);
}

/** Runs of one value and stretches of changing ones, as real columns have them. */
function runsOf(bitWidth: number): fc.Arbitrary<number[]> {
  const value = fc.integer({ min: 0, max: 2 ** bitWidth - 1 });
  const repeated = fc
    .tuple(value, fc.integer({ min: 1, max: 70 }))
    .map(([v, n]) => new Array<number>(n).fill(v));
  return fc
    .array(fc.oneof(repeated, fc.array(value, { maxLength: 40 })), { maxLength: 8 })
    .map((runs) => runs.flat());
}

const cases = fc
  .integer({ min: 0, max: 32 })
  .chain((bitWidth) => fc.tuple(fc.constant(bitWidth), runsOf(bitWidth)));

describe('putHybrid', () => {
  it('is read back as specified, at any width', () => {
    fc.assert(
      fc.property(cases, ([bitWidth, values]) => {
        expect(decodeBitByBit(encode(values, bitWidth), { count: values.length, bitWidth })).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  it('is read back by hyparquet', () => {
    fc.assert(
      fc.property(cases, ([bitWidth, values]) => {
        fc.pre(bitWidth > 0 && bitWidth <= 24);
        expect(decode(encode(values, bitWidth), { count: values.length, bitWidth })).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it('encodes any part of an array', () => {
    const values = Uint32Array.from({ length: 100 }, (_, i) => i % 8);
    const out = new ByteBuffer(1);
    out.putByte(99);
    putHybrid(out, { values, from: 13, to: 58, bitWidth: 3 });
    expect(decodeBitByBit(out.copy().slice(1), { count: 45, bitWidth: 3 })).toEqual([
      ...values.slice(13, 58),
    ]);
  });

  it('pads with zeros, whatever the array holds behind the part', () => {
    const values = Uint32Array.of(1, 0, 1, 7, 7, 7, 7, 7, 7);
    const out = new ByteBuffer(1);
    putHybrid(out, { values, from: 0, to: 3, bitWidth: 1 });
    expect([...out.copy()]).toEqual([0b11, 0b101]);
  });

  it('turns one long repetition into one run', () => {
    expect([...encode(new Array(1000).fill(1), 1)]).toEqual([0xd0, 0x0f, 1]);
    expect([...encode(new Array(1000).fill(0), 0)]).toEqual([0xd0, 0x0f]);
    expect(encode(new Array(1_000_000).fill(70_000), 17)).toHaveLength(3 + 3);
  });

  it('never takes more than a header over packing everything', () => {
    fc.assert(
      fc.property(cases, ([bitWidth, values]) => {
        fc.pre(bitWidth > 0 && values.length > 0);
        const packed = Math.ceil(values.length / 8) * bitWidth;
        expect(encode(values, bitWidth).length).toBeLessThanOrEqual(packed + 3);
      }),
      { numRuns: 500 },
    );
  });

  it('writes nothing for no values', () => {
    expect(encode([], 5)).toHaveLength(0);
  });
});

it('bitWidthOf counts the bits of the largest value', () => {
  expect([0, 1, 2, 255, 256, 65536, 0xffffffff].map(bitWidthOf)).toEqual([0, 1, 2, 8, 9, 17, 32]);
});
