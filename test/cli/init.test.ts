import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { realStudentCsv } from '../helpers/real-data.js';

interface Column {
  type: string;
  nullable?: boolean;
}
type Columns = Record<string, string | Column>;

let site: Site;
beforeEach(() => {
  site = new Site();
  rmSync(site.path('config'), { recursive: true });
});
afterEach(() => site.close());

function sample(name: string, content: string | Uint8Array): string {
  const file = site.path(name);
  writeFileSync(file, content);
  return file;
}

/** What `init` prints: the two documents. */
async function propose(file: string, ...args: string[]) {
  const { code, stdout, stderr } = await site.run('init', file, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const documents = parseAllDocuments(stdout).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
  expect(documents).toHaveLength(2);
  const [dataset] = Object.keys(documents[0]);
  const { files, columns } = documents[0][dataset] as { files: string; columns: Columns };
  return { dataset, files, columns, tables: documents[1], stdout, raw: documents[0][dataset] };
}

/** Writes the proposal and judges the sample by it. */
async function writeAndCheck(file: string, ...args: string[]) {
  expect(await site.run('init', file, '--write', ...args)).toMatchObject({ code: 0 });
  const { stdout } = await site.run('check', file, '--json');
  const [report] = JSON.parse(stdout);
  return report as { verdict: string; message: string; counts: Record<string, number> };
}

describe.skipIf(!realStudentCsv)('the real student file', () => {
  it('gets a contract that it meets', async () => {
    expect(await writeAndCheck(realStudentCsv!, '--dataset', 'student_data')).toMatchObject({
      verdict: 'converted',
      counts: { rows_in: 395, rows_out: 395 },
    });
  });

  it('is described column by column', async () => {
    const { dataset, files, columns, stdout, tables } = await propose(realStudentCsv!);
    expect({ dataset, files }).toEqual({ dataset: 'student_mat', files: 'student-mat*.csv' });
    expect(Object.keys(columns)).toHaveLength(33);
    expect(columns).toMatchObject({ school: 'VARCHAR(10)', age: 'INTEGER', reason: 'VARCHAR(20)' });
    expect(stdout).toContain('    sex: VARCHAR(10) # enum: [f, m]\n');
    expect(stdout).toContain('    age: INTEGER # 15 to 22\n');
    expect(tables.student_mat).toHaveLength(33);
  });
});

const KINDS = [
  'id;code;amount;ratio;flag;answer;day;at;seen;key;note;long;empty',
  `1;007;12.50;0.1234567890123;true;yes;2026-11-22;06:31;2026-11-22 06:31:02;123e4567-e89b-12d3-a456-426614174000;Ünlü;${'x'.repeat(600)};`,
  '2;008;3;1;FALSE;no;2026-11-23;23:59:59;2026-11-22T06:31:02;123E4567-E89B-12D3-A456-426614174001;;b;n/a',
  '9000000000;010;-4;2;true;yes;2026-11-24;00:00;2026-11-23;123e4567-e89b-12d3-a456-426614174002;"a; b";c;',
  '',
].join('\n');

const KINDS_COLUMNS: Columns = {
  id: 'BIGINT',
  code: 'VARCHAR(10)',
  amount: 'DECIMAL(9,2)',
  ratio: 'DOUBLE',
  flag: 'BOOLEAN',
  answer: 'VARCHAR(10)',
  day: 'DATE',
  at: 'TIME',
  seen: 'TIMESTAMP',
  key: 'UUID',
  note: { type: 'VARCHAR(10)', nullable: true },
  long: 'TEXT',
  empty: { type: 'TEXT', nullable: true },
};

describe('a sample with a column of every kind', () => {
  it('is given the smallest types that fit, and missing values where there are some', async () => {
    const { columns, tables } = await propose(sample('orders_2026-11-22.csv', KINDS));
    expect(columns).toEqual(KINDS_COLUMNS);
    const types = Object.values(KINDS_COLUMNS).map((column) =>
      typeof column === 'string' ? column : column.type,
    );
    expect(tables.orders.map(({ type }: Column) => type)).toEqual(types);
  });

  it('names dataset and pattern after the file, without its date', async () => {
    expect(await propose(sample('orders_2026-11-22.csv', KINDS))).toMatchObject({
      dataset: 'orders',
      files: 'orders*.csv',
    });
    expect(await propose(sample('2026-11-22 Ünits [A].csv', KINDS))).toMatchObject({
      dataset: 'ünits_a',
      files: '*Ünits *A*.csv',
    });
    expect(await propose(sample('20261122.csv', KINDS))).toMatchObject({ dataset: 'data', files: '*.csv' });
  });

  it.each(Object.keys(TARGETS))('goes into the proposed table on %s', async (engine) => {
    const target = await TARGETS[engine]();
    try {
      const file = sample('orders_2026-11-22.csv', KINDS);
      expect(await site.run('init', file, '--write')).toMatchObject({ code: 0 });
      writeFileSync(site.path('config/db_creds.yaml'), target.config);
      site.drop('orders_2026-11-22.csv', KINDS);
      expect(await site.run('once')).toMatchObject({ code: 0 });
      expect(await site.query('SELECT id, code, note FROM orders ORDER BY id')).toEqual([
        { id: 1, code: '007', note: 'ünlü' },
        { id: 2, code: '008', note: null },
        { id: 9_000_000_000, code: '010', note: 'a; b' },
      ]);
    } finally {
      await site.close();
      await target.drop();
    }
  });
});

describe('samples of other kinds pass the check as well', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['compressed', 'a.csv.gz', gzipSync('a,b\n1,x\n')],
    ['tab-separated', 'a.tsv', 'a\tb\n1\tx\n'],
    ['in Windows-1252', 'a.csv', Buffer.from('a;b\n1;M\xfcller\n2;Stra\xdfe\n', 'latin1')],
    ['without a header', 'a.csv', '1,2026-11-22,x\n2,2026-11-23,y\n'],
    ['with one column', 'a.csv', 'name\nx\ny\n'],
    ['with a header only', 'a.csv', 'a,b\n'],
    ['with line breaks in values', 'a.csv', 'a,b\n1,"x\ny"\n'],
    ['with odd names', 'a.csv', `"yes","a: b","$${'{HOME}'}","#",__proto__,"quo""te",数\n1,2,3,4,5,6,7\n`],
    ['with repeated rows', 'a.csv', 'a,b\n1,2\n1,2\n'],
    ['whose letters grow when they are lowered', 'a.csv', 'a,b\nİİİİİİİİİİ,1\n'],
  ])('%s', async (_, name, content) => {
    expect(await writeAndCheck(sample(name, content))).toMatchObject({ verdict: 'converted' });
  });

  it('says of a file without a header that it has none', async () => {
    const { raw, columns } = await propose(sample('a.csv', '1,x\n2,y\n'));
    expect(raw).toMatchObject({ header: 'absent' });
    expect(columns).toEqual({ column_1: 'INTEGER', column_2: 'VARCHAR(10)' });
  });
});

describe('--write', () => {
  it.each(['schema.yaml', 'schema_sql.yaml'])(
    'never overwrites %s, nor writes the other',
    async (existing) => {
      const site2 = new Site();
      for (const name of ['schema.yaml', 'schema_sql.yaml']) rmSync(site2.path('config', name));
      writeFileSync(site2.path('config', existing), '# mine\n');
      const file = sample('a.csv', 'a\n1\n');
      const { code, stdout, stderr } = await site2.run('init', file, '--write');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(existing);
      expect(readFileSync(site2.path('config', existing), 'utf8')).toBe('# mine\n');
      expect(site2.list('config').filter((name) => name.startsWith('schema'))).toEqual([existing]);
      await site2.close();
    },
  );

  it('writes into the folder that --config names', async () => {
    const folder = site.path('other/config');
    const { code, stdout } = await site.run('init', sample('a.csv', 'a\n1\n'), '--write', '--config', folder);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'other/config/schema.yaml\nother/config/schema_sql.yaml\n',
    });
    expect(existsSync(path.join(folder, 'schema_sql.yaml'))).toBe(true);
    expect(existsSync(site.path('config'))).toBe(false);
  });
});

describe('what init refuses', () => {
  it.each<[string, string, number, string]>([
    ['an empty file', '', 3, 'empty_file'],
    ['two columns of one name', 'a,A\n1,2\n', 3, 'duplicate_column'],
    ['a column without a name', 'a,\nx,y\n', 3, 'empty_column_name'],
    ['a name longer than databases allow', `${'n'.repeat(64)},b\nx,y\n`, 2, 'config_invalid'],
  ])('%s', async (_, content, code, reason) => {
    const finished = await site.run('init', sample('a.csv', content));
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toContain(`[${reason}]`);
  });

  it.each([
    [['init']],
    [['init', 'a.csv', 'b.csv']],
    [['init', 'a.csv', '--dataset', '']],
    [['init', 'a.csv', '--dataset', 'dropgate_loads']],
  ])('the command line %j', async (args) => {
    sample('a.csv', 'a\n1\n');
    const finished = await site.run(...args);
    expect(finished).toMatchObject({ code: 2, stdout: '' });
    expect(finished.stderr).toContain('[usage]');
  });

  it('a file that is not there', async () => {
    const finished = await site.run('init', 'nowhere.csv');
    expect(finished).toMatchObject({ code: 3, stdout: '' });
    expect(finished.stderr).toContain('there is no file');
  });
});

it('tells of records that made no row, and does not take their cells for values', async () => {
  const file = sample('a.csv', 'a,b\n1,x\n2,y,surplus\n3,z\nnot a number\n');
  const { code, stdout, stderr } = await site.run('init', file);
  expect(code).toBe(0);
  expect(stderr).toContain('2 records did not make a row, the first in line 3');
  expect(stdout).toContain('# 2 records of the sample, the first in line 3,');
  expect(stdout).toContain('    a: INTEGER # 1 to 3\n');
});
