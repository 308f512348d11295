import { KnownDictionary, type TypedColumn, type Vector } from '../base/vector.js';
import { BLOCK_ROWS, HASH_WORDS, HashKernel, type HashTable } from './hash-kernel.js';

export { HASH_WORDS } from './hash-kernel.js';

/** Odd multipliers, by which the seeds of columns differ. */
const FACTORS = [0x85ebca6b | 0, 0xc2b2ae35 | 0, 0x27d4eb2f | 0, 0x165667b1 | 0] as const;

/** The secret that hashes depend on, so that nobody can prepare two rows that collide: HASH_WORDS random words. */
export type HashSalt = Int32Array;

/** The hashes of one column's dictionary. */
interface DictionaryHashes {
  known: KnownDictionary;
  table: HashTable;
}

/** One for each thread, and whose tables it has. */
let kernel: HashKernel | undefined;
let owner: RowHasher | undefined;

/**
 * Hashes rows to 127 bits: two different rows of 10^9 collide with a probability below 10^-19. A hash of each value of each column,
 * all of them joined by exclusive or (tabulation hashing). Equal rows have equal hashes under the same salt, whatever modes their
 * columns are in. In dictionary mode a value is hashed once, and a cell costs one look-up.
 */
export class RowHasher {
  readonly #salt: HashSalt;
  #dictionaries: (DictionaryHashes | undefined)[] = [];

  constructor(salt: HashSalt) {
    this.#salt = salt;
  }

  /**
   * Writes the hashes of rows `0..rowCount` to `out`, HASH_WORDS words a row; the last word of each is odd.
   * @throws RangeError when the system has no memory for the hashes of dictionaries
   */
  hash(columns: readonly TypedColumn[], rowCount: number, out: Int32Array): void {
    const kernel = this.#claim(columns);
    const seeds = columns.map((_, index) => this.#seedOf(index));
    // 1. Values of dictionaries that are new.
    const tables = columns.map(({ ids, values }, index) => {
      if (!ids) return undefined;
      kernel.seed = seeds[index];
      const { table } = this.#hashesOf(values, index);
      kernel.learn(table, values);
      return table;
    });
    // 2. Rows, a block at a time.
    for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
      const to = Math.min(from + BLOCK_ROWS, rowCount);
      kernel.beginRows(to - from);
      for (const [index, { ids, values, nulls }] of columns.entries()) {
        const table = tables[index];
        if (ids && table) kernel.joinIds(ids.subarray(from, to), table);
        else {
          kernel.seed = seeds[index];
          kernel.joinValues(values, { from, to, nulls });
        }
      }
      out.set(kernel.hashes(to - from), from * HASH_WORDS);
    }
    for (let at = HASH_WORDS - 1; at < rowCount * HASH_WORDS; at += HASH_WORDS) out[at] |= 1;
  }

  /** The kernel, with the tables of these dictionaries: those of others are forgotten. */
  #claim(columns: readonly TypedColumn[]): HashKernel {
    kernel ??= new HashKernel();
    const isStale = this.#dictionaries.some(
      (hashes, index) => columns[index].ids && hashes && !hashes.known.isOf(columns[index]),
    );
    if (owner === this && !isStale) return kernel;
    kernel.forget();
    owner = this;
    this.#dictionaries = [];
    return kernel;
  }

  #hashesOf(values: Vector, index: number): DictionaryHashes {
    this.#dictionaries[index] ??= { known: new KnownDictionary(values), table: kernel!.newTable() };
    return this.#dictionaries[index];
  }

  /** A salt for each column, so that the same value in two columns is two things. */
  #seedOf(index: number): Int32Array {
    return this.#salt.map((word, i) => finished(word ^ Math.imul(index + 1, FACTORS[i])));
  }
}

/** Rows of one batch that may be compared by their sketches; of as many, one batch in 4,000 has two that are equal by chance. */
export const MAX_SKETCHED_ROWS = BLOCK_ROWS;

/**
 * Are the rows `0..rowCount` of one batch different from each other for sure? A word for each of them is made of ids only: rows whose
 * words differ are different, since equal values of a column have one id.
 */
export function areSketchesDistinct(columns: readonly TypedColumn[], rowCount: number): boolean {
  kernel ??= new HashKernel();
  kernel.beginRows(rowCount);
  for (const { ids } of columns) if (ids) kernel.sketchIds(ids.subarray(0, rowCount));
  return kernel.areSketchesDistinct(rowCount);
}

/** Spreads every bit over the whole word (the finaliser of MurmurHash3). */
function finished(word: number): number {
  let x = word ^ (word >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
