import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CleanOptions, cleanerFor } from '../../src/clean/clean-value.js';

const DEFAULT_TOKENS = ['', 'na', 'n/a', 'nan', 'null', 'none'];

function clean(raw: string, options: Partial<CleanOptions> = {}): string | null {
  return cleanerFor({ case: 'lower', nullTokens: DEFAULT_TOKENS, ...options })(raw);
}

describe('a value', () => {
  it.each([
    ['  GP ', 'gp'],
    ['\t\u00a0Zoë\u2003\ufeff', 'zoë'],
    ['two  words', 'two  words'],
    ['STRASSE', 'strasse'],
  ])('%j is trimmed and folded to %j', (raw, text) => {
    expect(clean(raw)).toBe(text);
  });

  it('can be upper case or kept', () => {
    expect(clean(' Gp ', { case: 'upper' })).toBe('GP');
    expect(clean(' Gp ', { case: 'keep' })).toBe('Gp');
    expect(clean(' Gp ', { case: 'keep', keepWhiteSpace: true })).toBe(' Gp ');
  });

  it.each(['', '   ', 'NA', ' N/a ', 'NaN', 'NULL', 'None'])('%j is missing', (raw) => {
    for (const rule of ['lower', 'upper', 'keep'] as const) expect(clean(raw, { case: rule })).toBeNull();
    expect(clean(raw, { case: 'keep', keepWhiteSpace: true })).toBeNull();
  });

  it('is missing by the tokens that are given, and by no others', () => {
    expect(clean('-', { nullTokens: ['-', 'keine angabe'] })).toBeNull();
    expect(clean(' Keine Angabe', { nullTokens: ['-', 'keine angabe'] })).toBeNull();
    expect(clean('na', { nullTokens: ['-'] })).toBe('na');
    expect(clean('', { nullTokens: ['-'] })).toBe('');
    expect(clean('', { nullTokens: [] })).toBe('');
    expect(clean('nap')).toBe('nap');
  });

  it('is clean once it was cleaned', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom(' ', '\t', '\u00a0', 'a', 'Z', 'ß', 'ẞ', 'İ', 'Σ', 'ŉ', 'ǆ', '🎓', '\ufeff'),
      }),
      fc.constantFrom(...DEFAULT_TOKENS).map((token) => ` ${token.toUpperCase()}\n`),
    );
    const options = fc.record({
      case: fc.constantFrom('lower' as const, 'upper' as const, 'keep' as const),
      nullTokens: fc.constantFrom(DEFAULT_TOKENS, [], ['-', 'ss', 'ʼn']),
      keepWhiteSpace: fc.boolean(),
    });
    fc.assert(
      fc.property(texts, options, (text, chosen) => {
        const once = cleanerFor(chosen)(text);
        if (once !== null) expect(cleanerFor(chosen)(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});
