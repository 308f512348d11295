import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isDelimitedName } from '../../src/watch/names.js';
import { type ScanOptions, scanFolderOnce } from '../../src/watch/scan-once.js';
import type { WatchFault } from '../../src/watch/types.js';
import { watchedFolder } from './watching.js';

const ROWS = 'a,b\n1,2\n';

function scan(folder: string, options: Partial<ScanOptions> = {}) {
  return scanFolderOnce({
    folder,
    accepts: isDelimitedName,
    settleMs: 100,
    ready: 'settle',
    polling: false,
    maxWaitMs: 10_000,
    onFault: () => undefined,
    ...options,
  });
}

test('an empty folder gives nothing, at once', async () => {
  const startMs = performance.now();
  expect(await scan(watchedFolder(), { settleMs: 60_000 })).toEqual({ ready: [], unready: [] });
  expect(performance.now() - startMs).toBeLessThan(5000);
});

test('old files are ready at once, in the order of mtime, then name; new ones after settling', async () => {
  const folder = watchedFolder();
  mkdirSync(join(folder, 'archived.csv'));
  for (const name of ['b.csv', 'a.csv', 'new.csv', '.hidden.csv']) writeFileSync(join(folder, name), ROWS);
  utimesSync(join(folder, 'a.csv'), 2e9 * 2, 2e9 * 2);
  utimesSync(join(folder, 'b.csv'), 1000, 1000);
  const { ready, unready } = await scan(folder);
  expect(ready.map(({ name }) => name)).toEqual(['b.csv', 'new.csv', 'a.csv']);
  expect(unready).toEqual([]);
});

test('a growing file is waited for', async () => {
  const folder = watchedFolder();
  const path = join(folder, 'a.csv');
  writeFileSync(path, '');
  let rounds = 10;
  const timer = setInterval(() => {
    appendFileSync(path, 'x');
    if (--rounds === 0) clearInterval(timer);
  }, 30);
  onTestFinished(() => clearInterval(timer));
  const { ready } = await scan(folder, { settleMs: 400 });
  expect(ready.map(({ size }) => size)).toEqual([10]);
});

test('but not for ever: what is not complete by then is named, with the reason', async () => {
  const folder = watchedFolder();
  writeFileSync(join(folder, 'ready.csv'), ROWS);
  writeFileSync(join(folder, 'growing.csv'), '');
  const timer = setInterval(() => appendFileSync(join(folder, 'growing.csv'), 'x'), 20);
  const writer = await open(join(folder, 'held.csv'), 'w');
  onTestFinished(() => {
    clearInterval(timer);
    return writer.close();
  });
  const { ready, unready } = await scan(folder, { settleMs: 400, maxWaitMs: 1000 });
  if (process.platform !== 'linux') return;
  expect(ready.map(({ name }) => name)).toEqual(['ready.csv']);
  expect(unready.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: 'growing.csv', reason: 'settling' },
    { name: 'held.csv', reason: 'held_open', pid: process.pid },
  ]);
});

test('marker mode: files without their marker are left, without waiting for it', async () => {
  const folder = watchedFolder();
  for (const name of ['a.csv', 'b.csv', 'b.csv.done']) writeFileSync(join(folder, name), ROWS);
  const { ready, unready } = await scan(folder, { ready: 'marker' });
  expect(ready).toMatchObject([{ name: 'b.csv', marker: join(folder, 'b.csv.done') }]);
  expect(unready).toEqual([{ name: 'a.csv', reason: 'no_marker' }]);
});

test('a folder that cannot be listed is an error that says so', async () => {
  const folder = watchedFolder();
  rmSync(folder, { recursive: true });
  const faults: WatchFault[] = [];
  await expect(scan(folder, { onFault: (fault) => faults.push(fault) })).rejects.toMatchObject({
    name: 'DropgateError',
    code: 'unreadable',
    message: expect.stringContaining(folder),
  });
  expect(faults).toEqual([]);
});
