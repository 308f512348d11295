import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../helpers/wait-for.js';
import { type Delivery, DeliveryMaker } from './support/deliveries.js';
import { checkInvariants } from './support/invariants.js';
import { randomFrom } from './support/random.js';
import { FaultSite, type Running } from './support/site.js';
import { SmallDisk } from './support/small-disk.js';
import { type EngineName, targetOf } from './support/targets.js';

const probe = SmallDisk.mount(1);
probe?.unmount();
if (!probe) console.warn('Tests on a really full disk are skipped: this process may not mount one');

/** Long enough for a few attempts. */
const TROUBLE_MS = 2500;
/** The embedded database takes about 40 MB when it is new. */
const MEGABYTES: Record<EngineName, number> = { none: 6, postgres: 6, mysql: 6, embedded: 100 };

/** Files that lie on the disk already and need no byte more to be delivered. */
class Parcels {
  readonly deliveries: Delivery[] = [];
  readonly #site: FaultSite;

  constructor(site: FaultSite, count: number) {
    this.#site = site;
    const maker = new DeliveryMaker(randomFrom(5));
    mkdirSync(site.path('parcels'));
    for (let i = 0; i < count; i++) {
      const made = i % 4 === 3 ? maker.events(`events-${i}.csv`, 4000) : maker.make();
      this.deliveries.push(made);
      writeFileSync(site.path('parcels', made.name), made.content);
    }
  }

  deliver(from: number, to: number): void {
    for (const delivery of this.deliveries.slice(from, to)) {
      delivery.times++;
      renameSync(this.#site.path('parcels', delivery.name), this.#site.path('input_csv', delivery.name));
    }
  }
}

function count(text: string, what: RegExp): number {
  return [...text.matchAll(what)].length;
}

async function expectStaysUp(daemon: Running, trouble: RegExp): Promise<void> {
  await waitFor(`${trouble} on standard error`, () => trouble.test(daemon.stderr()), { timeoutMs: 30_000 });
  await sleep(TROUBLE_MS);
  expect(daemon.isRunning(), daemon.stderr()).toBe(true);
  expect(count(daemon.stderr(), /Cannot convert .* for now/g), daemon.stderr()).toBeLessThanOrEqual(1);
}

describe.skipIf(!probe).concurrent('a disk', () => {
  it.each(['none', 'postgres', 'embedded'] as const)(
    'that is full for a while costs nothing: %s',
    async (engine) => {
      const disk = SmallDisk.mount(MEGABYTES[engine])!;
      const target = await targetOf(engine);
      const site = new FaultSite({ root: disk.folder, database: target.config });
      try {
        const parcels = new Parcels(site, 16);
        const daemon = await site.start();
        parcels.deliver(0, 4);
        await waitFor('the first files', () => site.waiting().length === 0, { timeoutMs: 30_000 });
        // 1. Full, with files coming in.
        disk.fill();
        parcels.deliver(4, 12);
        await expectStaysUp(daemon, /Cannot convert .* for now: .*(ENOSPC|full)/);
        // 2. Room again: it goes on by itself, and says so.
        disk.empty();
        await waitFor('the input to be used up', () => site.waiting().length === 0, { timeoutMs: 60_000 });
        await waitFor('the good news', () => count(daemon.stderr(), /Conversion works again after/g) === 1);
        // 3. As if nothing had been.
        parcels.deliver(12, 16);
        await waitFor('the last files', () => site.waiting().length === 0, { timeoutMs: 30_000 });
        expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
        await site.run(['once']);
        await checkInvariants(site, { target, deliveries: parcels.deliveries, mayLackLogLines: true });
      } finally {
        await site.close();
        disk.unmount();
        await target.drop();
      }
    },
    120_000,
  );

  it('that is full under the embedded database and the ledger holds loading up, and loses nothing', async () => {
    const disk = SmallDisk.mount(MEGABYTES.embedded)!;
    const target = await targetOf('embedded');
    const delivery = new DeliveryMaker(randomFrom(8)).events('events-large.csv', 60_000);
    const [maker, site] = [
      new FaultSite(),
      new FaultSite({ database: target.config, settings: `folders: { state: ${disk.folder}/state }\n` }),
    ];
    try {
      // 1. A Parquet file that waits to be loaded.
      maker.drop(delivery.name, delivery.content);
      await maker.run(['once']);
      const daemon = await site.start();
      site.drop('strict-1.csv', 'id;name\n1;one\n');
      await site.logged('Loaded output_parquet/strict-1.parquet', { timeoutMs: 60_000 });
      // 2. The database has no room for it.
      disk.fill();
      copyFileSync(
        maker.path('output_parquet/events-large.parquet'),
        site.path('output_parquet/events-large.parquet'),
      );
      await site.logged(/ERROR - The database .* cannot be used: /);
      await sleep(TROUBLE_MS);
      expect(daemon.isRunning(), daemon.stderr()).toBe(true);
      expect(count(site.log(), / - ERROR - /g), site.log()).toBeLessThanOrEqual(2);
      // 3. Room again.
      disk.empty();
      await site.logged('Loaded output_parquet/events-large.parquet', { timeoutMs: 60_000 });
      await site.logged(/The database .* works again after/);
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
      const [rows] = await target.query!(
        disk.folder,
        'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM events',
      );
      expect([rows[0].n, rows[0].ids].map(Number)).toEqual([60_000, 60_000]);
    } finally {
      await Promise.all([site.close(), maker.close()]);
      disk.unmount();
    }
  }, 120_000);

  it('that turns read-only for a while costs nothing', async () => {
    const disk = SmallDisk.mount(6)!;
    const target = await targetOf('none');
    const site = new FaultSite({ root: disk.folder });
    try {
      const parcels = new Parcels(site, 8);
      const daemon = await site.start();
      parcels.deliver(0, 4);
      await waitFor('the first files', () => site.waiting().length === 0, { timeoutMs: 30_000 });
      // A mount with a file open for writing cannot be made read-only, and SQLite and the log keep theirs open.
      parcels.deliver(4, 8);
      await daemon.end('SIGKILL');
      disk.makeReadOnly(true);
      const refused = await site.run(['once']);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/EROFS|read-only|readonly/i);
      disk.makeReadOnly(false);
      await site.run(['once']);
      await checkInvariants(site, { target, deliveries: parcels.deliveries, mayLackLogLines: true });
    } finally {
      await site.close();
      disk.unmount();
    }
  }, 60_000);
});
