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
    execArgv: [...ownOptions(process.execArgv), '--no-experimental-require-module'],
  });
}

/** Starts a thread of a pool that has none, so that a task soon finds it. Its worker must do nothing when its task is `undefined`. */
export function wake(pool: Piscina): void {
  if (pool.threads.length > 0) return;
  // A thread that does not start shows when there is a task.
  void Promise.resolve(pool.run(undefined)).catch(() => undefined);
}

/** Options of node that each thread has for itself. Those of the whole process, such as `--max-old-space-size`, are refused. */
const OWN_OPTIONS = new Set([
  ...['--import', '--require', '-r', '--conditions', '-C', '--enable-source-maps', '--no-warnings'],
  ...['--cpu-prof', '--cpu-prof-dir', '--cpu-prof-interval', '--heap-prof', '--heap-prof-dir'],
]);

/** @param args options as node got them; the value of one may be the next element */
function ownOptions(args: readonly string[]): string[] {
  let isOwn = false;
  return args.filter((arg) => {
    if (arg.startsWith('-')) isOwn = OWN_OPTIONS.has(arg.split('=', 1)[0]);
    return isOwn;
  });
}
