import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SqlType } from '../../src/base/sql-type.js';
import type { Engine } from '../../src/load/engine.js';
import { quoteName } from '../../src/load/quote.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { waitFor } from '../helpers/wait-for.js';
import { copyOf, copyStream } from './support/copy.js';
import { TARGETS, type Target } from './support/targets.js';

describe.each(Object.keys(TARGETS))('engine: %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
  });
  afterAll(() => target?.dispose());

  const param = (index: number) => (engine.dialect === 'postgres' ? `$${index}` : '?');
  const table = 'plain table';
  const quoted = () => quoteName(engine.dialect, table);
  const rowsOf = () => engine.query(`SELECT id, word FROM ${quoted()} ORDER BY id`);

  beforeEach(async () => {
    await engine.execute(`DROP TABLE IF EXISTS ${quoted()}`);
    const text = engine.dialect === 'postgres' ? 'text' : 'varchar(50)';
    await engine.execute(`CREATE TABLE ${quoted()} (id bigint PRIMARY KEY, word ${text})`);
  });

  test('connects and says where', async () => {
    await engine.connect();
    expect(engine.address).toMatch(/^(postgres|mysql):\/\/\w+@|^embedded database in \//);
    expect(engine.address).not.toContain('secret');
  });

  test('gives values of one kind whatever the database', async () => {
    const sql =
      engine.dialect === 'postgres'
        ? `SELECT 1::bigint AS small, 9223372036854775807 AS large, 1.50::numeric(9,2) AS exact, 0.5::float8 AS real,
             'é'::text AS word, DATE '2026-11-22' AS day, TIMESTAMP '2026-11-22 06:31:02.5' AS moment, NULL::text AS none`
        : `SELECT CAST(1 AS SIGNED) AS small, 9223372036854775807 AS large, CAST(1.50 AS DECIMAL(9,2)) AS exact,
             0.5e0 AS \`real\`, 'é' AS word, DATE '2026-11-22' AS day,
             CAST('2026-11-22 06:31:02.5' AS DATETIME(1)) AS moment, NULL AS none`;
    const expected = {
      small: 1,
      large: 9223372036854775807n,
      exact: '1.50',
      real: 0.5,
      word: 'é',
      day: '2026-11-22',
      moment: '2026-11-22 06:31:02.5',
      none: null,
    };
    expect(await engine.query(sql)).toEqual([expected]);
    expect(await engine.readOnly(sql, { timeoutMs: 5000 })).toEqual({
      columns: Object.keys(expected),
      rows: [Object.values(expected)],
    });
  });

  test('passes parameters as values, never as SQL', async () => {
    const evil = `'; DROP TABLE x; -- \\' "\n`;
    const changed = await engine.execute(`INSERT INTO ${quoted()} VALUES (${param(1)}, ${param(2)})`, [
      7,
      evil,
    ]);
    expect(changed).toBe(1);
    const rows = await engine.query(`SELECT word FROM ${quoted()} WHERE id = ${param(1)}`, [7n]);
    expect(rows).toEqual([{ word: evil }]);
  });

  test('commits what resolves and rolls back what rejects', async () => {
    const insert = `INSERT INTO ${quoted()} VALUES (${param(1)}, ${param(2)})`;
    const result = await engine.transaction(async (session) => {
      await session.execute(insert, [1, 'stays']);
      return session.query(`SELECT word FROM ${quoted()}`);
    });
    expect(result).toEqual([{ word: 'stays' }]);
    const failure = engine.transaction(async (session) => {
      await session.execute(insert, [2, 'goes']);
      throw new Error('changed my mind');
    });
    await expect(failure).rejects.toThrow('changed my mind');
    expect(await rowsOf()).toEqual([{ id: 1, word: 'stays' }]);
  });

  test('does not take for committed what a failed statement has spoiled', async () => {
    const insert = `INSERT INTO ${quoted()} VALUES (${param(1)}, ${param(2)})`;
    const work = engine.transaction(async (session) => {
      await session.execute(insert, [1, 'a']);
      await session.query('SELECT nonsense').catch(() => {});
    });
    // MySQL goes on after a failed statement, Postgres turns the commit into a rollback.
    if (engine.dialect === 'mysql') await work;
    else await expect(work).rejects.toThrow('rolled back');
    expect(await rowsOf()).toHaveLength(engine.dialect === 'mysql' ? 1 : 0);
  });

  test('copies rows and counts them', async () => {
    const rows = [
      ['1', 'tab\there'],
      ['2', 'line\nbreak\rand return'],
      ['3', 'back\\slash, "quotes", \\N and \\.'],
      ['4', ''],
      ['5', null],
      ['6', 'ünï—☃ 🐟 日本'],
    ];
    expect(await engine.copyIn(table, ['id', 'word'], copyStream(rows.slice(0, 3), rows.slice(3)))).toBe(6);
    expect(await rowsOf()).toEqual(rows.map(([id, word]) => ({ id: Number(id), word })));
  });

  test('takes JSON for JSON, and nothing else', async () => {
    await engine.execute('DROP TABLE IF EXISTS documents');
    await engine.execute(`CREATE TABLE documents (body json)`);
    const json = '{"a": [1, "tab\\t quote\\" \u00e9"], "b": null}';
    expect(await engine.copyIn('documents', ['body'], copyStream([[json], [null]]))).toBe(2);
    const [{ body }] = await engine.query('SELECT body FROM documents WHERE body IS NOT NULL');
    expect(JSON.parse(String(body))).toEqual(JSON.parse(json));
    const copy = engine.copyIn('documents', ['body'], copyStream([['{"a": ']]));
    await expect(copy).rejects.toSatisfy((error) => engine.classify(error) === 'permanent');
  });

  test('is done with a chunk when it says so', async () => {
    if (!engine.isDoneWithChunks) return;
    // Chunks that streams of Node keep when they have room for more, and one that the sockets of the system cannot.
    const sizes = [1, 10, 20_000, 3];
    const word = 'as it was '.repeat(100);
    let next = 0;
    async function* overwritten() {
      for (const size of sizes) {
        const chunk = copyOf(Array.from({ length: size }, () => [String(next++), word]));
        yield chunk;
        chunk.fill('9999\tchanged\n');
      }
    }
    expect(await engine.copyIn(table, ['id', 'word'], overwritten())).toBe(next);
    const changed = await engine.query(`SELECT id FROM ${quoted()} WHERE word <> '${word}' OR id >= ${next}`);
    expect(changed).toEqual([]);
  });

  test('copies nothing from an empty stream', async () => {
    expect(await engine.copyIn(table, ['id', 'word'], copyStream())).toBe(0);
  });

  test('undoes the whole copy when the server refuses a row', async () => {
    const copy = engine.copyIn(table, ['id', 'word'], copyStream([['1', 'a']], [['x', 'b']]));
    await expect(copy).rejects.toSatisfy((error) => engine.classify(error) === 'permanent');
    expect(await rowsOf()).toEqual([]);
  });

  test('undoes the whole copy when the source fails, and stays usable', async () => {
    async function* failing() {
      yield Buffer.from('1\ta\n');
      throw new Error('the file is damaged');
    }
    await expect(engine.copyIn(table, ['id', 'word'], failing())).rejects.toThrow('the file is damaged');
    expect(await rowsOf()).toEqual([]);
  });

  test('undoes earlier copies of the transaction when a later one fails', async () => {
    const work = engine.transaction(async (session) => {
      await session.copyIn(table, ['id', 'word'], copyStream([['1', 'a']]));
      await session.copyIn(table, ['id', 'word'], copyStream([['1', 'again']]));
    });
    await expect(work).rejects.toThrow(/duplicate/i);
    expect(await rowsOf()).toEqual([]);
  });

  describe('readOnly', () => {
    const read = (sql: string) => engine.readOnly(sql, { timeoutMs: 5000 });

    test('takes comments before the statement and a semicolon after it', async () => {
      const { rows } = await read(`-- how many?\n/* really */ SELECT count(*) FROM ${quoted()};`);
      expect(rows).toEqual([[0]]);
    });

    test('takes parameters as values, whatever stands in them', async () => {
      const text = `'; DROP TABLE x; -- "\`\\`;
      const [first, second] = engine.dialect === 'postgres' ? ['$1::text', '$2::integer'] : ['?', '?'];
      const { rows } = await engine.readOnly(`SELECT ${first}, ${second}`, {
        timeoutMs: 5000,
        params: [text, 7],
      });
      expect(rows).toEqual([[text, 7]]);
    });

    test.each([
      ['several statements', () => `SELECT 1; SELECT 2`],
      ['a writing statement', () => `INSERT INTO ${quoted()} VALUES (1, 'x')`],
      ['a writing statement in reading clothes', () => `WITH x AS (SELECT 1) DELETE FROM ${quoted()}`],
      ['a change of settings', () => 'SET SESSION AUTHORIZATION DEFAULT'],
      ['a statement that does not parse', () => 'SELECT FROM WHERE'],
      ['nothing', () => '  -- only a comment'],
    ])('refuses %s', async (_, sql) => {
      await engine.execute(`INSERT INTO ${quoted()} VALUES (9, 'still here')`);
      await expect(read(sql())).rejects.toMatchObject({ code: 'query_refused' });
      expect(await rowsOf()).toEqual([{ id: 9, word: 'still here' }]);
    });

    test('ends a statement that takes too long, and the engine goes on', async () => {
      const numbers = Array.from({ length: 3000 }, (_, index) => [String(index), 'x']);
      await engine.copyIn(table, ['id', 'word'], copyStream(numbers));
      const slow = `SELECT count(*) FROM ${quoted()} a, ${quoted()} b, ${quoted()} c`;
      await expect(engine.readOnly(slow, { timeoutMs: 300 })).rejects.toMatchObject({
        code: 'query_refused',
        message: expect.stringContaining('longer than 300 ms'),
      });
      expect((await engine.query(`SELECT count(*) AS n FROM ${quoted()}`))[0].n).toBe(3000);
    });

    test('ends a statement that is cancelled, on the server too', async () => {
      const numbers = Array.from({ length: 3000 }, (_, index) => [String(index), 'x']);
      await engine.copyIn(table, ['id', 'word'], copyStream(numbers));
      const aborter = new AbortController();
      const { signal } = aborter;
      const slow = `SELECT count(*) AS endless FROM ${quoted()} a, ${quoted()} b, ${quoted()} c, ${quoted()} d`;
      const reading = engine.readOnly(slow, { timeoutMs: 60_000, signal });
      const refused = expect(reading).rejects.toMatchObject({ message: 'The statement was cancelled.' });
      if (name !== 'embedded') await waitFor('the statement to run', async () => (await running()) > 0);
      aborter.abort();
      await refused;
      if (name !== 'embedded') await waitFor('the statement to end', async () => (await running()) === 0);
      await expect(engine.readOnly('SELECT 1', { timeoutMs: 5000, signal })).rejects.toThrow('cancelled');
      expect((await read(`SELECT count(*) FROM ${quoted()}`)).rows).toEqual([[3000]]);

      async function running(): Promise<number> {
        const sql =
          engine.dialect === 'postgres'
            ? `SELECT 1 FROM pg_stat_activity WHERE query LIKE '% AS endless %' AND state = 'active' AND pid <> pg_backend_pid()`
            : `SELECT 1 FROM information_schema.processlist WHERE info LIKE '% AS endless %' AND id <> connection_id()`;
        return (await engine.query(sql)).length;
      }
    });

    test('reads no more than the bounds allow, and says so', async () => {
      const numbers = Array.from({ length: 2500 }, (_, index) => [String(index), 'x'.repeat(40)]);
      await engine.copyIn(table, ['id', 'word'], copyStream(numbers));
      const bounded = (sql: string, maxRows: number, maxBytes = 1e9) =>
        engine.readOnly(sql, { timeoutMs: 5000, bounds: { maxRows, maxBytes } });
      const all = `SELECT id, word FROM ${quoted()} ORDER BY id LIMIT 1000000`;
      for (const maxRows of [0, 1, 999, 1000, 1001, 2499]) {
        const { columns, rows, isTruncated } = await bounded(all, maxRows);
        expect({ columns, isTruncated, count: rows.length }).toEqual({
          ...{ columns: ['id', 'word'], isTruncated: true, count: maxRows },
        });
        expect(rows.map(([id]) => id)).toEqual(Array.from({ length: maxRows }, (_, index) => index));
      }
      for (const maxRows of [2500, 10_000])
        expect(await bounded(all, maxRows)).toMatchObject({ isTruncated: false, rows: { length: 2500 } });
      const few = await bounded(all, 10_000, 10_000);
      expect(few.isTruncated).toBe(true);
      expect(few.rows.length).toBeLessThan(300);
      expect((await bounded(`SELECT id FROM ${quoted()} WHERE id < 0`, 5)).columns).toEqual(['id']);
      expect((await bounded('EXPLAIN SELECT 1', 5)).rows.length).toBeGreaterThan(0);
    });

    test('says where a statement is wrong', async () => {
      const wrong = engine.readOnly('SELECT 1,\n  2 FROMM x', {
        timeoutMs: 5000,
        bounds: { maxRows: 5, maxBytes: 100 },
      });
      await expect(wrong).rejects.toMatchObject({
        code: 'query_refused',
        message: expect.stringMatching(/line 2/),
      });
    });
  });

  describe('ensureTable', () => {
    const spec = (columns: Record<string, SqlType>, more: Partial<TargetTable> = {}): TargetTable => ({
      name: 'declared',
      columns: Object.entries(columns).map(([column, type]) => ({ name: column, type })),
      key: [],
      mode: 'append',
      indexes: [],
      ...more,
    });
    const varchar = (length: number): SqlType => ({ kind: 'varchar', length });
    beforeEach(() => engine.execute('DROP TABLE IF EXISTS declared'));

    const everything = spec(
      {
        a: { kind: 'smallint' },
        b: { kind: 'integer' },
        c: { kind: 'bigint' },
        d: { kind: 'decimal', precision: 38, scale: 10 },
        e: { kind: 'real' },
        f: { kind: 'double' },
        g: { kind: 'boolean' },
        h: { kind: 'char', length: 3 },
        i: varchar(10),
        j: { kind: 'varchar' },
        k: { kind: 'text' },
        l: { kind: 'date' },
        m: { kind: 'time' },
        n: { kind: 'timestamp' },
        o: { kind: 'timestamp', zoned: true },
        p: { kind: 'uuid' },
        q: { kind: 'json' },
        'Select "from" `x`': varchar(20_000),
      },
      { key: ['i', 'b'], indexes: [['k'], ['l', 'm']], mode: 'upsert' },
    );

    test('creates a table of all types and finds it as declared', async () => {
      expect(await ensureTable(engine, everything)).toBe('created');
      expect(await ensureTable(engine, everything)).toBe('present');
    });

    test('is safe to call from several engines at once', async () => {
      const engines = [target.open(), target.open(), target.open()];
      // Postgres has several ways to say who came first, each of them seldom.
      for (let round = 0; round < 5; round++) {
        const table = { ...everything, name: `${everything.name}_${round}` };
        const results = await Promise.all(engines.map((one) => ensureTable(one, table)));
        expect(results.filter((result) => result === 'created').length).toBeGreaterThanOrEqual(1);
        expect(await ensureTable(engine, table)).toBe('present');
      }
    });

    test('many wide columns still make a table', async () => {
      const wide = spec(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, varchar(2000)])));
      expect(await ensureTable(engine, wide)).toBe('created');
      expect(await ensureTable(engine, wide)).toBe('present');
    });

    test('accepts wider columns and further columns that need no value', async () => {
      await ensureTable(
        engine,
        spec({
          id: { kind: 'bigint' },
          word: varchar(80),
          ratio: { kind: 'double' },
          extra: { kind: 'date' },
        }),
      );
      const narrower = spec({ word: varchar(10), ratio: { kind: 'real' }, id: { kind: 'smallint' } });
      expect(await ensureTable(engine, narrower)).toBe('present');
    });

    test('lists every difference by column', async () => {
      await engine.execute(
        'CREATE TABLE declared (word varchar(5), id int, day varchar(20), needed int NOT NULL, fine int NOT NULL DEFAULT 1)',
      );
      const declared = spec(
        { word: varchar(10), id: { kind: 'bigint' }, day: { kind: 'date' }, gone: { kind: 'boolean' } },
        { key: ['id'], mode: 'upsert' },
      );
      await expect(ensureTable(engine, declared)).rejects.toMatchObject({ code: 'table_differs' });
      const { message } = (await ensureTable(engine, declared).catch((error) => error)) as Error;
      expect(message).toMatch(/column "word" is (varchar|character varying)\(5\), declared VARCHAR\(10\)/);
      expect(message).toMatch(/column "id" is int\S*, declared BIGINT/);
      expect(message).toMatch(/column "day" is \S+.*, declared DATE/);
      expect(message).toContain('column "gone" is missing, declared BOOLEAN');
      expect(message).toContain('column "needed" is not declared, but is NOT NULL without a default');
      expect(message).toContain('no primary key or unique index on (id)');
      expect(message).not.toContain('fine');
    });

    test('refuses names that the database would change', async () => {
      const long = spec({ ['x'.repeat(65)]: { kind: 'integer' } });
      await expect(ensureTable(engine, long)).rejects.toMatchObject({ code: 'config_invalid' });
    });
  });
});
