import { Piscina } from 'piscina';
import { workerUrl } from './worker-url.js';

/** A pool of threads that all run one worker. */
export interface ThreadPoolOptions
  extends Omit<NonNullable<ConstructorParameters<typeof Piscina>[0]>, 'filename' | 'execArgv'> {
  /** Path of the worker relative to the caller, as compiled: `./convert-worker.js`. */
  worker: string;
  /** The caller's `import.meta.url`. */
  caller: string;
}

/**
 * Opens a pool whose threads may be ended at any moment.
 *
 * Piscina loads a worker with `require` and, where that fails, with `import`. A thread of Node 20 that is ended while it
 * `require`s a module takes the whole process with it ("FATAL ERROR: v8::Module::IsGraphAsync"), so `require` is made to fail.
 */
export function openThreadPool({ worker, caller, ...options }: ThreadPoolOptions): Piscina {
  return new Piscina({
    ...options,
    filename: workerUrl(worker, caller).href,
    execArgv: [...process.execArgv, '--no-experimental-require-module'],
  });
}
