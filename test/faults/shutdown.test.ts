import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import pg from 'pg';
import { Piscina } from 'piscina';
import { describe, expect, it } from 'vitest';
import { freshPostgres } from '../helpers/databases.js';
import { repositoryRoot } from '../helpers/real-data.js';
import { waitFor } from '../helpers/wait-for.js';
import { IntakeRig } from './support/intake-rig.js';
import { countParquetRows, parquetIds } from './support/invariants.js';
import { FaultSite, MAIN } from './support/site.js';
import { credentials, targetOf } from './support/targets.js';

const ROWS_OF_200_MB = 7_000_000;
/** What may come on top of the bound: the parts are closed, and the machine may be busy. */
const GRACE_MS = 6000;

/** About 28 bytes a row. */
function writeLarge(file: string, rows: number): void {
  const fd = openSync(file, 'w');
  writeSync(fd, 'id;name\n');
  for (let from = 1; from <= rows; from += 50_000) {
    const until = Math.min(rows, from + 49_999);
    let text = '';
    for (let id = from; id <= until; id++) text += `${id};name of the row ${id % 1000}\n`;
    writeSync(fd, text);
  }
  closeSync(fd);
}

async function withSite(
  work: (site: FaultSite) => Promise<void>,
  options: ConstructorParameters<typeof FaultSite>[0] = {},
): Promise<void> {
  const site = new FaultSite(options);
  try {
    await work(site);
  } finally {
    await site.close();
  }
}

describe('SIGTERM', () => {
  it.each([
    ['finishes a file of 200 MB within the bound', 'shutdown_ms: 60000\n', true],
    ['abandons a file of 200 MB at the bound', 'shutdown_ms: 300\n', false],
  ])(
    '%s',
    async (_, settings, finishes) => {
      await withSite(
        async (site) => {
          writeLarge(site.path('input_csv/strict.csv'), ROWS_OF_200_MB);
          const daemon = await site.start();
          const hasBegun = () => site.files('output_parquet').some((name) => name.startsWith('.dropgate-'));
          await waitFor('the conversion to begin', hasBegun, { timeoutMs: 30_000 });
          const startedAt = performance.now();
          expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
          const tookMs = performance.now() - startedAt;
          expect(existsSync(site.path('output_parquet/strict.parquet'))).toBe(finishes);
          expect(site.waiting()).toEqual(finishes ? [] : ['strict.csv']);
          expect(site.log()).not.toContain('Cannot convert');
          if (finishes) return;
          expect(tookMs).toBeLessThan(300 + GRACE_MS);
          // The next start finishes it, and leaves nothing of the first attempt.
          expect(await site.run(['once'])).toMatchObject({ code: 0 });
          expect(await countParquetRows(site)).toEqual({ rows: ROWS_OF_200_MB, ids: ROWS_OF_200_MB });
          expect(site.files('output_parquet')).toEqual(['strict.parquet']);
        },
        { settings, settleMs: 30 },
      );
    },
    120_000,
  );

  it('in the middle of a COPY that hangs: exits within the bound, and nothing is half done', async () => {
    const database = await freshPostgres();
    const config = { database: credentials('postgres', database), settings: 'shutdown_ms: 1000\n' };
    await withSite(async (site) => {
      const first = await site.start();
      site.drop('strict-0.csv', 'id;name\n1;one\n');
      await site.logged('Loaded output_parquet/strict-0.parquet');
      const other = new pg.Client({ ...database });
      await other.connect();
      await other.query('BEGIN');
      await other.query('LOCK TABLE strict IN ACCESS EXCLUSIVE MODE');
      site.drop('strict-1.csv', 'id;name\n2;two\n');
      await waitFor('the load to wait for the table', async () => {
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
        return (await database.query(waiting)).length > 0;
      });
      const startedAt = performance.now();
      expect(await first.end('SIGTERM')).toMatchObject({ code: 0 });
      expect(performance.now() - startedAt).toBeLessThan(1000 + GRACE_MS);
      expect(readdirSync(site.path('output_parquet/output_failed'))).toEqual([]);
      await other.query('COMMIT');
      await other.end();
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      const rows = await database.query('SELECT id FROM strict ORDER BY id');
      expect(rows.map(({ id }) => Number(id))).toEqual([1, 2]);
    }, config);
    await database.drop();
  }, 60_000);

  it.each(['postgres', 'embedded'] as const)(
    'in the middle of a large COPY: finished or not there, %s',
    async (engine) => {
      const target = await targetOf(engine);
      await withSite(
        async (site) => {
          const daemon = await site.start();
          await site.logged('Created table strict', { timeoutMs: 60_000 });
          writeLarge(site.path('input_csv/strict.csv'), 400_000);
          await site.logged('Converted input_csv/strict.csv');
          const startedAt = performance.now();
          expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
          expect(performance.now() - startedAt).toBeLessThan(500 + GRACE_MS);
          expect(site.log()).not.toContain('ERROR');
          expect(await site.run(['once'])).toMatchObject({ code: 0 });
          const [rows] = await target.query!(
            site.root,
            'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM strict',
          );
          expect([rows[0].n, rows[0].ids].map(Number)).toEqual([400_000, 400_000]);
        },
        { database: target.config, settings: 'shutdown_ms: 500\n' },
      );
      await target.drop();
    },
    120_000,
  );
});

describe('two on one root', () => {
  it('the second refuses, names the first, and follows it at once after kill -9', async () => {
    await withSite(async (site) => {
      const first = await site.start();
      for (const command of ['run', 'once']) {
        const second = await site.run([command]);
        expect(second.code).toBe(5);
        expect(second.stderr).toContain(`another Dropgate (pid ${first.pid})`);
      }
      await first.end('SIGKILL');
      // The pid that the dead one wrote may belong to somebody else by now.
      writeFileSync(site.path('state/lock'), `${process.pid}\n`);
      const third = await site.start();
      site.drop('strict.csv', 'id;name\n1;one\n');
      await site.logged('Converted input_csv/strict.csv');
      expect(await third.end('SIGTERM')).toMatchObject({ code: 0 });
    });
  });

  it('many that start at the same moment: one works, and every row is there once', async () => {
    await withSite(async (site) => {
      site.drop('strict.csv', 'id;name\n1;one\n2;two\n');
      const all = await Promise.all(Array.from({ length: 4 }, () => site.run(['once'])));
      expect(all.map(({ code }) => code).sort()).toEqual(expect.arrayContaining([0]));
      expect(all.every(({ code }) => code === 0 || code === 5)).toBe(true);
      expect((await parquetIds(site)).sort()).toEqual([1, 2]);
    });
  });
});

describe('a worker thread that dies', () => {
  it('takes its file with it after the second time, and no other', async () => {
    const program = path.join(repositoryRoot, 'dist/program/convert-worker.js');
    const rig = await IntakeRig.open({
      poolFor: ({ settings }) =>
        new Piscina({
          filename: new URL('./support/poison-worker.mjs', import.meta.url).href,
          maxThreads: 2,
          workerData: {
            program,
            datasets: settings.datasets,
            overlappingDatasets: settings.intake.overlappingDatasets,
            outputFolder: settings.folders.output,
            failedFolder: settings.folders.failed,
            scratchFolder: settings.folders.state,
            parquet: settings.parquet,
            limits: settings.limits,
            version: 'test',
          },
        }),
    });
    for (let i = 0; i < 40; i++) rig.workshop.drop(`good-${i}.csv`, `name,age\nann,${i}\n`);
    rig.workshop.drop('poison.csv', 'name,age\nbob,1\n');
    await rig.untilDone(10);
    await rig.close();
    expect(rig.waiting()).toEqual([]);
    expect(rig.told(/Converted/)).toHaveLength(40);
    expect(rig.told(/Failed/)).toHaveLength(1);
    expect(rig.told(/Failed input_csv\/poison\.csv: .*\[internal\]/)).toHaveLength(1);
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  console.warn('Tests that start the program as another user are skipped: this process is not root');
const NOBODY = 65_534;

describe.skipIf(!isRoot)('as a user with few rights', () => {
  async function asNobody(work: (site: FaultSite) => Promise<void>): Promise<void> {
    await withSite(async (site) => {
      for (const entry of ['', ...readdirSync(site.root, { recursive: true }).map(String)]) {
        chownSync(site.path(entry), NOBODY, NOBODY);
      }
      await work(site);
    });
  }
  const user = { uid: NOBODY, gid: NOBODY };

  it('a file that cannot be opened fails after some attempts, and holds up no other', async () => {
    await asNobody(async (site) => {
      site.drop('strict-secret.csv', 'id;name\n1;one\n');
      chmodSync(site.path('input_csv/strict-secret.csv'), 0);
      const daemon = await site.start(user);
      site.drop('strict-open.csv', 'id;name\n2;two\n');
      await site.logged('Converted input_csv/strict-open.csv');
      await site.logged(/Failed input_csv\/strict-secret\.csv: .*\[unreadable\]/);
      expect(site.files('input_csv/output_failed')).toContain('strict-secret.csv');
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
    });
  }, 60_000);

  it.each(['output_parquet', 'input_csv/archived', 'input_csv/output_failed'])(
    '%s without the right to write: said once, and done as soon as it is mended',
    async (folder) => {
      await asNobody(async (site) => {
        const daemon = await site.start(user);
        chownSync(site.path(folder), 0, 0);
        chmodSync(site.path(folder), 0o555);
        site.drop('strict-good.csv', 'id;name\n2;two\n');
        site.drop('strict-bad.csv', 'id;name\nx;two\n');
        await site.logged(/Cannot convert .* for now: EACCES/);
        await sleep(1500);
        expect(site.log().match(/Cannot convert/g)).toHaveLength(1);
        chmodSync(site.path(folder), 0o777);
        await site.logged(/Conversion works again/);
        await site.logged('Converted input_csv/strict-good.csv');
        await site.logged('Failed input_csv/strict-bad.csv');
        expect(await parquetIds(site)).toEqual([2]);
        expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
      });
    },
    60_000,
  );

  it('with few descriptors left: nothing is lost', async () => {
    await asNobody(async (site) => {
      for (let i = 0; i < 30; i++) site.drop(`strict-${i}.csv`, `id;name\n${i};one\n`);
      const daemon = site.spawn(['run'], { before: 'ulimit -n 40', ...user });
      await sleep(3000);
      await daemon.end('SIGKILL');
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      expect((await parquetIds(site)).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    });
  }, 60_000);
});

/** The program that is tested here; named so that a wrong one shows in the report. */
it(`is tested as ${path.relative(repositoryRoot, MAIN)}`, () => expect(existsSync(MAIN)).toBe(true));

describe('the folders', () => {
  it('are left in order', async () => {
    await withSite(async (site) => {
      const daemon = await site.start();
      const left = ['input_csv', 'output_parquet', 'input_csv/archived'].map((folder) =>
        site.path(folder, '.dropgate-left.tmp'),
      );
      for (const file of left) writeFileSync(file, '');
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
      expect(left.filter((file) => existsSync(file))).toEqual([]);
      expect(site.files('state')).not.toContain('lock');
    });
  });

  it('are put in order after a killed run', async () => {
    await withSite(async (site) => {
      await (await site.start()).end('SIGKILL');
      const left = site.path('output_parquet', '.dropgate-left.tmp');
      writeFileSync(left, '');
      const daemon = await site.start();
      expect(existsSync(left)).toBe(false);
      await daemon.end('SIGTERM');
    });
  });

  it('are not in order with a damaged ledger, which the next start begins anew', async () => {
    await withSite(async (site) => {
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      damageLedger(site.path('state/ledger.db'));
      // Nothing is looked for after a run that ended well, until the next one does.
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      expect(site.log()).not.toContain('begun anew');
      expect(site.files('state')).toContain('lock');
      site.drop('strict.csv', 'id;name\n1;a\n');
      expect(await site.run(['once'])).toMatchObject({ code: 0 });
      expect(site.log()).toContain('The local ledger was begun anew');
      expect(site.files('output_parquet')).toEqual(['strict.parquet']);
      expect(site.files('state')).not.toContain('lock');
    });
  });
});

/** Fills a ledger that nobody has open, and overwrites pages in its middle. */
function damageLedger(file: string): void {
  const db = new Database(file);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
    INSERT INTO parquet_files SELECT 'file' || i, hex(randomblob(50)) FROM n`);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, bytes.length - 30 * 4096, bytes.length - 10 * 4096);
  writeFileSync(file, bytes);
}
