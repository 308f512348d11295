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
});
