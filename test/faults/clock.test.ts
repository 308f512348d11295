import { closeSync, existsSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/real-data.js';
import { waitFor } from '../helpers/wait-for.js';
import { parquetIds } from './support/invariants.js';
import { FaultSite } from './support/site.js';

const SHIFTED_CLOCK = pathToFileURL(path.join(repositoryRoot, 'test/faults/support/shifted-clock.mjs')).href;
const DAY_MS = 86_400_000;

function text(from: number, to: number): string {
  const ids = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return `id;name\n${ids.map((id) => `${id};name ${id}\n`).join('')}`;
}

/** A daemon whose clock is set by `setClock`. */
async function withClock(
  work: (site: FaultSite, setClock: (shiftMs: number) => void) => Promise<void>,
): Promise<void> {
  const site = new FaultSite({ settleMs: 100 });
  const file = site.path('clock-shift');
  try {
    await site.start({ env: { NODE_OPTIONS: `--import ${SHIFTED_CLOCK}`, CLOCK_SHIFT: file } });
    await work(site, (shiftMs) => writeFileSync(file, String(shiftMs)));
  } finally {
    await site.close();
  }
}

describe.concurrent('a clock that jumps while the daemon runs', () => {
  it.each([
    ['an hour forwards', DAY_MS / 24],
    ['ten years forwards', 3652 * DAY_MS],
    ['an hour backwards', -DAY_MS / 24],
    ['to 1970', -Date.now() + DAY_MS],
  ])('%s: files are taken, and put away', async (_, shiftMs) => {
    await withClock(async (site, setClock) => {
      site.drop('strict-1.csv', text(1, 3));
      await site.logged('Converted input_csv/strict-1.csv');
      setClock(shiftMs);
      site.drop('strict-2.csv', text(4, 6));
      await site.logged('Converted input_csv/strict-2.csv');
      site.drop('strict-bad.csv', 'id;name\nx;y\n');
      await site.logged('Failed input_csv/strict-bad.csv');
      setClock(0);
      site.drop('strict-3.csv', text(7, 9));
      await site.logged('Converted input_csv/strict-3.csv');
      await waitFor('the input to be used up', () => site.waiting().length === 0);
      expect((await parquetIds(site)).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      // The clock names the folders of the archive; nothing was removed from any.
      const days = readdirSync(site.path('input_csv/archived'));
      if (Math.abs(shiftMs) > DAY_MS) expect(days).toHaveLength(2);
      expect(days.flatMap((day) => readdirSync(site.path('input_csv/archived', day))).sort()).toEqual([
        'strict-1.csv',
        'strict-2.csv',
        'strict-3.csv',
      ]);
    });
  });

  it.each([
    ['forwards', DAY_MS],
    ['backwards', -DAY_MS],
  ])('%s does not make a file look complete that is being written', async (_, shiftMs) => {
    await withClock(async (site, setClock) => {
      const fd = openSync(site.path('input_csv/strict-1.csv'), 'w');
      writeSync(fd, 'id;name\n1;one\n2;tw');
      setClock(shiftMs);
      await sleep(1000);
      expect(site.log()).not.toContain('Converted');
      writeSync(fd, 'o\n3;three\n');
      closeSync(fd);
      await site.logged('Converted input_csv/strict-1.csv to output_parquet/strict-1.parquet: 3 rows');
    });
  });

  it('does not hide that an original goes on growing', async () => {
    await withClock(async (site, setClock) => {
      const fd = openSync(site.path('input_csv/strict-1.csv'), 'w');
      writeSync(fd, text(1, 3));
      closeSync(fd);
      await site.logged('Converted input_csv/strict-1.csv');
      setClock(400 * DAY_MS);
      const [day] = readdirSync(site.path('input_csv/archived'));
      writeFileSync(site.path('input_csv/archived', day, 'strict-1.csv'), '4;name 4\n', { flag: 'a' });
      await site.logged(/Converted input_csv\/strict-1\.csv to output_parquet\/strict-1-2\.parquet: 4 rows/);
      expect(existsSync(site.path('output_parquet/strict-1.parquet'))).toBe(true);
    });
  });
});
