import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, describe, expect, it } from 'vitest';
import { startPostgres } from '../helpers/postgres-server.js';
import { waitFor } from '../helpers/wait-for.js';
import { Site } from './site.js';
import { TARGETS, type Target } from './targets.js';

const SCHEMA = 'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10) }, duplicates: keep }\n';

let site: Site;
let target: Target | undefined;
afterEach(async () => {
  await site.close();
  await target?.drop();
  target = undefined;
});

async function siteOn(engine: string, table: string): Promise<Site> {
  target = await TARGETS[engine]();
  return new Site({
    'db_creds.yaml': target.config,
    'schema.yaml': SCHEMA,
    'schema_sql.yaml': `points: ${table}\n`,
  });
}

const COLUMNS = 'columns: [{ name: x, type: Integer }, { name: y, type: Varchar(10) }]';

describe.each(Object.keys(TARGETS))('on %s', (engine) => {
  it('mode upsert keeps the last row of a key, within and across files', async () => {
    site = await siteOn(engine, `{ ${COLUMNS}, key: [x], mode: upsert }`);
    site.drop('1.csv', 'x,y\n1,a\n2,b\n1,c\n');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    site.drop('2.csv', 'x,y\n2,d\n3,e\n');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(await site.query('select x, y from points order by x')).toEqual([
      { x: 1, y: 'c' },
      { x: 2, y: 'd' },
      { x: 3, y: 'e' },
    ]);
  });

  it('mode replace leaves the last file in the table', async () => {
    site = await siteOn(engine, `{ ${COLUMNS}, mode: replace }`);
    site.drop('1.csv', 'x,y\n1,a\n2,b\n');
    await site.run('once');
    site.drop('2.csv', 'x,y\n3,c\n');
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(await site.query('select x, y from points')).toEqual([{ x: 3, y: 'c' }]);
  });

  it('loads Parquet files that others put into the output folder, and sets junk aside', async () => {
    site = await siteOn(engine, `{ ${COLUMNS} }`);
    const daemon = await site.start();
    const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
    await duckdb.run(
      `copy (select 7 as x, 'duck' as y) to '${site.path('duck.tmp')}' (format parquet, compression zstd)`,
    );
    renameSync(site.path('duck.tmp'), site.path('output_parquet/duck.parquet'));
    await writeWithParquetjs(site.path('output_parquet/js.parquet'));
    writeFileSync(site.path('output_parquet/junk.parquet'), 'no Parquet at all');
    utimesSync(site.path('output_parquet/junk.parquet'), 1, 1);
    await site.logged('Loaded output_parquet/duck.parquet into points: 1 row');
    await site.logged('Loaded output_parquet/js.parquet into points: 1 row');
    await site.logged(/Cannot load output_parquet\/junk\.parquet: .*\[not_parquet\]/);
    // It is told first, and moved then.
    await expect
      .poll(() => site.list('output_parquet/output_failed'), { timeout: 10_000 })
      .toEqual(['junk.parquet', 'junk.parquet.report.json']);
    expect(await site.query('select x, y from points order by x')).toEqual([
      { x: 7, y: 'duck' },
      { x: 8, y: 'js' },
    ]);
    expect(await daemon.end()).toMatchObject({ code: 0 });
    const restarted = await site.start();
    site.drop('after.csv', 'x,y\n9,z\n');
    await site.logged('Loaded output_parquet/after.parquet');
    expect(site.log().match(/Loaded output_parquet\/duck/g)).toHaveLength(1);
    expect(await restarted.end()).toMatchObject({ code: 0 });
  });

  it('says by column how an existing table differs, and loads after it was mended', async () => {
    site = await siteOn(engine, `{ ${COLUMNS} }`);
    site.drop('1.csv', 'x,y\n1,a\n');
    await site.run('once');
    writeFileSync(
      site.path('config/schema.yaml'),
      'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10), z: DATE }, duplicates: keep }\n',
    );
    const wider = COLUMNS.replace(']', ', { name: z, type: Date }]');
    writeFileSync(site.path('config/schema_sql.yaml'), `points: { ${wider} }\n`);
    site.drop('2.csv', 'x,y,z\n2,b,2026-11-22\n');
    const { code, stderr } = await site.run('once');
    expect(code).toBe(3);
    expect(stderr).toMatch(/table_differs/);
    expect(stderr).toMatch(/"?z"?/);
    expect(site.list('output_parquet/output_failed')).toEqual(['2.parquet', '2.parquet.report.json']);
    expect(readFileSync(site.path('output_parquet/output_failed/2.parquet.report.json'), 'utf8')).toContain(
      'z',
    );
  });
});

it('goes on converting while the database is away, and loads by itself when it is back', async () => {
  const server = await startPostgres();
  const { host, port, user, password, database } = server;
  site = new Site({
    'db_creds.yaml': JSON.stringify({
      database: { engine: 'postgres', host, port, user, password, database },
    }),
    'schema.yaml': SCHEMA,
    'schema_sql.yaml': `points: { ${COLUMNS} }\n`,
  });
  const daemon = await site.start();
  site.drop('1.csv', 'x,y\n1,a\n');
  await site.logged('Loaded output_parquet/1.parquet');
  await server.stop();
  site.drop('2.csv', 'x,y\n2,b\n');
  await site.logged('Converted input_csv/2.csv');
  await site.logged('[database_unreachable]');
  site.drop('3.csv', 'x,y\n3,c\n');
  await site.logged('Converted input_csv/3.csv');
  expect((await site.run('status', '--json')).code).toBe(0);
  await server.start();
  await site.logged('works again after', 60_000);
  await site.logged('Loaded output_parquet/3.parquet', 60_000);
  expect(await site.query('select count(*) as n from points')).toEqual([{ n: 3 }]);
  expect(site.log().match(/\[database_unreachable\]/g)).toHaveLength(1);
  expect(await daemon.end()).toMatchObject({ code: 0 });
  await server.stop();
  site.drop('4.csv', 'x,y\n4,d\n');
  expect(await site.run('once')).toMatchObject({ code: 4 });
  await server.dispose();
});

async function writeWithParquetjs(file: string): Promise<void> {
  const parquet = createRequire(import.meta.url)('parquetjs-lite');
  const schema = new parquet.ParquetSchema({ x: { type: 'INT64' }, y: { type: 'UTF8' } });
  const temp = file.replace('output_parquet/', '');
  const writer = await parquet.ParquetWriter.openFile(schema, temp);
  await writer.appendRow({ x: 8, y: 'js' });
  await writer.close();
  await waitFor('the file of parquetjs-lite', () => statSync(temp).size > 100);
  renameSync(temp, file);
}
