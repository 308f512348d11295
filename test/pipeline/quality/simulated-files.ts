import { STATS_WIDTH } from '../../../src/pipeline/column-stats.js';
import type { DriftSample } from '../../../src/pipeline/quality/drift.js';

/** Numbers in [0, 1) of a fixed seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Draws one cell of a column; NaN is a NULL. `file` is the number of the file. */
export type Column = (random: () => number, file: number) => number;

/** Columns as stable files have them: all draws of all files are alike, but for what the calendar does. */
export const STABLE_COLUMNS: Column[] = [
  (random) => normal(random) * 15 + 100,
  (random) => Math.floor(random() * 2),
  (random) => Math.floor(random() * 5),
  (random) => (random() < 0.02 ? Number.NaN : Math.floor(random() * 20)),
  (random) => (random() < 0.3 ? Number.NaN : Math.exp(normal(random))),
  (random) => -Math.log(1 - random()) * 50,
  (random) => (random() < 0.001 ? Number.NaN : 7),
  (random) => Math.floor(Math.exp(normal(random) * 1.5)),
  // A number that goes on from file to file.
  (random, file) => file * 1000 + Math.floor(random() * 1000),
  // Sundays are different.
  (random, file) => normal(random) + (file % 7 === 0 ? 30 : 0),
  (random, file) => (random() < (file % 7 === 0 ? 0.4 : 0.01) ? Number.NaN : 1),
];

/** The statistics of a file of `rows` rows. */
export function simulate(
  columns: readonly Column[],
  { rows, file, random }: { rows: number; file: number; random: () => number },
): DriftSample {
  const numbers = new Float64Array(columns.length * STATS_WIDTH);
  for (const [i, column] of columns.entries()) {
    const cells = Array.from({ length: rows }, () => column(random, file)).filter(
      (cell) => !Number.isNaN(cell),
    );
    const sum = cells.reduce((total, cell) => total + cell, 0);
    const distinct = new Set(cells).size;
    numbers.set(
      [rows - cells.length, distinct, sum / cells.length, Math.min(...cells), Math.max(...cells)],
      i * STATS_WIDTH,
    );
  }
  const leftOut = Array.from({ length: rows }, () => random() < 0.01).filter(Boolean).length;
  return { rowsIn: rows + leftOut, rowsOut: rows, numbers };
}
