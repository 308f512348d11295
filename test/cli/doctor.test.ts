import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/pipeline/doctor.js';
import { judgeSpace } from '../../src/pipeline/doctor-folders.js';
import {
  examineClock,
  examineNode,
  examineOpenFiles,
  examineUmask,
} from '../../src/pipeline/doctor-system.js';
import { type Finding, Findings } from '../../src/pipeline/finding.js';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';

const SCHEMA = 'points: { files: "*", columns: { x: INTEGER, y: VARCHAR(10) } }\n';
const TABLES = 'points: { columns: [{ name: x, type: INTEGER }, { name: y, type: VARCHAR(10) }] }\n';

let site: Site;
beforeEach(() => {
  site = new Site({ 'schema.yaml': SCHEMA, 'schema_sql.yaml': TABLES });
});
afterEach(() => site.close());

async function diagnose(expectedCode: number): Promise<Diagnosis> {
  const { code, stdout, stderr } = await site.run('doctor', '--json');
  expect({ code, stderr, stdout }).toMatchObject({ code: expectedCode, stderr: '' });
  return JSON.parse(stdout);
}

function find({ findings }: Diagnosis, area: Finding['area'], subject: string): Finding | undefined {
  return findings.find((finding) => finding.area === area && finding.subject === subject);
}

function useServer({ host, port, user, password, database }: FreshDatabase, more: object): void {
  const config = { database: { host, port, user, password, database, ...more } };
  writeFileSync(site.path('config/db_creds.yaml'), JSON.stringify(config));
}

/** Everything below the root, dotfiles and all. */
function tree(): string[] {
  return readdirSync(site.root, { recursive: true, encoding: 'utf8' }).sort();
}

describe('a site', () => {
  it('that never ran is in order, and nothing is left there', async () => {
    const before = tree();
    const diagnosis = await diagnose(0);
    expect(diagnosis.findings.filter(({ status }) => status === 'error')).toEqual([]);
    expect(find(diagnosis, 'folders', 'state')?.message).toContain('made at the first start');
    expect(find(diagnosis, 'database', 'engine')?.message).toBe('embedded, created at the first start');
    expect(tree()).toEqual(before);
  });

  it('that runs is in order, and neither its folders nor its daemon are disturbed', async () => {
    const daemon = await site.start();
    site.drop('a.csv', 'x,y\n1,a\n');
    await site.logged('Loaded output_parquet/a.parquet');
    const [before, log] = [tree(), site.log()];
    const diagnosis = await diagnose(0);
    expect(find(diagnosis, 'configuration', 'daemon')?.message).toBe(`runs, pid ${daemon.pid}`);
    expect(find(diagnosis, 'folders', 'input_csv')).toMatchObject({ status: 'ok' });
    expect(find(diagnosis, 'folders', 'watching')).toMatchObject({ status: 'ok' });
    expect(find(diagnosis, 'database', 'table points')).toMatchObject({
      status: 'ok',
      message: 'has its 2 columns',
    });
    expect(tree()).toEqual(before);
    expect(site.log()).toBe(log);
    await daemon.end();
  });

  it('is described for people, with a remedy under each trouble', async () => {
    writeFileSync(site.path('config/db_creds.yaml'), 'database: { engine: none, password: x }\n');
    rmSync(site.path('sql'), { recursive: true });
    const { code, stdout } = await site.run('doctor');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ {2}warning {2}sql: cannot be read: ENOENT\n {11}-> Make it, or set folders\.sql/m,
    );
    expect(stdout).toMatch(/^\d errors?, \d warnings?, \d+ ok$/m);
  });
});

describe('the configuration', () => {
  it('that is wrong exits 2, names its mistakes, and the system is looked at all the same', async () => {
    writeFileSync(site.path('config/schema.yaml'), 'points: { files: "*", columns: { x: INTEGERR } }\n');
    const diagnosis = await diagnose(2);
    expect(diagnosis.verdict).toBe('error');
    expect(find(diagnosis, 'configuration', 'files')).toMatchObject({
      status: 'error',
      code: 'config_invalid',
    });
    expect(find(diagnosis, 'configuration', 'files')?.message).toContain('did you mean "INTEGER"?');
    expect(find(diagnosis, 'system', 'node')).toMatchObject({ status: 'ok' });
    expect(diagnosis.findings.some(({ area }) => area === 'folders' || area === 'database')).toBe(false);
  });

  it('that only deserves a warning exits 0', async () => {
    const file = site.path('config/db_creds.yaml');
    writeFileSync(file, 'database: { engine: postgres, port: 1, user: u, password: geheim, database: d }\n');
    chmodSync(file, 0o644);
    const diagnosis = await diagnose(4);
    const warning = diagnosis.findings.find(({ message }) => message.includes('can read the password'));
    expect(warning).toMatchObject({ area: 'configuration', status: 'warning' });
    expect(JSON.stringify(diagnosis)).not.toContain('geheim');
  });
});

describe('folders', () => {
  it('whose place a file has taken exit 3', async () => {
    rmSync(site.path('input_csv'), { recursive: true });
    writeFileSync(site.path('input_csv'), '');
    const diagnosis = await diagnose(3);
    expect(find(diagnosis, 'folders', 'input_csv')).toMatchObject({
      status: 'error',
      message: 'is not a folder',
    });
    expect(find(diagnosis, 'folders', 'input_csv/archived')).toMatchObject({ status: 'error' });
  });

  it('that cannot be written to are found by trying', async () => {
    // Not even root may make a file there.
    writeFileSync(site.path('config/dropgate.yaml'), 'folders: { archive: /proc/self }\n');
    const finding = find(await diagnose(3), 'folders', '/proc/self') ?? { message: '' };
    expect(finding).toMatchObject({ status: 'error', code: null });
    expect(finding.message).toMatch(/^cannot be written to: E/);
  });

  it('on two file systems are told of', async () => {
    const shared = '/dev/shm';
    if (!existsSync(shared) || statSync(shared).dev === statSync(site.root).dev) return;
    writeFileSync(
      site.path('config/dropgate.yaml'),
      `folders: { archive: ${shared}/dropgate-test/archived }\n`,
    );
    expect(find(await diagnose(0), 'folders', 'input_csv to /dev/shm/dropgate-test/archived')).toMatchObject({
      status: 'warning',
    });
  });

  it('that are polled need no events', async () => {
    writeFileSync(site.path('config/dropgate.yaml'), 'watch: { polling: true }\n');
    expect(find(await diagnose(0), 'folders', 'watching')?.message).toContain('polling');
  });
});

describe('the database', () => {
  it('that is away exits 4', async () => {
    const away = 'database: { engine: mysql, host: 127.0.0.1, port: 1, user: u, database: d }\n';
    writeFileSync(site.path('config/db_creds.yaml'), away);
    expect(find(await diagnose(4), 'database', 'connection')).toMatchObject({
      status: 'error',
      code: 'database_unreachable',
    });
  });

  it.each(['postgres', 'mysql'])('%s is in order before and after the first load', async (engine) => {
    const target = await TARGETS[engine]();
    writeFileSync(site.path('config/db_creds.yaml'), target.config);
    chmodSync(site.path('config/db_creds.yaml'), 0o600);
    const before = await diagnose(0);
    expect(find(before, 'database', 'table points')?.message).toContain('created at the first load');
    expect(find(before, 'database', 'rights')).toMatchObject({ status: 'ok' });
    expect(find(before, 'database', 'connection')?.message).toMatch(/PostgreSQL \d|\d+\.\d+/);
    site.drop('a.csv', 'x,y\n1,a\n');
    await site.run('once');
    const after = await diagnose(0);
    expect(find(after, 'database', 'table points')?.message).toBe('has its 2 columns');
    expect(find(after, 'database', 'table dropgate_loads')).toMatchObject({ status: 'ok' });
    await target.drop();
  });

  it.each(['postgres', 'mysql'])('%s: tables that differ are told column by column', async (engine) => {
    const server = engine === 'mysql' ? await freshMysql() : await freshPostgres();
    useServer(server, { engine });
    await server.query('CREATE TABLE points (x integer, z integer NOT NULL)');
    const finding = find(await diagnose(3), 'database', 'table points');
    expect(finding).toMatchObject({ status: 'error', code: 'table_differs' });
    expect(finding?.message).toContain('"y" is missing, declared VARCHAR(10)');
    expect(finding?.message).toContain('"z" is not declared');
    await server.drop();
  });

  it('Postgres: a schema is not created by looking', async () => {
    const server = await freshPostgres();
    useServer(server, { engine: 'postgres', schema: 'not_there' });
    expect(find(await diagnose(0), 'database', 'schema')?.message).toContain('created at the first load');
    expect(await server.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'not_there'`)).toEqual([]);
    await server.drop();
  });

  it('Postgres: rights that the user lacks', async () => {
    const server = await freshPostgres();
    const user = server.database;
    await server.query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`);
    await server.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await server.query('CREATE TABLE points (x integer, y varchar(10))');
    useServer({ ...server, user, password: 'secret' }, { engine: 'postgres' });
    const diagnosis = await diagnose(3);
    expect(find(diagnosis, 'database', 'rights')).toMatchObject({ status: 'warning' });
    expect(find(diagnosis, 'database', 'table points')).toMatchObject({
      status: 'error',
      message: 'the user of db_creds.yaml lacks INSERT',
    });
    await server.drop();
    const rest = await freshPostgres();
    await rest.query(`DROP ROLE ${user}`);
    await rest.drop();
  });

  it('MySQL: rights that the user lacks, and how rows are loaded', async () => {
    const server = await freshMysql();
    const user = server.database;
    await server.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`);
    await server.query(`GRANT SELECT, INSERT ON ${server.database}.* TO ${user}@'%'`);
    useServer({ ...server, user, password: 'secret' }, { engine: 'mysql' });
    const diagnosis = await diagnose(0);
    expect(find(diagnosis, 'database', 'rights')).toMatchObject({ status: 'warning' });
    expect(find(diagnosis, 'database', 'rights')?.message).toContain('has no grant of CREATE on');
    const [{ allowed }] = await server.query('SELECT @@GLOBAL.local_infile AS allowed');
    const expected = Number(allowed) === 1 ? 'ok' : 'warning';
    expect(find(diagnosis, 'database', 'local_infile')).toMatchObject({ status: expected });
    await server.query(`DROP USER ${user}@'%'`);
    await server.drop();
  });

  it('embedded that another process holds without answering is told of, after a while', async () => {
    writeFileSync(site.path('config/db_creds.yaml'), 'database: { engine: none }\n');
    const daemon = await site.start();
    mkdirSync(site.path('state/embedded'));
    writeFileSync(site.path('config/db_creds.yaml'), 'database: { engine: embedded }\n');
    expect(find(await diagnose(0), 'database', 'connection')).toMatchObject({
      status: 'warning',
      code: 'locked',
    });
    await daemon.end();
  });
});

describe('judgements', () => {
  const judged = (judge: (findings: Findings) => void): Finding['status'] => {
    const findings = new Findings('system');
    judge(findings);
    expect(findings.list).toHaveLength(1);
    expect(findings.list[0].remedy === '').toBe(findings.list[0].status === 'ok');
    return findings.list[0].status;
  };

  it.each([
    ['18.20.1', 'error'],
    ['20.18.3', 'error'],
    ['20.19.0', 'ok'],
    ['21.0.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('Node.js %s: %s', (version, status) => {
    expect(judged((findings) => examineNode(findings, version))).toBe(status);
  });

  it.each([
    [0o022, 'ok'],
    [0o027, 'ok'],
    [0o077, 'ok'],
    [0o000, 'warning'],
    [0o020, 'warning'],
    [0o777, 'error'],
    [0o222, 'error'],
  ])('umask %o: %s', (umask, status) => {
    expect(judged((findings) => examineUmask(findings, umask))).toBe(status);
  });

  it.each([
    ['Max open files            1024                 4096                 files     ', 'ok'],
    ['Max open files            unlimited            unlimited            files     ', 'ok'],
    ['Max open files            256                  4096                 files     ', 'warning'],
    ['', 'ok'],
  ])('open files, %j: %s', (limits, status) => {
    expect(judged((findings) => examineOpenFiles(findings, limits))).toBe(status);
  });

  it.each([
    ['1970-01-01T00:01:00Z', 'error'],
    ['2026-11-22T06:31:02Z', 'ok'],
  ])('a clock at %s: %s', (now, status) => {
    expect(judged((findings) => examineClock(findings, new Date(now)))).toBe(status);
  });

  it.each([
    [{ freeBytes: 50e6 }, 'error'],
    [{ freeBytes: 500e6 }, 'warning'],
    [{ freeBytes: 5e9 }, 'ok'],
    [{ freeBytes: 5e9, freeInodes: 100 }, 'warning'],
    [{ freeBytes: 5e9, freeInodes: 1e6 }, 'ok'],
  ])('space %j: %s', (space, status) => {
    expect(judged((findings) => judgeSpace(findings, { place: '/', ...space }))).toBe(status);
  });
});
