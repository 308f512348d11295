import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NULL_ID, type TypedColumn, Vector } from '../../src/base/vector.js';
import { HASH_WORDS, RowHasher } from '../../src/clean/row-hash.js';

const SALT = Int32Array.of(1, 2, 3, 4);

function texts(...values: string[]): Vector {
  const vector = new Vector('bytes');
  for (const value of values) vector.pushText(value);
  return vector;
}

function hashesOf(columns: TypedColumn[], rowCount: number, salt = SALT): string[] {
  const out = new Int32Array(rowCount * HASH_WORDS);
  new RowHasher(salt).hash(columns, rowCount, out);
  return Array.from({ length: rowCount }, (_, row) =>
    out.subarray(row * HASH_WORDS, (row + 1) * HASH_WORDS).join(),
  );
}

describe('the hash of a row', () => {
  it('is the same in both modes, for values of any kind', () => {
    const numbers = new Vector('int64');
    for (const value of [5n, -1n, 2n ** 40n]) numbers.pushBigInt(value);
    const plain = hashesOf(
      [{ values: texts('a', 'bcdefgh', '') }, { values: numbers, nulls: Uint8Array.of(0, 1, 0) }],
      3,
    );
    const dictionary = hashesOf(
      [
        { values: texts('', 'a', 'bcdefgh'), ids: Uint32Array.of(1, 2, 0) },
        { values: numbers, ids: Uint32Array.of(0, NULL_ID, 2) },
      ],
      3,
    );
    expect(dictionary).toEqual(plain);
    expect(new Set(plain).size).toBe(3);
  });

  it('depends on the column and on the salt', () => {
    const columns = [{ values: texts('x', 'y') }, { values: texts('y', 'x') }];
    const [first, second] = hashesOf(columns, 2);
    expect(first).not.toBe(second);
    expect(hashesOf(columns, 2, Int32Array.of(1, 2, 3, 5))[0]).not.toBe(first);
  });

  it('changes in every word with any bit of the value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(), (bytes, at) => {
        const changed = bytes.slice();
        changed[at % bytes.length] ^= 1 << (at % 8);
        const values = new Vector('bytes');
        for (const one of [bytes, changed]) values.pushBytes(one, 0, one.length);
        const [a, b] = hashesOf([{ values }], 2).map((hash) => hash.split(','));
        for (let word = 0; word < HASH_WORDS; word++) expect(a[word]).not.toBe(b[word]);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same in both modes for any texts, however many and however long', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc
        .tuple(fc.constantFrom(65_000, 131_071, 131_072, 131_073, 400_001), fc.string())
        .map(([n, end]) => 'x'.repeat(n) + end),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(text, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 2500 }),
        (all, rows) => {
          const ids = Uint32Array.from({ length: rows }, (_, row) => (row * 7) % all.length);
          // Few long ones: 2,500 would be a gigabyte.
          const cells = Array.from(ids, (id) => all[id]).slice(
            0,
            all.some(({ length }) => length > 1000) ? 30 : rows,
          );
          const plain = hashesOf([{ values: texts(...cells) }], cells.length);
          expect(hashesOf([{ values: texts(...all), ids }], cells.length)).toEqual(plain);
          expect(new Set(plain).size).toBe(new Set(cells).size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does not depend on what else is hashed in between', () => {
    const out = new Int32Array(2 * HASH_WORDS);
    const [one, other] = [new RowHasher(SALT), new RowHasher(Int32Array.of(9, 8, 7, 6))];
    const values = texts('a', 'b');
    const columns = [{ values, ids: Uint32Array.of(0, 1) }];
    const hashed = (hasher: RowHasher, rows: TypedColumn[]) => {
      hasher.hash(rows, 2, out);
      return out.join();
    };
    const [first, second] = [hashed(one, columns), hashed(other, columns)];
    expect(first).not.toBe(second);
    const many = texts();
    for (let i = 0; i < 300_000; i++) many.pushText(`value ${i}`);
    hashed(other, [{ values: many, ids: Uint32Array.of(299_999, 5) }]);
    expect(hashed(one, columns)).toBe(first);
    expect(hashed(other, columns)).toBe(second);
    values.pushText('c');
    expect(
      hashed(one, [{ values, ids: Uint32Array.of(0, 2) }])
        .split(',')
        .slice(0, 4),
    ).toEqual(first.split(',').slice(0, 4));
    // The dictionary begins anew.
    values.clear();
    for (const text of ['b', 'a']) values.pushText(text);
    expect(hashed(one, [{ values, ids: Uint32Array.of(1, 0) }])).toBe(first);
  });
});
