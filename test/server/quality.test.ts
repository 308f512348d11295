import { afterEach, describe, expect, it } from 'vitest';
import type { ColumnTrend, QualityReport } from '../../src/server/api/quality.js';
import type { Problem } from '../../src/server/problem.js';
import { Site } from '../e2e/site.js';
import { waitFor } from '../helpers/wait-for.js';
import { dropOddFiles } from './odd-files.js';

const CONFIG = {
  'dropgate.yaml': 'server: { port: 0 }\nsettle_ms: 20\nalerts: { gather_ms: 100 }\n',
  'schema.yaml': `points:
  files: "p*.csv"
  columns: { x: INTEGER, y: { type: VARCHAR(10), private: true } }
  duplicates: keep
  invalid: set_aside
  max_set_aside: 90%
  expect: { every: 1d, at: "06:00", grace: 1h, timezone: UTC }
`,
  'schema_sql.yaml': 'points: [{ name: x, type: INTEGER }, { name: y, type: VARCHAR(10) }]\n',
};

let site: Site;
afterEach(() => site.close());

async function open(config: Record<string, string> = {}): Promise<string> {
  site = new Site({ ...CONFIG, ...config });
  await site.start();
  return site.pagesUrl();
}

async function get<T>(address: string): Promise<T> {
  const response = await fetch(address);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

describe.each([
  ['none', { 'db_creds.yaml': 'database: { engine: none }\n' }],
  ['embedded', {}],
])('with the engine %s', (engine, config) => {
  it('tells what became of files, what is unusual, which alerts there were, and what is expected', async () => {
    const url = await open(config as Record<string, string>);
    await dropOddFiles(site);
    if (engine === 'embedded') await site.logged('Loaded output_parquet/podd.parquet', 90_000);
    const report = await waitFor<QualityReport | undefined>(
      'all alerts',
      async () => {
        const answer = await get<QualityReport>(`${url}/api/quality`);
        return answer.alerts.length === 3 ? answer : undefined;
      },
      { timeoutMs: 10_000 },
    );
    expect(report.totals).toEqual({
      ...{ converted: 9, failed: 1, load_failed: 0, duplicates: 0, rows: 350, left_out: 10 },
    });
    expect(report.bucket).toBe('hour');
    expect(report.series.reduce((sum, { converted }) => sum + converted, 0)).toBe(9);
    expect(report.reasons).toEqual([
      { dataset: 'points', stage: 'convert', code: 'unknown_column', files: 1 },
    ]);
    expect(report.violations).toEqual([
      { dataset: 'points', code: 'wrong_type', column: 'x', files: 1, violations: 10 },
    ]);
    const mean = report.findings.find(({ metric }) => metric === 'mean')!;
    expect(mean).toMatchObject({ dataset: 'points', column: 'x', file: 'podd.csv', compared: 8 });
    expect(mean.value!).toBeGreaterThan(mean.high!);
    expect(report.findings.map(({ metric }) => metric)).toContain('left_out_share');
    expect(report.alerts.map(({ kind }) => kind).sort()).toEqual(['drift', 'file_failed', 'rows_left_out']);
    expect(report.alerts.every(({ delivery }) => delivery === 'none')).toBe(true);
    expect(report.expected).toMatchObject([{ dataset: 'points', is_late: false }]);
    expect(report.expected[0].due_at).toMatch(/T06:00:00\.000Z$/);
    const trend = await get<ColumnTrend>(`${url}/api/quality/trend?dataset=points&column=x`);
    expect(trend.points.map(({ mean: value }) => value! > 100)).toEqual([...Array(8).fill(false), true]);
    expect(trend.points[8].file_id).toBe(mean.file_id);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('dropgate_alerts_total{kind="drift",dataset="points"} 1');
    expect(metrics).toContain('dropgate_alerts_total{kind="late",dataset="points"} 0');
    expect(metrics).toContain('dropgate_alerts_total{kind="database_away",dataset=""} 0');
    // Another dataset and another time have none of it.
    for (const query of ['dataset=others', 'until=2020-01-01T00:00:00Z']) {
      const other = await get<QualityReport>(`${url}/api/quality?${query}`);
      expect([other.totals.converted, other.findings, other.alerts]).toEqual([0, [], []]);
    }
  }, 120_000);
});

it('says what is wrong with a question', async () => {
  const url = await open({ 'db_creds.yaml': 'database: { engine: none }\n' });
  for (const [query, text] of [
    ['since=yesterday', 'date-time'],
    ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'before until'],
  ]) {
    const response = await fetch(`${url}/api/quality?${query}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as Problem).detail).toContain(text);
  }
});
