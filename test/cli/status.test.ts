import { closeSync, existsSync, openSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../src/pipeline/status.js';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { waitFor } from '../helpers/wait-for.js';

const SCHEMA = 'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10) } }\n';
const NO_DATABASE = 'database: { engine: none }\n';
const AWAY =
  'database: { engine: postgres, host: 127.0.0.1, port: 1, user: someone, password: geheim, database: d }\n';

let site: Site;
beforeEach(() => {
  site = new Site({ 'schema.yaml': SCHEMA, 'schema_sql.yaml': '', 'db_creds.yaml': NO_DATABASE });
});
afterEach(() => site.close());

async function status(): Promise<Status> {
  const { code, stdout, stderr } = await site.run('status', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Last changed long ago, so that it need not be seen to stand still. */
function age(...parts: string[]): void {
  const anHourAgo = Date.now() / 1000 - 3600;
  utimesSync(site.path(...parts), anHourAgo, anHourAgo);
}

const NOTHING_DONE = {
  files_converted: 0,
  files_failed: 0,
  files_duplicate: 0,
  rows_converted: 0,
  bytes_converted: 0,
  files_loaded: 0,
  rows_loaded: 0,
};

it('works before anything ever ran, and leaves no trace', async () => {
  rmSync(site.path('input_csv'), { recursive: true });
  expect(await status()).toMatchObject({
    root: site.root,
    daemon: { running: false, pid: null },
    database: { engine: 'none', address: null, state: 'none', message: null },
    pending: { files: 0, ready: 0, ready_bytes: 0, being_written: 0, without_marker: 0 },
    failed: { files: 0, by_code: {}, parquet_files: 0, parquet_by_code: {}, rejected_files: 0 },
    waiting_to_load: 0,
    loaded: { files: 0, rows: 0 },
    activity: { last_hour: NOTHING_DONE, last_24_hours: NOTHING_DONE },
    latest: [],
    warnings: [],
  });
  for (const made of ['state', 'input_csv', 'output_parquet', 'conversion_log.txt']) {
    expect(existsSync(site.path(made))).toBe(false);
  }
});

it('shows everything that a run did', async () => {
  site.drop('good.csv', 'x,y\n1,a\n2,\n3,c\n');
  site.drop('again.csv', 'x,y\n1,a\n');
  site.drop('bad.csv', 'x,y\none,a\n');
  site.drop('empty.csv', '');
  age('input_csv', 'empty.csv');
  expect(await site.run('once')).toMatchObject({ code: 3 });
  site.drop('again.csv', 'x,y\n1,a\n');
  await site.run('once');
  const { failed, activity, latest, loaded } = await status();
  expect(failed).toEqual({
    files: 2,
    by_code: { wrong_type: 1, empty_file: 1 },
    parquet_files: 0,
    parquet_by_code: {},
    rejected_files: 1,
  });
  const done = {
    ...NOTHING_DONE,
    files_converted: 2,
    files_failed: 2,
    files_duplicate: 1,
    rows_converted: 3,
    bytes_converted: 15 + 8,
  };
  expect(activity).toEqual({ last_hour: done, last_24_hours: done });
  expect(latest).toHaveLength(5);
  expect(latest[0]).toMatchObject({ name: 'again.csv', state: 'duplicate', dataset: 'points' });
  expect(latest.find(({ name }) => name === 'bad.csv')).toMatchObject({
    state: 'failed',
    code: 'wrong_type',
  });
  expect(loaded).toEqual({ files: 0, rows: 0 });
});

it('counts a failed file by its report when the ledger does not know it', async () => {
  site.drop('bad.csv', 'x,y\none,a\n');
  await site.run('once');
  rmSync(site.path('state'), { recursive: true });
  expect((await status()).failed.by_code).toEqual({ wrong_type: 1 });
  rmSync(site.path('input_csv/output_failed/bad.csv.report.json'));
  expect((await status()).failed.by_code).toEqual({ unknown: 1 });
});

describe('pending files', () => {
  it('are ready, or being written', async () => {
    site.drop('ready.csv', '12345');
    age('input_csv', 'ready.csv');
    site.drop('open.csv', 'x');
    age('input_csv', 'open.csv');
    site.drop('upload.csv.part', 'x');
    const fd = openSync(site.path('input_csv/open.csv'), 'a');
    try {
      expect((await status()).pending).toEqual({
        files: 2,
        ready: 1,
        ready_bytes: 5,
        being_written: 1,
        without_marker: 0,
      });
    } finally {
      closeSync(fd);
    }
  });

  it('may lack their marker', async () => {
    writeFileSync(site.path('config/dropgate.yaml'), 'ready: marker\n');
    for (const name of ['a.csv', 'b.csv']) {
      site.drop(name, 'x');
      age('input_csv', name);
    }
    site.drop('b.csv.done', '');
    expect((await status()).pending).toMatchObject({ files: 2, ready: 1, without_marker: 1 });
  });

  it('do not keep the command waiting when settling takes long', async () => {
    writeFileSync(site.path('config/dropgate.yaml'), 'settle_ms: 600000\n');
    site.drop('a.csv', 'x');
    expect((await status()).pending).toMatchObject({ files: 1, being_written: 1 });
  });
});

describe('a running daemon', () => {
  it('is named with its pid, and is not disturbed', async () => {
    const daemon = await site.start();
    expect((await status()).daemon).toEqual({ running: true, pid: daemon.pid });
    site.drop('a.csv', 'x,y\n1,a\n');
    await site.logged('Converted input_csv/a.csv');
    await waitFor('the record', async () => (await status()).activity.last_hour.files_converted === 1);
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect((await status()).daemon).toEqual({ running: false, pid: null });
  });

  it('that was killed does not run any more', async () => {
    const daemon = await site.start();
    await daemon.end('SIGKILL');
    expect((await status()).daemon).toEqual({ running: false, pid: null });
  });
});

describe('the database', () => {
  it.each(['postgres', 'mysql'])('%s is reachable, what is loaded is counted', async (engine) => {
    const target = await TARGETS[engine]();
    writeFileSync(site.path('config/db_creds.yaml'), target.config);
    site.drop('a.csv', 'x,y\n1,a\n2,b\n');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    const { database, loaded, waiting_to_load, activity } = await status();
    expect(database).toMatchObject({ engine, state: 'reachable', message: null });
    expect({ loaded, waiting_to_load }).toEqual({ loaded: { files: 1, rows: 2 }, waiting_to_load: 0 });
    expect(activity.last_hour).toMatchObject({ files_loaded: 1, rows_loaded: 2 });
    await target.drop();
  });

  it('is not given a schema that it lacks', async () => {
    const target = await TARGETS.postgres();
    const config = JSON.parse(target.config);
    const withSchema = { database: { ...config.database, schema: 'not_there' } };
    writeFileSync(site.path('config/db_creds.yaml'), JSON.stringify(withSchema));
    expect((await status()).database.state).toBe('reachable');
    expect(await site.query("SELECT count(*) AS n FROM pg_namespace WHERE nspname = 'not_there'")).toEqual([
      { n: 0 },
    ]);
    await target.drop();
  });

  it('may be away: files wait, and the reason is told without the password', async () => {
    writeFileSync(site.path('config/db_creds.yaml'), AWAY);
    site.drop('a.csv', 'x,y\n1,a\n');
    expect(await site.run('once')).toMatchObject({ code: 4 });
    const { database, waiting_to_load } = await status();
    expect(database).toMatchObject({ state: 'unreachable', address: 'postgres://someone@127.0.0.1:1/d' });
    expect(database.message).toContain('ECONNREFUSED');
    expect(waiting_to_load).toBe(1);
    const { stdout } = await site.run('status');
    expect(stdout).toContain('unreachable (');
    expect(stdout).not.toContain('geheim');
  });

  it('embedded is reachable while a daemon runs, closed otherwise', async () => {
    writeFileSync(site.path('config/db_creds.yaml'), 'database: { engine: embedded }\n');
    expect((await status()).database).toMatchObject({ engine: 'embedded', state: 'closed' });
    const daemon = await site.start();
    await waitFor('the database', async () => (await status()).database.state === 'reachable', {
      timeoutMs: 30_000,
    });
    await daemon.end();
    expect((await status()).database.state).toBe('closed');
  });
});

it('a ledger that cannot be read is told of and left as it is', async () => {
  site.drop('a.csv', 'x,y\n1,a\n');
  await site.run('once');
  for (const suffix of ['-wal', '-shm']) rmSync(site.path(`state/ledger.db${suffix}`), { force: true });
  writeFileSync(site.path('state/ledger.db'), 'this is no database, but long enough to be looked at');
  const { warnings, latest } = await status();
  expect(warnings).toEqual([expect.stringContaining('The local ledger cannot be read')]);
  expect(latest).toEqual([]);
  expect(readFileSync(site.path('state/ledger.db'), 'utf8')).toContain('this is no database');
});

it('the page for people says the same', async () => {
  site.drop('good.csv', 'x,y\n1,a\n2,b\n');
  site.drop('bad.csv', 'x,y\none,a\n');
  await site.run('once');
  site.drop('next.csv', 'x');
  age('input_csv', 'next.csv');
  const { code, stdout } = await site.run('status');
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines.slice(0, 7)).toEqual([
    expect.stringMatching(/^Dropgate \d/),
    'Daemon    does not run',
    'Database  none, files are only converted',
    'Pending   1 file in input_csv: 1 ready (1 B)',
    'Failed    1 file in input_csv/output_failed: 1 wrong_type',
    'Waiting   0 Parquet files in output_parquet to be loaded',
    'Loaded    0 files, 0 rows',
  ]);
  expect(stdout).toMatch(/^last hour +1 +1 +0 +2 +12 B +0 +0$/m);
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +bad\.csv +failed: wrong_type +1 +0$/m);
});

it('needs a configuration that is right', async () => {
  writeFileSync(site.path('config/schema.yaml'), 'points: nonsense\n');
  expect(await site.run('status')).toMatchObject({ code: 2, stdout: '' });
});
