import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import { FolderLock, holderOf, isLocked } from '../../src/ledger/lock.js';
import { builtModule } from '../helpers/built-module.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Another process that runs `statements` with `folder` as the state folder. */
async function otherProcess(folder: string, statements: string): Promise<ChildProcess> {
  const module = await builtModule('src/ledger/lock.ts');
  const program = `
    const { FolderLock, isLocked } = await import(${JSON.stringify(module)});
    const folder = ${JSON.stringify(folder)};
    ${statements}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

const HOLD = `FolderLock.acquire(folder); console.log('held'); setInterval(() => undefined, 1000);`;

function refusal(folder: string): DropgateError {
  try {
    FolderLock.acquire(folder).release();
  } catch (error) {
    if (error instanceof DropgateError) return error;
    throw error;
  }
  throw new Error('the lock was given');
}

describe('FolderLock', () => {
  it('is given once, again after its release, and names its process', () => {
    const folder = path.join(tempDir(), 'state');
    expect(isLocked(folder)).toBe(false);
    expect(holderOf(folder)).toBeUndefined();
    for (let round = 0; round < 2; round++) {
      const lock = FolderLock.acquire(folder);
      expect(holderOf(folder)).toBe(process.pid);
      expect(isLocked(folder)).toBe(true);
      expect(refusal(folder)).toMatchObject({ code: 'locked' });
      lock.release();
      expect(isLocked(folder)).toBe(false);
      expect(holderOf(folder)).toBeUndefined();
    }
  });

  it('is refused to a second process, which is told the pid of the first', async () => {
    const folder = tempDir();
    const { pid } = await otherProcess(folder, HOLD);
    expect(isLocked(folder)).toBe(true);
    expect(refusal(folder)).toMatchObject({
      code: 'locked',
      message: `another Dropgate (pid ${pid}) works on ${folder}`,
    });
    expect(holderOf(folder)).toBe(pid);
  });

  it('is free at once when its process is killed', async () => {
    const folder = tempDir();
    const child = await otherProcess(folder, HOLD);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isLocked(folder)).toBe(false);
    FolderLock.acquire(folder).release();
  });

  it('finds folders in order until somebody was killed in them, and then until somebody says that they are again', async () => {
    const folder = tempDir();
    const found = (release: (lock: FolderLock) => void = (lock) => lock.release()) => {
      const lock = FolderLock.acquire(folder);
      release(lock);
      return lock.isInOrder;
    };
    expect([found(), found()]).toEqual([true, true]);
    const child = await otherProcess(folder, HOLD);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect([found(), found((lock) => lock.release({ isInOrder: true }))]).toEqual([false, false]);
    expect(found((lock) => lock.release({ isInOrder: false }))).toBe(true);
    expect(found()).toBe(false);
  });

  it('is not refused because somebody looks whether it is held', async () => {
    const folder = tempDir();
    FolderLock.acquire(folder).release();
    const look = `
      console.log('looking');
      for (const end = Date.now() + 60_000; Date.now() < end; ) {
        for (let i = 0; i < 20; i++) isLocked(folder);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }`;
    await otherProcess(folder, look);
    for (let i = 0; i < 100; i++) FolderLock.acquire(folder).release();
  });

  it('is waited for while somebody who looks keeps it for longer than usual', async () => {
    const folder = tempDir();
    FolderLock.acquire(folder).release();
    const look = `
      const { createRequire } = await import('node:module');
      const Database = createRequire(${JSON.stringify(import.meta.url)})('libsql');
      const db = new Database(folder + '/lock.db');
      db.exec('BEGIN EXCLUSIVE');
      console.log('looking');
      setTimeout(() => db.exec('ROLLBACK'), 700);`;
    await otherProcess(folder, look);
    FolderLock.acquire(folder).release();
  });

  it('says what is wrong with its file instead of blaming another process', () => {
    const folder = tempDir();
    fs.writeFileSync(path.join(folder, 'lock.db'), 'this is no database '.repeat(100));
    expect(refusal(folder)).toMatchObject({ code: 'internal', message: expect.stringContaining('lock.db') });
    expect(isLocked(folder)).toBe(false);
  });

  it('is not disturbed by what stands in the file with the pid', async () => {
    const folder = tempDir();
    fs.writeFileSync(path.join(folder, 'lock'), 'no number');
    expect(holderOf(folder)).toBeUndefined();
    const lock = FolderLock.acquire(folder);
    fs.rmSync(path.join(folder, 'lock'));
    expect(refusal(folder).message).toBe(`another Dropgate (pid unknown) works on ${folder}`);
    lock.release();
    await waitFor('the lock to be free', () => !isLocked(folder));
  });
});
