import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/base/suggest.js';

const KNOWN = ['settle_ms', 'ready', 'watch', 'workers', 'warning', 'postgres', 'INTEGER'];

describe('the nearest known word', () => {
  it.each([
    ['setle_ms', 'settle_ms'],
    ['settel_ms', 'settle_ms'],
    ['worker', 'workers'],
    ['WATCH', 'watch'],
    ['integre', 'INTEGER'],
    ['warn', 'warning'],
    ['postgresql', 'postgres'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
  ])('of "%s" is %s', (word, expected) => {
    expect(nearest(word, KNOWN)).toBe(expected);
  });

  it('is the word itself when it is known', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1 }), (known) => {
        expect(nearest(known[0], known)?.toLowerCase()).toBe(known[0].toLowerCase());
      }),
    );
  });

  it('is not looked for when the word is endless', () => {
    expect(nearest('a'.repeat(100_000), ['a'.repeat(100_000)])).toBeUndefined();
  });

  it('becomes a question, or nothing', () => {
    expect(didYouMean('redy', KNOWN)).toBe('; did you mean "ready"?');
    expect(didYouMean('nothing like it', KNOWN)).toBe('');
  });
});
