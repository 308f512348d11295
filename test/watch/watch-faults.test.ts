import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FolderPort, systemPort } from '../../src/watch/folder-port.js';
import { waitFor } from '../helpers/wait-for.js';
import { startWatching, untilOffered, type Watching } from './watching.js';

const ROWS = 'a,b\n1,2\n';

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made to fail`), { code });
}

/** A call that fails with `code` while `broken.now` is true. */
function breakable<K extends 'readdir' | 'lstat' | 'stat' | 'listen'>(call: K, code: string) {
  const broken = { now: false, calls: 0 };
  const real = systemPort[call] as (argument: never) => Promise<unknown>;
  const port = {
    [call]: async (argument: never) => {
      if (!broken.now) return real(argument);
      broken.calls++;
      throw failure(code);
    },
  } as Partial<FolderPort>;
  return { broken, port };
}

function untilRecovered({ recoveries }: Watching, count = 1): Promise<boolean> {
  return waitFor('the recovery', () => recoveries.length >= count);
}

describe('a folder that cannot be listed', () => {
  test.each(['EACCES', 'EIO', 'EMFILE', 'ENOENT', 'ESTALE'])(
    'readdir fails with %s: said once, retried, and over',
    async (code) => {
      const { broken, port } = breakable('readdir', code);
      const watching = await startWatching({ port });
      broken.now = true;
      await watching.watcher.rescan();
      writeFileSync(join(watching.folder, 'a.csv'), ROWS);
      await waitFor('another attempt', () => broken.calls >= 2);
      expect(watching.faults).toMatchObject([{ kind: 'folder', code, path: watching.folder }]);
      expect(watching.offered()).toEqual([]);
      broken.now = false;
      await untilRecovered(watching);
      await untilOffered(watching, 1);
      expect(watching.recoveries).toMatchObject([{ kind: 'folder', path: watching.folder }]);
      expect(watching.faults).toHaveLength(1);
    },
  );

  test('at start: it is no error, and the folder is watched as soon as it is there', async () => {
    const { broken, port } = breakable('stat', 'EACCES');
    broken.now = true;
    const watching = await startWatching({ port });
    expect(watching.faults).toMatchObject([{ kind: 'folder', code: 'EACCES' }]);
    broken.now = false;
    await untilRecovered(watching);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
  });

  test('the pauses between attempts grow', async () => {
    const { broken, port } = breakable('readdir', 'EIO');
    broken.now = true;
    const startMs = performance.now();
    await startWatching({ port });
    await waitFor('four attempts', () => broken.calls >= 4);
    // 250, 500 and 1,000 ms, each at least half of that by jitter.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(875);
  });
});

describe('a folder that goes away', () => {
  test.each([false, true])('and comes back is watched again (polling: %s)', async (polling) => {
    const watching = await startWatching({ polling, pollIntervalMs: 50 });
    rmSync(watching.folder, { recursive: true });
    await waitFor('the fault', () => watching.faults.length);
    expect(watching.faults).toMatchObject([{ kind: 'folder', code: 'ENOENT' }]);
    expect(existsSync(watching.folder)).toBe(false);
    mkdirSync(watching.folder);
    await untilRecovered(watching);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    expect(watching.faults).toHaveLength(1);
  });

  test('another folder that takes its place is watched instead', async () => {
    const watching = await startWatching();
    renameSync(watching.folder, `${watching.folder}.old`);
    mkdirSync(watching.folder);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    writeFileSync(join(watching.folder, 'b.csv'), ROWS);
    writeFileSync(join(`${watching.folder}.old`, 'c.csv'), ROWS);
    await untilOffered(watching, 2);
    await watching.watcher.rescan();
    await watching.watcher.idle();
    expect(watching.offered()).toEqual(['a.csv', 'b.csv']);
  });

  test('its successor is recognised even if no event told of the change', async () => {
    const port: Partial<FolderPort> = {
      listen: (request) =>
        systemPort.listen({ ...request, onEvent: (name) => name !== undefined && request.onEvent(name) }),
    };
    const watching = await startWatching({ port });
    renameSync(watching.folder, `${watching.folder}.old`);
    mkdirSync(watching.folder);
    await watching.watcher.rescan();
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
  });

  test('its successor is recognised even if it looks like the old one', async () => {
    const first = { dev: 1n, ino: 1n, birthtimeNs: 1n };
    const port: Partial<FolderPort> = {
      stat: async (path) => Object.assign(await systemPort.stat(path), first),
    };
    const watching = await startWatching({ port });
    renameSync(watching.folder, `${watching.folder}.old`);
    mkdirSync(watching.folder);
    await waitFor('the listing', () => watching.calls.readdir.length === 2);
    await watching.watcher.rescan();
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
  });

  test('is created again if so ordered, and watched', async () => {
    const watching = await startWatching({ ensureFolder: true });
    rmSync(watching.folder, { recursive: true });
    await untilRecovered(watching);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    expect(watching.faults).toHaveLength(1);
  });

  test('and takes the file in hand along: its release is harmless', async () => {
    const watching = await startWatching();
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
    rmSync(watching.folder, { recursive: true });
    await waitFor('the fault', () => watching.faults.length);
    watching.watcher.release('a.csv', { retryInMs: 10 });
    mkdirSync(watching.folder);
    await untilRecovered(watching);
    await waitFor('the file to be forgotten', () => watching.watcher.pending().waiting === 0);
    await watching.watcher.idle();
    expect(watching.offered()).toEqual(['a.csv']);
  });
});

describe('events that the system refuses', () => {
  test.each(['ENOSPC', 'EMFILE'])(
    '%s: polling stands in, said once, and events come back by themselves',
    async (code) => {
      let refuse = true;
      const modes: boolean[] = [];
      const port: Partial<FolderPort> = {
        listen: (request) => {
          if (refuse && !request.polling) return Promise.reject(failure(code));
          modes.push(request.polling);
          return systemPort.listen(request);
        },
      };
      const watching = await startWatching({ port, pollIntervalMs: 50 });
      expect(watching.faults).toMatchObject([{ kind: 'watch', code }]);
      writeFileSync(join(watching.folder, 'a.csv'), ROWS);
      await untilOffered(watching, 1);
      refuse = false;
      await watching.watcher.rescan();
      expect(watching.recoveries).toMatchObject([{ kind: 'watch' }]);
      expect(modes).toEqual([true, false]);
      writeFileSync(join(watching.folder, 'b.csv'), ROWS);
      await untilOffered(watching, 2);
      expect(watching.faults).toHaveLength(1);
    },
  );

  test('a source that fails while running is replaced', async () => {
    let fail: (error: unknown) => void = () => undefined;
    const port: Partial<FolderPort> = {
      listen: (request) => {
        fail = request.onError;
        return systemPort.listen(request);
      },
    };
    const watching = await startWatching({ port });
    fail(failure('EIO'));
    await untilRecovered(watching);
    expect(watching.faults).toMatchObject([{ kind: 'watch', code: 'EIO' }]);
    writeFileSync(join(watching.folder, 'a.csv'), ROWS);
    await untilOffered(watching, 1);
  });
});

test.each(['EIO', 'EACCES'])('a file that cannot be looked at (%s) holds up no other', async (code) => {
  let broken = true;
  const port: Partial<FolderPort> = {
    lstat: (path) =>
      broken && path.endsWith('bad.csv') ? Promise.reject(failure(code)) : systemPort.lstat(path),
  };
  const watching = await startWatching({ port });
  for (const name of ['bad.csv', 'bad.csv.gz', 'good.csv']) writeFileSync(join(watching.folder, name), ROWS);
  await untilOffered(watching, 2);
  await watching.watcher.rescan();
  expect(watching.offered().sort()).toEqual(['bad.csv.gz', 'good.csv']);
  expect(watching.faults).toMatchObject([{ kind: 'entry', code, path: join(watching.folder, 'bad.csv') }]);
  broken = false;
  await watching.watcher.rescan();
  expect(watching.recoveries).toMatchObject([{ kind: 'entry' }]);
  await untilOffered(watching, 3);
});

test('a file that could not be looked at and is taken away ends the trouble', async () => {
  const port: Partial<FolderPort> = { lstat: () => Promise.reject(failure('EIO')) };
  const watching = await startWatching({ port });
  writeFileSync(join(watching.folder, 'bad.csv'), ROWS);
  await waitFor('the fault', () => watching.faults.length);
  rmSync(join(watching.folder, 'bad.csv'));
  await watching.watcher.rescan();
  expect(watching.recoveries).toMatchObject([{ kind: 'entry' }]);
});

test('a file that fails only at the last look is not offered then', async () => {
  let looks = 0;
  const port: Partial<FolderPort> = {
    lstat: (path) => (++looks > 1 ? Promise.reject(failure('EIO')) : systemPort.lstat(path)),
  };
  const watching = await startWatching({ port, settleMs: 20 });
  writeFileSync(join(watching.folder, 'a.csv'), ROWS);
  await waitFor('the fault', () => watching.faults.length);
  await watching.watcher.rescan();
  expect(watching.offered()).toEqual([]);
});

test('something that is no folder at the path is a fault like others', async () => {
  const watching = await startWatching();
  rmSync(watching.folder, { recursive: true });
  execFileSync('mkfifo', [watching.folder]);
  await waitFor('the fault', () => watching.faults.some(({ code }) => code === 'ENOTDIR'));
  rmSync(watching.folder);
  mkdirSync(watching.folder);
  writeFileSync(join(watching.folder, 'a.csv'), ROWS);
  await untilOffered(watching, 1);
});
