import { expect, test } from 'vitest';
import type { ConvertResult } from '../../src/pipeline/convert-file.js';
import { type Candidate, ConvertQueue } from '../../src/pipeline/convert-queue.js';
import type { AheadFile, ReadyFile } from '../../src/watch/types.js';

function fileOf(name: string, size = 100): ReadyFile {
  const times = { mtimeMs: 1000, mtimeNs: 1_000_000_000n, arrivedAtMs: 2000 };
  return { name, path: `/in/${name}`, kind: 'file', size, ino: 1n, dev: 1n, ...times };
}

function aheadOf(ticket: number, size?: number): AheadFile {
  return { ...fileOf(`${ticket}.csv`, size), ticket };
}

/** What a thread made of a file. */
function converted({ file }: Candidate): ConvertResult {
  return { status: 'converted', name: file.name } as ConvertResult;
}

function take(queue: ConvertQueue, { workers = 1, alone = '' } = {}): Candidate[] {
  return queue.take({ workers, isAlone: ({ name }) => name === alone });
}

function namesOf(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ file }) => file.name);
}

test('settled files are taken in order, before those that may be read ahead', () => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1), aheadOf(2)]);
  queue.add([fileOf('b.csv'), fileOf('a.csv')]);
  expect(queue.waiting).toBe(2);
  expect(namesOf(take(queue))).toEqual(['b.csv', 'a.csv', '1.csv', '2.csv']);
  expect(queue.hasNext).toBe(false);
});

test('a task has its share of what waits, no more than 32 files, and about 8 MB', () => {
  const queue = new ConvertQueue();
  queue.add(Array.from({ length: 100 }, (_, i) => fileOf(`${i}.csv`)));
  expect(take(queue)).toHaveLength(32);
  expect(take(queue, { workers: 4 })).toHaveLength(9);
  expect(namesOf(take(queue, { alone: '42.csv' }))).toEqual(['41.csv']);
  expect(namesOf(take(queue, { alone: '42.csv' }))).toEqual(['42.csv']);
  const large = new ConvertQueue();
  large.add(['a', 'b', 'c'].map((name) => fileOf(name, 5 << 20)));
  expect(namesOf(take(large))).toEqual(['a']);
});

test('what was converted ahead is handed out when its file is settled', () => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1)]);
  const [candidate] = take(queue);
  queue.hold(candidate, converted(candidate));
  const settled = { ...aheadOf(1), arrivedAtMs: 3000 };
  expect(queue.add([settled])).toEqual([candidate]);
  expect(candidate).toMatchObject({ file: settled, isSettled: true, result: { status: 'converted' } });
  expect(queue.hasNext).toBe(false);
});

test('a file that settles in the hands of a thread is concluded by its task, and waits for no other', () => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1)]);
  const [candidate] = take(queue);
  expect(queue.add([aheadOf(1)])).toEqual([]);
  expect(candidate.isSettled).toBe(true);
  expect(queue.hasNext).toBe(false);
});

test.each([
  ['waits to be read ahead', () => undefined],
  ['could not be read ahead', (queue: ConvertQueue) => queue.giveUp(take(queue)[0])],
])('a file that %s is converted once when it is settled', (_what, prepare) => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1)]);
  prepare(queue);
  expect(queue.add([aheadOf(1)])).toEqual([]);
  expect(namesOf(take(queue))).toEqual(['1.csv']);
  expect(queue.hasNext).toBe(false);
});

test('a file that stirred is forgotten, wherever it is', () => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1), aheadOf(2), aheadOf(3)]);
  const [held] = take(queue, { alone: '2.csv' });
  queue.hold(held, converted(held));
  const [inHand] = take(queue, { alone: '2.csv' });
  expect(queue.lose([1, 2, 3, 4])).toEqual([held]);
  expect(inHand.isLost).toBe(true);
  expect(queue.hasNext).toBe(false);
  expect(queue.add([fileOf('1.csv')])).toEqual([]);
  expect(namesOf(take(queue))).toEqual(['1.csv']);
});

test('no more is read ahead than may lie about, until some of it is settled or lost', () => {
  const queue = new ConvertQueue();
  queue.addAhead(Array.from({ length: 1100 }, (_, i) => aheadOf(i + 1)));
  const inHand: Candidate[] = [];
  while (queue.hasNext) inHand.push(...take(queue));
  expect(inHand).toHaveLength(1024);
  for (const candidate of inHand.slice(0, 3)) queue.hold(candidate, converted(candidate));
  queue.giveUp(inHand[3]);
  expect(queue.hasNext).toBe(true);
  expect(take(queue)).toHaveLength(1);
  queue.add([aheadOf(1)]);
  queue.lose([2]);
  queue.lose([5]);
  queue.giveUp(inHand[4]);
  expect(take(queue)).toHaveLength(3);
  expect(queue.hasNext).toBe(false);
});

test('clearing it answers what lies converted', () => {
  const queue = new ConvertQueue();
  queue.addAhead([aheadOf(1)]);
  const [held] = take(queue);
  queue.hold(held, converted(held));
  queue.add([fileOf('a.csv')]);
  expect(queue.clear()).toEqual([held]);
  expect(queue.hasNext).toBe(false);
});
