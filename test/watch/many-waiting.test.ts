import { appendFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FolderWatcherOptions } from '../../src/watch/folder-watcher.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { deaf, startWatching, type Watching, watchedFolder } from './watching.js';

const SETTLE_MS = 20;
/** With the settle time, at most 50 files are followed. */
const FEW: Partial<FolderWatcherOptions> = { settleMs: SETTLE_MS, maxFollowed: 10 };
const LIMIT = 10 + 2 * SETTLE_MS;
const COUNT = 300;

/** Names in the order of the files' times, which is not that of the names. */
function fill(folder: string, count = COUNT): string[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `${(i * 37) % count}.csv`;
    writeFileSync(join(folder, name), `n\n${i}\n`);
    utimesSync(join(folder, name), 1e9 + i, 1e9 + i);
    return name;
  });
}

/** Moves a file `new.csv` with an old time into the folder; resolves when an event has told of it. */
async function addNew({ folder, watcher }: Watching): Promise<void> {
  const source = join(tempDir(), 'new.csv');
  writeFileSync(source, 'n\n1\n');
  utimesSync(source, 1, 1);
  renameSync(source, join(folder, 'new.csv'));
  await waitFor('it to be known', () => [...watcher.heldBack()].at(-1)?.name === 'new.csv');
}

/** Takes files away as they are offered, until none is held back or on its way. */
async function consume(
  watching: Watching,
  { each }: { each?: (name: string) => void } = {},
): Promise<string[]> {
  let consumed = 0;
  let mostOffered = 0;
  const takeAway = () => {
    const offered = watching.offered();
    mostOffered = Math.max(mostOffered, offered.length - consumed);
    for (const name of offered.slice(consumed)) {
      rmSync(join(watching.folder, name), { force: true });
      watching.watcher.release(name);
      each?.(name);
    }
    consumed = offered.length;
    const { settling, offered: inHand, heldBack } = watching.watcher.pending();
    return settling + inHand + heldBack === 0;
  };
  await waitFor('all files to be taken', takeAway, { timeoutMs: 30_000 });
  // On a machine that stands still for a second, more are let in behind those that do not settle.
  expect(mostOffered).toBeLessThanOrEqual(2 * LIMIT);
  return watching.offered();
}

/**
 * Expects `last` among the last files that were offered, as many as are followed at a time, and all others in order. Of those that
 * settle together, the order is that of their times by then.
 */
function expectLast(offered: string[], { names, last }: { names: string[]; last: string[] }): void {
  const others = names.filter((name) => !last.includes(name));
  expect(offered.filter((name) => !last.includes(name))).toEqual(others);
  expect(offered).toHaveLength(others.length + last.length);
  for (const name of last) expect(offered.indexOf(name)).toBeGreaterThanOrEqual(offered.length - LIMIT);
}

test('many files of a first listing are offered in order of arrival, a limited number at a time', async () => {
  const folder = watchedFolder();
  const names = fill(folder);
  const watching = await startWatching({ folder, ...FEW });
  expect(watching.watcher.counts().settling).toBeLessThanOrEqual(LIMIT);
  expect(watching.watcher.heldBackCount).toBeGreaterThanOrEqual(COUNT - LIMIT);
  await waitFor('the first files', () => watching.offered().length > 0);
  await watching.watcher.rescan();
  expect(watching.watcher.heldBackCount).toBeGreaterThanOrEqual(COUNT - 2 * LIMIT);
  expect(await consume(watching)).toEqual(names);
});

test('many files that a later listing finds are as well, and the watcher is not idle before all are offered', async () => {
  const folder = watchedFolder();
  const watching = await startWatching({ folder, ...FEW, port: deaf });
  const names = fill(folder);
  await watching.watcher.rescan();
  let isIdle = false;
  void watching.watcher.idle().then(() => {
    isIdle = true;
  });
  const consumed = await consume(watching, {
    each: () => {
      if (watching.watcher.heldBackCount > 0) expect(isIdle).toBe(false);
    },
  });
  expect(consumed).toEqual(names);
  await waitFor('it to be idle', () => isIdle);
});

test('many files that events tell of are offered once each', async () => {
  const watching = await startWatching(FEW);
  const names = fill(watching.folder);
  await waitFor('the last', () => [...watching.watcher.heldBack()].some(({ name }) => name === names.at(-1)));
  expect((await consume(watching)).sort()).toEqual([...names].sort());
});

test('a file that comes while others are held back waits behind them', async () => {
  const folder = watchedFolder();
  const names = fill(folder);
  const watching = await startWatching({ folder, ...FEW });
  await addNew(watching);
  expectLast(await consume(watching), { names, last: ['new.csv'] });
});

test('a file that vanishes while it is held back is not offered, and no longer counted after a listing', async () => {
  const folder = watchedFolder();
  const names = fill(folder);
  const watching = await startWatching({ folder, ...FEW });
  const [counted, uncounted] = [names.at(-1)!, names.at(-2)!];
  rmSync(join(folder, counted));
  await watching.watcher.rescan();
  await waitFor('all that are followed', () => watching.watcher.heldBackCount <= COUNT - LIMIT - 1);
  expect(watching.watcher.heldBackCount).toBe(COUNT - LIMIT - 1);
  rmSync(join(folder, uncounted));
  expect(await consume(watching)).toEqual(names.slice(0, -2));
});

test('a file that is written again while it is held back keeps its place, and is offered as it is then', async () => {
  const folder = watchedFolder();
  const names = fill(folder);
  const watching = await startWatching({ folder, ...FEW });
  const [grown, replaced] = [names.at(-1)!, names.at(-2)!];
  for (let i = 0; i < 5; i++) appendFileSync(join(folder, grown), '12345\n');
  rmSync(join(folder, replaced));
  writeFileSync(join(folder, replaced), 'replaced\n');
  await addNew(watching);
  await waitFor('all that are followed', () => watching.watcher.heldBackCount <= COUNT - LIMIT + 1);
  expect(watching.watcher.heldBackCount).toBe(COUNT - LIMIT + 1);
  expectLast(await consume(watching), { names, last: [grown, replaced, 'new.csv'] });
  const sizes = new Map(watching.batches.flatMap(({ files }) => files.map(({ name, size }) => [name, size])));
  expect(sizes.get(grown)).toBe(`n\n${COUNT - 1}\n`.length + 30);
  expect(sizes.get(replaced)).toBe('replaced\n'.length);
});

test('a file that is still written to when its turn comes has to settle', async () => {
  const folder = watchedFolder();
  const names = fill(folder);
  const last = join(folder, names.at(-1)!);
  const watching = await startWatching({ folder, ...FEW });
  const writer = setInterval(() => appendFileSync(last, '1\n'), 2);
  await waitFor('all others', () => {
    const offered = watching.offered();
    for (const name of offered) {
      rmSync(join(folder, name), { force: true });
      watching.watcher.release(name);
    }
    return offered.length === COUNT - 1;
  });
  clearInterval(writer);
  expect(watching.offered()).toEqual(names.slice(0, -1));
  await waitFor('it', () => watching.offered().at(-1) === names.at(-1));
});

test('files that do not settle do not hold up those behind them', async () => {
  const folder = watchedFolder();
  const names = fill(folder, 80);
  const stuck = new Set(names.slice(0, 40));
  const watching = await startWatching({
    folder,
    ...FEW,
    port: {
      findOpenWriters: async (targets) =>
        new Map(targets.flatMap(({ path }) => (stuck.has(path.slice(folder.length + 1)) ? [[path, 1]] : []))),
    },
  });
  await waitFor('those behind', () => {
    for (const name of watching.offered()) watching.watcher.release(name);
    return watching.offered().length === names.length - stuck.size;
  });
  expect(watching.offered()).toEqual(names.filter((name) => !stuck.has(name)));
  expect(watching.watcher.heldBackCount).toBe(0);
});
