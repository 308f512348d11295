import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sweepLeftovers } from './sweep.js';

const TWO_HOURS_AGO = new Date(Date.now() - 7_200_000);
const made: string[] = [];

afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

function leftover(pid: number, age: Date): string {
  const path = join(tmpdir(), `dropgate-test-${pid}-sweep${made.length}`);
  mkdirSync(path);
  utimesSync(path, age, age);
  made.push(path);
  return path;
}

test('removes old folders of processes that are gone, and no others', () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const abandoned = leftover(gone, TWO_HOURS_AGO);
  const young = leftover(gone, new Date());
  const inUse = leftover(process.pid, TWO_HOURS_AGO);
  sweepLeftovers();
  expect([abandoned, young, inUse].map((path) => existsSync(path))).toEqual([false, true, true]);
});
