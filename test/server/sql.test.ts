import { readFileSync, writeFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SqlOverview } from '../../src/server/api/sql.js';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { waitFor } from '../helpers/wait-for.js';
import { bearer, makeAccounts } from './auth/accounts.js';

const PEOPLE = {
  'schema.yaml': 'people: { files: "p*.csv", columns: { name: TEXT, age: INTEGER } }\n',
  'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
};
const DATA = 'name,age\nann,3\nbob,4\n"=1+1, ""x""",5\n';

let site: Site;
afterEach(() => site.close());

async function start({ server = 'port: 0', ...config }: Record<string, string>): Promise<string> {
  site = new Site({ ...PEOPLE, 'dropgate.yaml': `server: { ${server} }\nsettle_ms: 20\n`, ...config });
  await site.start();
  return site.pagesUrl();
}

interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

function send(url: string, body: unknown, { path = 'run', method = 'POST', headers, signal }: Asked = {}) {
  return fetch(`${url}/api/sql/${path}`, {
    ...{ method, signal, body: JSON.stringify(body) },
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

async function run(url: string, sql: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await send(url, { sql });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function overviewOf(url: string, headers: Record<string, string> = {}): Promise<SqlOverview> {
  return (await (await fetch(`${url}/api/sql`, { headers })).json()) as SqlOverview;
}

describe.each(Object.keys(TARGETS))('SQL on %s', (name) => {
  it('reads, within bounds, and does nothing else', async () => {
    const target = await TARGETS[name]();
    onTestFinished(() => target.drop());
    const url = await start({
      'db_creds.yaml': target.config,
      server: 'port: 0, sql: { max_rows: 100, max_statements: 1, timeout_ms: 20000 }',
    });
    site.drop('p.csv', DATA);
    await site.logged('Loaded output_parquet/p.parquet');

    // 1. What it reads.
    const people = 'SELECT name, age, NULL AS nothing FROM people ORDER BY age';
    expect((await run(url, people)).body).toMatchObject({
      columns: ['name', 'age', 'nothing'],
      is_truncated: false,
      rows: [
        ['ann', 3, null],
        ['bob', 4, null],
        ['=1+1, "x"', 5, null],
      ],
    });
    expect((await overviewOf(url)).tables).toContainEqual({ name: 'people', columns: ['name', 'age'] });

    // 2. What it refuses.
    for (const sql of [
      'DROP TABLE people',
      "WITH x AS (SELECT 1) INSERT INTO people VALUES ('eve', 1)",
      'SELECT 1; DELETE FROM people',
      'SELECT * INTO stolen FROM people',
      "SELECT name FROM people INTO OUTFILE '/tmp/stolen'",
      'SELECT * FROM nowhere',
    ]) {
      const { status, body } = await run(url, sql);
      expect([sql, status, body.code]).toEqual([sql, 422, 'query_refused']);
    }
    expect((await run(url, 'SELECT count(*) AS n FROM people')).body.rows).toEqual([[3]]);

    // 3. Much.
    const many = Array.from({ length: 7 }, (_, index) => `people p${index}`).join(', ');
    const much = (await run(url, `SELECT p0.name FROM ${many}`)).body;
    expect({ ...much, rows: (much.rows as unknown[]).length }).toMatchObject({
      is_truncated: true,
      rows: 100,
    });
    const download = await send(
      url,
      { sql: `SELECT p0.name FROM ${many}`, format: 'csv' },
      { path: 'download' },
    );
    expect(download.status).toBe(413);

    // 4. Without end: one at a time, ended when the client goes.
    const endless = `SELECT count(*) AS endless FROM ${Array.from({ length: 40 }, (_, index) => `people p${index}`).join(', ')}`;
    const leaving = new AbortController();
    const left = send(url, { sql: endless }, { signal: leaving.signal }).catch((error: Error) => error.name);
    await site.logged('endless');
    expect((await run(url, 'SELECT 1')).status).toBe(429);
    leaving.abort();
    expect(await left).toBe('AbortError');
    await waitFor('the place to be free', async () => (await run(url, 'SELECT 1')).status === 200, {
      timeoutMs: 15_000,
    });
    expect(site.log()).toMatch(/local \(admin\) from 127\.0\.0\.1 ran "SELECT count\(\*\) AS endless/);

    // 5. As files.
    const csv = await send(url, { sql: people, format: 'csv' }, { path: 'download' });
    expect(csv.headers.get('Content-Disposition')).toBe('attachment; filename="result.csv"');
    expect(await csv.text()).toBe('name,age,nothing\r\nann,3,\r\nbob,4,\r\n"=1+1, ""x""",5,\r\n');
    const json = await send(url, { sql: people, format: 'json' }, { path: 'download' });
    expect(((await json.json()) as unknown[])[0]).toEqual({ name: 'ann', age: 3, nothing: null });
    const parquet = await send(url, { sql: people, format: 'parquet' }, { path: 'download' });
    expect(await parquetReadObjects({ file: await parquet.arrayBuffer() })).toEqual([
      { name: 'ann', age: 3n, nothing: null },
      { name: 'bob', age: 4n, nothing: null },
      { name: '=1+1, "x"', age: 5n, nothing: null },
    ]);
  });
});

describe('SQL', () => {
  it('says that the database is away, or that there is none', async () => {
    const url = await start({
      'db_creds.yaml': 'database: { engine: postgres, host: 127.0.0.1, port: 1, user: u, database: d }\n',
    });
    expect(await run(url, 'SELECT 1')).toMatchObject({ status: 503, body: { code: 'database_unreachable' } });
    const { tables } = await overviewOf(url);
    expect(tables).toEqual([{ name: 'people', columns: ['name', 'age'] }]);
    await site.close();
    const other = await start({ 'db_creds.yaml': 'database: { engine: none }\n' });
    expect(await run(other, 'SELECT 1')).toMatchObject({ status: 409, body: { code: 'config_invalid' } });
  });

  it('keeps queries as files, under names that are names', async () => {
    const url = await start({ 'db_creds.yaml': 'database: { engine: none }\n' });
    const save = (name: string, body: object) =>
      send(url, body, { path: `queries/${encodeURIComponent(name)}`, method: 'PUT' });
    expect((await save('adults', { sql: '-- Who is of age?\nSELECT 1' })).status).toBe(204);
    expect(readFileSync(site.path('sql/postgres/adults.sql'), 'utf8')).toBe('-- Who is of age?\nSELECT 1\n');
    expect(await (await fetch(`${url}/api/sql/queries/adults`)).json()).toMatchObject({ name: 'adults' });
    const { queries } = await overviewOf(url);
    expect(queries).toContainEqual({
      ...{ name: 'adults', title: 'adults', question: 'Who is of age?', is_shipped: false },
    });
    expect(queries.filter((query) => query.is_shipped)).toHaveLength(5);

    expect((await save('adults', { sql: 'SELECT 2' })).status).toBe(400);
    expect((await save('adults', { sql: 'SELECT 2', replace: true })).status).toBe(204);
    for (const name of ['../evil', '..', 'a/b', '.hidden', 'mothers-jobs', 'x'.repeat(81), 'a\u0000b', ''])
      expect([400, 404]).toContain((await save(name, { sql: 'SELECT 3', replace: true })).status);
    writeFileSync(site.path('sql/secret.sql'), 'secret');
    for (const name of ['../secret', '..%2fsecret', 'nothing'])
      expect((await fetch(`${url}/api/sql/queries/${encodeURIComponent(name)}`)).status).toBe(400);
  });

  it('is for analysts, and for admins only where a column is private', async () => {
    const accounts = await makeAccounts();
    const asking = (role: 'viewer' | 'analyst' | 'admin') => ({ headers: bearer(accounts.tokens[role]) });
    const statusFor = async (url: string, role: 'viewer' | 'analyst' | 'admin') =>
      (await send(url, { sql: 'SELECT 1' }, asking(role))).status;
    const config = { 'db_creds.yaml': 'database: { engine: none }\n', server: `port: 0, ${accounts.yaml}` };
    const url = await start(config);
    // 409: there is no database, but they may ask.
    expect([await statusFor(url, 'viewer'), await statusFor(url, 'analyst')]).toEqual([403, 409]);
    await site.close();
    const other = await start({
      ...config,
      'schema.yaml':
        'people: { files: "*", columns: { name: { type: TEXT, private: true }, age: INTEGER } }\n',
    });
    expect([await statusFor(other, 'analyst'), await statusFor(other, 'admin')]).toEqual([403, 409]);
    expect(await overviewOf(other, asking('analyst').headers)).toMatchObject({
      ...{ objection: expect.stringContaining('private columns (in people)'), tables: [] },
    });
  });
});
