import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  escapeControls,
  formatBytes,
  formatCount,
  formatDuration,
  plural,
  quoteValue,
} from '../../src/base/text.js';

describe('escaping of control characters', () => {
  it.each([
    ['two\nlines', 'two\\nlines'],
    ['\r\n\t\0', '\\r\\n\\t\\0'],
    ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['\u007f\u0085\u009f', '\\u007f\\u0085\\u009f'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['\ufeffmark', '\\ufeffmark'],
    ['Zoë 漢字 🎓', 'Zoë 漢字 🎓'],
  ])('%j becomes %j', (text, escaped) => {
    expect(escapeControls(text)).toBe(escaped);
  });

  it('shows what would turn the direction of writing around', () => {
    expect(escapeControls('gpj\u202e.csv')).toBe('gpj\\u202e.csv');
    expect(escapeControls('\u2066a\u2069\u200e\u200f')).toBe('\\u2066a\\u2069\\u200e\\u200f');
  });

  it('leaves one line, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeControls(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
  });
});

describe('a value in a message', () => {
  it('is quoted, escaped and cut', () => {
    expect(quoteValue('x')).toBe('"x"');
    expect(quoteValue('a\nb')).toBe('"a\\nb"');
    expect(quoteValue('abcdef', 5)).toBe('"abcde…"');
    expect(quoteValue('abcde', 5)).toBe('"abcde"');
  });

  it('is not cut through a character', () => {
    expect(quoteValue('abcd🎓f', 5)).toBe('"abcd…"');
    expect(quoteValue('abc🎓ef', 5)).toBe('"abc🎓…"');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [9_100, '9.1 KB'],
    [56_993, '57.0 KB'],
    [999_949, '999.9 KB'],
    [999_950, '1.0 MB'],
    [1_234_567_890, '1.2 GB'],
    [5e15, '5000.0 TB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0.2, '0 ms'],
    [2.4, '2 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [3_449, '3.4 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 0 s'],
    [119_600, '2 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_600_000, '60 min 0 s'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('never shows a full unit of the next size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (milliseconds) => {
        expect(formatDuration(milliseconds)).not.toMatch(/\b(?:1000 ms|60\.0 s|60 s)$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('counts', () => {
  it('have thousands separated', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(plural(1, 'row')).toBe('1 row');
    expect(plural(0, 'row')).toBe('0 rows');
    expect(plural(1395, 'row')).toBe('1,395 rows');
  });
});
