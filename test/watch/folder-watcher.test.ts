import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type FolderPort, systemPort } from '../../src/watch/folder-port.js';
import type { AheadFile } from '../../src/watch/types.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { deaf, startWatching, untilOffered, type Watching, watchedFolder } from './watching.js';

const ROWS = 'a,b\n1,2\n';

/** Waits until everything that lies in the folder now was seen and, if it is complete, offered. */
async function settled({ watcher }: Watching): Promise<void> {
  await watcher.rescan();
  await watcher.idle();
}

describe('what is taken', () => {
  test('files that are there at start, in the order of mtime, then name', async () => {
    const folder = watchedFolder();
    for (const name of ['c.csv', 'b.tsv', 'a.csv.gz', 'new.CSV']) writeFileSync(join(folder, name), ROWS);
    for (const name of ['c.csv', 'b.tsv', 'a.csv.gz']) utimesSync(join(folder, name), 1000, 1000);
    utimesSync(join(folder, 'b.tsv'), 500, 500);
    const watching = await startWatching({ folder });
    await untilOffered(watching, 4);
    expect(watching.offered()).toEqual(['b.tsv', 'a.csv.gz', 'c.csv', 'new.CSV']);
  });

  test('a file that is written while we watch, described as it is', async () => {
    const watching = await startWatching();
    const before = Date.now();
    const path = join(watching.folder, 'a.csv');
    await writeFile(path, ROWS);
    await untilOffered(watching, 1);
    const [file] = watching.batches[0].files;
    expect(file).toMatchObject({ name: 'a.csv', path, kind: 'file', size: ROWS.length });
    expect(file.arrivedAtMs).toBeGreaterThanOrEqual(before);
    expect(file.arrivedAtMs).toBeLessThanOrEqual(Date.now());
    expect(watching.watcher.pending()).toMatchObject({ settling: 0, offered: 1 });
  });

  test('an arrival is told before the file is offered, and names of no concern are not', async () => {
    const heard: number[] = [];
    const watching = await startWatching({ onStirring: () => heard.push(watching.offered().length) });
    await writeFile(join(watching.folder, 'notes.md'), ROWS);
    await writeFile(join(watching.folder, 'b.csv.tmp'), ROWS);
    await writeFile(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    expect(heard).toContain(0);
    const before = heard.length;
    await writeFile(join(watching.folder, 'notes.md'), ROWS);
    await settled(watching);
    expect(heard).toHaveLength(before);
  });

  test('a file moved into place is taken after the settle time, however old it is', async () => {
    const outside = join(tempDir(), 'a.csv');
    writeFileSync(outside, ROWS);
    utimesSync(outside, 1000, 1000);
    const watching = await startWatching({ settleMs: 300 });
    const startMs = performance.now();
    renameSync(outside, join(watching.folder, 'a.csv'));
    await untilOffered(watching, 1);
    expect(watching.batches[0].atMs - startMs).toBeGreaterThanOrEqual(300);
  });

  test('files whose times lie in the future or in 1970', async () => {
    const watching = await startWatching();
    for (const [name, seconds] of [
      ['future.csv', 4e9],
      ['past.csv', 0],
    ] as const) {
      writeFileSync(join(watching.folder, name), ROWS);
      utimesSync(join(watching.folder, name), seconds, seconds);
    }
    await untilOffered(watching, 2);
    expect(watching.offered().sort()).toEqual(['future.csv', 'past.csv']);
  });

  test('names with line breaks, quotes, spaces and a real replacement character', async () => {
    const names = ['a\nb.csv', `it's "q".csv`, ' x .csv', 'ž\ufffd.csv', '-rf.csv', 'a\\b.csv'];
    const watching = await startWatching();
    for (const name of names) writeFileSync(join(watching.folder, name), ROWS);
    await untilOffered(watching, names.length);
    expect(watching.offered().sort()).toEqual([...names].sort());
    expect(watching.faults).toEqual([]);
  });

  test('nothing else: unfinished names, other extensions, folders', async () => {
    const folder = watchedFolder();
    mkdirSync(join(folder, 'folder.csv'));
    const watching = await startWatching({ folder });
    for (const name of ['.a.csv', 'a.csv.part', 'a.csv.tmp', 'a.csv~', 'a.xlsx', 'a.csv.done']) {
      writeFileSync(join(watching.folder, name), ROWS);
    }
    mkdirSync(join(watching.folder, 'another.csv'));
    await settled(watching);
    expect(watching.offered()).toEqual([]);
    expect(watching.watcher.pending()).toMatchObject({ settling: 0, done: 0 });
    expect(watching.calls.lstat).not.toContain('folder.csv');
  });

  test('an upload as x.csv.part is taken when it is renamed', async () => {
    const watching = await startWatching();
    writeFileSync(join(watching.folder, 'x.csv.part'), ROWS);
    await settled(watching);
    expect(watching.offered()).toEqual([]);
    renameSync(join(watching.folder, 'x.csv.part'), join(watching.folder, 'x.csv'));
    await untilOffered(watching, 1);
    expect(watching.offered()).toEqual(['x.csv']);
  });

  test('links and FIFOs are offered as what they are, and never opened', async () => {
    const watching = await startWatching();
    symlinkSync('/etc/hostname', join(watching.folder, 'link.csv'));
    symlinkSync('/nowhere', join(watching.folder, 'broken.csv'));
    execFileSync('mkfifo', [join(watching.folder, 'fifo.csv')]);
    await untilOffered(watching, 3);
    const kinds = watching.batches.flatMap(({ files }) => files.map(({ name, kind }) => [name, kind]));
    expect(Object.fromEntries(kinds)).toEqual({
      'link.csv': 'other',
      'broken.csv': 'other',
      'fifo.csv': 'other',
    });
  });

  test('a name that is not valid UTF-8 is reported once and disturbs nothing', async () => {
    const watching = await startWatching();
    const rawPath = Buffer.concat([
      Buffer.from(`${watching.folder}/caf`),
      Buffer.from([0xe9]),
      Buffer.from('.csv'),
    ]);
    writeFileSync(rawPath, ROWS);
    writeFileSync(join(watching.folder, 'good.csv'), ROWS);
    await untilOffered(watching, 1);
    await waitFor('the report', () => watching.faults.length);
    await watching.watcher.rescan();
    expect(watching.offered()).toEqual(['good.csv']);
    expect(watching.faults).toHaveLength(1);
    expect(watching.faults[0]).toMatchObject({
      kind: 'name',
      path: `${watching.folder}/caf\\xE9.csv`,
      rawPath,
    });
    renameSync(rawPath, join(watching.folder, 'café.csv'));
    await untilOffered(watching, 2);
  });
});

describe('half-written files', () => {
  const SLOW_WRITER = `
    const fs = require('node:fs');
    let rounds = 30;
    const timer = setInterval(() => {
      fs.appendFileSync(process.argv[1], 'x'.repeat(100));
      if (--rounds === 0) clearInterval(timer);
    }, 50);`;

  test('a slow writer that opens and closes the file each time: taken once, complete', async () => {
    const watching = await startWatching({ settleMs: 400 });
    const writer = spawn(process.execPath, ['-e', SLOW_WRITER, join(watching.folder, 'slow.csv')]);
    await once(writer, 'close');
    await untilOffered(watching, 1);
    await settled(watching);
    expect(watching.batches.flatMap(({ files }) => files.map(({ size }) => size))).toEqual([3000]);
  });

  test.runIf(process.platform === 'linux')(
    'a writer that pauses with the file open is waited for',
    async () => {
      const watching = await startWatching({ settleMs: 50 });
      const writer = await open(join(watching.folder, 'held.csv'), 'w');
      await writer.write(ROWS);
      await waitFor('the writer to be found', () => watching.watcher.pending().heldOpen);
      expect(watching.watcher.unready()).toEqual([
        { name: 'held.csv', reason: 'held_open', pid: process.pid },
      ]);
      writeFileSync(join(watching.folder, 'behind.csv'), ROWS);
      await untilOffered(watching, 1);
      expect(watching.offered()).toEqual(['behind.csv']);
      await writer.write(ROWS);
      await writer.close();
      await untilOffered(watching, 2);
      expect(watching.batches[1].files).toMatchObject([{ name: 'held.csv', size: 2 * ROWS.length }]);
    },
  );

  test.runIf(process.platform === 'linux')(
    'a writer that never closes its file is reported once',
    async () => {
      let checks = 0;
      const findOpenWriters: FolderPort['findOpenWriters'] = (targets) => {
        checks++;
        return systemPort.findOpenWriters(targets);
      };
      const watching = await startWatching({ settleMs: 20, heldNoticeMs: 100, port: { findOpenWriters } });
      const path = join(watching.folder, 'held.csv');
      const writer = await open(path, 'w');
      await waitFor('the report', () => watching.faults.length);
      const checksAtReport = checks;
      await waitFor('two more checks', () => checks >= checksAtReport + 2);
      expect(watching.faults).toMatchObject([{ kind: 'held_open', code: 'EBUSY', path, pid: process.pid }]);
      expect(watching.offered()).toEqual([]);
      await writer.close();
      await untilOffered(watching, 1);
    },
  );

  test('a file that is open for reading only is taken', async () => {
    const watching = await startWatching();
    writeFileSync(join(watching.folder, 'read.csv'), ROWS);
    const reader = await open(join(watching.folder, 'read.csv'), 'r');
    await untilOffered(watching, 1);
    await reader.close();
  });

  test('a file of the last seconds that is there at start still has to settle', async () => {
    const folder = watchedFolder();
    writeFileSync(join(folder, 'a.csv'), ROWS);
    const startMs = performance.now();
    const watching = await startWatching({ folder, settleMs: 300 });
    await untilOffered(watching, 1);
    expect(watching.batches[0].atMs - startMs).toBeGreaterThanOrEqual(300);
  });
});

describe('a start over old files', () => {
  const oldTimes: Partial<FolderPort> = {
    // No call sets ctime, so the system's answer is aged on its way.
    lstat: async (path) => Object.assign((await systemPort.lstat(path))!, { ctimeNs: 0n, mtimeNs: 0n }),
  };

  test('they are taken at once, later arrivals only after settling', async () => {
    const folder = watchedFolder();
    writeFileSync(join(folder, 'old.csv'), ROWS);
    const watching = await startWatching({ folder, settleMs: 60_000, port: oldTimes });
    await untilOffered(watching, 1);
    writeFileSync(join(folder, 'later.csv'), ROWS);
    await watching.watcher.rescan();
    expect(watching.watcher.pending()).toMatchObject({ offered: 1, settling: 1 });
  });

  test('on a network mount nothing is taken at once, as its clock may be wrong', async () => {
    const folder = watchedFolder();
    writeFileSync(join(folder, 'old.csv'), ROWS);
    const watching = await startWatching({ folder, settleMs: 300, port: oldTimes, polling: true });
    const startMs = performance.now();
    await untilOffered(watching, 1);
    expect(watching.batches[0].atMs - startMs).toBeGreaterThanOrEqual(250);
  });
});

describe('files in hand', () => {
  test('are not offered again until they are released, whatever events and listings say', async () => {
    const watching = await startWatching();
    const path = join(watching.folder, 'a.csv');
    writeFileSync(path, ROWS);
    await untilOffered(watching, 1);
    appendFileSync(path, ROWS);
    await settled(watching);
    expect(watching.offered()).toEqual(['a.csv']);
    watching.watcher.release('a.csv');
    await untilOffered(watching, 2);
    expect(watching.batches[1].files[0].size).toBe(2 * ROWS.length);
  });

  test('a file that is gone at release is forgotten, and the next of that name is a new one', async () => {
    const watching = await startWatching();
    const path = join(watching.folder, 'a.csv');
    for (let delivery = 1; delivery <= 3; delivery++) {
      writeFileSync(path, ROWS);
      await untilOffered(watching, delivery);
      unlinkSync(path);
      watching.watcher.release('a.csv');
      await waitFor('the file to be forgotten', () => watching.watcher.pending().done === 0);
    }
    await settled(watching);
    expect(watching.offered()).toEqual(['a.csv', 'a.csv', 'a.csv']);
  });

  test('a file replaced while in hand is offered again after release', async () => {
    const watching = await startWatching();
    const path = join(watching.folder, 'a.csv');
    writeFileSync(path, ROWS);
    await untilOffered(watching, 1);
    writeFileSync(`${path}.part`, `${ROWS}3,4\n`);
    renameSync(`${path}.part`, path);
    watching.watcher.release('a.csv');
    await untilOffered(watching, 2);
    expect(watching.batches[1].files[0].ino).not.toBe(watching.batches[0].files[0].ino);
  });

  test('a file that is done may stay; it is offered again when it changes', async () => {
    const watching = await startWatching();
    const path = join(watching.folder, 'a.csv');
    writeFileSync(path, ROWS);
    await untilOffered(watching, 1);
    watching.watcher.release('a.csv');
    await settled(watching);
    await settled(watching);
    expect(watching.offered()).toEqual(['a.csv']);
    expect(watching.watcher.pending().done).toBe(1);
    writeFileSync(path, '');
    await untilOffered(watching, 2);
  });

  test('a file released for later comes back after the given time, or when it has changed', async () => {
    const watching = await startWatching({ settleMs: 50 });
    const path = join(watching.folder, 'a.csv');
    writeFileSync(path, ROWS);
    await untilOffered(watching, 1);
    const startMs = performance.now();
    watching.watcher.release('a.csv', { retryInMs: 400 });
    await settled(watching);
    expect(watching.watcher.pending().waiting).toBe(1);
    await untilOffered(watching, 2);
    expect(watching.batches[1].atMs - startMs).toBeGreaterThanOrEqual(400);
    watching.watcher.release('a.csv', { retryInMs: 1e9 });
    appendFileSync(path, ROWS);
    await untilOffered(watching, 3);
  });
});

describe('marker mode', () => {
  test('a file is taken when its marker lies beside it, in either order', async () => {
    const watching = await startWatching({ ready: 'marker' });
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    writeFileSync(join(watching.folder, 'b.csv.done'), '');
    await settled(watching);
    expect(watching.offered()).toEqual([]);
    expect(watching.watcher.unready()).toEqual([{ name: 'a.csv', reason: 'no_marker' }]);
    writeFileSync(join(watching.folder, 'a.csv.done'), '');
    await untilOffered(watching, 1);
    writeFileSync(join(watching.folder, 'b.csv'), ROWS);
    await untilOffered(watching, 2);
    const markers = watching.batches.flatMap(({ files }) => files.map(({ marker }) => marker));
    expect(markers).toEqual([join(watching.folder, 'a.csv.done'), join(watching.folder, 'b.csv.done')]);
  });

  test('a marker that events missed is found by a listing', async () => {
    const watching = await startWatching({ ready: 'marker', port: deaf });
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await settled(watching);
    writeFileSync(join(watching.folder, 'a.csv.done'), '');
    await settled(watching);
    expect(watching.offered()).toEqual(['a.csv']);
  });

  test('a file without marker that is taken away again is forgotten', async () => {
    const watching = await startWatching({ ready: 'marker', port: deaf });
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await settled(watching);
    unlinkSync(join(watching.folder, 'a.csv'));
    await watching.watcher.rescan();
    expect(watching.watcher.pending().unmarked).toBe(0);
  });

  test('without marker mode a marker means nothing', async () => {
    const watching = await startWatching();
    writeFileSync(join(watching.folder, 'a.csv.done'), '');
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    expect(watching.batches[0].files[0]).not.toHaveProperty('marker');
  });
});

test('the settle time is not waited for twice', async () => {
  const watching = await startWatching({ settleMs: 200 });
  const excesses: number[] = [];
  for (let round = 1; round <= 5; round++) {
    const startMs = performance.now();
    writeFileSync(join(watching.folder, `${round}.csv`), ROWS);
    await untilOffered(watching, round);
    excesses.push(watching.batches[round - 1].atMs - startMs - 200);
    await sleep(1);
  }
  // The best of five, as the machine may be busy with other things.
  expect(Math.min(...excesses)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...excesses)).toBeLessThan(200);
});

/** Handles of this process that watch something and would keep it from ending. */
function watchHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap').length;
}

test.each([false, true])(
  'after stop nothing comes any more and no handle is left (polling: %s)',
  async (polling) => {
    await waitFor('the handles of earlier tests to be closed', () => watchHandles() === 0);
    const watching = await startWatching({ polling });
    expect(watchHandles()).toBe(polling ? 0 : 1);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await watching.watcher.rescan();
    expect(watching.watcher.pending().settling).toBe(1);
    await watching.watcher.stop();
    await watching.watcher.rescan();
    await watching.watcher.idle();
    await waitFor('the handle to be closed', () => watchHandles() === 0);
    expect(watching.offered()).toEqual([]);
  },
);

describe('reading ahead', () => {
  /** A watcher that gives files ahead, and what it gave. */
  async function startAhead(options: Parameters<typeof startWatching>[0] = {}) {
    const given: AheadFile[] = [];
    const givenAtMs: number[] = [];
    const lost: number[] = [];
    const ahead = {
      onAhead: (files: AheadFile[]) => {
        given.push(...files);
        givenAtMs.push(performance.now());
      },
      onLost: (tickets: number[]) => void lost.push(...tickets),
    };
    return { given, givenAtMs, lost, watching: await startWatching({ settleMs: 400, ahead, ...options }) };
  }

  /** Moves a complete file into the folder. */
  function moveIn({ folder }: Watching, { name, text = ROWS }: { name: string; text?: string }): void {
    const elsewhere = join(tempDir(), name);
    writeFileSync(elsewhere, text);
    utimesSync(elsewhere, 1000, 1000);
    renameSync(elsewhere, join(folder, name));
  }

  test('a file is given ahead before it is offered, with the same ticket', async () => {
    const { given, givenAtMs, watching } = await startAhead();
    moveIn(watching, { name: 'a.csv' });
    await untilOffered(watching, 1);
    expect(given).toHaveLength(1);
    expect(watching.batches[0].files).toEqual(given);
    expect(watching.batches[0].atMs).toBeGreaterThan(givenAtMs[0]);
  });

  test('the ticket of a file that is replaced is lost, also by one of the same size and mtime', async () => {
    const { given, lost, watching } = await startAhead({ settleMs: 1500 });
    moveIn(watching, { name: 'a.csv' });
    await waitFor('the file ahead', () => given.length > 0);
    moveIn(watching, { name: 'a.csv', text: 'a,b\n3,4\n' });
    await untilOffered(watching, 1);
    expect(lost).toEqual([given[0].ticket]);
    expect(watching.batches[0].files[0].ticket).not.toBe(given[0].ticket);
  });

  test('a file that its consumer has already is neither given ahead nor offered until it is released', async () => {
    const { given, watching } = await startAhead({ isInHand: (name) => name === 'known.csv' });
    const known = join(watching.folder, 'known.csv');
    writeFileSync(known, ROWS);
    writeFileSync(join(watching.folder, 'new.csv'), ROWS);
    await untilOffered(watching, 1);
    expect(given.map(({ name }) => name)).toEqual(['new.csv']);
    expect(watching.offered()).toEqual(['new.csv']);
    expect(watching.watcher.counts()).toMatchObject({ offered: 2, settling: 0 });
    watching.watcher.release('known.csv');
    await settled(watching);
    expect(watching.watcher.counts()).toMatchObject({ offered: 1, done: 1 });
  });

  test('a file that somebody holds open for writing is not given ahead', async () => {
    const { given, watching } = await startAhead({ settleMs: 200 });
    const writer = await open(join(watching.folder, 'a.csv'), 'w');
    await writer.write(ROWS);
    await waitFor('the writer to be found', () => watching.watcher.pending().heldOpen === 1);
    expect(given).toEqual([]);
    await writer.close();
    await untilOffered(watching, 1);
    expect(watching.batches[0].files[0].ticket).toBeUndefined();
  });

  test('a file that was moved here is given ahead, but not offered while somebody holds it open for writing', async () => {
    const { given, watching } = await startAhead({ settleMs: 200 });
    const elsewhere = join(tempDir(), 'a.csv');
    writeFileSync(elsewhere, ROWS);
    utimesSync(elsewhere, 1000, 1000);
    const writer = await open(elsewhere, 'a');
    renameSync(elsewhere, join(watching.folder, 'a.csv'));
    await waitFor('the writer to be found', () => watching.watcher.pending().heldOpen === 1);
    expect(given.map(({ name }) => name)).toEqual(['a.csv']);
    expect(watching.offered()).toEqual([]);
    await writer.close();
    await untilOffered(watching, 1);
  });

  test.each([{ polling: true, pollIntervalMs: 20 }, { ready: 'marker' as const }])(
    '%o gives nothing ahead',
    async (options) => {
      const { given, watching } = await startAhead({ settleMs: 200, ...options });
      moveIn(watching, { name: 'a.csv' });
      writeFileSync(join(watching.folder, 'a.csv.done'), '');
      await untilOffered(watching, 1);
      expect(given).toEqual([]);
    },
  );

  test('a large file that was just written is not given ahead, one that was moved here is', async () => {
    const { given, watching } = await startAhead({ settleMs: 200 });
    const text = ROWS.repeat(2 ** 21);
    writeFileSync(join(watching.folder, 'fresh.csv'), text);
    moveIn(watching, { name: 'moved.csv', text });
    await untilOffered(watching, 2);
    expect(given.map(({ name }) => name)).toEqual(['moved.csv']);
  });
});
