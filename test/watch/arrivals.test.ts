import { expect, test } from 'vitest';
import { Arrivals } from '../../src/watch/arrivals.js';

test('by mtime to the nanosecond, then by name', () => {
  const arrivals = new Arrivals(10);
  const at = 1_795_000_000_000_000_000n;
  const add = (name: string, mtimeNs: bigint) => arrivals.add({ name, mtimeNs, size: name.length });
  add('later.csv', at + 1n);
  add('b.csv', at);
  add('future.csv', at * 4n);
  add('a.csv', at);
  add('old.csv', -5n);
  const files = [...arrivals.inOrder()];
  expect(files.map(({ name }) => name)).toEqual(['old.csv', 'a.csv', 'b.csv', 'later.csv', 'future.csv']);
  expect(files[0].size).toBe(7);
  expect(Math.abs(files[0].arrivedAtMs - Date.now())).toBeLessThan(60_000);
});
