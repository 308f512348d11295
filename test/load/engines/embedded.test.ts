import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../../src/load/engine.js';
import { EmbeddedWorker } from '../../../src/load/engines/embedded-thread.js';
import { isEmbeddedServing, openEngine } from '../../../src/load/open-engine.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';
import { copyOf, copyStream } from '../support/copy.js';
import { makeEmbeddedData } from '../support/embedded-data.js';

const hasPsql = await promisify(execFile)('psql', ['--version']).then(
  () => true,
  () => false,
);
if (!hasPsql) console.warn('Tests with psql are skipped: it is not installed');

let root: string;
let engine: Engine;
let notices: string[];
const clients: pg.Client[] = [];

const place = () => ({ dataDir: path.join(root, 'state', 'data'), socketDir: path.join(root, 'sock') });
const own = (limits: { idleInTransactionMs?: number; clientStatementMs?: number } = {}) =>
  openEngine({
    engine: 'embedded',
    mode: 'own',
    ...place(),
    ...limits,
    onNotice: (text) => notices.push(text),
  });
const client = async () => {
  const one = new pg.Client({ host: place().socketDir, user: 'postgres', database: 'postgres' });
  one.on('error', () => {});
  await one.connect();
  clients.push(one);
  return one;
};
const count = async () => (await engine.query('SELECT count(*) AS n FROM t'))[0].n;

const starts = vi.spyOn(EmbeddedWorker, 'start');

/** Ends the thread of the engine that was started last, as a crash would. */
async function killThread(): Promise<void> {
  const last = await starts.mock.results.at(-1)!.value;
  last.stop();
}

/** A new file of this content in a folder of its own. */
function file(content: string, name = 'file'): string {
  const created = path.join(tempDir(), name);
  writeFileSync(created, content);
  return created;
}

/** A gate that a test opens. */
function barrier(): { wait: Promise<void>; open: () => void } {
  let open = () => {};
  const wait = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait, open };
}

beforeEach(async () => {
  root = tempDir();
  mkdirSync(path.join(root, 'state'));
  notices = [];
  await makeEmbeddedData(place().dataDir);
  engine = own({ idleInTransactionMs: 400, clientStatementMs: 1000 });
  await engine.execute('CREATE TABLE t (id integer, word text)');
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((one) => one.end().catch(() => {})));
  await engine.close();
});

describe('the data', () => {
  test('is kept over a restart, readable by its owner only', async () => {
    await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
    expect(statSync(place().dataDir).mode & 0o777).toBe(0o700);
    await engine.close();
    engine = own();
    expect(await engine.query('SELECT * FROM t')).toEqual([{ id: 1, word: 'a' }]);
  });

  test('survives the death of its thread in the middle of a load; the load is undone and can be repeated', async () => {
    await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'committed']]));
    async function* dying() {
      yield copyOf(Array.from({ length: 90_000 }, (_, row) => [String(row), 'x'.repeat(100)]));
      await killThread();
      yield copyOf([['2', 'b']]);
    }
    const error = await engine.copyIn('t', ['id', 'word'], dying()).catch((reason) => reason);
    expect(error.code).toBe('database_unreachable');
    expect(engine.classify(error)).toBe('transient');
    expect(await engine.query('SELECT * FROM t')).toEqual([{ id: 1, word: 'committed' }]);
    expect(await engine.copyIn('t', ['id', 'word'], copyStream([['2', 'b']]))).toBe(1);
    expect(await count()).toBe(2);
  });

  test('that was left half created is created anew', async () => {
    await engine.close();
    const half = path.join(root, 'half');
    mkdirSync(`${half}.unfinished/base`, { recursive: true });
    engine = openEngine({ engine: 'embedded', mode: 'own', dataDir: half, socketDir: place().socketDir });
    expect(await engine.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(existsSync(`${half}.unfinished`)).toBe(false);
  });

  test('is opened although the process was killed between creating and writing the lock of Postgres', async () => {
    await engine.close();
    writeFileSync(path.join(place().dataDir, 'postmaster.pid'), '');
    engine = own();
    expect(await count()).toBe(0);
  });

  test('that is damaged is out of reach, with the words of Postgres', async () => {
    await engine.close();
    writeFileSync(path.join(place().dataDir, 'global/pg_control'), 'damaged');
    engine = own();
    await expect(engine.query('SELECT 1')).rejects.toMatchObject({
      code: 'database_unreachable',
      message: expect.stringMatching(/(?:FATAL|PANIC): .*pg_control/),
    });
  });

  test.each([
    ['lies below a file', () => path.join(file('not a folder'), 'data')],
    ['is of another Postgres', () => path.dirname(file('12\n', 'PG_VERSION'))],
  ])('that %s is a database out of reach, and the process lives', async (_, dataDir) => {
    const broken = openEngine({ engine: 'embedded', mode: 'own', ...place(), dataDir: dataDir() });
    for (const _attempt of [1, 2]) {
      await expect(broken.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unreachable' });
    }
    await broken.close();
  });
});

describe('the socket', () => {
  test('is there while the engine is open, for its owner only', async () => {
    const { socketDir } = place();
    expect(await isEmbeddedServing(socketDir)).toBe(true);
    expect(statSync(socketDir).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(socketDir, '.s.PGSQL.5432')).mode & 0o777).toBe(0o600);
    await engine.close();
    expect(await isEmbeddedServing(socketDir)).toBe(false);
    expect(await isEmbeddedServing(path.join(root, 'nowhere'))).toBe(false);
  });

  test('left behind by a killed process is replaced', async () => {
    await killThread();
    expect(await waitFor('the socket to be back', () => isEmbeddedServing(place().socketDir))).toBe(true);
  });

  test('with too long a path is given up with a notice, and the database works', async () => {
    await engine.close();
    const socketDir = path.join(root, 's'.repeat(120));
    engine = openEngine({
      engine: 'embedded',
      mode: 'own',
      ...place(),
      socketDir,
      onNotice: (text) => notices.push(text),
    });
    expect(await count()).toBe(0);
    expect(notices).toEqual([expect.stringMatching(/Other programs cannot reach the embedded database/)]);
  });

  test('serves the engine of another process in client mode', async () => {
    await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
    const other = openEngine({ engine: 'embedded', mode: 'client', ...place() });
    expect(await other.query('SELECT word FROM t WHERE id = $1', [1])).toEqual([{ word: 'a' }]);
    expect(await other.readOnly('SELECT id, word FROM t', { timeoutMs: 5000 })).toEqual({
      columns: ['id', 'word'],
      rows: [[1, 'a']],
    });
    const writing = other.readOnly(`WITH x AS (INSERT INTO t VALUES (2, 'b') RETURNING id) SELECT * FROM x`, {
      timeoutMs: 5000,
    });
    await expect(writing).rejects.toMatchObject({ code: 'query_refused' });
    await other.close();
    expect(await count()).toBe(1);
  });

  test('says in client mode when nobody serves', async () => {
    await engine.close();
    const other = openEngine({ engine: 'embedded', mode: 'client', ...place() });
    await expect(other.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unreachable' });
    await other.close();
  });

  test('keeps clients out of a load, and lets them see it whole afterwards', async () => {
    const reader = await client();
    const halfway = barrier();
    const goOn = barrier();
    const load = engine.transaction(async (session) => {
      await session.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
      halfway.open();
      await goOn.wait;
      await session.copyIn('t', ['id', 'word'], copyStream([['2', 'b']]));
    });
    await halfway.wait;
    let answered = false;
    const seen = reader.query('SELECT count(*)::int AS n FROM t').then(({ rows }) => {
      answered = true;
      return rows;
    });
    // A new client is greeted meanwhile.
    await client();
    expect(answered).toBe(false);
    goOn.open();
    await load;
    expect(await seen).toEqual([{ n: 2 }]);
  });

  test('does not mix a client that rolls back into a load', async () => {
    const writer = await client();
    await writer.query('BEGIN');
    await writer.query(`INSERT INTO t VALUES (100, 'mine')`);
    const load = engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
    await writer.query('ROLLBACK');
    expect(await load).toBe(1);
    expect(await engine.query('SELECT * FROM t')).toEqual([{ id: 1, word: 'a' }]);
  });

  test('ends a transaction that is left open while a load waits', async () => {
    const sleeper = await client();
    const ended = new Promise((resolve) => sleeper.once('end', resolve));
    await sleeper.query('BEGIN');
    await sleeper.query(`INSERT INTO t VALUES (100, 'never')`);
    expect(await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]))).toBe(1);
    await ended;
    await expect(sleeper.query('SELECT 1')).rejects.toThrow();
    expect(await engine.query('SELECT id FROM t')).toEqual([{ id: 1 }]);
    expect(notices).toEqual([expect.stringMatching(/left its transaction open/)]);
  });

  test('leaves an open transaction alone while nobody waits', async () => {
    const sleeper = await client();
    await sleeper.query('BEGIN');
    await sleeper.query(`INSERT INTO t VALUES (100, 'mine')`);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await sleeper.query('COMMIT');
    expect(await count()).toBe(1);
  });

  test('ends a statement that runs on and on while a load waits', async () => {
    await engine.execute('INSERT INTO t SELECT i, $1 FROM generate_series(1, 3000) AS i', ['x']);
    const greedy = await client();
    const endless = greedy.query('SELECT count(*) FROM t a, t b, t c').catch((error) => error);
    const load = () => engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
    // A load may still come before the statement does.
    const error = await waitFor('a load that waited', () =>
      load().then(
        () => undefined,
        (reason) => reason,
      ),
    );
    expect(error.code).toBe('database_unreachable');
    expect(await endless).toBeInstanceOf(Error);
    expect(notices).toEqual([expect.stringMatching(/ran longer than 1.0 s while a load waited/)]);
    expect(await load()).toBe(1);
  });

  test('ends the transaction of a client that vanishes', async () => {
    const vanishing = await client();
    await vanishing.query('BEGIN');
    await vanishing.query(`INSERT INTO t VALUES (100, 'never')`);
    (vanishing as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]))).toBe(1);
    expect(await engine.query('SELECT id FROM t')).toEqual([{ id: 1 }]);
    expect(notices).toEqual([]);
  });

  test('keeps the statements with parameters of many clients apart, during loads', async () => {
    const many = await Promise.all(Array.from({ length: 6 }, client));
    const loads = Array.from({ length: 10 }, (_, load) =>
      engine.copyIn('t', ['id', 'word'], copyStream([[String(load), 'x']])),
    );
    const queries = many.map(async (one, c) => {
      for (let q = 0; q < 20; q++) {
        const columns = Array.from({ length: 1 + ((c + q) % 4) }, (_, i) => `$${i + 1}::int AS c${i}`);
        const values = columns.map((_, i) => c * 1000 + q * 10 + i);
        const { rows } = await one.query(`SELECT ${columns.join(', ')}`, values);
        expect(Object.values(rows[0])).toEqual(values);
      }
    });
    await Promise.all([...loads, ...queries]);
    expect(await count()).toBe(10);
  });

  test('is not disturbed by settings that a client changes', async () => {
    const meddler = await client();
    await meddler.query(
      `SET search_path TO pg_catalog; SET timezone TO 'Asia/Kolkata'; SET DateStyle TO 'SQL, DMY'`,
    );
    await meddler.query('SET default_transaction_read_only TO on');
    expect(await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]))).toBe(1);
    const [{ moment }] = await engine.query(`SELECT TIMESTAMPTZ '2026-11-22 06:00:00+00' AS moment`);
    expect(moment).toBe('2026-11-22 06:00:00+00');
    await meddler.end();
    const next = await client();
    await waitFor('the settings to be forgotten', async () => {
      const { rows } = await next.query('SHOW timezone');
      return rows[0].TimeZone === 'UTC';
    });
  });

  test('refuses COPY FROM STDIN, in and outside of a transaction, and lives on', async () => {
    const copier = await client();
    await expect(copier.query('COPY t FROM STDIN')).rejects.toThrow(/COPY FROM STDIN is not available/);
    await expect(copier.query({ text: 'copy t (id) from stdin', values: [] })).rejects.toThrow(
      /not available/,
    );
    await copier.query('BEGIN');
    await expect(copier.query('COPY t FROM /* really */ STDIN')).rejects.toThrow(/not available/);
    await expect(copier.query('SELECT 1')).rejects.toThrow(/current transaction is aborted/);
    await copier.query('ROLLBACK');
    const { rows } = await copier.query(`SELECT 'copy t from stdin' AS harmless`);
    expect(rows).toEqual([{ harmless: 'copy t from stdin' }]);
    expect(await count()).toBe(0);
  });

  test.skipIf(!hasPsql)('is reached by psql, also with an error in the middle', async () => {
    await engine.copyIn('t', ['id', 'word'], copyStream([['1', 'a']]));
    const psql = spawn('psql', ['-h', place().socketDir, '-U', 'postgres', '-At', 'postgres'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    psql.stdin.end('SELECT word FROM t;\nSELECT nonsense;\nSELECT count(*) FROM t;\n');
    let output = '';
    for await (const part of psql.stdout) output += part;
    expect(output).toBe('a\n1\n');
  });
});
