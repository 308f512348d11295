import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  candidateNames,
  createTempFile,
  cutBytes,
  fileOps,
  ignoreErrno,
  isAbsent,
  moveIntoOwnFolder,
  moveNoOverwrite,
  pathFrom,
  removeFile,
  sha256Of,
  splitDataName,
  sweepTempFiles,
  syncFile,
  syncFolder,
  tempPathFor,
  writeFileAtomic,
} from '../../src/base/files.js';
import { tempDir } from '../helpers/temp-dir.js';
import { FaultyDisk } from './faulty-disk.js';

const realOps = { ...fileOps };
afterEach(() => Object.assign(fileOps, realOps));

/** A folder with the files named, each holding its content. */
function folderWith(files: Record<string, string> = {}): string {
  const folder = tempDir();
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
  return folder;
}

/** Files of a folder with their contents. */
function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]),
  );
}

function refuse(errno: string): never {
  throw Object.assign(new Error(`${errno}: refused`), { code: errno });
}

/** Makes two folders lie on two disks, as far as the program can tell. */
function splitDisks(): void {
  fileOps.rename = (async (from: string, to: string) => {
    if (path.dirname(from) !== path.dirname(to)) refuse('EXDEV');
    return realOps.rename(from, to);
  }) as typeof fileOps.rename;
  fileOps.link = (async (from: string, to: string) => {
    if (path.dirname(from) !== path.dirname(to)) refuse('EXDEV');
    return realOps.link(from, to);
  }) as typeof fileOps.link;
}

describe('writeFileAtomic', () => {
  it('makes and replaces a file', async () => {
    const folder = folderWith();
    const target = path.join(folder, 'a.json');
    await writeFileAtomic(target, 'one');
    await writeFileAtomic(target, new TextEncoder().encode('two'));
    expect(contents(folder)).toEqual({ 'a.json': 'two' });
  });

  it('leaves the old file whole and nothing temporary, whichever operation fails', async () => {
    const folder = folderWith({ 'a.json': 'old' });
    const target = path.join(folder, 'a.json');
    const failed: string[] = [];
    for (let failAt = 1; ; failAt++) {
      fs.writeFileSync(target, 'old');
      const disk = new FaultyDisk({ failAt });
      const outcome = await writeFileAtomic(target, 'new').then(
        () => 'written',
        () => 'refused',
      );
      disk.restore();
      if (!disk.hasFailed) break;
      const step = disk.calls[failAt - 1];
      failed.push(step);
      const isBeforeRename = ['openSync', 'writeSync', 'fsync', 'closeSync', 'rename'].includes(step);
      expect(outcome).toBe('refused');
      expect(Object.keys(contents(folder))).toEqual(['a.json']);
      if (failAt <= 5 && isBeforeRename) expect(contents(folder)['a.json']).toBe('old');
    }
    expect(failed.slice(0, 5)).toEqual(['openSync', 'writeSync', 'fsync', 'closeSync', 'rename']);
  });

  it('shows a reader the old file or the new one, never a part', async () => {
    const target = path.join(folderWith({ a: 'x'.repeat(100_000) }), 'a');
    const sizes = new Set<number>();
    let isDone = false;
    const writing = (async () => {
      for (let i = 0; i < 20; i++)
        await writeFileAtomic(target, (i % 2 ? 'x' : 'y').repeat(100_000 + (i % 2)));
      isDone = true;
    })();
    while (!isDone) sizes.add((await fs.promises.readFile(target)).length);
    await writing;
    expect([...sizes].every((size) => size === 100_000 || size === 100_001)).toBe(true);
  });
});

describe('temporary files', () => {
  it('have names of their own, in the folder of their target', () => {
    const target = `/some/folder/${'n'.repeat(255)}`;
    const names = Array.from({ length: 100 }, () => tempPathFor(target));
    expect(new Set(names).size).toBe(100);
    for (const name of names) {
      expect(path.dirname(name)).toBe('/some/folder');
      expect(path.basename(name)).toMatch(/^\.dropgate-.*\.tmp$/);
    }
  });

  it('are swept, and nothing else is', async () => {
    const folder = folderWith({ 'a.csv': 'a', '.dropgate-keep': 'b', 'x.tmp': 'c' });
    for (let i = 0; i < 3; i++) fs.writeFileSync(tempPathFor(path.join(folder, 'a.csv')), 'leftover');
    expect(await sweepTempFiles(folder)).toBe(3);
    expect(contents(folder)).toEqual({ 'a.csv': 'a', '.dropgate-keep': 'b', 'x.tmp': 'c' });
    expect(await sweepTempFiles(path.join(folder, 'not there'))).toBe(0);
  });

  it('bring back a folder that vanished', () => {
    const folder = path.join(folderWith(), 'gone', 'too');
    const temp = createTempFile(folder);
    fs.closeSync(temp.fd);
    expect(path.dirname(temp.path)).toBe(folder);
    expect(fs.existsSync(temp.path)).toBe(true);
  });

  it('cannot be made in what is no folder', () => {
    expect(() => createTempFile(path.join(folderWith({ file: '' }), 'file'))).toThrow(/ENOTDIR/);
  });
});

describe('flushing', () => {
  it('passes over folders that cannot be flushed, and nothing else', async () => {
    await syncFolder(path.join(folderWith(), 'not there'));
    const folder = folderWith({ a: 'x' });
    await syncFolder(folder);
    await syncFile(path.join(folder, 'a'));
    for (const [errno, isFine] of [
      ['EINVAL', true],
      ['EIO', false],
    ] as const) {
      const disk = new FaultyDisk({ failAt: 2, errno });
      const outcome = await syncFolder(folder).then(
        () => true,
        () => false,
      );
      disk.restore();
      expect(outcome).toBe(isFine);
    }
  });
});

describe('moveNoOverwrite', () => {
  it('gives a file its name', async () => {
    const folder = folderWith({ temp: 'x' });
    expect(await moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'named'))).toBe(true);
    expect(contents(folder)).toEqual({ named: 'x' });
  });

  it('changes nothing when the name is taken', async () => {
    const folder = folderWith({ temp: 'x', named: 'y' });
    expect(await moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'named'))).toBe(false);
    expect(contents(folder)).toEqual({ temp: 'x', named: 'y' });
  });

  it('finishes a move that was killed between its two steps', async () => {
    const folder = folderWith({ temp: 'x' });
    fs.linkSync(path.join(folder, 'temp'), path.join(folder, 'named'));
    expect(await moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'named'))).toBe(true);
    expect(contents(folder)).toEqual({ named: 'x' });
  });

  it.each(['EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS'])('does without links (%s)', async (errno) => {
    fileOps.link = async () => refuse(errno);
    const folder = folderWith({ temp: 'x', taken: 'y' });
    expect(await moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'taken'))).toBe(false);
    expect(await moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'named'))).toBe(true);
    expect(contents(folder)).toEqual({ named: 'x', taken: 'y' });
  });

  it('copies to another disk, whole or not at all', async () => {
    splitDisks();
    const [from, to] = [folderWith({ temp: 'x' }), folderWith({ taken: 'y' })];
    expect(await moveNoOverwrite(path.join(from, 'temp'), path.join(to, 'taken'))).toBe(false);
    expect([contents(from), contents(to)]).toEqual([{ temp: 'x' }, { taken: 'y' }]);
    expect(await moveNoOverwrite(path.join(from, 'temp'), path.join(to, 'named'))).toBe(true);
    expect([contents(from), contents(to)]).toEqual([{}, { named: 'x', taken: 'y' }]);
  });

  it('passes other failures on and changes nothing', async () => {
    fileOps.link = async () => refuse('EIO');
    const folder = folderWith({ temp: 'x' });
    await expect(moveNoOverwrite(path.join(folder, 'temp'), path.join(folder, 'named'))).rejects.toThrow(
      'EIO',
    );
    expect(contents(folder)).toEqual({ temp: 'x' });
  });

  it('lets one of many that race for a name have it', async () => {
    const folder = folderWith(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`t${i}`, `${i}`])));
    const moves = Array.from({ length: 20 }, (_, i) =>
      moveNoOverwrite(path.join(folder, `t${i}`), path.join(folder, 'named')),
    );
    expect((await Promise.all(moves)).filter((won) => won)).toHaveLength(1);
    expect(Object.keys(contents(folder))).toHaveLength(20);
  });
});

describe('moveIntoOwnFolder', () => {
  const name = { stem: 'scores', extension: '.csv' };

  it('takes the first free name', async () => {
    const [from, to] = [folderWith(), folderWith()];
    for (const content of ['one', 'two', 'three']) {
      fs.writeFileSync(path.join(from, 'scores.csv'), content);
      await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, name);
    }
    expect(contents(to)).toEqual({ 'scores.csv': 'one', 'scores-2.csv': 'two', 'scores-3.csv': 'three' });
    expect(contents(from)).toEqual({});
  });

  it.each([false, true])(
    'replaces what isFree allows to be replaced (other disk: %s)',
    async (isOtherDisk) => {
      if (isOtherDisk) splitDisks();
      const [from, to] = [
        folderWith({ 'scores.csv': 'new' }),
        folderWith({ 'scores.csv': 'old', 'scores-2.csv': 'x' }),
      ];
      const moved = await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, {
        ...name,
        isFree: async (target) => target === path.join(to, 'scores.csv'),
      });
      expect(moved).toEqual({ path: path.join(to, 'scores.csv'), isCopy: isOtherDisk });
      expect([contents(from), contents(to)]).toEqual([{}, { 'scores.csv': 'new', 'scores-2.csv': 'x' }]);
    },
  );

  it('leaves one name of a file that stands under both', async () => {
    const [from, to] = [folderWith({ 'scores.csv': 'x' }), folderWith()];
    fs.linkSync(path.join(from, 'scores.csv'), path.join(to, 'scores.csv'));
    await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, { ...name, isFree: async () => true });
    expect([contents(from), contents(to)]).toEqual([{}, { 'scores.csv': 'x' }]);
  });

  it('says that the source is gone', async () => {
    const moving = moveIntoOwnFolder(path.join(folderWith(), 'scores.csv'), folderWith(), name);
    await expect(moving).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes its copy where it is told to', async () => {
    splitDisks();
    const [from, to, scratch] = [folderWith({ 'scores.csv': 'x' }), folderWith(), folderWith()];
    const made: string[] = [];
    fileOps.rename = realOps.rename;
    const { copyFile } = realOps;
    fileOps.rename = (async (source: string, target: string) => {
      if (path.dirname(source) === from) refuse('EXDEV');
      return realOps.rename(source, target);
    }) as typeof fileOps.rename;
    fileOps.copyFile = (async (source: string, target: string, mode?: number) => {
      made.push(path.dirname(target));
      return copyFile(source, target, mode);
    }) as typeof fileOps.copyFile;
    await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, { ...name, scratch });
    expect(made).toEqual([scratch]);
    expect([contents(from), contents(to), contents(scratch)]).toEqual([{}, { 'scores.csv': 'x' }, {}]);
  });

  it('loses no version of a source that is replaced while it is copied', async () => {
    splitDisks();
    const [from, to] = [folderWith({ 'scores.csv': 'old' }), folderWith()];
    const source = path.join(from, 'scores.csv');
    let copies = 0;
    fileOps.copyFile = (async (file: string, target: string, mode?: number) => {
      await realOps.copyFile(file, target, mode);
      if (copies++ === 0) replace(source, 'newer');
    }) as typeof fileOps.copyFile;
    await moveIntoOwnFolder(source, to, name);
    expect([contents(from), contents(to)]).toEqual([{}, { 'scores.csv': 'newer' }]);
  });

  it('leaves a newer version that came after the copy where it is', async () => {
    splitDisks();
    const [from, to] = [folderWith({ 'scores.csv': 'old' }), folderWith()];
    const source = path.join(from, 'scores.csv');
    const { rename } = fileOps;
    fileOps.rename = (async (file: string, target: string) => {
      await rename(file, target);
      replace(source, 'newer');
    }) as typeof fileOps.rename;
    await moveIntoOwnFolder(source, to, name);
    expect([contents(from), contents(to)]).toEqual([{ 'scores.csv': 'newer' }, { 'scores.csv': 'old' }]);
  });

  it('gives up a source that never stands still, and leaves it alone', async () => {
    splitDisks();
    const [from, to] = [folderWith({ 'scores.csv': '0' }), folderWith()];
    const source = path.join(from, 'scores.csv');
    fileOps.copyFile = (async (file: string, target: string, mode?: number) => {
      await realOps.copyFile(file, target, mode);
      fs.appendFileSync(source, 'x');
    }) as typeof fileOps.copyFile;
    await expect(moveIntoOwnFolder(source, to, name)).rejects.toThrow(/changes while it is copied/);
    expect([contents(from), contents(to)]).toEqual([{ 'scores.csv': '0xxx' }, {}]);
  });

  it('moves a link to another disk as a link, and waits for no pipe', async () => {
    splitDisks();
    const [from, to] = [folderWith(), folderWith()];
    fs.symlinkSync('/etc/hostname', path.join(from, 'scores.csv'));
    await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, name);
    expect(fs.readlinkSync(path.join(to, 'scores.csv'))).toBe('/etc/hostname');
    execFileSync('mkfifo', [path.join(from, 'pipe.csv')]);
    const moving = moveIntoOwnFolder(path.join(from, 'pipe.csv'), to, { stem: 'pipe', extension: '.csv' });
    await expect(moving).rejects.toThrow(/no regular file/);
  });

  it('leaves source and target in order, whichever operation fails on the way to another disk', async () => {
    for (let failAt = 1; ; failAt++) {
      const [from, to] = [folderWith({ 'scores.csv': 'x' }), folderWith()];
      const disk = new FaultyDisk({ failAt });
      const faulty = { ...fileOps };
      fileOps.rename = (async (file: string, target: string) =>
        path.dirname(file) === from ? refuse('EXDEV') : faulty.rename(file, target)) as typeof fileOps.rename;
      await moveIntoOwnFolder(path.join(from, 'scores.csv'), to, name).catch(() => undefined);
      disk.restore();
      const copies = [contents(from)['scores.csv'], contents(to)['scores.csv']].filter((one) => one === 'x');
      expect(copies.length).toBeGreaterThan(0);
      if (!disk.hasFailed) {
        expect([contents(from), contents(to)]).toEqual([{}, { 'scores.csv': 'x' }]);
        break;
      }
    }
  });
});

function replace(file: string, content: string): void {
  fs.writeFileSync(`${file}.new`, content);
  fs.renameSync(`${file}.new`, file);
}

const sharedMemory = '/dev/shm';
const isOtherDisk =
  fs.existsSync(sharedMemory) && fs.statSync(sharedMemory).dev !== fs.statSync(tempDir()).dev;

describe.skipIf(!isOtherDisk)('two real disks', () => {
  const there = isOtherDisk ? fs.mkdtempSync(path.join(sharedMemory, `dropgate-test-${process.pid}-`)) : '';
  afterAll(() => fs.rmSync(there, { recursive: true, force: true }));

  it('are crossed in both directions', async () => {
    const here = folderWith({ 'a.csv': 'x' });
    const moved = await moveIntoOwnFolder(path.join(here, 'a.csv'), there, { stem: 'a', extension: '.csv' });
    expect(moved).toEqual({ path: path.join(there, 'a.csv'), isCopy: true });
    expect(await moveNoOverwrite(moved.path, path.join(here, 'b.csv'))).toBe(true);
    expect([contents(here), contents(there)]).toEqual([{ 'b.csv': 'x' }, {}]);
  });
});

describe('names', () => {
  function first(count: number, stem: string, extension: string): string[] {
    const names = candidateNames(stem, extension);
    return Array.from({ length: count }, () => names.next().value as string);
  }

  it('to try end with the extension and fit into 255 bytes', () => {
    expect(first(3, 'scores', '.csv.gz')).toEqual(['scores.csv.gz', 'scores-2.csv.gz', 'scores-3.csv.gz']);
    const [one, two] = first(2, 'é'.repeat(200), '.parquet');
    expect(one).toBe(`${'é'.repeat(123)}.parquet`);
    expect(two).toBe(`${'é'.repeat(122)}-2.parquet`);
  });

  it('are different from each other, whatever the stem', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (stem) => {
        const names = first(12, stem, '.csv');
        expect(new Set(names).size).toBe(12);
        for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });

  it('are cut between characters', () => {
    expect(cutBytes('añb', 2)).toBe('a');
    expect(cutBytes('añb', 3)).toBe('añ');
    expect(cutBytes('🎓🎓', 7)).toBe('🎓');
    expect(cutBytes('abc', 3)).toBe('abc');
    expect(cutBytes('\ufffd ', 3)).toBe('\ufffd');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, bytes) => {
        const cut = cutBytes(text, bytes);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
        expect(text.startsWith(cut)).toBe(true);
        const next = Array.from(text)[Array.from(cut).length];
        if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(bytes);
      }),
    );
  });

  it.each([
    ['scores.csv', 'scores', '.csv'],
    ['scores.CSV.GZ', 'scores', '.CSV.GZ'],
    ['a.b.tsv', 'a.b', '.tsv'],
    ['notes.txt', 'notes', '.txt'],
    ['scores.csv.bak', 'scores.csv.bak', ''],
    ['scores', 'scores', ''],
    ['a"b\nc.csv', 'a"b\nc', '.csv'],
  ])('%j is split into %j and %j', (name, stem, extension) => {
    expect(splitDataName(name)).toEqual({ stem, extension });
  });
});

describe('small helpers', () => {
  it('know what is there', async () => {
    const folder = folderWith({ a: 'x' });
    fs.symlinkSync('nowhere', path.join(folder, 'dangling'));
    expect(await isAbsent(path.join(folder, 'a'))).toBe(false);
    expect(await isAbsent(path.join(folder, 'dangling'))).toBe(false);
    expect(await isAbsent(path.join(folder, 'b'))).toBe(true);
    await removeFile(path.join(folder, 'a'));
    await removeFile(path.join(folder, 'a'));
    await expect(removeFile(folder)).rejects.toThrow();
  });

  it('know the way from a folder to a path', () => {
    const places = [
      '/',
      '/data',
      '/data/in',
      '/data/in put/a.csv',
      '/data-2/a.csv',
      '/other',
      '/data/..hidden',
    ];
    for (const folder of places)
      for (const place of places) expect(pathFrom(folder, place)).toBe(path.relative(folder, place) || place);
  });

  it('hash a file', async () => {
    const folder = folderWith({ a: 'x'.repeat(200_000) });
    const expected = createHash('sha256').update('x'.repeat(200_000)).digest('hex');
    expect(await sha256Of(path.join(folder, 'a'))).toBe(expected);
  });

  it('swallow the failures that they name', () => {
    const handler = ignoreErrno('fallback', 'ENOENT', 'EPERM');
    expect(handler(Object.assign(new Error('x'), { code: 'EPERM' }))).toBe('fallback');
    for (const other of [Object.assign(new Error('x'), { code: 'EIO' }), new Error('x'), 'x']) {
      expect(() => handler(other)).toThrow();
    }
  });
});
