import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/base/vector.js';
import { textCopier, tokenFinder } from '../../src/clean/clean-bytes.js';
import { cleanerFor } from '../../src/clean/clean-value.js';
import { cellsOf } from '../helpers/cells.js';

const RULES = ['lower', 'upper', 'keep'] as const;

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
  it('is what the cleaner of texts makes of it, wherever it is copied', () => {
    let copied = 0;
    fc.assert(
      fc.property(cell, tokens, fc.constantFrom(...RULES), (text, nullTokens, rule) => {
        const source = cellsOf(['x', text.toWellFormed(), 'x']);
        const target = new Vector('bytes');
        target.pushText('first');
        const to = textCopier({ case: rule, nullTokens })(target, source, { from: 1, to: 2 });
        const isCopied = to === 2;
        expect(target.length).toBe(to);
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

  it('is copied when it has no white space around it, and is no token of the declaration', () => {
    const copy = textCopier({ case: 'lower', nullTokens: ['', 'na', 'null'] });
    const countOf = (text: string) => copy(new Vector('bytes'), cellsOf([text]), { from: 0, to: 1 });
    for (const text of ['x', 'name', 'Nothing to see here', 'a b', '~', 'n', 'nulls'])
      expect([text, countOf(text)]).toEqual([text, 1]);
    for (const text of ['', ' ', ' x', 'x\t', 'NA', 'Null', '\u00a0abcde', 'abcde\u3000'])
      expect([text, countOf(text)]).toEqual([text, 0]);
  });

  it('is copied when it is not all ASCII, and longer than any token', () => {
    const copy = textCopier({ case: 'lower', nullTokens: ['', 'na', 'null'] });
    const countOf = (text: string) => copy(new Vector('bytes'), cellsOf([text]), { from: 0, to: 1 });
    for (const text of [
      'Köln!',
      'élève',
      'ЁЛКИ-палки',
      '漢字漢字漢',
      'two 🎓🎓',
      'Ünïcödé '.repeat(50).trim(),
    ])
      expect([text, countOf(text)]).toEqual([text, 1]);
    for (const text of ['é', 'Köln', '漢字漢字', '🎓🎓', 'İstanbul', 'ΟΔΟΣ ΟΔΟΣ', 'deseret 𐐀'])
      expect([text, countOf(text)]).toEqual([text, 0]);
  });

  it.each(RULES)('is what the cleaner of texts makes of it, whatever character it holds: %s', (rule) => {
    const nullTokens = ['', 'na', 'null'];
    const clean = cleanerFor({ case: rule, nullTokens });
    const copy = textCopier({ case: rule, nullTokens });
    const target = new Vector('bytes');
    let copied = 0;
    for (let character = 0; character <= 0x10ffff; character += character < 0x20000 ? 1 : 251) {
      if (character >= 0xd800 && character <= 0xdfff) continue;
      const one = String.fromCodePoint(character);
      for (const text of [`${one}abcd${one}x`, `x${one}abcd${one}`]) {
        target.clear();
        if (copy(target, cellsOf([text]), { from: 0, to: 1 }) === 0) continue;
        copied++;
        if (Buffer.from(target.bytesAt(0)).toString() !== clean(text))
          expect.fail(
            `U+${character.toString(16)} is copied as ${Buffer.from(target.bytesAt(0)).toString()}`,
          );
      }
    }
    expect(copied).toBeGreaterThan(100_000);
  });

  it('is copied up to so many characters', () => {
    const copy = textCopier({ case: 'keep', nullTokens: [], maxLength: 3 });
    expect(copy(new Vector('bytes'), cellsOf(['abc', 'ABC', 'abcd']), { from: 0, to: 3 })).toBe(2);
    expect(copy(new Vector('bytes'), cellsOf(['éé漢', '🎓🎓🎓', 'éé漢é']), { from: 0, to: 3 })).toBe(2);
  });

  it('is copied behind others, however much room they leave', () => {
    const texts = Array.from(
      { length: 300 },
      (_, i) => 'AbCdEfGhIj'.repeat(i % 7).slice(0, 1 + (i % 67)) || 'X',
    );
    const target = new Vector('bytes');
    const copy = textCopier({ case: 'lower', nullTokens: [] });
    expect(copy(target, cellsOf([...texts, ' ']), { from: 0, to: 301 })).toBe(300);
    const shown = texts.map((_, i) => Buffer.from(target.bytesAt(i)).toString());
    expect(shown).toEqual(texts.map((text) => text.toLowerCase()));
  });
});

describe('a search for missing cells', () => {
  it('finds the first one', () => {
    const find = tokenFinder(['', 'na', '-']);
    const texts = ['nab', 'x', 'n', 'Na', '', '-', 'ne'];
    const next = texts.map((_, from) => find(cellsOf(texts), { from, to: texts.length }));
    expect(next).toEqual([3, 3, 3, 3, 4, 5, 7]);
  });

  it('passes over nothing that the cleaner of texts calls missing, among texts of ASCII without white space around them', () => {
    fc.assert(
      fc.property(cell, tokens, (text, nullTokens) => {
        fc.pre(/^[!-~]?$|^[!-~][ -~]*[!-~]$/.test(text));
        const isFound = tokenFinder(['', ...nullTokens])(cellsOf([text]), { from: 0, to: 1 }) === 0;
        const clean = cleanerFor({ case: 'keep', nullTokens: ['', ...nullTokens] });
        if (clean(text) === null) expect(isFound).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});
