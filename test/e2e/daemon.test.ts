import { appendFileSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/real-data.js';
import { waitFor } from '../helpers/wait-for.js';
import { Site } from './site.js';

const NONE = { 'db_creds.yaml': 'database: { engine: none }\n' };
const SCHEMA = {
  ...NONE,
  'schema.yaml': 'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10) }, duplicates: keep }\n',
  'schema_sql.yaml': 'points: [{ name: x, type: Integer }, { name: y, type: Varchar(10) }]\n',
};

let site: Site;
afterEach(() => site.close());

describe('the daemon takes', () => {
  it('files that were there before it started', async () => {
    site = new Site(SCHEMA);
    site.drop('early.csv', 'x,y\n1,a\n');
    await site.start();
    await site.logged('Converted input_csv/early.csv to output_parquet/early.parquet: 1 row, 0 set aside');
  });

  it('a file that grows slowly once, and complete', async () => {
    site = new Site(SCHEMA);
    await site.start();
    const file = site.path('input_csv/slow.csv');
    writeFileSync(file, 'x,y\n');
    for (let row = 0; row < 30; row++) {
      appendFileSync(file, `${row},v\n`);
      await sleep(50);
    }
    const log = await site.logged('Converted input_csv/slow.csv');
    expect(log).toContain('slow.parquet: 30 rows');
    expect(log).not.toMatch(/Failed|slow-2/);
  });

  it('an upload only when it has its final name', async () => {
    site = new Site(SCHEMA);
    await site.start();
    writeFileSync(site.path('input_csv/late.csv.part'), 'x,y\n1,a\n');
    site.drop('other.csv', 'x,y\n2,b\n');
    await site.logged('Converted input_csv/other.csv');
    expect(site.log()).not.toContain('late');
    renameSync(site.path('input_csv/late.csv.part'), site.path('input_csv/late.csv'));
    await site.logged('Converted input_csv/late.csv to output_parquet/late.parquet: 1 row');
  });

  it('thousands of files at once, each exactly once', async () => {
    site = new Site(SCHEMA);
    const daemon = await site.start();
    mkdirSync(site.path('outbox'));
    for (let i = 0; i < 2000; i++) writeFileSync(site.path(`outbox/f${i}.csv`), `x,y\n${i},a\n`);
    for (let i = 0; i < 2000; i++)
      renameSync(site.path(`outbox/f${i}.csv`), site.path(`input_csv/f${i}.csv`));
    await waitFor('2,000 Parquet files', () => site.list('output_parquet').length === 2001, {
      timeoutMs: 60_000,
    });
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(site.log().match(/Converted/g)).toHaveLength(2000);
    expect(site.list('input_csv')).toEqual(['archived', 'output_failed']);
  });

  it('only marked files with ready: marker', async () => {
    site = new Site({ ...SCHEMA, 'dropgate.yaml': 'ready: marker\nserver: { enabled: false }\n' });
    await site.start();
    site.drop('b.csv', 'x,y\n1,a\n');
    site.drop('a.csv', 'x,y\n1,a\n');
    site.drop('a.csv.done', '');
    await site.logged('Converted input_csv/a.csv');
    await waitFor(
      'the marker to be gone',
      () => site.list('input_csv').join() === 'archived,b.csv,output_failed',
    );
  });
});

describe('the daemon', () => {
  it('gives a second content of the same name a name of its own', async () => {
    site = new Site(SCHEMA);
    await site.start();
    site.drop('x.csv', 'x,y\n1,a\n');
    await site.logged('Converted input_csv/x.csv to output_parquet/x.parquet');
    site.drop('x.csv', 'x,y\n2,b\n');
    await site.logged('Converted input_csv/x.csv to output_parquet/x-2.parquet');
  });

  it('says which lines it took for no rows', async () => {
    site = new Site(SCHEMA);
    await site.start();
    site.drop('noted.csv', 'x,y\n1,a\n2,b\n\nSource: registry\n');
    const log = await site.logged(
      /WARNING - input_csv\/noted\.csv: line 5 "Source: registry" \(below the table, no row\)/,
    );
    expect(log).toContain('noted.parquet: 2 rows');
  });

  it('is alone on its folders', async () => {
    site = new Site(SCHEMA);
    const first = await site.start();
    const second = await site.run('run');
    expect(second.code).toBe(5);
    expect(second.stderr).toContain(`pid ${first.pid}`);
    await first.end('SIGKILL');
    const third = await site.start();
    expect(await third.end()).toMatchObject({ code: 0 });
  });

  it('touches nothing when the configuration is wrong', async () => {
    site = new Site({ ...SCHEMA, 'dropgate.yaml': 'setle_ms: 100\n' });
    const { code, stderr } = await site.run('run');
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\/dropgate\.yaml:1: setle_ms: .*did you mean "settle_ms"\?/);
    expect([...site.list('.')].sort()).toEqual(['config', 'input_csv', 'sql']);
  });

  it('opens its log anew on SIGHUP', async () => {
    site = new Site(SCHEMA);
    const { pid } = await site.start();
    renameSync(site.path('conversion_log.txt'), site.path('conversion_log.txt.1'));
    process.kill(pid, 'SIGHUP');
    site.drop('n.csv', 'x,y\n1,a\n');
    await site.logged('Converted input_csv/n.csv');
    expect(readFileSync(site.path('conversion_log.txt.1'), 'utf8')).not.toContain('n.csv');
  });

  it('finishes the files in hand on SIGTERM', async () => {
    site = new Site(SCHEMA);
    const daemon = await site.start();
    const rows = Array.from({ length: 400_000 }, (_, i) => `${i},v${i % 7}`).join('\n');
    site.drop('big.csv', `x,y\n${rows}\n`);
    await sleep(350);
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(site.log()).toContain('Stopped');
    const isDone = site.list('output_parquet').includes('big.parquet');
    expect(site.list('input_csv').includes('big.csv')).toBe(!isDone);
  });
});

it('keeps the sample configuration and the samples in step', async () => {
  site = new Site(NONE);
  copyFileSync(`${repositoryRoot}/samples/student-sample.csv`, site.path('input_csv/student-sample.csv'));
  expect(await site.run('once')).toMatchObject({ code: 0 });
});
