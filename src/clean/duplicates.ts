import { randomBytes } from 'node:crypto';
import type { TypedColumn } from '../base/vector.js';
import { areSketchesDistinct, HASH_WORDS, type HashSalt, MAX_SKETCHED_ROWS, RowHasher } from './row-hash.js';
import { RowSet } from './row-set.js';

/** A new secret for the hashes of one file, or of all files of one process. */
export function newSalt(): HashSalt {
  return new Int32Array(new Uint8Array(randomBytes(HASH_WORDS * 4)).buffer);
}

/** A row for which a set has no room. */
export interface OverflowingRow {
  /** Its hash is `hashes[at..at + HASH_WORDS)`. */
  hashes: Int32Array;
  at: number;
  /** The part of the file that it is in, and its number in that part. */
  part: number;
  row: number;
}

/** Judges rows for which a set has no room. */
export interface RowOverflow {
  isNew(row: OverflowingRow): boolean;
}

/** Rows of a batch that are to be marked. */
export interface RowsToMark {
  rowCount: number;
  /** Rows whose flag is not 0 are passed over. */
  flags: Uint8Array;
  /** The flag of a row that repeats an earlier one. */
  mark: number;
  /** The part of the file that the batch belongs to, and the number of its first row in it. Default: 0. */
  part?: number;
  firstRow?: number;
}

/**
 * Finds rows of one file whose every value equals that of an earlier row, by a salted hash of 127 bits a row. Threads that
 * share a file share salt and set, hash when they like, and mark in the order of the file.
 */
export class DuplicateFinder {
  /** Judges rows once the set is full; undefined where it cannot become so. */
  overflow: RowOverflow | undefined;
  readonly #hasher: RowHasher;
  readonly #seen: RowSet;
  #hashes = new Int32Array(0);

  constructor({
    salt = newSalt(),
    seen = new RowSet(),
    overflow,
  }: { salt?: HashSalt; seen?: RowSet; overflow?: RowOverflow } = {}) {
    this.#hasher = new RowHasher(salt);
    this.#seen = seen;
    this.overflow = overflow;
  }

  /** Forgets all rows; the hashes of dictionary values stay valid as long as the dictionaries do. */
  clear(): void {
    this.#seen.clear();
  }

  /**
   * Are the rows of this batch different from each other for sure? For a file that has no other rows: it takes a
   * fraction of the time of hashing and marking them.
   */
  areDistinct(columns: readonly TypedColumn[], rowCount: number): boolean {
    return rowCount <= MAX_SKETCHED_ROWS && areSketchesDistinct(columns, rowCount);
  }

  /** Hashes the rows of a batch, which are to be marked next. */
  hash(columns: readonly TypedColumn[], rowCount: number): void {
    if (this.#hashes.length < rowCount * HASH_WORDS) this.#hashes = new Int32Array(rowCount * HASH_WORDS);
    this.#hasher.hash(columns, rowCount, this.#hashes);
  }

  /**
   * Looks at the rows of the hashed batch in order, and marks those that were seen before. Answers how many.
   * @throws RangeError when the set is full and nobody judges the rows for which it has no room
   */
  mark({ rowCount, flags, mark, part = 0, firstRow = 0 }: RowsToMark): number {
    let found = 0;
    for (let row = 0; row < rowCount; row++) {
      if (flags[row] !== 0) continue;
      const at = row * HASH_WORDS;
      const isNew = this.#seen.isFull
        ? this.#isNewBeyond({ hashes: this.#hashes, at, part, row: firstRow + row })
        : this.#seen.add(this.#hashes, at);
      if (isNew) continue;
      flags[row] = mark;
      found++;
    }
    return found;
  }

  #isNewBeyond(row: OverflowingRow): boolean {
    if (this.#seen.has(row.hashes, row.at)) return false;
    if (!this.overflow) throw new RangeError('the set of rows is full');
    return this.overflow.isNew(row);
  }
}
