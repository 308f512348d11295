import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EarlyFlush } from '../../src/base/early-flush.js';
import { fileOps } from '../../src/base/files.js';
import { tempDir } from '../helpers/temp-dir.js';

const { fsync } = fileOps;
afterEach(() => {
  fileOps.fsync = fsync;
});

/** Flushes wait until the test lets them go. */
function heldFlushes() {
  const held: { resolve: () => void; reject: (error: Error) => void }[] = [];
  fileOps.fsync = () => new Promise<void>((resolve, reject) => held.push({ resolve, reject }));
  return held;
}

function newFlush(): EarlyFlush {
  const file = path.join(tempDir(), 'file');
  fs.writeFileSync(file, 'x');
  return new EarlyFlush(file, 100);
}

describe('a file that is flushed while it is written', () => {
  it('is flushed once a stretch, one flush after the other, and the end waits for the last', async () => {
    const held = heldFlushes();
    const flush = newFlush();
    flush.wrote(99);
    expect(held).toHaveLength(0);
    flush.wrote(1);
    flush.wrote(100);
    expect(held).toHaveLength(1);
    held[0].resolve();
    await flush.finish();
    flush.wrote(1);
    expect(held).toHaveLength(2);
    let isFinished = false;
    const finished = flush.finish().then(() => {
      isFinished = true;
    });
    await new Promise(setImmediate);
    expect(isFinished).toBe(false);
    held[1].resolve();
    await finished;
  });

  it('tells at the end of a flush that failed, and tries no other one', async () => {
    const held = heldFlushes();
    const flush = newFlush();
    flush.wrote(100);
    held[0].reject(new Error('lost'));
    await expect(flush.finish()).rejects.toThrow('lost');
    flush.wrote(100);
    expect(held).toHaveLength(1);
    await expect(flush.finish()).rejects.toThrow('lost');
  });
});
