import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realStudentCsv, repositoryRoot } from '../helpers/real-data.js';
import { Site } from './site.js';
import { TARGETS } from './targets.js';

const SAMPLE = `${repositoryRoot}/samples/student-sample.csv`;
const BROKEN = `${repositoryRoot}/samples/student-broken.csv`;

/** Rows of a CSV file as independent code sees them: trimmed, lower-cased, without rows that miss a value or repeat. */
function expectedRows(file: string): string[] {
  const rows = parse(readFileSync(file), {
    delimiter: ';',
    from_line: 2,
    relax_column_count: false,
  }) as string[][];
  const nulls = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);
  const clean = rows.map((row) => row.map((cell) => cell.trim().toLowerCase()));
  const whole = clean.filter((row) => !row.some((cell) => nulls.has(cell)));
  // Numbers may be written in more than one way.
  const normal = whole.map((row) =>
    row.map((cell) => (/^\d+$/.test(cell) ? String(Number(cell)) : cell)).join('|'),
  );
  return [...new Set(normal)].sort();
}

async function tableRows(site: Site): Promise<string[]> {
  const { stdout, stderr, code } = await site.run('query', 'select * from student_data', '--format', 'json');
  if (code !== 0) throw new Error(stderr);
  const rows = JSON.parse(stdout) as Record<string, unknown>[];
  return rows.map((row) => Object.values(row).join('|')).sort();
}

describe.each(Object.entries(TARGETS))('the main job on %s', (_engine, makeTarget) => {
  let site: Site;
  let drop: () => Promise<unknown>;

  beforeAll(async () => {
    const target = await makeTarget();
    drop = target.drop;
    site = new Site({ 'db_creds.yaml': target.config });
  });
  afterAll(async () => {
    await site.close();
    await drop();
  });

  it('turns a dropped file into Parquet, rows and log lines, while the daemon runs', async () => {
    const daemon = await site.start();
    site.drop('scores.csv', readFileSync(SAMPLE));
    const log = await site.logged('Loaded output_parquet/scores.parquet into student_data: 397 rows');
    expect(log).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - Converted input_csv\/scores\.csv to output_parquet\/scores\.parquet: 397 rows, 0 set aside, 4 dropped \(3 missing, 1 duplicate\), [\d.]+ KB to [\d.]+ KB, .+$/m,
    );
    expect(site.list('input_csv')).toEqual(['archived', 'output_failed']);
    expect(site.list('output_parquet')).toContain('scores.parquet');
    expect(site.list('input_csv/output_failed')).toEqual([
      'scores.rejected.csv',
      'scores.rejected.csv.report.json',
    ]);
    expect(await tableRows(site)).toEqual(expectedRows(SAMPLE));
    expect(await daemon.end()).toMatchObject({ code: 0 });
  });

  it('does not load the same file twice, by daemon, by once, or without its ledger', async () => {
    site.drop('scores.csv', readFileSync(SAMPLE));
    const again = await site.run('once');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('1 known already');
    // The ledger is a cache: dropgate_loads decides.
    for (const name of readdirSync(site.path('state'))) {
      if (name.startsWith('ledger')) writeFileSync(site.path('state', name), '');
    }
    site.drop('scores.csv', readFileSync(SAMPLE));
    expect(await site.run('once')).toMatchObject({ code: 0 });
    expect(await tableRows(site)).toEqual(expectedRows(SAMPLE));
  });

  it('fails a bad file with a report and goes on with the others', async () => {
    site.drop('broken.csv', readFileSync(BROKEN));
    site.drop('other.csv', `${readFileSync(SAMPLE, 'utf8').split('\n').slice(0, 50).join('\n')}\n`);
    const { code, stderr } = await site.run('once');
    expect(code).toBe(3);
    expect(stderr).toContain('1 file converted');
    expect(site.report('input_csv/output_failed/broken.csv').violations.map(({ line }) => line)).toEqual([
      3, 4, 6, 8,
    ]);
  });

  it.skipIf(!realStudentCsv)('takes the real file cell by cell and answers the five questions', async () => {
    const fresh = await makeTarget();
    const real = new Site({ 'db_creds.yaml': fresh.config });
    real.drop('student-mat.csv', readFileSync(realStudentCsv!));
    expect(await real.run('once')).toMatchObject({ code: 0 });
    expect(await tableRows(real)).toEqual(expectedRows(realStudentCsv!));
    const ask = async (name: string) =>
      JSON.parse((await real.run('query', name, '--format', 'json')).stdout);
    expect((await ask('mothers-jobs')).flatMap(Object.values)).toEqual([
      'at_home',
      'health',
      'other',
      'services',
      'teacher',
    ]);
    expect((await ask('rural-travel-time')).map((row: object) => Object.values(row).map(Number))).toEqual([
      [1, 35],
    ]);
    await real.close();
    await fresh.drop();
  });
});

it('the program can be started by its own name, as npx does', () => {
  const main = path.join(repositoryRoot, 'dist/main.js');
  const { status, stdout } = spawnSync(main, ['--version'], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
