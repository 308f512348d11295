import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { builtModule } from '../helpers/built-module.js';

/**
 * Runs a lukewarm function (about 200 KB of bytecode) and a hot one (over 20 MB), and prints whether each is optimized.
 * Waits for the compilation only as long as one is under way.
 */
const WORK = `
  const OPTIMIZED = 1 << 4;
  const bodyOf = (name) => new Function('n', 'let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; //' + name);
  const [lukewarm, hot] = ['lukewarm', 'hot'].map(bodyOf);
  for (let i = 0; i < 200; i++) lukewarm(50);
  for (let i = 0; i < 20_000; i++) hot(50);
  const isOptimized = (f) => (%GetOptimizationStatus(f) & OPTIMIZED) !== 0;
  const deadline = Date.now() + 10_000;
  while (!isOptimized(hot) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    hot(50);
  }
  lukewarm(50);
  console.log(isOptimized(lukewarm), isOptimized(hot));
`;

it('has only hot functions optimized at first', async () => {
  const optimizer = await builtModule('src/base/optimizer.ts');
  const statusOf = (code: string) => {
    const args = ['--allow-natives-syntax', '--input-type=module', '-e', code];
    return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
  };
  const begin = `import { optimizeLittleAtFirst } from ${JSON.stringify(optimizer)}; optimizeLittleAtFirst();`;
  expect(statusOf(WORK)).toBe('true true');
  expect(statusOf(begin + WORK)).toBe('false true');
});
