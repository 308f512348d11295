import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openThreadPool } from '../../src/base/thread-pool.js';
import { tempDir } from '../helpers/temp-dir.js';

it('threads import their worker, since one that is ended while it requires it aborts the process', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'worker.mjs'), 'export default () => process.features.require_module;');
  const pool = openThreadPool({
    worker: './worker.mjs',
    caller: pathToFileURL(join(folder, 'caller.mjs')).href,
    maxThreads: 1,
  });
  try {
    expect(await pool.run(undefined)).toBe(false);
  } finally {
    await pool.destroy();
  }
});
