import { describe, expect, test } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import { quoteName, quoteNames } from '../../src/load/quote.js';

describe('quoteName', () => {
  test('doubles the quotes of the dialect', () => {
    expect(quoteName('postgres', 'a "b" `c`')).toBe('"a ""b"" `c`"');
    expect(quoteName('mysql', 'a "b" `c`')).toBe('`a "b" ``c```');
    expect(quoteNames('postgres', ['a', 'B'])).toBe('"a", "B"');
  });

  test.each([
    ['postgres', ''],
    ['postgres', 'a\0b'],
    ['postgres', 'é'.repeat(32)],
    ['mysql', ''],
    ['mysql', 'a\0b'],
    ['mysql', 'ends with a space '],
    ['mysql', '🐟'],
    ['mysql', 'x'.repeat(65)],
  ] as const)('refuses for %s the name %j', (dialect, name) => {
    expect(() => quoteName(dialect, name)).toThrow(DropgateError);
  });

  test('takes names of the longest length', () => {
    expect(quoteName('postgres', 'x'.repeat(63))).toHaveLength(65);
    expect(quoteName('mysql', 'é'.repeat(64))).toHaveLength(66);
  });
});
