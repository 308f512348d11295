import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainNumber, shortestFloat, unscaledText } from '../../src/load/number-text.js';

describe('numbers', () => {
  test('a decimal of any size and scale is exact', () => {
    const unscaled = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 0, max: 38 }), (value, scale) => {
        const text = unscaledText(value, scale);
        const [whole, fraction = ''] = text.split('.');
        expect(fraction).toHaveLength(scale);
        expect(BigInt(whole + fraction)).toBe(value);
      }),
    );
  });

  test('bytes are big-endian two’s complement of any width', () => {
    expect(unscaledText(Uint8Array.of(0xff), 0)).toBe('-1');
    expect(unscaledText(Uint8Array.of(0x00, 0xff), 1)).toBe('25.5');
    expect(unscaledText(Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0), 0)).toBe(String(-(2n ** 71n)));
  });

  test('the shortest text of a float reads back as the same float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plainNumber(shortestFloat(value));
        expect(text).not.toMatch(/e/i);
        expect(Math.fround(Number(text))).toBe(value === 0 ? 0 : value);
      }),
    );
    expect(shortestFloat(Math.fround(0.1))).toBe('0.1');
  });

  test('a double without its exponent is the same double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plainNumber(String(value));
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});
