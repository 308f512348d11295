import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/base/vector.js';
import { oddCellTest, textCopier } from '../../src/clean/clean-bytes.js';
import { cleanerFor } from '../../src/clean/clean-value.js';

const RULES = ['lower', 'upper', 'keep'] as const;

function cellOf(text: string): { source: Vector; start: number; end: number } {
  const source = new Vector('bytes');
  for (const one of ['before', text, 'behind']) source.pushText(one);
  return { source, start: source.offsets[1], end: source.offsets[2] };
}

/** Pieces of cells that matter: tokens, letters at the ends of the alphabet, white space, other scripts. */
const piece = fc.constantFrom(
  'NA',
  'n/a',
  'nul',
  'l',
  'ß',
  'SS',
  'ss',
  'K',
  'k',
  '@',
  'A',
  'Z',
  '[',
  '`',
  'a',
  'z',
  '{',
  '\x7f',
  ' ',
  '\t',
  '\u00a0',
  'é',
  '0',
  '-',
);
const cell = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary-ascii', maxLength: 20 }),
);
const tokens = fc.array(fc.constantFrom('', 'na', 'N/A', 'null', 'ß', 'K', '-', '0'), { maxLength: 4 });

describe('a cell cleaned as bytes', () => {
  it('is what the cleaner of texts makes of it, wherever it is not called odd', () => {
    let copied = 0;
    fc.assert(
      fc.property(cell, tokens, fc.constantFrom(...RULES), (text, nullTokens, rule) => {
        const { source, start, end } = cellOf(text.toWellFormed());
        if (oddCellTest(nullTokens)(source.bytes, start, end)) return;
        const target = new Vector('bytes');
        target.pushText('first');
        const isCopied = textCopier(rule)(target, source, start, end);
        expect(target.length).toBe(isCopied ? 2 : 1);
        if (!isCopied) return;
        copied++;
        const clean = cleanerFor({ case: rule, nullTokens })(text.toWellFormed());
        expect(Buffer.from(target.bytesAt(1)).toString()).toBe(clean);
        expect(Buffer.from(target.bytesAt(0)).toString()).toBe('first');
      }),
      { numRuns: 5000 },
    );
    expect(copied).toBeGreaterThan(1000);
  });

  it('is copied when it is ASCII without white space around it, and no token of the declaration', () => {
    const isOdd = oddCellTest(['', 'na', 'null']);
    for (const text of ['x', 'name', 'Nothing to see here', 'a b', '~']) {
      const { source, start, end } = cellOf(text);
      expect([text, isOdd(source.bytes, start, end)]).toEqual([text, text.length <= 12 && /^n/i.test(text)]);
    }
    for (const text of ['', ' ', ' x', 'x\t', 'é', 'xé', 'NA']) {
      const { source, start, end } = cellOf(text);
      expect([text, isOdd(source.bytes, start, end)]).toEqual([text, true]);
    }
  });

  it('is not copied with other characters than ASCII', () => {
    for (const text of ['aéb', 'abcdé', 'aaaaé', '漢']) {
      const { source, start, end } = cellOf(text);
      expect(textCopier('lower')(new Vector('bytes'), source, start, end)).toBe(false);
    }
  });
});
