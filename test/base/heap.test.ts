import { execFileSync } from 'node:child_process';
import v8 from 'node:v8';
import { expect, it } from 'vitest';
import { collectAtRest } from '../../src/base/heap.js';
import { builtModule } from '../helpers/built-module.js';
import { waitFor } from '../helpers/wait-for.js';

/** Keeps 100,000 small objects alive, each for as long as the next 100,000 take, and prints the most memory used. */
const CHURN = `
  const alive = [];
  let peak = 0;
  for (let i = 0; i < 2_000_000; i++) {
    alive[i % 100_000] = { i, list: [i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7] };
    if (i % 10_000 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed);
  }
  console.log(peak);
`;

it('keeps a heap near the size of what is alive in it', async () => {
  const heap = await builtModule('src/base/heap.ts');
  const peakOf = (code: string) =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
  const kept = peakOf(`import { keepHeapsSmall } from ${JSON.stringify(heap)}; keepHeapsSmall(); ${CHURN}`);
  expect(kept).toBeLessThan(peakOf(CHURN) * 0.8);
});

/** Has more new objects alive than small spaces hold, after a thread has run, and prints the size of the spaces. */
const YOUNG = `
  import v8 from 'node:v8';
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  await once(new Worker('setTimeout(() => {}, 50)', { eval: true }), 'exit');
  let alive = [];
  for (let i = 0; i < 2_000_000; i++) {
    alive.push({ i, list: [i] });
    if (alive.length > 150_000) alive = [];
  }
  console.log(v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);
`;

it('keeps the spaces for new objects small, also after a thread was started', async () => {
  const heap = await builtModule('src/base/heap.ts');
  const code = `import { keepHeapsSmall } from ${JSON.stringify(heap)}; keepHeapsSmall(); ${YOUNG}`;
  const size = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(Number(size)).toBeLessThanOrEqual(16 << 20);
});

const heapBytes = () => v8.getHeapStatistics().total_heap_size;

it('gives the memory of work that is over back', async () => {
  let isBusy = true;
  let looks = 0;
  let work: object[] | undefined = Array.from({ length: 1_500_000 }, (_, i) => ({ i, text: `${i}` }));
  const stop = collectAtRest({
    isBusy: () => {
      looks++;
      return isBusy;
    },
    lookMs: 5,
  });
  try {
    const withWork = heapBytes();
    work = undefined;
    await waitFor('some looks', () => looks > 3);
    isBusy = false;
    await waitFor('less memory', () => heapBytes() < withWork - 50e6);
  } finally {
    stop();
  }
  expect(work).toBeUndefined();
});
