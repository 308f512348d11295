import { expect, test } from 'vitest';
import { Withdrawn } from '../../src/load/load-files.js';
import { SettlingGroup } from '../../src/pipeline/settling-group.js';
import { type Waiting, WaitingFiles } from '../../src/pipeline/waiting-files.js';

function openGroup({ stage = 'settled' }: { stage?: Waiting['stage'] } = {}) {
  const waiting = new WaitingFiles();
  const file = { name: 'a.parquet', stage } as Waiting;
  waiting.push(file);
  const stop = new AbortController();
  return { waiting, file, stop, settling: new SettlingGroup({ waiting, signal: stop.signal }) };
}

/** Has it come to an end? Whatever is under way gets the chance to. */
async function isOver(work: Promise<unknown>): Promise<boolean> {
  const turn = new Promise((resolve) => setImmediate(resolve));
  return Promise.race([work.then(() => true), turn.then(() => false)]);
}

test('a group waits until its last file has settled', async () => {
  const { settling, file } = openGroup({ stage: 'settling' });
  const work = settling.settled([file]);
  settling.changed();
  expect(await isOver(work)).toBe(false);
  file.stage = 'settled';
  settling.changed();
  await work;
});

test('a group of which a file has gone is withdrawn', async () => {
  const { settling, file, waiting } = openGroup({ stage: 'settling' });
  const work = settling.settled([file]);
  waiting.forget(file);
  settling.changed();
  await expect(work).rejects.toThrow(Withdrawn);
});

test('a group that has settled waits for more as long as there is patience, and something to do ends that', async () => {
  const { settling, file } = openGroup();
  let isWorkThere = false;
  const expected = { isWorkThere: () => isWorkThere, patienceMs: () => 60_000 };
  const work = settling.settled([file], expected);
  settling.changed();
  expect(await isOver(work)).toBe(false);
  isWorkThere = true;
  settling.changed();
  await work;
});

test('nothing more is waited for when nothing is expected any more, and when patience is over by itself', async () => {
  const { settling, file } = openGroup();
  let patienceMs = 60_000;
  const work = settling.settled([file], { isWorkThere: () => false, patienceMs: () => patienceMs });
  expect(await isOver(work)).toBe(false);
  patienceMs = 0;
  settling.changed();
  await work;
  const endMs = performance.now() + 20;
  await settling.settled([file], { isWorkThere: () => false, patienceMs: () => endMs - performance.now() });
});

test('a group that has settled is not withdrawn when the queue is stopped', async () => {
  const { settling, file, stop } = openGroup();
  const work = settling.settled([file], { isWorkThere: () => false, patienceMs: () => 60_000 });
  stop.abort();
  await work;
});
