import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileSource, GunzipSource } from '../../src/read/file-source.js';
import { tempDir } from '../helpers/temp-dir.js';
import { readBytes } from './reading.js';

const folder = tempDir();

function fileWith(content: string | Uint8Array, name = 'file.csv'): string {
  const path = join(tempDir(), name);
  fs.writeFileSync(path, content);
  return path;
}

/** Rights bind everybody but root, so a test that runs as root puts its rights down for a moment. */
function asNobody(action: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(65534);
  try {
    action();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

describe('a file source', () => {
  it('reads and hashes what is there', () => {
    const content = Buffer.from('a,b\n1,2\n'.repeat(1000));
    const source = new FileSource(fileWith(content));
    const target = new Uint8Array(100);
    expect(source.fill(target, 10, 50)).toBe(50);
    expect(Buffer.from(target.subarray(10, 60))).toEqual(content.subarray(0, 50));
    expect(source.sha256()).toBe(createHash('sha256').update(content).digest('hex'));
    expect(source.isUnchanged()).toBe(true);
    source.close();
  });

  it('hashes the whole file once after it was rewound', () => {
    const content = Buffer.from('a,b\n1,2\n');
    const source = new FileSource(fileWith(content));
    source.fill(new Uint8Array(4), 0, 4);
    source.rewind();
    source.fill(new Uint8Array(4), 0, 4);
    expect(source.sha256()).toBe(createHash('sha256').update(content).digest('hex'));
    source.close();
  });

  it('refuses a symbolic link', () => {
    const link = join(tempDir(), 'link.csv');
    fs.symlinkSync(fileWith('a\n'), link);
    expect(() => new FileSource(link)).toThrow(expect.objectContaining({ code: 'not_regular_file' }));
  });

  it('refuses a pipe without waiting for a writer', () => {
    const pipe = join(tempDir(), 'pipe.csv');
    execFileSync('mkfifo', [pipe]);
    expect(() => new FileSource(pipe)).toThrow(expect.objectContaining({ code: 'not_regular_file' }));
  });

  it('refuses a folder', () => {
    expect(() => new FileSource(tempDir())).toThrow(expect.objectContaining({ code: 'not_regular_file' }));
  });

  it('says that a file is gone with ENOENT', () => {
    expect(() => new FileSource(join(folder, 'absent.csv'))).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });

  it('refuses a file that it has no right to read', () => {
    const path = fileWith('a\n');
    fs.chmodSync(path, 0);
    fs.chmodSync(dirname(path), 0o755);
    asNobody(() => {
      expect(() => new FileSource(path)).toThrow(expect.objectContaining({ code: 'unreadable' }));
    });
  });

  it.each([
    ['grew', (path: string) => fs.appendFileSync(path, 'more')],
    ['was cut', (path: string) => fs.truncateSync(path, 1)],
    ['was touched', (path: string) => fs.utimesSync(path, 1, 1)],
    ['was deleted', (path: string) => fs.rmSync(path)],
    [
      'was replaced',
      (path: string) => {
        fs.writeFileSync(`${path}.new`, 'a,b\n1,2\n');
        fs.renameSync(`${path}.new`, path);
      },
    ],
  ])('notices that the file %s', (_, change) => {
    const path = fileWith('a,b\n1,2\n');
    const source = new FileSource(path);
    change(path);
    expect(source.isUnchanged()).toBe(false);
    source.close();
  });
});

describe('gzip', () => {
  const TEXT = 'a,b\n1,2\n3,4\n';
  const ROWS = [
    ['1', '2'],
    ['3', '4'],
  ];

  it('is decompressed, several members too', async () => {
    const content = Buffer.concat([gzipSync(TEXT.slice(0, 5)), gzipSync(TEXT.slice(5))]);
    const table = await readBytes(folder, content, { name: 'members.csv.gz' });
    expect(table.rows.map(({ cells }) => cells)).toEqual(ROWS);
    expect(table.rows.map(({ byteOffset }) => byteOffset)).toEqual([4, 8]);
  });

  it.each([
    ['is cut short', (packed: Buffer) => packed.subarray(0, packed.length - 12)],
    ['is cut in its head', (packed: Buffer) => packed.subarray(0, 5)],
    [
      'is damaged',
      (packed: Buffer) => {
        packed[packed.length >> 1] ^= 0xff;
        return packed;
      },
    ],
    ['is no gzip', () => Buffer.from(TEXT)],
    ['has a wrong checksum', (packed: Buffer) => packed.fill(0, packed.length - 8, packed.length - 4)],
  ])('that %s is refused', async (_, damage) => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i},${(i * 7919) % 1000}`);
    const content = damage(gzipSync(`a,b\n${rows.join('\n')}\n`));
    const reading = readBytes(folder, content, { name: 'damaged.csv.gz' });
    await expect(reading).rejects.toMatchObject({ code: 'bad_gzip' });
  });

  it('that expands beyond reason is refused before it is unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(150_000_000), { level: 1 });
    const source = new GunzipSource(new FileSource(fileWith(packed)), 50);
    const block = new Uint8Array(1 << 20);
    let unpacked = 0;
    const reading = (async () => {
      for (let count = 1; count > 0; unpacked += count) count = await source.fill(block, 0, block.length);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'bad_gzip',
      message: expect.stringMatching(/expands more than 50 times/),
    });
    expect(unpacked).toBeLessThan(101_000_000);
  });

  it('of nothing is an empty file', async () => {
    const reading = readBytes(folder, gzipSync(''), { name: 'nothing.csv.gz' });
    await expect(reading).rejects.toMatchObject({ code: 'empty_file' });
  });
});
