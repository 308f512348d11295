import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { canStart, type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';
import { startMysql } from '../helpers/mysql-server.js';
import { startPostgres } from '../helpers/postgres-server.js';
import { waitFor } from '../helpers/wait-for.js';
import { QueueRig } from './support/queue-rig.js';
import { SmallDisk } from './support/small-disk.js';

const probe = SmallDisk.mount(1);
probe?.unmount();
if (!probe) console.warn('Tests on a full disk under a database are skipped: this process may not mount one');

const SERVERS = {
  postgres: { megabytes: 120, start: startPostgres, fresh: freshPostgres },
  mysql: { megabytes: 400, start: startMysql, fresh: freshMysql },
};
type Name = keyof typeof SERVERS;
const available = { postgres: await canStart('postgres'), mysql: await canStart('mysql') };
const ROWS = 300_000;
/** Long enough for a few attempts. */
const TROUBLE_MS = 2500;

function strict(from: number, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `${from + i};name ${from + i}\n`);
  return `id;name\n${lines.join('')}`;
}

async function answers(database: FreshDatabase): Promise<void> {
  const isAnswering = () =>
    database.query('SELECT 1').then(
      () => true,
      () => false,
    );
  await waitFor('the server to answer', isAnswering, { timeoutMs: 10_000 });
}

describe.skipIf(!probe)('a disk that is full under the data of', () => {
  for (const engine of Object.keys(SERVERS) as Name[]) {
    const { megabytes, start, fresh } = SERVERS[engine];
    it.skipIf(!available[engine])(
      `${engine}: loading waits, says so once, and loses and doubles nothing`,
      async () => {
        const disk = SmallDisk.mount(megabytes)!;
        const host = await start({ parent: disk.folder });
        const database = await fresh({ url: host.url });
        const rig = await QueueRig.open({ engine, ...database });
        try {
          await rig.offer({ 'strict-a': strict(1, 3) });
          await rig.settled();
          disk.fill();
          await rig.offer({ 'strict-b': strict(4, ROWS) });
          await rig.told(/ERROR The database .* cannot be used: /);
          await sleep(TROUBLE_MS);
          expect(rig.count(/ERROR/), rig.lines.join('\n')).toBe(1);
          expect(rig.parked()).toEqual([]);
          disk.empty();
          // A server whose log of transactions had no room has ended.
          await answers(database).catch(() => host.stop().then(() => host.start()));
          await rig.settled();
          expect(rig.count(/INFO The database .* works again after/)).toBe(1);
          const [found] = await database.query(
            'SELECT count(*) AS n, count(DISTINCT id) AS ids, min(id) AS low, max(id) AS high FROM strict',
          );
          const all = ROWS + 3;
          expect(Object.values(found).map(Number)).toEqual([all, all, 1, all]);
          expect(await database.query('SELECT file FROM dropgate_loads')).toHaveLength(2);
        } finally {
          await rig.close();
          await host.dispose();
          disk.unmount();
        }
      },
    );
  }
});
