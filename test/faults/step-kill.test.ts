import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CRASH_POINTS, type CrashPoint } from '../../src/base/crash-point.js';
import { type Delivery, DeliveryMaker } from './support/deliveries.js';
import { checkInvariants } from './support/invariants.js';
import { randomFrom } from './support/random.js';
import { FaultSite } from './support/site.js';
import { type Target, targetOf } from './support/targets.js';

const PARKING = new Set<CrashPoint>(['load-refused', 'parked-file-reported', 'parked-file-moved']);

/** Files of every kind: with rows set aside, without, one that fails, and one that was delivered before. */
function mixedLoad(): Delivery[] {
  const random = randomFrom(11);
  const maker = new DeliveryMaker(random);
  const mixed = [maker.strict('strict-a.csv'), maker.events('events-b.csv', 200)];
  while (mixed.length < 3) {
    const made = maker.make();
    if (made.dataset === undefined) mixed.push(made);
  }
  return mixed;
}

function drop(site: FaultSite, delivery: Delivery): void {
  delivery.times++;
  site.drop(delivery.name, delivery.content);
  site.drop(`${delivery.name}.done`, '');
}

/** Starts the daemon with one crash point armed, and waits until it has died there. */
async function crashAt(site: FaultSite, point: CrashPoint): Promise<void> {
  const daemon = site.spawn(['run'], { env: { DROPGATE_CRASH_POINT: point } });
  const { signal, stderr } = await Promise.race([
    daemon.ended,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`nobody came by ${point}:\n${daemon.stderr()}`)), 30_000).unref();
    }),
  ]);
  expect(signal, stderr).toBe('SIGKILL');
}

describe.concurrent('kill -9 between two steps', () => {
  it.each(CRASH_POINTS.filter((point) => !PARKING.has(point)))('%s', async (point) => {
    const target = await targetOf('postgres');
    const site = new FaultSite({ database: target.config, settings: 'ready: marker\n' });
    const deliveries = mixedLoad();
    try {
      for (const delivery of deliveries) drop(site, delivery);
      await crashAt(site, point);
      // The start after the crash finishes everything, and recognises what comes once more.
      expect(await site.run(['once'])).toMatchObject({ code: expect.toBeOneOf([0, 3]) });
      await checkInvariants(site, { target, deliveries });
      for (const delivery of deliveries.slice(0, 2)) drop(site, delivery);
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      await checkInvariants(site, { target, deliveries });
    } finally {
      await site.close();
      await target.drop();
    }
  });

  it.each([...PARKING])('%s', async (point) => {
    const target = await targetOf('postgres');
    const narrow = 'strict: [{ name: id, type: BIGINT }, { name: name, type: VARCHAR(3) }]\n';
    const site = new FaultSite({ database: target.config, settings: 'ready: marker\n', tables: narrow });
    try {
      const [strict] = mixedLoad();
      drop(site, strict);
      await crashAt(site, point);
      expect(await site.run(['once'])).toMatchObject({ code: expect.toBeOneOf([0, 3]) });
      await checkParked(site, target);
    } finally {
      await site.close();
      await target.drop();
    }
  });
});

/** The refused Parquet file lies in its place with a report, is told, and has left nothing in the database. */
async function checkParked(site: FaultSite, target: Target): Promise<void> {
  expect(readdirSync(site.path('output_parquet/output_failed')).sort()).toEqual([
    'strict-a.parquet',
    'strict-a.parquet.report.json',
  ]);
  expect(existsSync(site.path('output_parquet/strict-a.parquet'))).toBe(false);
  expect(site.log()).toContain('Cannot load output_parquet/strict-a.parquet');
  const [rows, loads] = await target.query!(
    site.root,
    'SELECT * FROM strict',
    'SELECT * FROM dropgate_loads',
  );
  expect([rows, loads]).toEqual([[], []]);
}
