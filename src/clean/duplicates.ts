import { randomBytes } from 'node:crypto';
import type { TypedColumn } from '../base/vector.js';
import { HASH_WORDS, type HashSalt, RowHasher } from './row-hash.js';
import { RowSet } from './row-set.js';

/** A new secret for the hashes of one file, or of all files of one process. */
export function newSalt(): HashSalt {
  return new Int32Array(new Uint8Array(randomBytes(HASH_WORDS * 4)).buffer);
}

/**
 * Finds rows of one file whose every value equals that of an earlier row, by a salted hash of 127 bits a row. Threads that
 * share a file share salt and set, hash when they like, and mark in the order of the file.
 */
export class DuplicateFinder {
  readonly #hasher: RowHasher;
  readonly #seen: RowSet;
  #hashes = new Int32Array(0);

  constructor({ salt = newSalt(), seen = new RowSet() }: { salt?: HashSalt; seen?: RowSet } = {}) {
    this.#hasher = new RowHasher(salt);
    this.#seen = seen;
  }

  /** Forgets all rows; the hashes of dictionary values stay valid as long as the dictionaries do. */
  clear(): void {
    this.#seen.clear();
  }

  /** Forgets the hashes of dictionary values, when dictionaries were emptied. */
  forgetDictionaries(): void {
    this.#hasher.forgetDictionaries();
  }

  /** Hashes the rows of a batch, which are to be marked next. */
  hash(columns: readonly TypedColumn[], rowCount: number): void {
    if (this.#hashes.length < rowCount * HASH_WORDS) this.#hashes = new Int32Array(rowCount * HASH_WORDS);
    this.#hasher.hash(columns, rowCount, this.#hashes);
  }

  /**
   * Looks at the rows of the hashed batch in order. Rows with a non-zero flag are passed over; every other row that was
   * seen before gets `mark` as its flag. Answers how many.
   */
  mark({ rowCount, flags, mark }: { rowCount: number; flags: Uint8Array; mark: number }): number {
    let found = 0;
    for (let row = 0; row < rowCount; row++) {
      if (flags[row] !== 0 || this.#seen.add(this.#hashes, row * HASH_WORDS)) continue;
      flags[row] = mark;
      found++;
    }
    return found;
  }
}
