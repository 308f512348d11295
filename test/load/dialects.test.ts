import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/load/engine.js';
import { openEngine } from '../../src/load/open-engine.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { canStart, type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';
import { startMysql } from '../helpers/mysql-server.js';
import type { PrivateServer } from '../helpers/private-server.js';
import { copyStream } from './support/copy.js';

const table = (more: Partial<TargetTable> = {}): TargetTable => ({
  name: 'things',
  columns: [
    { name: 'id', type: { kind: 'integer' } },
    { name: 'note', type: { kind: 'text' } },
  ],
  key: [],
  mode: 'append',
  indexes: [],
  ...more,
});

describe('Postgres', () => {
  let database: FreshDatabase;
  const engines: Engine[] = [];
  beforeAll(async () => {
    database = await freshPostgres();
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await database?.drop();
  });
  const open = (schema?: string) => {
    const engine = openEngine({ engine: 'postgres', ...database, schema });
    engines.push(engine);
    return engine;
  };

  test('puts tables into the schema that is named, creating it when missing', async () => {
    const engine = open('Odd "schema"');
    expect(await ensureTable(engine, table())).toBe('created');
    expect(await ensureTable(open('Odd "schema"'), table())).toBe('present');
    const found = await database.query(
      `SELECT table_schema FROM information_schema.tables WHERE table_name = 'things'`,
    );
    expect(found).toEqual([{ table_schema: 'Odd "schema"' }]);
    expect(await ensureTable(open(), table())).toBe('created');
  });

  test('uses a schema without the right to create one', async () => {
    const role = `reader_${database.database}`;
    await database.query('CREATE SCHEMA given');
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    await database.query(`GRANT USAGE, CREATE ON SCHEMA given TO ${role}`);
    const engine = openEngine({
      engine: 'postgres',
      ...database,
      user: role,
      password: 'x',
      schema: 'given',
    });
    try {
      expect(await ensureTable(engine, table())).toBe('created');
    } finally {
      await engine.close();
      await database.query(`DROP OWNED BY ${role}`);
      await database.query(`DROP ROLE ${role}`);
    }
  });

  test('runs in UTC, without the limits that the role or the database sets', async () => {
    await database.query(`ALTER DATABASE ${database.database} SET timezone = 'Asia/Kolkata'`);
    await database.query(`ALTER DATABASE ${database.database} SET statement_timeout = '50ms'`);
    const engine = open();
    const [row] = await engine.query(
      `SELECT current_setting('timezone') AS zone, TIMESTAMPTZ '2026-11-22 06:00:00+00' AS moment, pg_sleep(0.2)::text AS slept`,
    );
    expect(row).toEqual({ zone: 'UTC', moment: '2026-11-22 06:00:00+00', slept: '' });
  });

  test('takes what only Postgres can hold', async () => {
    const engine = open('extremes');
    await engine.execute('CREATE TABLE things (ratio float8, day date, moment timestamptz, clock time)');
    const rows = [
      ['NaN', '0044-03-15 BC', '0044-03-15 12:00:00+00 BC', '24:00:00'],
      ['-Infinity', '12345-06-07', '12345-06-07 08:09:10.5+00', '00:00:00'],
      ['-0', '5874897-12-31', '0001-01-01 00:00:00+00', '23:59:59.999999'],
    ];
    expect(await engine.copyIn('things', ['ratio', 'day', 'moment', 'clock'], copyStream(rows))).toBe(3);
    const found = await engine.query(
      'SELECT ratio::text, day::text, moment::text, clock::text FROM things ORDER BY ctid',
    );
    expect(found.map((row) => Object.values(row))).toEqual(rows);
  });

  test('a deferrable unique constraint is no key for upsert', async () => {
    const engine = open('deferrable');
    await engine.execute('CREATE TABLE things (id integer UNIQUE DEFERRABLE, note text)');
    const upsert = ensureTable(engine, table({ key: ['id'], mode: 'upsert' }));
    await expect(upsert).rejects.toMatchObject({ code: 'table_differs' });
  });

  test('looks through domains, and sees generated columns', async () => {
    const engine = open('domains');
    await engine.execute('CREATE DOMAIN small_text AS varchar(5)');
    await engine.execute('CREATE TABLE things (id integer, note small_text)');
    const asDeclared = (length: number) =>
      table({ columns: [{ name: 'note', type: { kind: 'varchar', length } }] });
    expect(await ensureTable(engine, asDeclared(5))).toBe('present');
    await expect(ensureTable(engine, asDeclared(6))).rejects.toMatchObject({ code: 'table_differs' });
    await engine.execute('ALTER TABLE things ADD COLUMN twice integer GENERATED ALWAYS AS (id * 2) STORED');
    const generated = table({ columns: [{ name: 'twice', type: { kind: 'integer' } }] });
    await expect(ensureTable(engine, generated)).rejects.toThrow(/"twice" is generated/);
  });
});

describe('MySQL', () => {
  let database: FreshDatabase;
  let engine: Engine;
  beforeAll(async () => {
    database = await freshMysql();
    engine = openEngine({ engine: 'mysql', ...database });
  });
  afterAll(async () => {
    await engine?.close();
    await database?.drop();
  });

  test('refuses a table whose storage engine has no transactions', async () => {
    await engine.execute('CREATE TABLE things (id int, note longtext) ENGINE = MyISAM');
    await expect(ensureTable(engine, table())).rejects.toThrow(/MyISAM has no transactions/);
    await engine.execute('DROP TABLE things');
  });

  test('refuses upsert by a table with another unique index', async () => {
    await engine.execute('CREATE TABLE things (id int PRIMARY KEY, note longtext, code int UNIQUE)');
    const upsert = ensureTable(engine, table({ key: ['id'], mode: 'upsert' }));
    await expect(upsert).rejects.toThrow(/another unique index on \(code\)/);
    expect(await ensureTable(engine, table({ key: ['id'] }))).toBe('present');
    await engine.execute('DROP TABLE things');
  });

  test('says which column of a key needs a length', async () => {
    const upsert = ensureTable(engine, table({ key: ['note'], mode: 'upsert' }));
    await expect(upsert).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/column "note" is TEXT and part of the key; MySQL needs VARCHAR\(768\)/),
    });
  });

  test('sees columns that would lose fractions of a second, or negative numbers', async () => {
    await engine.execute('CREATE TABLE things (moment datetime, id int unsigned)');
    const columns: TargetTable['columns'] = [
      { name: 'moment', type: { kind: 'timestamp' } },
      { name: 'id', type: { kind: 'integer' } },
    ];
    const error = await ensureTable(engine, table({ columns })).catch((reason) => reason);
    expect(error.message).toMatch(/"moment" is datetime, declared TIMESTAMP/);
    expect(error.message).toMatch(/"id" is int\S* unsigned, declared INTEGER/);
    await engine.execute('DROP TABLE things');
  });

  test('compares keys exactly, by letter case too', async () => {
    await ensureTable(
      engine,
      table({ columns: [{ name: 'word', type: { kind: 'varchar', length: 9 } }], key: ['word'] }),
    );
    expect(await engine.copyIn('things', ['word'], copyStream([['a'], ['A'], ['ä']]))).toBe(3);
    await engine.execute('DROP TABLE things');
  });

  test('is strict where the server is not', async () => {
    const [{ mode }] = await engine.query('SELECT @@SESSION.sql_mode AS mode');
    expect(mode).toContain('STRICT_ALL_TABLES');
  });
});

describe.skipIf(!(await canStart('mysql')))('MySQL that forbids LOAD DATA LOCAL', () => {
  let server: PrivateServer;
  let engine: Engine;
  const notices: string[] = [];
  beforeAll(async () => {
    server = await startMysql({ args: ['--local-infile=0'] });
    engine = openEngine({ engine: 'mysql', ...server, onNotice: (text) => notices.push(text) });
    await ensureTable(engine, table());
  });
  afterAll(async () => {
    await engine?.close();
    await server?.dispose();
  });

  test('is loaded with INSERT, which is said once', async () => {
    const notes = [
      'plain',
      null,
      'tab\tnew\nline\rback\\slash',
      '\\N',
      '',
      "'; DROP TABLE things; --",
      '🐟',
      'nul\0',
    ];
    const rows = notes.map((note, index) => [String(index), note]);
    expect(await engine.copyIn('things', ['id', 'note'], copyStream(rows))).toBe(notes.length);
    const found = await engine.query('SELECT note FROM things ORDER BY id');
    expect(found.map(({ note }) => note)).toEqual(notes);
    expect(await engine.copyIn('things', ['id', 'note'], copyStream([['100', 'more']]))).toBe(1);
    expect(notices).toEqual([expect.stringMatching(/does not allow LOAD DATA LOCAL INFILE/)]);
  });

  test('takes many rows in batches, and long ones', async () => {
    const rows = Array.from({ length: 2345 }, (_, index) => [String(1000 + index), 'y'.repeat(index % 700)]);
    rows.push(['9000', 'z'.repeat(3_000_000)]);
    expect(
      await engine.copyIn('things', ['id', 'note'], copyStream(rows.slice(0, 1000), rows.slice(1000))),
    ).toBe(2346);
    const [{ n, most }] = await engine.query(
      'SELECT count(*) AS n, max(length(note)) AS most FROM things WHERE id >= 1000',
    );
    expect([n, most]).toEqual([2346, 3_000_000]);
  });

  test.each([
    ['a text for a number', ['x', 'a']],
    ['a number out of range', ['2147483648', 'a']],
  ])('refuses %s and leaves nothing', async (_, row) => {
    const before = await engine.query('SELECT count(*) AS n FROM things');
    const copy = engine.copyIn('things', ['id', 'note'], copyStream([['20000', 'a'], row]));
    await expect(copy).rejects.toSatisfy((error) => engine.classify(error) === 'permanent');
    expect(await engine.query('SELECT count(*) AS n FROM things')).toEqual(before);
  });
});
