import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenToFolder } from '../../src/watch/folder-events.js';
import { waitFor } from '../helpers/wait-for.js';
import { watchedFolder } from './watching.js';

async function listen(folder: string, polling: boolean) {
  const events: (string | undefined)[] = [];
  const source = await listenToFolder({
    folder,
    polling,
    pollIntervalMs: 20,
    onEvent: (name) => events.push(name),
    onError: (error) => expect.unreachable(String(error)),
  });
  onTestFinished(() => source.close());
  return { events, source };
}

describe.each([false, true])('events of a folder (polling: %s)', (polling) => {
  test('none is missed from the start on, however soon it comes', async () => {
    const folders = Array.from({ length: 50 }, watchedFolder);
    await Promise.all(
      folders.map(async (folder) => {
        const { events } = await listen(folder, polling);
        writeFileSync(join(folder, 'a.csv'), 'a\n');
        await waitFor('the event', () => events.length > 0);
      }),
    );
  });

  test('each later change is told, and none after the end', async () => {
    const folder = watchedFolder();
    const { events, source } = await listen(folder, polling);
    for (const name of ['a.csv', 'b.csv']) {
      const before = events.length;
      writeFileSync(join(folder, name), 'a\n');
      await waitFor(`the event of ${name}`, () => events.length > before);
    }
    await source.close();
    const atEnd = events.length;
    const other = await listen(folder, polling);
    writeFileSync(join(folder, 'c.csv'), 'a\n');
    await waitFor('the event of another listener', () => other.events.length > 0);
    expect(events).toHaveLength(atEnd);
  });

  test('a folder that goes away is told', async () => {
    const folder = watchedFolder();
    const { events } = await listen(folder, polling);
    const before = events.length;
    rmSync(folder, { recursive: true });
    await waitFor('the event', () => events.length > before);
  });
});

test('polling a folder that is not there is an error', async () => {
  const folder = watchedFolder();
  rmSync(folder, { recursive: true });
  await expect(listen(folder, true)).rejects.toMatchObject({ code: 'ENOENT' });
});
