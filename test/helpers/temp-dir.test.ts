import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tempDir } from './temp-dir.js';

let last = '';

// Its own hook runs before the helper's, so the folder must still be there.
afterAll(() => {
  expect(existsSync(last)).toBe(true);
});

test('each call gives a folder of its own that can be filled', () => {
  const first = tempDir();
  last = tempDir();
  expect(first).not.toBe(last);
  mkdirSync(join(last, 'closed'));
  writeFileSync(join(last, 'closed', 'file'), '');
  chmodSync(join(last, 'closed'), 0o000);
});
