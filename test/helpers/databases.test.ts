import mysql from 'mysql2/promise';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { canStart, type FreshDatabase, freshMysql, freshPostgres } from './databases.js';
import { startMysql } from './mysql-server.js';
import { startPostgres } from './postgres-server.js';
import type { PrivateServer } from './private-server.js';

interface Case {
  name: 'postgres' | 'mysql';
  fresh: (options?: { url?: string }) => Promise<FreshDatabase>;
  start: (options?: { args?: string[] }) => Promise<PrivateServer>;
  /** Opens a transaction on a table and leaves it open. */
  holdTable: (database: FreshDatabase) => Promise<void>;
}

const startable = { postgres: await canStart('postgres'), mysql: await canStart('mysql') };

const cases: Case[] = [
  { name: 'postgres', fresh: freshPostgres, start: startPostgres, holdTable: holdPostgresTable },
  { name: 'mysql', fresh: freshMysql, start: startMysql, holdTable: holdMysqlTable },
];

async function holdPostgresTable({ url }: FreshDatabase): Promise<void> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT * FROM t');
}

async function holdMysqlTable({ url }: FreshDatabase): Promise<void> {
  const connection = await mysql.createConnection(url);
  connection.on('error', () => {});
  await connection.query('BEGIN');
  await connection.query('SELECT * FROM t');
}

describe.each(cases)('$name', ({ name, fresh, start, holdTable }) => {
  describe('a fresh database', () => {
    let database: FreshDatabase;

    beforeAll(async () => {
      database = await fresh();
      return () => database.drop();
    });

    test('is empty and keeps what is put into it', async () => {
      await database.query('CREATE TABLE t (a integer, b varchar(9))');
      await database.query("INSERT INTO t VALUES (1, 'žluť')");
      expect(await database.query('SELECT * FROM t')).toEqual([{ a: 1, b: 'žluť' }]);
    });

    test('is another one each time, and goes although a transaction is open', async () => {
      const other = await fresh();
      await other.query('CREATE TABLE t (a integer)');
      await holdTable(other);
      await other.drop();
      await expect(other.query('SELECT 1')).rejects.toThrow(/does not exist|unknown database/i);
    });
  });

  describe.skipIf(!startable[name])('a private server', () => {
    let server: PrivateServer;
    let database: FreshDatabase;

    beforeAll(async () => {
      server = await start();
      database = await fresh({ url: server.url });
      await database.query('CREATE TABLE t (a integer)');
      return () => server.dispose();
    });

    test('keeps committed rows over kill and start, at the same address', async () => {
      await database.query('INSERT INTO t VALUES (1)');
      await server.kill();
      await expect(database.query('SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
      await server.start();
      expect(await database.query('SELECT a FROM t')).toEqual([{ a: 1 }]);
    });

    test('stops in order and starts again', async () => {
      await server.stop();
      await expect(database.query('SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
      await server.start();
      expect(await database.query('SELECT count(*) AS n FROM t')).toHaveLength(1);
    });

    test('asks for the password', async () => {
      const wrong = server.url.replace(server.password, 'wrong');
      await expect(fresh({ url: wrong })).rejects.toThrow(/password authentication failed|access denied/i);
    });
  });
});

describe('the shared server of MariaDB or MySQL', () => {
  test('allows LOAD DATA LOCAL', async () => {
    const database = await freshMysql();
    const [{ allowed }] = await database.query('SELECT @@global.local_infile AS allowed');
    await database.drop();
    expect(allowed).toBe(1);
  });

  test.skipIf(!startable.mysql)('a private one can forbid it', async () => {
    const server = await startMysql({ args: ['--local-infile=0'] });
    const database = await freshMysql({ url: server.url });
    const [{ allowed }] = await database.query('SELECT @@global.local_infile AS allowed');
    await server.dispose();
    expect(allowed).toBe(0);
  });
});
