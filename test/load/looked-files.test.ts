import fs from 'node:fs';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { LookedFiles } from '../../src/load/looked-files.js';
import { tempDir } from '../helpers/temp-dir.js';

const folder = tempDir();

/** A Parquet file of so many rows; 4 bytes each. */
function written(name: string, rows: number): string {
  const data = Int32Array.from({ length: rows }, (_, i) => Math.imul(i, 0x9e3779b1));
  const bytes = parquetWriteBuffer({
    columnData: [{ name: 'id', data, type: 'INT32' }],
    codec: 'UNCOMPRESSED',
  });
  const file = path.join(folder, name);
  fs.writeFileSync(file, new Uint8Array(bytes));
  return file;
}

describe('a file that was looked at', () => {
  test('is opened from memory, once', async () => {
    const files = new LookedFiles();
    const file = written('a.parquet', 10);
    const looked = await files.look(file);
    expect(await files.open(file)).toBe(looked);
    expect(await files.open(file)).not.toBe(looked);
  });

  test('is read again when it has been replaced, or is gone', async () => {
    const files = new LookedFiles();
    const file = written('b.parquet', 10);
    await files.look(file);
    fs.rmSync(file);
    await expect(files.open(file)).rejects.toMatchObject({ code: 'unreadable' });
    written('b.parquet', 10);
    await files.look(file);
    written('b.parquet', 11);
    expect((await files.open(file)).footer.rows).toBe(11);
  });

  test('is read again when there was no room for it', async () => {
    const files = new LookedFiles();
    const names = Array.from({ length: 12 }, (_, i) => written(`c${i}.parquet`, 200_000));
    const looked = await Promise.all(names.map((name) => files.look(name)));
    const opened = await Promise.all(names.map((name) => files.open(name)));
    const fromMemory = opened.filter((file, i) => file === looked[i]);
    expect(opened.map(({ footer }) => footer.rows)).toEqual(names.map(() => 200_000));
    expect(fromMemory.length).toBe(9);
  });

  test('is not kept when it is large', async () => {
    const files = new LookedFiles();
    const file = written('large.parquet', 300_000);
    const looked = await files.look(file);
    const opened = await files.open(file);
    expect(opened).not.toBe(looked);
    await opened.close();
  });
});
