import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/real-data.js';

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

it('keeps a heap near the size of what is alive in it', () => {
  const heap = path.join(repositoryRoot, 'dist/base/heap.js');
  const peakOf = (code: string) =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
  const kept = peakOf(`import { keepHeapsSmall } from ${JSON.stringify(heap)}; keepHeapsSmall(); ${CHURN}`);
  expect(kept).toBeLessThan(peakOf(CHURN) * 0.8);
});
