import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openThreadPool, wake } from '../../src/base/thread-pool.js';
import { builtModule } from '../helpers/built-module.js';
import { tempDir } from '../helpers/temp-dir.js';

it('threads start in a process that has options of the whole process, and get those of their own', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'worker.mjs'), 'export default () => process.execArgv;');
  const program = `
    import { openThreadPool } from ${JSON.stringify(await builtModule('src/base/thread-pool.ts'))};
    const caller = ${JSON.stringify(pathToFileURL(join(folder, 'caller.mjs')).href)};
    const pool = openThreadPool({ worker: './worker.mjs', caller, maxThreads: 1 });
    console.log(JSON.stringify(await pool.run(undefined)));
    await pool.destroy();`;
  const options = ['--max-old-space-size=300', '--no-warnings', '--stack-trace-limit=5', '--conditions', 'x'];
  const said = execFileSync(process.execPath, [...options, '--input-type=module', '--eval', program]);
  expect(JSON.parse(said.toString())).toEqual([
    '--no-warnings',
    '--conditions',
    'x',
    '--no-experimental-require-module',
  ]);
});

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

it('a pool without a thread is woken to one', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'worker.mjs'), 'export default () => undefined;');
  const caller = pathToFileURL(join(folder, 'caller.mjs')).href;
  const pool = openThreadPool({ worker: './worker.mjs', caller, minThreads: 0, maxThreads: 2 });
  try {
    expect(pool.threads).toHaveLength(0);
    wake(pool);
    wake(pool);
    expect(pool.threads).toHaveLength(1);
  } finally {
    await pool.destroy();
  }
});
