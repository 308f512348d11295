import { describe, expect, it } from 'vitest';
import { workerUrl } from '../../src/base/worker-url.js';

describe('the file of a worker', () => {
  it('lies beside its caller in the built program', () => {
    expect(workerUrl('./convert-worker.js', 'file:///opt/dropgate/dist/program/app.js').href).toBe(
      'file:///opt/dropgate/dist/program/convert-worker.js',
    );
  });

  it('is the built one when the caller runs from source, wherever the repository lies', () => {
    expect(workerUrl('./convert-worker.js', 'file:///home/ann/src/dropgate/src/pipeline/app.ts').href).toBe(
      'file:///home/ann/src/dropgate/dist/program/convert-worker.js',
    );
    expect(workerUrl('../load/x.js', 'file:///a%20b/src/pipeline/app.ts').href).toBe(
      'file:///a%20b/dist/program/x.js',
    );
  });
});
