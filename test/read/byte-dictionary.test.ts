import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteDictionary } from '../../src/read/byte-dictionary.js';
import { makeScanner } from '../../src/read/make-scanner.js';
import { SENTINEL_BYTES } from '../../src/read/scanner.js';

/** Few letters, so that values repeat and share beginnings; a zero byte, which short values are filled up with. */
const value = fc
  .array(fc.constantFrom(0, 0x61, 0x62, 0x80, 0xff), { maxLength: 12 })
  .map((bytes) => Uint8Array.from(bytes));

describe('the dictionary of a column', () => {
  it('gives equal values equal numbers, counted from 0, whatever their length', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), (values) => {
        const dictionary = new ByteDictionary();
        const expected = new Map<string, number>();
        for (const bytes of values) {
          const key = bytes.join();
          if (!expected.has(key)) expected.set(key, expected.size);
          // Within other bytes, as a scanner has it.
          const source = Uint8Array.of(7, ...bytes, 7);
          expect(dictionary.idOf(source, 1, source.length - 1)).toBe(expected.get(key));
        }
        expect(dictionary.count).toBe(expected.size);
      }),
    );
  });

  it('keeps its numbers while it grows', () => {
    const dictionary = new ByteDictionary();
    const bytesOf = (i: number) => Buffer.from(i % 3 === 0 ? `${i}` : `a longer value ${i}`);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5000; i++) expect(dictionary.idOf(bytesOf(i), 0, bytesOf(i).length)).toBe(i);
    }
  });

  it('knows a value again however its cell was written', () => {
    const text = fc.oneof(fc.stringMatching(/^[ab]{0,14}$/), fc.stringMatching(/^[ab",\n]{0,12}$/));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.constantFrom(1, 3),
        (some, seed, width) => {
          // A cell is read in another way at the end of a line than before a delimiter, and in yet another one at the end of the file.
          const texts = [...some, some[0]];
          // A line without anything would be a blank one.
          const mustQuote = (text: string) => /[",\n]/.test(text) || (text === '' && width === 1);
          const isQuoted = (i: number) => mustQuote(texts[i]) || (seed >> (i % 30)) % 2 === 1;
          const cells = texts.map((one, i) => (isQuoted(i) ? `"${one.replaceAll('"', '""')}"` : one));
          const bytes = Buffer.from(cells.map((cell) => Array(width).fill(cell).join()).join('\n'));
          const window = new Uint8Array(bytes.length + SENTINEL_BYTES);
          window.set(bytes);
          const dialect = { delimiter: ',', quote: '"', escape: 'double', loneCrEnds: false } as const;
          const scanner = makeScanner({
            dialect,
            wanted: Array(width).fill(true),
            maxRows: 1000,
            keepRagged: false,
          });
          expect(scanner.scan(window, 0, bytes.length, true)).toBe(bytes.length);
          expect(scanner.lineBreaks).toBe(bytes.toString().split('\n').length);
          for (const { dictionary, ids } of scanner.columns) {
            expect(dictionary!.count).toBe(new Set(texts).size);
            const read = (row: number) => Buffer.from(dictionary!.values.bytesAt(ids[row])).toString();
            expect(texts.map((_, row) => read(row))).toEqual(texts);
          }
        },
      ),
    );
  });
});
