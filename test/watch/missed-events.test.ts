import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { EventRequest } from '../../src/watch/folder-events.js';
import { type FolderPort, systemPort } from '../../src/watch/folder-port.js';
import { waitFor } from '../helpers/wait-for.js';
import { deaf, startWatching, untilOffered } from './watching.js';

const ROWS = 'a,b\n1,2\n';

test('a regular listing finds what events missed', async () => {
  const watching = await startWatching({ port: deaf, rescanMs: 100 });
  writeFileSync(join(watching.folder, 'a.csv'), ROWS);
  await untilOffered(watching, 1);
  watching.watcher.release('a.csv');
  await waitFor('the file to rest', () => watching.watcher.pending().done);
  writeFileSync(join(watching.folder, 'a.csv'), 'changed');
  await untilOffered(watching, 2);
  rmSync(join(watching.folder, 'a.csv'));
  watching.watcher.release('a.csv');
  await waitFor('the file to be forgotten', () => watching.watcher.pending().done === 0);
});

/** A port whose events come from the test alone. */
function scriptedEvents() {
  const script: { send: EventRequest['onEvent'] } = { send: () => undefined };
  const port: Partial<FolderPort> = {
    listen: async ({ onEvent }) => {
      script.send = onEvent;
      return { close: async () => undefined };
    },
  };
  return { script, port };
}

test('a flood of events, which may have overflowed, is followed by a listing', async () => {
  const { script, port } = scriptedEvents();
  const watching = await startWatching({ port });
  writeFileSync(join(watching.folder, 'a.csv'), ROWS);
  for (let n = 0; n < 10_000; n++) script.send('other.csv');
  await untilOffered(watching, 1);
});

test('a second change within the grain of the mtime, which polling cannot see, is found', async () => {
  const { script, port } = scriptedEvents();
  const watching = await startWatching({ port });
  script.send(undefined);
  await waitFor('the listing', () => watching.calls.readdir.length === 2);
  writeFileSync(join(watching.folder, 'a.csv'), ROWS);
  await untilOffered(watching, 1);
});

test('events that ask for listings without end get a tenth of the time', async () => {
  const { script, port } = scriptedEvents();
  const readdir: FolderPort['readdir'] = async (folder) => {
    await sleep(20);
    return systemPort.readdir(folder);
  };
  const watching = await startWatching({ port: { ...port, readdir } });
  const startMs = performance.now();
  const flood = setInterval(() => script.send(undefined), 1);
  onTestFinished(() => clearInterval(flood));
  // The first is that of the start, and each takes 20 ms: before each further one ten times as long goes by.
  await waitFor('three listings more', () => watching.calls.readdir.length >= 4);
  expect(performance.now() - startMs).toBeGreaterThan(3 * 10 * 19);
});

test('polling finds new files', async () => {
  const watching = await startWatching({ polling: true, pollIntervalMs: 50 });
  for (const name of ['a.csv', 'b.csv']) {
    writeFileSync(join(watching.folder, name), ROWS);
    await waitFor(`${name} offered`, () => watching.offered().includes(name));
  }
  expect(watching.offered()).toEqual(['a.csv', 'b.csv']);
});
