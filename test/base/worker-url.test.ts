import { expect, test } from 'vitest';
import { workerUrl } from '../../src/base/worker-url.js';

test('a compiled caller finds its worker beside itself', () => {
  const url = workerUrl('./embedded-worker.js', 'file:///opt/dropgate/dist/load/engines/embedded-thread.js');
  expect(url.href).toBe('file:///opt/dropgate/dist/load/engines/embedded-worker.js');
});

test('a caller that runs from source finds the compiled worker, whatever the folder above is called', () => {
  const url = workerUrl('../pipeline/convert-worker.js', 'file:///home/me/src/gate/src/cli/once.ts');
  expect(url.href).toBe('file:///home/me/src/gate/dist/pipeline/convert-worker.js');
});
