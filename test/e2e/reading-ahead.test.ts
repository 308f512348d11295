import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { type RunningDaemon, Site } from './site.js';

/** Long enough for a test to do something while a file settles, on a busy machine too. */
const CONFIG = {
  'dropgate.yaml': 'settle_ms: 3000\nserver: { enabled: false }\n',
  'db_creds.yaml': 'database: { engine: none }\n',
  'schema.yaml': 'any: { files: "*", columns: any }\n',
  'schema_sql.yaml': '',
};

let site: Site;
let daemon: RunningDaemon;

beforeEach(async () => {
  site = new Site(CONFIG);
  onTestFinished(() => site.close());
  daemon = await site.start();
});

/** Moves a file into the input folder that was complete long ago. */
function moveIn(name: string, text: string): void {
  const elsewhere = path.join(tempDir(), name);
  writeFileSync(elsewhere, text);
  utimesSync(elsewhere, 1000, 1000);
  renameSync(elsewhere, site.path('input_csv', name));
}

function unpublished(): string[] {
  return readdirSync(site.path('output_parquet')).filter((name) => name.startsWith('.dropgate-'));
}

function parquetFiles(): string[] {
  return site.list('output_parquet').filter((name) => name.endsWith('.parquet'));
}

/** Moves a file in and waits until it is converted, though it is not settled. */
async function moveInAndConvert(name: string, text: string): Promise<void> {
  moveIn(name, text);
  await waitFor('a converted file that is not published', () => unpublished().length === 1);
  expect(parquetFiles()).toEqual([]);
  expect(existsSync(site.path('input_csv', name))).toBe(true);
}

test('a file is converted while it settles, and published when it has', async () => {
  await moveInAndConvert('a.csv', 'a,b\n1,2\n');
  await site.logged('Converted input_csv/a.csv to output_parquet/a.parquet: 1 row');
  expect(unpublished()).toEqual([]);
  expect((await daemon.end()).code).toBe(0);
});

test('a file that is replaced meanwhile is converted again', async () => {
  await moveInAndConvert('a.csv', 'a,b\n1,2\n');
  moveIn('a.csv', 'a,b\n1,2\n3,4\n');
  await site.logged('Converted input_csv/a.csv to output_parquet/a.parquet: 2 rows');
  await waitFor('the first conversion to be thrown away', () => unpublished().length === 0);
  expect(parquetFiles()).toEqual(['a.parquet']);
});

test('a file that is taken away leaves nothing, and no word', async () => {
  await moveInAndConvert('a.csv', 'a,b\n1,2\n');
  rmSync(site.path('input_csv', 'a.csv'));
  await waitFor('the conversion to be thrown away', () => unpublished().length === 0);
  moveIn('b.csv', 'a,b\n3,4\n');
  const log = await site.logged('Converted input_csv/b.csv');
  expect(log).not.toContain('a.csv');
  expect(parquetFiles()).toEqual(['b.parquet']);
});

test('a bad file fails no sooner than it is settled', async () => {
  const dropped = Date.now();
  moveIn('bad.csv', 'a,b\n1,2,3\n');
  const log = await site.logged('Failed input_csv/bad.csv');
  expect(Date.now() - dropped).toBeGreaterThanOrEqual(3000);
  expect(log).toContain('[ragged_row]');
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  '%s meanwhile: the next start takes the file, once',
  async (signal) => {
    await moveInAndConvert('a.csv', 'a,b\n1,2\n');
    await daemon.end(signal);
    if (signal === 'SIGTERM') expect(unpublished()).toEqual([]);
    expect(existsSync(site.path('input_csv', 'a.csv'))).toBe(true);
    await site.start();
    await site.logged('Converted input_csv/a.csv to output_parquet/a.parquet: 1 row');
    expect(unpublished()).toEqual([]);
    expect(readFileSync(site.path('conversion_log.txt'), 'utf8').match(/Converted/g)).toHaveLength(1);
  },
);
