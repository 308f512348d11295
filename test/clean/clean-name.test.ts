import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanName } from '../../src/clean/clean-name.js';

describe('the name of a column', () => {
  it.each([
    [' Age ', 'age'],
    ['First \t\n Name', 'first name'],
    ['\ufeffSCHOOL', 'school'],
    ['G1', 'g1'],
    ['', ''],
    ['   ', ''],
  ])('%j becomes %j', (raw, name) => {
    expect(cleanName(raw, 'lower')).toBe(name);
    expect(cleanName(raw, 'keep')).toBe(raw);
  });

  it('is clean once it was cleaned', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        const once = cleanName(raw, 'lower');
        expect(cleanName(once, 'lower')).toBe(once);
      }),
    );
  });
});
