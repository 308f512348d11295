import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprintText } from '../../src/base/files.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { startWatching, watchedFolder } from './watching.js';

/** Fills a folder with `count` names of one and the same file. */
function fill(folder: string, { count, name }: { count: number; name: (n: number) => string }): void {
  const source = join(tempDir(), 'source');
  writeFileSync(source, 'a,b\n1,2\n');
  for (let n = 0; n < count; n++) linkSync(source, join(folder, name(n)));
}

/** Number of inotify watches of this process. */
function inotifyWatches(): number {
  const fds = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:inotify';
    } catch {
      return false;
    }
  });
  const infos = fds.map((fd) => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
  return infos.join('').split('inotify wd:').length - 1;
}

test('3,000 files at once: each offered exactly once, with few listings and few looks', async () => {
  const count = 3000;
  const folder = watchedFolder();
  const source = join(tempDir(), 'bulk');
  mkdirSync(source);
  for (let n = 0; n < count; n++) writeFileSync(join(source, `${n}.csv`), `n\n${n}\n`);
  const watching = await startWatching({ folder });
  for (let n = 0; n < count; n++) renameSync(join(source, `${n}.csv`), join(folder, `${n}.csv`));
  await waitFor('all files', () => watching.offered().length >= count);
  await watching.watcher.rescan();
  await watching.watcher.idle();
  expect(new Set(watching.offered()).size).toBe(count);
  expect(watching.offered()).toHaveLength(count);
  expect(watching.calls.readdir.length).toBeLessThanOrEqual(6);
  expect(watching.calls.lstat.length).toBeLessThanOrEqual(5 * count);

  // The consumer empties the folder, one file after another.
  const before = watching.calls.readdir.length;
  for (const name of watching.offered()) {
    renameSync(join(folder, name), join(source, name));
    watching.watcher.release(name);
  }
  await waitFor('all files to be forgotten', () => watching.watcher.pending().done === 0);
  expect(watching.calls.readdir.length - before).toBeLessThanOrEqual(4);
});

test('a folder of finished files is compared in turns, and a change that no event told of is found', async () => {
  const folder = watchedFolder();
  fill(folder, { count: 2500, name: (n) => `${n}.csv` });
  const watching = await startWatching({
    folder,
    port: { listen: async () => ({ close: async () => undefined }) },
  });
  await waitFor('all files', () => watching.offered().length === 2500);
  for (const name of watching.offered()) watching.watcher.release(name);
  await watching.watcher.idle();
  const before = watching.calls.lstat.length;
  await watching.watcher.rescan();
  expect(watching.calls.lstat.length - before).toBeLessThanOrEqual(1000);

  writeFileSync(join(folder, 'new'), 'a,b\n');
  renameSync(join(folder, 'new'), join(folder, '1234.csv'));
  for (let round = 0; round < 3; round++) await watching.watcher.rescan();
  await watching.watcher.idle();
  expect(watching.offered().slice(2500)).toEqual(['1234.csv']);
});

test('subfolders are never walked: 10,000 archived files cost nothing', async () => {
  const folder = watchedFolder();
  const archive = join(folder, 'archived', '2026-11-22');
  mkdirSync(archive, { recursive: true });
  fill(archive, { count: 10_000, name: (n) => `${n}.csv` });
  const watchesBefore = process.platform === 'linux' ? inotifyWatches() : 0;
  const watching = await startWatching({ folder });
  await watching.watcher.rescan();
  writeFileSync(join(archive, 'another.csv'), 'a\n');
  renameSync(join(archive, '1.csv'), join(folder, 'back.csv'));
  await waitFor('the one file', () => watching.offered().length > 0);
  expect(watching.offered()).toEqual(['back.csv']);
  expect(new Set(watching.calls.readdir)).toEqual(new Set([folder]));
  expect(new Set(watching.calls.lstat)).toEqual(new Set(['back.csv']));
  if (process.platform === 'linux') expect(inotifyWatches() - watchesBefore).toBe(1);
});

test.runIf(process.platform === 'linux')('no watch is spent on single files', async () => {
  const folder = watchedFolder();
  fill(folder, { count: 50, name: (n) => `${n}.csv` });
  const before = inotifyWatches();
  const watching = await startWatching({ folder });
  await waitFor('all files', () => watching.offered().length === 50);
  expect(inotifyWatches() - before).toBe(1);
});

test('files that an earlier run was through with are not offered, unless they have changed', async () => {
  const count = 2500;
  const folder = watchedFolder();
  fill(folder, { count, name: (n) => `${n}.csv` });
  const fingerprints = new Map(
    readdirSync(folder).map((name) => [
      name,
      fingerprintText(lstatSync(join(folder, name), { bigint: true })),
    ]),
  );
  writeFileSync(join(folder, 'changed'), 'a,b\n3,4\n');
  renameSync(join(folder, 'changed'), join(folder, '17.csv'));
  fill(folder, { count: 1, name: () => 'new.csv' });
  const asked: number[] = [];
  const watching = await startWatching({
    folder,
    doneBefore: (names) => {
      asked.push(names.length);
      return fingerprints;
    },
  });
  await watching.watcher.idle();
  expect(watching.offered().sort()).toEqual(['17.csv', 'new.csv']);
  expect(watching.watcher.counts().done).toBe(count - 1);
  expect(Math.max(...asked)).toBeLessThanOrEqual(1000);

  writeFileSync(join(folder, 'changed'), 'a,b\n5,6\n');
  renameSync(join(folder, 'changed'), join(folder, '18.csv'));
  await waitFor('the next change', () => watching.offered().includes('18.csv'));
});
