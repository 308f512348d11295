import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { fileOps } from '../../src/base/files.js';
import { filesUnder, Workshop } from './workshop.js';

const { fsync } = fileOps;
const open: Workshop[] = [];
afterEach(() => {
  fileOps.fsync = fsync;
  for (const workshop of open.splice(0)) workshop.close();
});

it('a large file that could not be flushed while it was written is to be tried again, and leaves nothing behind', async () => {
  const workshop = await Workshop.open({ config: 'blobs:\n  files: "*"\n  columns: { text: TEXT }\n' });
  open.push(workshop);
  const texts = Array.from({ length: 50 }, () => randomBytes(600_000).toString('base64'));
  const file = workshop.drop('large.csv', `text\n${texts.join('\n')}\n`);
  let flushes = 0;
  fileOps.fsync = async () => {
    flushes++;
    throw Object.assign(new Error('lost'), { code: 'EIO' });
  };
  expect(await workshop.convert(file)).toEqual({
    status: 'fault',
    name: 'large.csv',
    errno: 'EIO',
    message: 'lost',
  });
  expect(flushes).toBe(1);
  expect(filesUnder(workshop.settings.folders.output)).toEqual([]);
});
