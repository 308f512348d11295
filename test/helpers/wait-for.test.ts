import { expect, test } from 'vitest';
import { waitFor } from './wait-for.js';

test('returns the first truthy value', async () => {
  let looks = 0;
  const value = await waitFor('the third look', () => (++looks === 3 ? looks : undefined), { intervalMs: 1 });
  expect(value).toBe(3);
});

test('an error of the condition counts as not yet', async () => {
  let looks = 0;
  const condition = () => {
    if (++looks < 3) throw new Error('not there');
    return 'there';
  };
  expect(await waitFor('it', condition, { intervalMs: 1 })).toBe('there');
});

test('says what it waited for and what it last saw', async () => {
  const options = { timeoutMs: 10, intervalMs: 1 };
  await expect(waitFor('rows', () => 0, options)).rejects.toThrow('Waited 10 ms for rows; last value: 0');
  const failing = () => Promise.reject(new Error('refused'));
  await expect(waitFor('rows', failing, options)).rejects.toThrow(/for rows; last error: Error: refused/);
});
