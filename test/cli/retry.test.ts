import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { freshPostgres } from '../helpers/databases.js';
import { waitFor } from '../helpers/wait-for.js';

const SCHEMA = 'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10) } }\n';
const NO_DATABASE = 'database: { engine: none }\n';
const FAILED = 'input_csv/output_failed';
const PARQUET_FAILED = 'output_parquet/output_failed';

let site: Site;
beforeEach(() => {
  site = new Site({ 'schema.yaml': SCHEMA, 'schema_sql.yaml': '', 'db_creds.yaml': NO_DATABASE });
});
afterEach(() => site.close());

/** Lays a failed file and its report into a folder, as a run would have left them. */
function fail(name: string, { file = name, content = name, folder = FAILED, verdict = 'failed' } = {}): void {
  mkdirSync(site.path(folder), { recursive: true });
  writeFileSync(site.path(folder, name), content);
  writeFileSync(
    site.path(folder, `${name}.report.json`),
    JSON.stringify({ file, verdict, code: 'wrong_type' }),
  );
}

function contentOf(...parts: string[]): string {
  return readFileSync(site.path(...parts), 'utf8');
}

/** Files of a folder with their contents. */
function contents(folder: string): Record<string, string> {
  const names = site.list(folder).filter((name) => statSync(site.path(folder, name)).isFile());
  return Object.fromEntries(names.map((name) => [name, contentOf(folder, name)]));
}

describe('a failed file', () => {
  it('goes back, is converted once the cause is mended, and leaves no report behind', async () => {
    site.drop('a.csv', 'x,y\n1,too long for it\n');
    expect(await site.run('once')).toMatchObject({ code: 3 });
    const { code, stdout } = await site.run('retry', 'a.csv');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${FAILED}/a.csv -> input_csv/a.csv\n` });
    expect(site.list(FAILED)).toEqual([]);
    expect(site.log()).toContain(`INFO - Sent ${FAILED}/a.csv back to input_csv/a.csv`);
    writeFileSync(site.path('config/schema.yaml'), SCHEMA.replace('(10)', '(20)'));
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(site.list('output_parquet')).toEqual(['a.parquet', 'output_failed']);
  });

  it('is tried again by a running daemon', async () => {
    site.drop('a.csv', 'x,y\n1,too long for it\n');
    await site.run('once');
    const daemon = await site.start();
    const before = site.log().length;
    const { stderr } = await site.run('retry', 'a');
    expect(stderr).toContain(`the running Dropgate (pid ${daemon.pid}) tries again`);
    await waitFor('the second failure', () =>
      site.log().slice(before).includes('ERROR - Failed input_csv/a.csv'),
    );
    await waitFor('its report', () => site.list(FAILED).includes('a.csv.report.json'));
    expect(site.list(FAILED)).toEqual(['a.csv', 'a.csv.report.json']);
    await daemon.end();
  });

  it('gets its marker back where a file is complete only with one', async () => {
    writeFileSync(site.path('config/dropgate.yaml'), 'ready: marker\n');
    fail('a.csv', { content: 'x,y\n1,a\n' });
    await site.run('retry', 'a.csv');
    expect(site.list('input_csv')).toContain('a.csv.done');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(site.list('output_parquet')).toContain('a.parquet');
  });

  it('gets back the name that it was delivered with', async () => {
    fail('a-2.csv', { file: 'a.csv' });
    await site.run('retry', 'a-2.csv');
    expect(contents('input_csv')).toEqual({ 'a.csv': 'a-2.csv' });
  });

  it('keeps its own name when the report is missing, or names a place elsewhere', async () => {
    mkdirSync(site.path('input_csv/sub'));
    fail('a.csv', { file: 'sub/evil.csv' });
    fail('b.csv', { file: '.hidden.csv' });
    fail('c.csv');
    rmSync(site.path(FAILED, 'c.csv.report.json'));
    expect(await site.run('retry', '--all')).toMatchObject({ code: 0 });
    expect(contents('input_csv')).toEqual({ 'a.csv': 'a.csv', 'b.csv': 'b.csv', 'c.csv': 'c.csv' });
    expect(site.list('input_csv/sub')).toEqual([]);
  });

  it('never takes the place of another', async () => {
    site.drop('a.csv', 'new');
    mkdirSync(site.path('input_csv/a-2.csv'));
    fail('a.csv', { content: 'old' });
    fail('a-2.csv', { file: 'a.csv', content: 'older' });
    expect(await site.run('retry', '--all')).toMatchObject({ code: 0 });
    expect(contents('input_csv')).toEqual({ 'a.csv': 'new', 'a-3.csv': 'older', 'a-4.csv': 'old' });
  });

  it('stays, and the others go, when it cannot be moved', async () => {
    writeFileSync(site.path('config/dropgate.yaml'), 'folders: { failed: failed, archive: archived }\n');
    fail('a.csv', { folder: 'failed' });
    fail('b.parquet', { folder: PARQUET_FAILED });
    rmSync(site.path('input_csv'), { recursive: true });
    writeFileSync(site.path('input_csv'), 'no folder');
    const { code, stdout, stderr } = await site.run('retry', '--all');
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `${PARQUET_FAILED}/b.parquet -> output_parquet/b.parquet\n`,
    });
    expect(stderr).toContain('failed/a.csv stays: ');
    expect(site.list('failed')).toEqual(['a.csv', 'a.csv.report.json']);
  });
});

describe('names', () => {
  beforeEach(() => {
    fail('scores.csv');
    fail('scores.csv.gz');
    fail('other.csv');
    fail('scores.parquet', { folder: PARQUET_FAILED });
  });

  it('may be without extension, and mean all files of that stem', async () => {
    await site.run('retry', 'scores');
    expect(Object.keys(contents('input_csv'))).toEqual(['scores.csv', 'scores.csv.gz']);
    expect(Object.keys(contents('output_parquet'))).toEqual(['scores.parquet']);
    expect(site.list(FAILED)).toEqual(['other.csv', 'other.csv.report.json']);
  });

  it('may be paths, as a shell completes them', async () => {
    const { stdout } = await site.run('retry', `${FAILED}/scores.csv`, site.path(FAILED, 'other.csv'));
    expect(stdout.split('\n')).toHaveLength(3);
    expect(Object.keys(contents('input_csv'))).toEqual(['other.csv', 'scores.csv']);
  });

  it('may be given twice', async () => {
    const { code, stdout } = await site.run('retry', 'other', 'other.csv');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${FAILED}/other.csv -> input_csv/other.csv\n` });
  });

  it.each(['scroes.csv', 'scores.tsv', 'elsewhere/scores.csv', 'scores.csv.report.json', ''])(
    'that nobody has (%j) move nothing',
    async (name) => {
      const { code, stderr } = await site.run('retry', 'other.csv', name);
      expect(code).toBe(2);
      expect(stderr).toContain('no failed file is called');
      expect(contents('input_csv')).toEqual({});
    },
  );

  it('are suggested', async () => {
    expect((await site.run('retry', 'scroes.csv')).stderr).toContain('did you mean "scores.csv"?');
  });

  it('and --all exclude each other', async () => {
    expect(await site.run('retry', 'other.csv', '--all')).toMatchObject({ code: 2 });
    expect(contents('input_csv')).toEqual({});
  });

  it('are listed with reasons when none is given', async () => {
    const { code, stdout } = await site.run('retry');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^input_csv\/output_failed\/other\.csv +wrong_type$/m);
    expect(stdout).toMatch(/^output_parquet\/output_failed\/scores\.parquet +wrong_type$/m);
    expect(contents('input_csv')).toEqual({});
  });
});

describe('rows that were left out', () => {
  beforeEach(async () => {
    site.drop('a.csv', 'x,y\n1,a\n2,\n');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(site.list(FAILED)).toContain('a.rejected.csv');
  });

  it('stay with --all and with the name of their source', async () => {
    expect(await site.run('retry', '--all')).toMatchObject({ code: 0, stdout: '' });
    expect(await site.run('retry', 'a')).toMatchObject({ code: 2 });
    expect(site.list(FAILED)).toContain('a.rejected.csv');
  });

  it('go back by their own name, under it', async () => {
    await site.run('retry', 'a.rejected.csv');
    expect(contents('input_csv')).toEqual({ 'a.rejected.csv': 'x,y\n2,\n' });
    expect(site.list(FAILED)).toEqual([]);
  });

  it('are a failed file like any other when they were dropped again and failed as a whole', async () => {
    fail('b.rejected.csv');
    await site.run('retry', '--all');
    expect(Object.keys(contents('input_csv'))).toEqual(['b.rejected.csv']);
  });
});

it('a Parquet file goes back to be loaded', async () => {
  const server = await freshPostgres();
  const { host, port, user, password, database } = server;
  const config = { database: { engine: 'postgres', host, port, user, password, database } };
  writeFileSync(site.path('config/db_creds.yaml'), JSON.stringify(config));
  await server.query('CREATE TABLE points (x integer, y integer)');
  site.drop('a.csv', 'x,y\n1,a\n');
  expect(await site.run('once')).toMatchObject({ code: 3 });
  expect(site.list(PARQUET_FAILED)).toEqual(['a.parquet', 'a.parquet.report.json']);
  await server.query('DROP TABLE points');
  expect(await site.run('retry', 'a')).toMatchObject({
    code: 0,
    stdout: `${PARQUET_FAILED}/a.parquet -> output_parquet/a.parquet\n`,
  });
  expect(await site.run('once')).toMatchObject({ code: 0 });
  expect(await server.query('SELECT x, y FROM points')).toEqual([{ x: 1, y: 'a' }]);
  expect(site.list(PARQUET_FAILED)).toEqual([]);
  await server.drop();
});

it('two at a time lose nothing and double nothing', async () => {
  const names = Array.from({ length: 40 }, (_, i) => `file-${i}.csv`);
  for (const name of names) fail(name);
  const finished = await Promise.all([site.run('retry', '--all'), site.run('retry', '--all')]);
  expect(finished.map(({ code }) => code)).toEqual([0, 0]);
  expect(contents('input_csv')).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  expect(readdirSync(site.path(FAILED))).toEqual([]);
});

it('a move that was cut short between link and unlink is finished', async () => {
  fail('a.csv');
  renameSync(site.path(FAILED, 'a.csv'), site.path('input_csv/a.csv'));
  linkSync(site.path('input_csv/a.csv'), site.path(FAILED, 'a.csv'));
  expect(await site.run('retry', 'a.csv')).toMatchObject({ code: 0 });
  expect(contents('input_csv')).toEqual({ 'a.csv': 'a.csv' });
  expect(site.list(FAILED)).toEqual([]);
});

it('nothing has failed: says so', async () => {
  expect(await site.run('retry')).toMatchObject({ code: 0, stdout: '', stderr: 'No file has failed.\n' });
  expect(await site.run('retry', '--all')).toMatchObject({ code: 0, stdout: '' });
});
