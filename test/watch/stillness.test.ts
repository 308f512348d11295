import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FolderPort, systemPort } from '../../src/watch/folder-port.js';
import { Stillness } from '../../src/watch/stillness.js';
import { waitFor } from '../helpers/wait-for.js';
import { deaf, startWatching, untilOffered } from './watching.js';

const at = (time: bigint) => ({ dev: 1n, ino: 2n, mtimeNs: time, ctimeNs: time });

test('a folder is still once it was listed with a time that was seen before, and for so long', () => {
  const stillness = new Stillness();
  expect([1n, 1n, 1n, 1n, 2n, 2n, 2n].map((time) => stillness.isStill(at(time)))).toEqual([
    ...[false, false, true, true],
    ...[false, false, true],
  ]);
  stillness.forget();
  expect([2n, 2n, 2n].map((time) => stillness.isStill(at(time)))).toEqual([false, false, true]);
});

test('a folder whose times stand still is listed at times all the same', () => {
  const stillness = new Stillness();
  const answers = Array.from({ length: 30 }, () => stillness.isStill(at(1n)));
  expect(answers.filter((isStill) => !isStill)).toHaveLength(4);
});

test('a folder in which nothing happens is hardly listed, and what events missed is found', async () => {
  let looks = 0;
  const stat: FolderPort['stat'] = (path) => {
    looks++;
    return systemPort.stat(path);
  };
  const watching = await startWatching({ port: { ...deaf, stat }, rescanMs: 20 });
  await waitFor('a dozen looks', () => looks >= 12);
  expect(watching.calls.readdir.length).toBeLessThanOrEqual(4);
  writeFileSync(join(watching.folder, 'a.csv'), 'a\n1\n');
  await untilOffered(watching, 1);
  watching.watcher.release('a.csv');
  await waitFor('the file to rest', () => watching.watcher.pending().done);
  writeFileSync(join(watching.folder, 'a.csv'), 'a\n1\n2\n');
  await untilOffered(watching, 2);
});
