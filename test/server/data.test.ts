import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChartAnswer, QueryAnswer, TableProfile, TableRows, Tables } from '../../src/server/api/data.js';
import type { Problem } from '../../src/server/problem.js';
import { Site } from '../e2e/site.js';
import { type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';
import { repositoryRoot } from '../helpers/real-data.js';

/** Rows of the sample that are all kept: none repeats, none lacks a value. */
const [HEADER, ...LINES] = readFileSync(`${repositoryRoot}/samples/student-sample.csv`, 'utf8')
  .trim()
  .split('\n');
const KEPT = [...new Set(LINES)].filter((line) => !/(^|;)("")?(;|$)/.test(line)).slice(0, 60);
const SETTINGS = { 'dropgate.yaml': 'server: { port: 0 }\n' };

let site: Site;
let database: FreshDatabase | undefined;
afterEach(async () => {
  await site.close();
  await database?.drop();
  database = undefined;
});

const ENGINES: Record<string, () => Promise<FreshDatabase | undefined>> = {
  embedded: async () => undefined,
  postgres: freshPostgres,
  mysql: freshMysql,
};

describe.each(Object.keys(ENGINES))('the data routes on %s', (engine) => {
  it('answer what was loaded, and again after the next load', async () => {
    database = await ENGINES[engine]();
    const { host, port, user, password, database: name } = database ?? {};
    const server = database && { host, port, user, password, database: name };
    const credentials = `database: ${JSON.stringify({ engine, ...server })}\n`;
    site = new Site({ ...SETTINGS, 'db_creds.yaml': credentials });
    await site.start();
    const url = await site.pagesUrl();
    const get = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
    // 1. Before the first load.
    const before = await get<Tables>('/api/tables');
    expect(before.tables).toMatchObject([{ name: 'student_data', loads: 0, last_loaded_at: null }]);
    // 2. After it.
    site.drop('one.csv', `${[HEADER, ...KEPT].join('\n')}\n`);
    await site.logged(/Loaded .*one\.parquet/);
    const loaded = (
      await eventually(
        () => get<Tables>('/api/tables'),
        ({ tables }) => tables[0].loads === 1,
      )
    ).tables[0];
    expect(loaded).toMatchObject({ rows: KEPT.length, is_estimate: false });
    expect(Date.now() - Date.parse(loaded.last_loaded_at!)).toBeLessThan(60_000);
    // 3. The figures are those of the file.
    const names = HEADER.toLowerCase().replaceAll('"', '').split(';');
    const values = (column: string) =>
      KEPT.map((line) => line.replaceAll('"', '').toLowerCase().split(';')[names.indexOf(column)].trim());
    const sum = values('g3').reduce((total, value) => total + Number(value), 0);
    expect(
      (await get<ChartAnswer>('/api/chart?table=student_data&kind=number&y=g3&aggregate=sum')).rows,
    ).toEqual([[sum]]);
    const women = encodeURIComponent('[{"column":"sex","op":"eq","value":"f"}]');
    expect(
      (await get<ChartAnswer>(`/api/chart?table=student_data&kind=number&filters=${women}`)).rows,
    ).toEqual([[values('sex').filter((sex) => sex === 'f').length]]);
    const profile = await get<TableProfile>('/api/tables/student_data/profile');
    const school = profile.columns.find((column) => column.name === 'school');
    expect(school).toMatchObject({ nulls: 0, distinct: new Set(values('school')).size, type: 'VARCHAR(10)' });
    const page = await get<TableRows>('/api/tables/student_data/rows?limit=3&offset=1');
    expect(page.rows).toHaveLength(3);
    expect(page.columns).toEqual(names);
    const answer = await get<QueryAnswer>('/api/queries/rural-travel-time/result');
    expect(answer.columns.map((column) => column.type)).toEqual(['number', 'number']);
    await site.logged(/INFO - \S+ \(admin\) from \S+ ran the query "rural-travel-time"/);
    // 4. Another load makes answers new.
    site.drop('two.csv', `${[HEADER, ...KEPT.slice(0, 2)].join('\n')}\n`);
    await site.logged(/Loaded .*two\.parquet/);
    const count = '/api/chart?table=student_data&kind=number';
    await eventually(
      () => get<ChartAnswer>(count),
      ({ rows }) => rows[0][0] === KEPT.length + 2,
    );
  });
});

describe('the data routes', () => {
  it.each<[string, number, RegExp]>([
    ['/api/tables/nothing/profile', 404, /no such table/],
    ['/api/tables/__proto__/rows', 404, /no such table/],
    ['/api/tables/student_data/rows?limit=100000', 400, /limit/],
    ['/api/chart?table=student_data&kind=pie&x=sex', 400, /kind/],
    ['/api/chart?table=student_data&kind=bar&x=sex&filters=%7B', 400, /filters/],
    ['/api/chart?table=student_data&kind=bar&x=sex&filters=[{"column":"sex","op":"drop"}]', 400, /filters/],
    ['/api/queries/..%2Fsecret/result', 404, /no such query/],
    ['/api/dashboards/nothing', 404, /no such dashboard/],
    ['/api/tables', 409, /there is no database/],
  ])('refuse %s with %i', async (path, status, detail) => {
    site = await withoutDatabase();
    const answer = await fetch((await site.pagesUrl()) + path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    expect(((await answer.json()) as Problem).detail).toMatch(detail);
  });
});

async function withoutDatabase(): Promise<Site> {
  const none = new Site({ ...SETTINGS, 'db_creds.yaml': 'database: { engine: none }\n' });
  await none.start();
  return none;
}

/** Marks of loads are remembered for a second. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (isSo(answer) || performance.now() > deadline) {
      expect(isSo(answer), JSON.stringify(answer).slice(0, 500)).toBe(true);
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
