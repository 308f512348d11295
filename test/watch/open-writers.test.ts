import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findOpenWriters, type WriterTarget } from '../../src/watch/open-writers.js';
import { tempDir } from '../helpers/temp-dir.js';

function newFile(name = 'a.csv'): string {
  const path = join(tempDir(), name);
  writeFileSync(path, 'a\n');
  return path;
}

function target(path: string): WriterTarget {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return { path, dev, ino };
}

/** Opens the file in this process until the test ends. */
async function hold(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  onTestFinished(() => handle.close());
}

test('without /proc nothing is found, and nothing fails', async () => {
  const path = newFile();
  await hold(path, 'r+');
  expect(await findOpenWriters([target(path)], '/nowhere')).toEqual(new Map());
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test.each(['w', 'a', 'r+'])('a file opened with "%s" is found', async (flags) => {
    const path = newFile();
    await hold(path, flags);
    expect(await findOpenWriters([target(newFile('b.csv')), target(path)])).toEqual(
      new Map([[path, process.pid]]),
    );
  });

  test('a file opened for reading is not', async () => {
    const path = newFile();
    await hold(path, 'r');
    expect(await findOpenWriters([target(path)])).toEqual(new Map());
  });

  test('a file of the same name elsewhere is told apart', async () => {
    const [mine, other] = [newFile(), newFile()];
    await hold(other, 'w');
    expect(await findOpenWriters([target(mine)])).toEqual(new Map());
    expect([...(await findOpenWriters([target(mine), target(other)])).keys()]).toEqual([other]);
  });

  test('a file renamed while it is open is found under its new name', async () => {
    const path = newFile('a.csv.part');
    await hold(path, 'a');
    const renamed = path.slice(0, -'.part'.length);
    renameSync(path, renamed);
    expect([...(await findOpenWriters([target(renamed)])).keys()]).toEqual([renamed]);
  });

  test('a file reached by another path (as in a container) is found by its inode', async () => {
    const path = newFile();
    const elsewhere = join(tempDir(), 'mounted');
    mkdirSync(elsewhere);
    linkSync(path, join(elsewhere, 'a.csv'));
    await hold(join(elsewhere, 'a.csv'), 'a');
    expect([...(await findOpenWriters([target(path)])).keys()]).toEqual([path]);
  });

  test('the writer may be another process, and its end is seen', async () => {
    const path = newFile('with "quotes"\n.csv');
    const writer = spawn('/bin/sh', ['-c', 'exec 3>>"$1"; echo open; read line', 'sh', path]);
    onTestFinished(() => void writer.kill());
    await once(writer.stdout, 'data');
    expect(await findOpenWriters([target(path)])).toEqual(new Map([[path, writer.pid]]));
    writer.stdin.end();
    await once(writer, 'close');
    expect(await findOpenWriters([target(path)])).toEqual(new Map());
  });
});
