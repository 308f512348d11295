import type { Site } from '../e2e/site.js';
import { waitFor } from '../helpers/wait-for.js';

const rows = (x: (i: number) => string | number) =>
  Array.from({ length: 40 }, (_, i) => `${x(i)},${'abcd'[i % 4]}\n`).join('');

/** Drops eight files of the dataset `points`, one unlike them with rows to set aside, and one that fails; waits for their verdicts. */
export async function dropOddFiles(site: Site): Promise<void> {
  for (let i = 0; i < 8; i++) site.drop(`p${i}.csv`, `x,y\n${rows((row) => row % 7)}`);
  await waitFor('eight files', () => site.list('output_parquet').length === 9, { timeoutMs: 30_000 });
  site.drop('podd.csv', `x,y\n${rows((row) => (row < 10 ? 'bad' : 900 + (row % 7)))}`);
  await site.logged('podd.csv is unlike the last files');
  site.drop('pbroken.csv', 'z\n1\n');
  await site.logged('Failed input_csv/pbroken.csv');
}
