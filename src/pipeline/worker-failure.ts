import { DropgateError, errnoOf, messageOf } from '../base/errors.js';

/** An error on its way between threads, where neither class nor code of an error survive. */
export type WorkerFailure =
  | { kind: 'refused'; code: DropgateError['code']; message: string; hint: string }
  /** Trouble of the disk, by the name that the system gives it. */
  | { kind: 'failed'; errno: string | undefined; message: string };

/** In the worker. */
export function asFailure(error: unknown): WorkerFailure {
  if (!(error instanceof DropgateError))
    return { kind: 'failed', errno: errnoOf(error), message: messageOf(error) };
  const { code, message, hint } = error;
  return { kind: 'refused', code, message, hint };
}

/** In the main thread: the error as it was. */
export function asError(failure: WorkerFailure): Error {
  if (failure.kind === 'refused')
    return new DropgateError(failure.code, failure.message, { hint: failure.hint });
  return Object.assign(new Error(failure.message), failure.errno && { code: failure.errno });
}
