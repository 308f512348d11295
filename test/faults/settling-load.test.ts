import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';
import { QueueRig } from './support/queue-rig.js';

const strict = (from: number) => `id;name\n${from};name ${from}\n`;

describe.each(['postgres', 'mysql'] as const)('files that settle, into %s', (engine) => {
  let database: FreshDatabase;
  let rig: QueueRig;
  /** Tells that the rows of all files of a list have gone to the database. */
  let sent: (names: string[]) => Promise<void>;
  beforeEach(async () => {
    database = await (engine === 'postgres' ? freshPostgres : freshMysql)();
    rig = await QueueRig.open({ engine, ...database });
    const done = new Set<string>();
    let wake: () => void = () => undefined;
    rig.hooks.afterLastRows = async (name) => {
      done.add(name);
      wake();
    };
    sent = async (names) => {
      while (!names.every((name) => done.has(name)))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
  });
  afterEach(async () => {
    await rig.close();
    await database.drop();
  });
  const idsIn = async () => {
    const rows = await rig.engine.query('SELECT id FROM strict ORDER BY id');
    return rows.map(({ id }) => id);
  };

  it('are in the table once they have settled, and not before', async () => {
    await rig.offerAhead({ 'strict-a': strict(1), 'strict-b': strict(2) });
    await sent(['strict-a', 'strict-b']);
    expect(await idsIn()).toEqual([]);
    rig.offerParquet(['strict-a'], [1]);
    rig.offerParquet(['strict-b'], [2]);
    await rig.settled();
    expect(await idsIn()).toEqual([1, 2]);
    expect(rig.count(/Loaded/)).toBe(2);
  });

  it('are loaded anew when one of them stirs', async () => {
    await rig.offerAhead({ 'strict-a': strict(1), 'strict-b': strict(2) });
    await sent(['strict-a', 'strict-b']);
    rig.loseAhead([2]);
    rig.offerParquet(['strict-a'], [1]);
    await rig.settled();
    expect(await idsIn()).toEqual([1]);
    rig.offerParquet(['strict-b']);
    await rig.settled();
    expect(await idsIn()).toEqual([1, 2]);
    expect(rig.count(/Loaded/)).toBe(2);
  });

  it('share the transaction of those that came before', async () => {
    await rig.offerAhead({ 'strict-a': strict(1) });
    await sent(['strict-a']);
    await rig.offer({ 'strict-c': strict(3) });
    await sent(['strict-c']);
    rig.offerParquet(['strict-a'], [1]);
    await rig.settled();
    expect(await idsIn()).toEqual([1, 3]);
    expect(rig.count(/Loaded .* for 2 files together/)).toBe(2);
  });

  it('do not hold up the commit of those that have settled', async () => {
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const idsBefore: unknown[] = [];
    rig.hooks.afterFirstRows = async (name) => {
      await mayGoOn;
      if (name === 'strict-b') idsBefore.push(await idsIn());
    };
    await rig.offer({ 'strict-a': strict(1) });
    await rig.offerAhead({ 'strict-b': strict(2) });
    await rig.waits(2);
    goOn();
    await rig.settled();
    await sent(['strict-b']);
    expect(idsBefore).toEqual([[1]]);
    rig.offerParquet(['strict-b'], [1]);
    await rig.settled();
    expect(await idsIn()).toEqual([1, 2]);
  });

  it('are not judged before they have settled', async () => {
    await rig.offerAhead({ 'strict-a': strict(1), 'strict-b': strict(2) });
    fs.rmSync(rig.pathOf('strict-b'));
    await sent(['strict-a']);
    rig.offerParquet(['strict-a'], [1]);
    await rig.settled();
    expect(await idsIn()).toEqual([1]);
    expect(rig.count(/ERROR|WARNING/)).toBe(0);
  });
});

it('files that have settled by then share the transaction of those before them', async () => {
  const database = await freshPostgres();
  const rig = await QueueRig.open({ engine: 'postgres', ...database });
  try {
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    rig.hooks.afterFirstRows = async () => mayGoOn;
    await rig.offer({ 'strict-a': strict(1) });
    await rig.offer({ 'strict-b': strict(2), 'strict-c': strict(3) });
    await rig.waits(3);
    goOn();
    await rig.settled();
    expect(rig.count(/Loaded .* for 3 files together/)).toBe(3);
  } finally {
    await rig.close();
    await database.drop();
  }
});
