import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canStart, type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';
import { killWhole } from '../helpers/kill-whole.js';
import { startMysql } from '../helpers/mysql-server.js';
import { startPostgres } from '../helpers/postgres-server.js';
import type { PrivateServer } from '../helpers/private-server.js';
import { waitFor } from '../helpers/wait-for.js';
import { QueueRig } from './support/queue-rig.js';

const MAX_CONNECTIONS = 6;
const NARROW = 'strict: [{ name: id, type: BIGINT }, { name: name, type: VARCHAR(3) }]\n';
const AWAY = /ERROR The database .* cannot be used: /;
const BACK = /INFO The database .* works again after/;

/** What differs between the servers. */
const SERVERS = {
  postgres: {
    start: () => startPostgres({ args: ['-c', `max_connections=${MAX_CONNECTIONS}`] }),
    fresh: freshPostgres,
    lockTable: 'LOCK TABLE strict IN ACCESS EXCLUSIVE MODE',
    running: `SELECT pid AS id FROM pg_stat_activity WHERE state = 'active' AND query ILIKE 'copy%'`,
    cancel: (id: number) => `SELECT pg_cancel_backend(${id})`,
    terminate: (id: number) => `SELECT pg_terminate_backend(${id})`,
    setPassword: (user: string, password: string) => `ALTER ROLE "${user}" PASSWORD '${password}'`,
    createUser: (user: string, password: string) => [
      `CREATE ROLE "${user}" LOGIN SUPERUSER PASSWORD '${password}'`,
    ],
  },
  mysql: {
    start: () => startMysql({ args: [`--max-connections=${MAX_CONNECTIONS}`] }),
    fresh: freshMysql,
    lockTable: 'LOCK TABLES strict WRITE, dropgate_loads READ',
    running: `SELECT id FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'`,
    cancel: (id: number) => `KILL QUERY ${id}`,
    terminate: (id: number) => `KILL ${id}`,
    setPassword: (user: string, password: string) => `ALTER USER '${user}'@'%' IDENTIFIED BY '${password}'`,
    createUser: (user: string, password: string) => [
      `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'`,
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON *.* TO '${user}'@'%'`,
    ],
  },
} as const;

/** A connection of the test's own, which stays open. */
interface OpenConnection {
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
}

async function connectTo(engine: keyof typeof SERVERS, address: FreshDatabase): Promise<OpenConnection> {
  const { host, port, user, password, database } = address;
  if (engine === 'mysql') {
    const connection = await mysql.createConnection({ host, port, user, password, database });
    connection.on('error', () => undefined);
    return connection;
  }
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function strict(from: number, count = 3): string {
  const lines = Array.from({ length: count }, (_, i) => `${from + i};name ${from + i}\n`);
  return `id;name\n${lines.join('')}`;
}

function events(from: number): string {
  return `id,kind,amount,at,note\n${from},buy,1.50,2026-03-01 10:11:12,x\n`;
}

const available = {
  postgres: await canStart('postgres'),
  mysql: await canStart('mysql'),
};

describe.each(Object.keys(SERVERS) as (keyof typeof SERVERS)[])('%s', (engine) => {
  const server = SERVERS[engine];

  describe.skipIf(!available[engine])('that fails', () => {
    let host: PrivateServer;
    let database: FreshDatabase;
    let rig: QueueRig;

    beforeAll(async () => {
      host = await server.start();
    });
    afterAll(() => host.dispose());
    beforeEach(async () => {
      database = await server.fresh({ url: host.url });
      rig = await QueueRig.open({ engine, ...database });
    });
    afterEach(async () => {
      await rig.close();
      await database.drop();
    });

    async function ids(table = 'strict'): Promise<number[]> {
      const rows = await database.query(`SELECT id FROM ${table} ORDER BY id`);
      return rows.map(({ id }) => Number(id));
    }

    async function expectLoadedOnce(count: number): Promise<void> {
      await rig.settled();
      const found = await ids();
      expect([found.length, new Set(found).size, found[0], found.at(-1)]).toEqual([count, count, 1, count]);
      expect(await database.query('SELECT file FROM dropgate_loads')).toHaveLength(1);
      expect(rig.parked()).toEqual([]);
    }

    it('stopped before: loading waits, says so once, and resumes by itself', async () => {
      await host.stop();
      rig.openQueue();
      await rig.offer({ 'strict-a': strict(1) });
      await rig.told(AWAY);
      // A few attempts, with growing pauses.
      await sleep(2500);
      expect(rig.count(/ERROR/)).toBe(1);
      await host.start();
      await expectLoadedOnce(3);
      expect(rig.count(BACK)).toBe(1);
    });

    it('killed in the middle of COPY: nothing stays of it, and it is done again', async () => {
      let kills = 0;
      rig.hooks.afterFirstRows = async () => {
        // The processes of Postgres outlive their parent until they wait for the next rows.
        if (kills++ === 0) await killWhole(host, engine === 'postgres' ? rig.engine : undefined);
      };
      await rig.offer({ 'strict-a': strict(1, 50_000) });
      await rig.told(AWAY);
      await host.start();
      await expectLoadedOnce(50_000);
      expect(kills).toBe(2);
      expect(rig.count(BACK)).toBe(1);
    });

    it('killed when all rows are sent and none is committed', async () => {
      let kills = 0;
      rig.hooks.afterLastRows = async () => {
        if (kills++ === 0) await host.kill();
      };
      await rig.offer({ 'strict-a': strict(1, 50_000) });
      // A process of Postgres that has all rows may live long enough to commit them.
      await Promise.race([rig.told(AWAY), rig.told(/INFO Loaded/)]);
      await host.start();
      await expectLoadedOnce(50_000);
    });

    it('keeps nothing of a Parquet file that changes while it is read, and reads it again', async () => {
      let changes = 0;
      rig.hooks.afterFirstRows = async (name) => {
        if (changes++ === 0) fs.utimesSync(rig.pathOf(name), new Date(), new Date());
      };
      await rig.offer({ 'strict-a': strict(1, 100_000) });
      await expectLoadedOnce(100_000);
      expect(rig.count(/changed while it was read/)).toBe(1);
    });

    it('restarted between two loads: the stale connection costs nothing', async () => {
      await rig.offer({ 'strict-a': strict(1) });
      await rig.settled();
      await host.stop();
      await host.start();
      await rig.offer({ 'strict-b': strict(4) });
      await rig.settled();
      expect(await ids()).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('whose connection is cut, or whose statement is cancelled, in the middle of COPY', async () => {
      const cuts = [server.terminate, server.cancel];
      rig.hooks.afterFirstRows = async () => {
        const cut = cuts.pop();
        if (!cut) return;
        const running = await waitFor('the running COPY', async () => {
          const [row] = await database.query(server.running);
          return row ?? undefined;
        });
        await database.query(cut(Number(running.id ?? running.ID)));
      };
      await rig.offer({ 'strict-a': strict(1, 200_000) });
      await expectLoadedOnce(200_000);
      expect(cuts).toEqual([]);
      expect(rig.count(/ERROR/)).toBe(2);
    });

    it('with too many connections', async () => {
      const others: OpenConnection[] = [];
      const refused = async () => {
        others.push(await connectTo(engine, database));
        return false;
      };
      await waitFor('the server to be full', () => refused().catch(() => true), { intervalMs: 0 });
      await rig.offer({ 'strict-a': strict(1) });
      await rig.told(AWAY);
      await Promise.all(others.map((one) => one.end()));
      await expectLoadedOnce(3);
      expect(rig.count(BACK)).toBe(1);
    });

    it('with a lock on the table: waits for it', async () => {
      await rig.offer({ 'strict-a': strict(1) });
      await rig.settled();
      const other = await connectTo(engine, database);
      if (engine === 'postgres') await other.query('BEGIN');
      await other.query(server.lockTable);
      await rig.offer({ 'strict-b': strict(4) });
      await sleep(300);
      await other.query(engine === 'postgres' ? 'COMMIT' : 'UNLOCK TABLES');
      await rig.settled();
      expect(await ids()).toEqual([1, 2, 3, 4, 5, 6]);
      await other.end();
    });

    it('with a lock that outlasts its patience: other tables go on meanwhile', async () => {
      await rig.offer({ 'strict-a': strict(1), 'events-a': events(1) });
      await rig.settled();
      const other = await connectTo(engine, database);
      if (engine === 'postgres') await other.query('BEGIN');
      await other.query(engine === 'postgres' ? server.lockTable : 'LOCK TABLES strict WRITE');
      await rig.offer({ 'strict-b': strict(4), 'events-b': events(2) });
      // In place of a minute's wait, which ends in the same way.
      const waiting = await waitFor(
        'the load to wait',
        async () => (await database.query(server.running))[0],
      );
      await database.query(server.cancel(Number(waiting.id ?? waiting.ID)));
      await waitFor('the other table', async () => (await ids('events')).length === 2);
      expect(rig.count(/ERROR Table strict cannot be loaded for now: /)).toBe(1);
      await other.query(engine === 'postgres' ? 'COMMIT' : 'UNLOCK TABLES');
      await rig.settled();
      expect(await ids()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(rig.count(/INFO Table strict can be loaded again after/)).toBe(1);
      await other.end();
    });

    it('with a deadlock: the victim tries again', async () => {
      await rig.offer({ 'strict-a': strict(1) });
      await rig.settled();
      const other = await connectTo(engine, database);
      await other.query(engine === 'postgres' ? `SET deadlock_timeout = '60s'` : 'SET autocommit = 0');
      await other.query('BEGIN');
      // The other holds the table (of MySQL: the load ledger's end), and then wants what the load has claimed.
      if (engine === 'postgres') await other.query('LOCK TABLE strict IN EXCLUSIVE MODE');
      else await other.query('SELECT * FROM strict FOR UPDATE');
      await rig.offer({ 'strict-b': strict(4) });
      const lockWait =
        engine === 'postgres'
          ? `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
          : `SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`;
      // InnoDB answers from a copy of its transactions that it makes anew only once nobody has read it for 100 ms.
      const intervalMs = 250;
      await waitFor('the load to wait', async () => (await database.query(lockWait))[0], { intervalMs });
      await other
        .query(
          engine === 'postgres'
            ? 'LOCK TABLE dropgate_loads IN EXCLUSIVE MODE'
            : 'SELECT * FROM dropgate_loads FOR UPDATE',
        )
        .catch(() => undefined);
      await other.query('ROLLBACK').catch(() => undefined);
      await rig.settled();
      expect(await ids()).toEqual([1, 2, 3, 4, 5, 6]);
      // Postgres lets the one that waits longest without patience be the victim; MySQL chooses for itself.
      if (engine === 'postgres')
        expect(rig.count(/ERROR Table strict cannot be loaded for now: .*deadlock/)).toBe(1);
      await other.end();
    });

    it('with a wrong password that is mended: goes on by itself', async () => {
      const user = `loader_${Date.now() % 1e6}`;
      for (const sql of server.createUser(user, 'old')) await database.query(sql);
      const shut = await QueueRig.open({ engine, ...database, user, password: 'marked-secret' });
      try {
        await shut.offer({ 'strict-a': strict(1) });
        await shut.told(AWAY);
        await database.query(server.setPassword(user, 'marked-secret'));
        await shut.settled();
        expect(await ids()).toEqual([1, 2, 3]);
        expect(shut.count(BACK)).toBe(1);
        expect(shut.lines.join('\n')).not.toContain('marked-secret');
      } finally {
        await shut.close();
      }
    });

    it('whose tables are dropped under us: they are made again', async () => {
      await rig.offer({ 'strict-a': strict(1) });
      await rig.settled();
      await database.query('DROP TABLE strict');
      await rig.offer({ 'strict-b': strict(4) });
      await rig.settled();
      expect(await ids()).toEqual([4, 5, 6]);
      await database.query('DROP TABLE dropgate_loads');
      await rig.offer({ 'strict-c': strict(7) });
      await rig.settled();
      expect(await ids()).toEqual([4, 5, 6, 7, 8, 9]);
      expect(rig.parked()).toEqual([]);
    });

    it('whose table is altered under us: its files are put aside with the reason, the others go on', async () => {
      await rig.offer({ 'strict-a': strict(1), 'events-a': events(1) });
      await rig.settled();
      await database.query('ALTER TABLE strict DROP COLUMN name');
      await rig.offer({ 'strict-b': strict(4), 'events-b': events(2) });
      await rig.settled();
      expect(rig.parked()).toEqual(['strict-b.parquet', 'strict-b.parquet.report.json']);
      expect(rig.report('strict-b.parquet')).toMatchObject({ code: 'table_differs' });
      expect(await ids('events')).toEqual([1, 2]);
    });

    it('that refuses a value: that file is put aside with a report, and no other', async () => {
      await rig.close();
      rig = await QueueRig.open({ engine, ...database }, { tables: NARROW });
      await rig.offer({
        'strict-a': 'id;name\n1;abc\n',
        'strict-b': strict(2),
        'strict-c': 'id;name\n5;def\n',
        'events-a': events(1),
      });
      await rig.settled();
      expect(rig.parked()).toEqual(['strict-b.parquet', 'strict-b.parquet.report.json']);
      expect(rig.report('strict-b.parquet')).toMatchObject({ code: 'load_refused' });
      expect(await ids()).toEqual([1, 5]);
      expect(await ids('events')).toEqual([1]);
      expect(rig.states()).toMatchObject({ loaded: 3, load_failed: 1 });
      expect(await database.query('SELECT file FROM dropgate_loads')).toHaveLength(3);
    });

    it.skipIf(engine === 'postgres')('that turns read-only: loading waits', async () => {
      const user = `reader_${Date.now() % 1e6}`;
      for (const sql of server.createUser(user, 'pw')) await database.query(sql);
      const plain = await QueueRig.open({ engine, ...database, user, password: 'pw' });
      try {
        await database.query('SET GLOBAL read_only = 1');
        await plain.offer({ 'strict-a': strict(1) });
        await plain.told(AWAY);
        await database.query('SET GLOBAL read_only = 0');
        await plain.settled();
        expect(await ids()).toEqual([1, 2, 3]);
      } finally {
        await database.query('SET GLOBAL read_only = 0');
        await plain.close();
      }
    });
  });
});
