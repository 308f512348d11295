import fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LoadOffers } from '../../src/pipeline/load-offers.js';
import { RowsText } from '../../src/pipeline/rows-text.js';
import { WaitingFiles } from '../../src/pipeline/waiting-files.js';
import { SILENT, Workshop } from './workshop.js';

/** What is offered waits in `waiting`, for the table `events`. */
async function openOffers() {
  const workshop = await Workshop.open({
    config: 'events: { files: "*", columns: { id: INTEGER } }',
    isLoading: true,
  });
  const waiting = new WaitingFiles();
  const { ledger, root, settings } = workshop;
  const offers = new LoadOffers({
    tables: { events: { name: 'events', columns: [], key: [], mode: 'append', indexes: [] } },
    datasets: settings.datasets,
    identity: 'name_and_content',
    ledger,
    log: SILENT,
    root,
    release: () => undefined,
    lookInto: async () => [],
    waiting,
    isNaming: () => false,
    isRefused: () => false,
    refuse: async () => undefined,
    onWaiting: () => undefined,
  });
  return { workshop, waiting, offers };
}

it('waits with what was converted until what an earlier run left has been seen', async () => {
  const { workshop, waiting, offers } = await openOffers();
  const published = await workshop.deliver('new.csv', 'id\n1\n');
  if (published.kind !== 'converted') throw new Error(published.kind);
  let seen = () => {};
  offers.after(
    new Promise<void>((resolve) => {
      seen = resolve;
    }),
  );
  offers.converted([published]);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  expect(waiting.length).toBe(0);
  seen();
  await offers.taken();
  expect(waiting.files.map(({ file }) => file)).toEqual(['new.csv']);
});

it('keeps the text of files that wait, and lets go of that of others', async () => {
  const { workshop, waiting, offers } = await openOffers();
  const released: string[] = [];
  const offered = async (name: string) => {
    const published = await workshop.deliver(name, `id\n${name.length}\n`);
    if (published.kind !== 'converted') throw new Error(published.kind);
    published.result.text = new RowsText(new Uint8Array(1), () => released.push(name));
    offers.converted([published]);
    await offers.taken();
    return published;
  };
  const first = await offered('a.csv');
  // Nobody needs it twice.
  first.result.text = new RowsText(new Uint8Array(1), () => released.push('a.csv again'));
  offers.converted([first]);
  fs.rmSync((await offered('removed.csv')).parquet);
  await offered('bb.csv');
  expect(released).toEqual(['a.csv again']);
  const [a, removed, b] = waiting.files;
  expect(waiting.nextGroup(() => false)).toEqual([a, removed, b]);
  waiting.forget(removed);
  waiting.suspend(b);
  expect(released).toEqual(['a.csv again', 'removed.csv', 'bb.csv']);
  expect(a.text?.bytes).toBeDefined();
});
