import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { TARGETS, type Target } from '../e2e/targets.js';
import { realStudentCsv } from '../helpers/real-data.js';

const SCHEMA = `points:
  files: "*"
  columns:
    x: BIGINT
    y: { type: VARCHAR(20), nullable: true }
    z: DECIMAL(9,2)
`;
const POINTS = 'x,y,z\n1,"a, b",1.50\n9007199254740993,,2.00\n';

describe.each(Object.keys(TARGETS))('on %s', (engine) => {
  let site: Site;
  let target: Target;
  beforeAll(async () => {
    target = await TARGETS[engine]();
    site = new Site({ 'db_creds.yaml': target.config, 'schema.yaml': SCHEMA, 'schema_sql.yaml': '' });
    site.drop('points.csv', POINTS);
    expect(await site.run('once')).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await site.close();
    await target.drop();
  });

  it('prints a table, the number of rows beside it', async () => {
    const { code, stdout, stderr } = await site.run('query', 'SELECT x, y, z FROM points ORDER BY x');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '               x  y        z',
      '----------------  ----  ----',
      '               1  a, b  1.50',
      '9007199254740993  NULL  2.00',
      '',
    ]);
    expect(stderr).toMatch(/^2 rows, /);
  });

  it('prints CSV that a reader of CSV reads', async () => {
    const { stdout } = await site.run('query', 'SELECT x, y FROM points ORDER BY x', '--format', 'csv');
    expect(parse(stdout, { columns: true })).toEqual([
      { x: '1', y: 'a, b' },
      { x: '9007199254740993', y: '' },
    ]);
  });

  it('prints JSON without losing a digit', async () => {
    expect(await site.query('SELECT x, y FROM points ORDER BY x')).toEqual([
      { x: 1, y: 'a, b' },
      { x: '9007199254740993', y: null },
    ]);
  });

  it('runs the file of a name', async () => {
    const folder = site.path('sql', engine === 'mysql' ? 'mysql' : 'postgres');
    writeFileSync(
      `${folder}/count-points.sql`,
      '-- How many points are there?\nSELECT COUNT(*) AS n FROM points;\n;\n',
    );
    for (const name of ['count-points', 'count-points.sql']) {
      expect(await site.run('query', name, '--format', 'csv')).toMatchObject({
        code: 0,
        stdout: 'n\r\n2\r\n',
      });
    }
    const { stdout } = await site.run('query');
    expect(stdout).toMatch(/^mothers-jobs +Mothers' jobs +Which jobs/m);
    expect(stdout).toMatch(/^count-points +count-points +How many points are there\?$/m);
  });

  it('refuses whatever does not only read', async () => {
    const refused = [
      'DELETE FROM points',
      'WITH gone AS (DELETE FROM points RETURNING x) SELECT * FROM gone',
      'SELECT x FROM points; DELETE FROM points',
      'SELECT x FROM points; COMMIT; DELETE FROM points',
      'SELECT nothing FROM points',
      ' ',
    ];
    for (const sql of refused) {
      const { code, stdout, stderr } = await site.run('query', sql);
      expect({ sql, code, stdout }).toEqual({ sql, code: 2, stdout: '' });
      expect(stderr).toContain('[query_refused]');
    }
    expect(await site.query('SELECT COUNT(*) AS n FROM points')).toEqual([{ n: 2 }]);
  });

  it('ends a statement that takes too long', async () => {
    const endless =
      engine === 'mysql'
        ? 'SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c'
        : 'SELECT count(*) FROM generate_series(1, 1000000000)';
    const { code, stderr } = await site.run('query', endless, '--timeout', '0.3');
    expect(code).toBe(2);
    expect(stderr).toContain('ran longer than 300 ms');
  });
});

describe.skipIf(!realStudentCsv)('the five questions', () => {
  it('are answered beside a running daemon and without one', async () => {
    const site = new Site();
    const daemon = await site.start();
    site.drop('student-mat.csv', readFileSync(realStudentCsv!));
    await site.logged('Loaded output_parquet/student-mat.parquet');
    const ask = async () =>
      JSON.parse((await site.run('query', 'rural-travel-time', '--format', 'json')).stdout);
    expect(await ask()).toEqual([{ traveltime: 1, students: 35 }]);
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(await ask()).toEqual([{ traveltime: 1, students: 35 }]);
    await site.close();
  });
});

describe('without touching a database', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });
  afterEach(() => site.close());

  it.each(['../mysql/mothers-jobs', '/etc/passwd', '..', '.', 'a\\b', 'mothers-jobs/../mothers-jobs'])(
    'takes %s for no name',
    async (name) => {
      const { code, stderr } = await site.run('query', name);
      expect(code).toBe(2);
      expect(stderr).toContain('is not the name of a query');
    },
  );

  it('names the nearest query when there is none of this name', async () => {
    const { code, stderr } = await site.run('query', 'mother-jobs');
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "mothers-jobs"?');
  });

  it.each([
    [['SELECT', '1']],
    [['SELECT 1', '--format', 'xml']],
    [['SELECT 1', '--timeout', 'soon']],
    [['SELECT 1', '--timeout', '0']],
    [['SELECT 1', '--nope']],
  ])('refuses the command line %j', async (args) => {
    const { code, stderr } = await site.run('query', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain('[usage]');
  });

  it('lists queries as JSON with everything that the manifest says', async () => {
    const { stdout } = await site.run('query', '--format', 'json');
    const queries = JSON.parse(stdout);
    expect(queries).toHaveLength(5);
    expect(queries[2]).toMatchObject({
      name: 'fathers-jobs',
      plot: { kind: 'bar', x: 'fjob', series: 'pstatus' },
    });
  });

  it('says what is wrong with the manifest', async () => {
    writeFileSync(site.path('sql/manifest.yaml'), 'queries:\n  - title: no name\n');
    expect(await site.run('query')).toMatchObject({ code: 2 });
    appendFileSync(site.path('sql/manifest.yaml'), ' : [');
    expect((await site.run('query')).stderr).toContain('[config_syntax]');
  });

  it('lists nothing where there is no folder of queries', async () => {
    mkdirSync(site.path('config'), { recursive: true });
    writeFileSync(site.path('config/dropgate.yaml'), 'folders: { sql: nowhere }\n');
    expect(await site.run('query')).toMatchObject({ code: 0, stdout: '' });
  });

  it('creates no embedded database', async () => {
    const { code, stderr } = await site.run('query', 'mothers-jobs');
    expect(code).toBe(4);
    expect(stderr).toContain('there is no embedded database yet');
    expect(existsSync(site.path('state'))).toBe(false);
  });

  it('exits 4 when the server is away, 2 when there is no database', async () => {
    const away = 'database: { engine: postgres, host: 127.0.0.1, port: 1, user: u, database: d }\n';
    writeFileSync(site.path('config/db_creds.yaml'), away);
    expect(await site.run('query', 'SELECT 1')).toMatchObject({ code: 4, stdout: '' });
    writeFileSync(site.path('config/db_creds.yaml'), 'database: { engine: none }\n');
    expect(await site.run('query', 'SELECT 1')).toMatchObject({ code: 2, stdout: '' });
  });
});
