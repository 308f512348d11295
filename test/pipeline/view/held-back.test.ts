import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Daemon } from '../../../src/pipeline/daemon.js';
import { liveState, pendingFiles } from '../../../src/pipeline/view/live-state.js';
import { openOperationsView } from '../../../src/pipeline/view/operations-view.js';
import { waitFor } from '../../helpers/wait-for.js';
import { startWatching, watchedFolder } from '../../watch/watching.js';

/** Ten files are in the consumer's hands, twenty wait behind them. */
async function daemonWithManyFiles(): Promise<Daemon> {
  const folder = watchedFolder();
  for (let i = 10; i < 40; i++) writeFileSync(join(folder, `${i}.csv`), 'n\n1\n');
  const { watcher, offered } = await startWatching({ folder, settleMs: 1, maxFollowed: 8 });
  await waitFor('as many as are let in', () => offered().length === 10);
  const pipeline = {
    settings: { folders: { input: folder }, database: { engine: 'none' } },
    ledger: { changes: 0 },
    intake: { waiting: 10, converting: 0, tasks: [] },
  };
  return { pipeline, input: watcher } as unknown as Daemon;
}

test('files that are held back are counted and shown with those that wait', async () => {
  const daemon = await daemonWithManyFiles();
  const startedAtMs = Date.now();
  expect(liveState(daemon).waiting).toBe(30);
  const { queues, oldestArrivalMs } = openOperationsView(daemon).condition();
  expect(queues).toMatchObject({ settling: 0, ready: 30 });
  expect(startedAtMs - oldestArrivalMs!).toBeLessThan(60_000);

  const files = pendingFiles(daemon, 25);
  expect(files).toHaveLength(25);
  expect(files.at(-1)).toMatchObject({ state: 'waiting', bytes: 4, pid: null, rows: null });
  expect(pendingFiles(daemon, 100).map(({ name }) => name)).toEqual(
    Array.from({ length: 30 }, (_, i) => `${i + 10}.csv`),
  );
});
