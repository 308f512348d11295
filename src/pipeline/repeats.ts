import { removeFile } from '../base/files.js';
import type { RowPlaces } from '../clean/row-places.js';
import { findRepeats, type SpilledRows } from '../clean/row-spill.js';

/**
 * Rows that were taken for new ones, as the memory for comparing them was full, repeat others: the file is to be converted
 * once more, with this knowledge.
 */
export class RepeatsFound extends Error {
  readonly repeats: KnownRepeats;

  constructor(repeats: KnownRepeats) {
    super(`${repeats.places.count} rows turned out to repeat others`);
    this.repeats = repeats;
  }
}

/** What a pass over a file has found. */
export interface KnownRepeats {
  places: RowPlaces;
  /** Number of parts in which the file was converted. Another division makes the places void. */
  parts: number;
}

/**
 * Compares the rows that the threads have spilled, and deletes the files with them.
 * @throws RepeatsFound when there are equal ones
 */
export async function judgeSpills(spills: readonly SpilledRows[], parts: number): Promise<void> {
  try {
    const places = findRepeats(spills);
    if (places.count > 0) throw new RepeatsFound({ places, parts });
  } finally {
    await deleteSpills(spills);
  }
}

/** What cannot be deleted now is swept at the next start. */
export async function deleteSpills(spills: readonly SpilledRows[]): Promise<void> {
  await Promise.allSettled(spills.map(({ path }) => removeFile(path)));
}
