import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Bound of the wait; default 10,000 ms. */
  timeoutMs?: number;
  /** Pause between two looks; default 20 ms. */
  intervalMs?: number;
}

/**
 * Waits until `condition` gives a truthy value, and returns it. A condition that throws counts as not yet fulfilled.
 * @param what what is waited for, as the message says it: `rows in student_data`
 * @throws Error naming `what`, the bound, and the last value or the last error
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20 }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const last = await look(condition);
    if ('value' in last && last.value) return last.value;
    if (performance.now() >= deadline) throw timeoutError(what, timeoutMs, last);
    await sleep(intervalMs);
  }
}

type Look<T> = { value: T } | { error: unknown };

async function look<T>(condition: () => T | Promise<T>): Promise<Look<T>> {
  try {
    return { value: await condition() };
  } catch (error) {
    return { error };
  }
}

function timeoutError(what: string, timeoutMs: number, last: Look<unknown>): Error {
  const found = 'error' in last ? `last error: ${String(last.error)}` : `last value: ${String(last.value)}`;
  return new Error(
    `Waited ${timeoutMs} ms for ${what}; ${found}`,
    'error' in last ? { cause: last.error } : {},
  );
}
