import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import iconv from 'iconv-lite';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConvertResult, convertFile } from '../../src/pipeline/convert-file.js';
import { makeDurable } from '../../src/pipeline/convert-worker.js';
import type { Published } from '../../src/pipeline/publish.js';
import type { Report } from '../../src/pipeline/report.js';
import { stemOf } from '../../src/pipeline/report.js';
import { FaultyDisk } from '../base/faulty-disk.js';
import { realStudentCsv } from '../helpers/real-data.js';
import { metadataOf, readWithHyparquet } from '../write/tables.js';
import { filesUnder, readyFile, Workshop } from './workshop.js';

const PEOPLE = `
people:
  files: "*"
  columns: { name: VARCHAR(10), age: INTEGER, note: { type: TEXT, nullable: true } }
`;

const open = new Set<Workshop>();
afterEach(() => {
  for (const workshop of open) workshop.close();
  open.clear();
});

async function workshopOf(config: string | Record<string, string>): Promise<Workshop> {
  const workshop = await Workshop.open({ config });
  open.add(workshop);
  return workshop;
}

function reportOf(result: ConvertResult): Report {
  if ('report' in result && result.report) return result.report;
  throw new Error(
    `no report: ${JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
  );
}

/** Columns of the Parquet file of a converted one. */
async function tableOf(published: Published): Promise<Record<string, unknown[]>> {
  if (published.kind !== 'converted') throw new Error(`not converted: ${published.result.status}`);
  return readWithHyparquet(new Uint8Array(fs.readFileSync(published.parquet)));
}

describe('an entry that is no readable file', () => {
  it('fails as not_regular_file: a link, a pipe, a folder', async () => {
    const workshop = await workshopOf(PEOPLE);
    const { input } = workshop.settings.folders;
    const target = workshop.drop('target.csv', 'name,age,note\nann,3,x\n');
    fs.symlinkSync(target.path, path.join(input, 'link.csv'));
    fs.symlinkSync('nowhere', path.join(input, 'dangling.csv'));
    fs.mkdirSync(path.join(input, 'folder.csv'));
    execFileSync('mkfifo', [path.join(input, 'pipe.csv')]);
    const messages: Record<string, string> = {};
    for (const name of ['link.csv', 'dangling.csv', 'folder.csv', 'pipe.csv']) {
      const { code, message } = reportOf(await workshop.convert({ name, path: path.join(input, name) }));
      expect(code).toBe('not_regular_file');
      messages[name] = message;
    }
    expect(messages).toEqual({
      'link.csv': 'the entry is a symbolic link',
      'dangling.csv': 'the entry is a symbolic link',
      'folder.csv': 'the entry is not a regular file',
      'pipe.csv': 'the entry is not a regular file',
    });
  });

  // A regular file that can be opened and whose first byte cannot be read, also by root.
  it.skipIf(!fs.existsSync('/proc/self/mem'))('fails as unreadable when reading fails', async () => {
    const workshop = await workshopOf(PEOPLE);
    const report = reportOf(await workshop.check({ name: 'mem.csv', path: '/proc/self/mem' }));
    expect(report).toMatchObject({ verdict: 'failed', code: 'unreadable', violations: [] });
    expect(report.message).toMatch(/^reading failed at byte 0: EIO/);
  });

  it.skipIf(process.getuid?.() === 0)('fails as unreadable when it must not be opened', async () => {
    const workshop = await workshopOf(PEOPLE);
    const file = workshop.drop('secret.csv', 'name,age,note\n');
    fs.chmodSync(file.path, 0);
    expect(reportOf(await workshop.convert(file))).toMatchObject({ code: 'unreadable' });
  });
});

describe('a file that is no longer what it was', () => {
  it('is gone', async () => {
    const workshop = await workshopOf(PEOPLE);
    expect(await workshop.convert({ name: 'a.csv', path: path.join(workshop.root, 'a.csv') })).toEqual({
      status: 'gone',
      name: 'a.csv',
    });
  });

  it.each([
    ['grown', (file: string) => fs.appendFileSync(file, 'bob,4,y\n')],
    ['replaced', (file: string) => replaceFile(file, 'name,age,note\nbob,4,y\n')],
    ['deleted', (file: string) => fs.rmSync(file)],
  ])('has %s while it was read', async (_, change) => {
    const workshop = await workshopOf(PEOPLE);
    const file = workshop.drop('a.csv', 'name,age,note\nann,3,x\n');
    const context = { ...workshop.context, onProgress: () => change(file.path) };
    expect(await convertFile(file, context)).toEqual({ status: 'changed', name: 'a.csv' });
    expect(filesUnder(workshop.settings.folders.output)).toEqual([]);
  });

  it.each(['name,age,note\nann,3,x\nbob', 'name,ag'])(
    'ends mid-line a moment ago: %j waits',
    async (text) => {
      const workshop = await workshopOf(PEOPLE);
      const file = workshop.drop('a.csv', text);
      fs.utimesSync(file.path, new Date(), new Date());
      expect((await workshop.convert(file)).status).toBe('incomplete');
      expect((await workshop.check(file)).status).toBe('failed');
      const old = new Date(Date.now() - 10_000);
      fs.utimesSync(file.path, old, old);
      expect((await workshop.convert(file)).status).toBe('failed');
      expect(filesUnder(workshop.root).filter((one) => one.endsWith('.tmp'))).toEqual([]);
    },
  );
});

function replaceFile(file: string, content: string): void {
  fs.writeFileSync(`${file}.new`, content);
  fs.renameSync(`${file}.new`, file);
}

describe('violations', () => {
  it('are listed up to 1,000 and counted all', async () => {
    const workshop = await workshopOf(PEOPLE);
    const rows = Array.from({ length: 1500 }, (_, i) => `name${i},x${i},note`);
    const published = await workshop.deliver('many.csv', `name,age,note\n${rows.join('\n')}\n`);
    const report = reportOf(published.result);
    expect(report).toMatchObject({
      verdict: 'failed',
      code: 'wrong_type',
      message: 'line 2, column age: "x0" is not a number (and 1,499 more violations)',
      violations_by_code: { wrong_type: 1500 },
      violations_not_listed: 500,
      counts: { rows_in: 1500, set_aside: 1500 },
    });
    expect(report.violations).toHaveLength(1000);
    expect(report.violations[999]).toMatchObject({ line: 1001, value: 'x999' });
  });

  it('show long values cut', async () => {
    const workshop = await workshopOf(PEOPLE);
    const long = 'ä'.repeat(5000);
    const { violations } = reportOf(
      (await workshop.deliver('a.csv', `name,age,note\n${long},3,x\nb"\n`)).result,
    );
    expect(violations[0].value).toBe('ä'.repeat(1000));
    expect(violations[0].message).toBe(`"${'ä'.repeat(80)}…" has 5000 characters, VARCHAR(10) allows 10`);
    expect(violations[0].value).not.toContain('\ufffd');
  });

  it('of many bad rows in an encoding of its own take no longer than the rows', async () => {
    const workshop = await workshopOf(PEOPLE);
    const rows = Array.from({ length: 60_000 }, (_, i) => `nämé${i % 1000},x,nöte`);
    const content = iconv.encode(`name,age,note\n${rows.join('\r\n')}\r\n`, 'utf-16le', { addBOM: true });
    const report = reportOf((await workshop.deliver('wide.csv', content)).result);
    expect(report.violations_by_code).toEqual({ wrong_type: 60_000 });
    const last = report.violations[999];
    expect(iconv.decode(content.subarray(last.byte_offset, last.byte_offset + 14), 'utf-16le')).toBe(
      'nämé999',
    );
  });

  it.each([
    ['0%', 0],
    ['7%', 7],
    ['29%', 29],
    ['57.5%', 57],
    ['100%', 100],
  ])('may be set aside up to %s: %d of 100 rows', async (share, most) => {
    const workshop = await workshopOf(
      `people: { files: "*", duplicates: keep, invalid: set_aside, max_set_aside: ${share}, columns: { age: INTEGER, k: TEXT } }`,
    );
    const withBad = (bad: number) => {
      const rows = Array.from({ length: 100 }, (_, i) => (i < bad ? 'x,k' : `${i},k`));
      return `age,k\n${rows.join('\n')}\n`;
    };
    expect((await workshop.check(workshop.drop('most.csv', withBad(most)))).status).toBe('converted');
    if (most === 100) return;
    const report = reportOf(await workshop.check(workshop.drop('more.csv', withBad(most + 1))));
    expect(report).toMatchObject({ verdict: 'failed', code: 'too_many_set_aside' });
    expect(report.message).toContain(`max_set_aside allows ${share} of 100; first: line 2, column age`);
  });
});

describe('large files', () => {
  const config = {
    'schema.yaml': `
people:
  files: "*"
  duplicates: drop
  invalid: set_aside
  columns:
    id: BIGINT
    name: TEXT
    grade: { type: SMALLINT, nullable: true }
`,
    'dropgate.yaml': 'parquet: { row_group_rows: 7000 }\nlimits: { max_row_bytes: 2000 }\n',
  };

  /** Rows whose first column never repeats, whose second hardly does, and whose third often does. */
  function rowsOf(count: number): string[] {
    return Array.from(
      { length: count },
      (_, i) => `${i * 1_000_003},Name ${i % 40_000},${i % 5 === 0 ? '' : i % 7}`,
    );
  }

  it('lose no row and no value when columns leave dictionary mode and row groups are many', async () => {
    const workshop = await workshopOf(config);
    const rows = rowsOf(60_000);
    rows[100] = 'bad,Name,1';
    rows[45_000] = 'bad,Name,1';
    rows[59_000] = rows[50_000];
    rows[59_500] = rows[20];
    const published = await workshop.deliver('large.csv', `id,name,grade\n${rows.join('\n')}\n`);
    const table = await tableOf(published);
    const expected = rows
      .filter((_, i) => ![100, 45_000, 59_000, 59_500].includes(i))
      .map((row) => row.split(','));
    expect(table.id).toEqual(expected.map(([id]) => BigInt(id)));
    expect(table.name).toEqual(expected.map(([, name]) => name.toLowerCase()));
    expect(table.grade).toEqual(expected.map(([, , grade]) => (grade === '' ? null : Number(grade))));
    expect(reportOf(published.result)).toMatchObject({
      counts: { rows_in: 60_000, rows_out: 59_996, dropped_duplicate: 2, set_aside: 2 },
      violations: [{ line: 102 }, { line: 45_002 }, { line: 59_002 }, { line: 59_502 }],
    });
    const groups = metadataOf(
      new Uint8Array(fs.readFileSync((published as { parquet: string }).parquet)),
    ).row_groups;
    for (const { num_rows } of groups) expect(Number(num_rows)).toBeLessThanOrEqual(7000);
    expect(groups.length).toBeGreaterThan(8);
  });

  it('keep few values in dictionaries when they have many columns, and lose none', async () => {
    const workshop = await workshopOf('d:\n  files: "*"\n  columns: any\n  duplicates: keep\n');
    const columns = Array.from({ length: 300 }, (_, column) => column);
    /** Few columns repeat themselves. */
    const cell = (row: number, column: number) => (column < 20 ? `w${row % 20}` : `v${row * 3 + column}`);
    const rows = Array.from({ length: 2000 }, (_, row) =>
      columns.map((column) => cell(row, column)).join(','),
    );
    const header = columns.map((column) => `c${column}`).join(',');
    const published = await workshop.deliver('wide.csv', `${header}\n${rows.join('\n')}\n`);
    const [plan] = workshop.context.plans.values();
    const kept = plan.scanner.columns.map(({ dictionary }) => dictionary?.count);
    expect(kept).toEqual(columns.map((column) => (column < 20 ? 20 : undefined)));
    const table = await tableOf(published);
    for (const column of [0, 19, 20, 21, 299]) {
      expect(table[`c${column}`]).toEqual(rows.map((_, row) => cell(row, column)));
    }
  });

  it('are read plainly from the third on where each brings values of its own, and now and then tried again', async () => {
    const workshop = await workshopOf('d: { files: "*", columns: { id: BIGINT, name: TEXT, day: DATE } }\n');
    const isPlain = { id: 0, name: 0, day: 0 };
    for (let file = 0; file < 70; file++) {
      const rows = Array.from({ length: 80 }, (_, row) => ({ id: file * 80 + row, name: `N${row % 9}` }));
      const lines = rows.map(({ id, name }) => `${id},${name},2026-11-${10 + (id % 15)}`);
      const text = ['id,name,day', ...lines, lines[3], `NA,x,2026-11-22`].join('\n');
      const published = await workshop.deliver(`${file}.csv`, text);
      const table = await tableOf(published);
      expect(table.id).toEqual(rows.map(({ id }) => BigInt(id)));
      expect(table.name).toEqual(rows.map(({ name }) => name.toLowerCase()));
      expect(reportOf(published.result).counts).toMatchObject({ dropped_duplicate: 1, dropped_missing: 1 });
      const [plan] = workshop.context.plans.values();
      const [id, name, day] = plan.scanner.columns.map(({ dictionary }) => dictionary === undefined);
      if (file === 1) expect(id).toBe(false);
      if (file === 2) expect(id).toBe(true);
      for (const [key, is] of Object.entries({ id, name, day })) isPlain[key as 'id'] += is ? 1 : 0;
    }
    expect(isPlain).toEqual({ id: 66, name: 0, day: 0 });
  });

  it('leave nothing of one file in the next', async () => {
    const workshop = await workshopOf(config);
    const [first, second] = [rowsOf(20_000), ['5,Anna,1', '6,Bert,', '5,anna,01']];
    await workshop.deliver('one.csv', `id,name,grade\n${first.join('\n')}\n`);
    for (const name of ['two.csv', 'three.csv']) {
      const table = await tableOf(await workshop.deliver(name, `id,name,grade\n${second.join('\n')}\n`));
      expect(table).toEqual({ id: [5n, 6n], name: ['anna', 'bert'], grade: [1, null] });
    }
    expect((await workshop.deliver('four.csv', 'grade,id,name\nx,1,a\n1,2,b\n')).result).toMatchObject({
      report: { code: 'too_many_set_aside', violations: [{ line: 2, column: 'grade', value: 'x' }] },
    });
    expect(await tableOf(await workshop.deliver('five.csv', 'grade,id,name\n1,2,b\n'))).toEqual({
      id: [2n],
      name: ['b'],
      grade: [1],
    });
  });

  it('have a row that is too long', async () => {
    const workshop = await workshopOf(config);
    const text = `id,name,grade\n1,a,1\n2,${'x'.repeat(3_000_000)},1\n`;
    expect(reportOf((await workshop.deliver('long.csv', text)).result)).toMatchObject({
      code: 'row_too_long',
      message: 'line 3: the record is longer than 2000 bytes (limits.max_row_bytes)',
    });
  });

  it('turn out not to be UTF-8 behind the first block, and are read again', async () => {
    const workshop = await workshopOf(config);
    const text = `id,name,grade\n${rowsOf(60_000).join('\n')}\n7,Zoé – 5 €,1\n`;
    const table = await tableOf(await workshop.deliver('late.csv', iconv.encode(text, 'windows-1252')));
    expect(table.id).toHaveLength(60_001);
    expect(table.name[60_000]).toBe('zoé – 5 €');
  });
});

describe('files of many kinds', () => {
  it('are converted by one thread, in any order', async () => {
    const kinds = Array.from(
      { length: 20 },
      (_, i) => `k${i}: { files: "k${i}-*", columns: { v${i}: INTEGER, w: TEXT } }`,
    );
    const workshop = await workshopOf(kinds.join('\n'));
    for (let round = 0; round < 3; round++) {
      for (let kind = 0; kind < 20; kind++) {
        const table = await tableOf(
          await workshop.deliver(`k${kind}-${round}.csv`, `w,v${kind}\na,${round}\nb,${kind}\n`),
        );
        expect(table).toEqual({ [`v${kind}`]: [round, kind], w: ['a', 'b'] });
      }
    }
    expect(workshop.context.plans.size).toBeLessThanOrEqual(16);
  });
});

describe('dropgate check', () => {
  it('touches nothing, however many rows it leaves out', async () => {
    const workshop = await workshopOf(
      'people: { files: "*", invalid: set_aside, max_set_aside: 100%, columns: { name: TEXT, age: INTEGER } }',
    );
    const rows = Array.from({ length: 30_000 }, (_, i) => `somebody of a long name indeed ${i},x`);
    const file = workshop.drop('a.csv', `name,age\nann,3\n${rows.join('\n')}\n`);
    const before = filesUnder(workshop.root);
    const report = reportOf(await workshop.check(file));
    expect(report.counts).toMatchObject({ rows_in: 30_001, rows_out: 1, set_aside: 30_000 });
    expect(filesUnder(workshop.root)).toEqual(before);
  });
});

describe('a disk that fails', () => {
  const config =
    'people: { files: "*", invalid: set_aside, max_set_aside: 100%, columns: { name: TEXT, age: INTEGER } }';
  const content = `name,age\n${Array.from({ length: 50 }, (_, i) => `p${i},${i % 2 ? i : 'x'}`).join('\n')}\n`;

  it('makes the file wait and leaves no temporary file, whichever operation fails', async () => {
    const workshop = await workshopOf(config);
    const file = workshop.drop('a.csv', content);
    const descriptors = () => (fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : 0);
    const before = descriptors();
    let failAt = 1;
    for (; ; failAt++) {
      const disk = new FaultyDisk({ failAt });
      const result = await workshop.convert(file).finally(() => disk.restore());
      if (!disk.hasFailed) break;
      expect(result).toMatchObject({ status: 'fault', name: 'a.csv', errno: 'ENOSPC' });
      expect(filesUnder(workshop.root).filter((one) => one.endsWith('.tmp'))).toEqual([]);
    }
    // Two temporary files, each opened, written and closed.
    expect(failAt).toBe(7);
    expect(descriptors()).toBe(before);
  });

  it('makes the file wait when it refuses to flush', async () => {
    const workshop = await workshopOf(config);
    const files = [workshop.drop('a.csv', content), workshop.drop('b.csv', content)];
    const results = [await workshop.convert(files[0]), await workshop.convert(files[1])];
    const disk = new FaultyDisk({ failAt: 1, errno: 'EIO' });
    const durable = await Promise.all(results.map(makeDurable)).finally(() => disk.restore());
    expect(durable.map(({ status }) => status).sort()).toEqual(['converted', 'fault']);
    const kept = durable.find((one) => one.status === 'converted')!;
    const temps = filesUnder(workshop.root).filter((one) => one.endsWith('.tmp'));
    expect(temps.map((one) => path.join(workshop.root, one)).sort()).toEqual(
      [kept.parquetTemp, kept.rejectsTemp].sort(),
    );
  });

  it('may lose its folders: they come into being again', async () => {
    const workshop = await workshopOf(config);
    const { output, failed } = workshop.settings.folders;
    for (const folder of [output, failed]) fs.rmSync(folder, { recursive: true });
    const published = await workshop.deliver('a.csv', content);
    expect(published.kind).toBe('converted');
    expect(filesUnder(output)).toEqual(['a.parquet']);
  });
});

describe('names', () => {
  it.each([
    ['scores.csv', 'scores'],
    ['scores.csv.gz', 'scores'],
    ['scores.2026.TSV.GZ', 'scores.2026'],
    ['a b\n"c".txt', 'a b\n"c"'],
    ['.csv.csv', '.csv'],
  ])('%j gives its Parquet file the stem %j', (name, stem) => {
    expect(stemOf(name)).toBe(stem);
  });
});

describe.skipIf(!realStudentCsv)('the real student file', () => {
  it('becomes a table of 395 rows, small enough, equal to the source', async () => {
    const shipped = fs.readFileSync(new URL('../../config/schema.yaml', import.meta.url), 'utf8');
    const workshop = await workshopOf(shipped);
    const file = workshop.drop('student-mat.csv', fs.readFileSync(realStudentCsv!));
    const [published] = await workshop.take([readyFile(file.path)]);
    const table = await tableOf(published);
    const [header, ...rows] = fs.readFileSync(realStudentCsv!, 'utf8').trim().split(/\r?\n/);
    const cells = rows.map((row) => row.split(';').map((cell) => cell.replaceAll('"', '').toLowerCase()));
    header.split(';').forEach((name, i) => {
      expect(table[name.replaceAll('"', '').toLowerCase()].map(String)).toEqual(cells.map((row) => row[i]));
    });
    expect(rows).toHaveLength(395);
    expect(fs.statSync((published as { parquet: string }).parquet).size).toBeLessThanOrEqual(9500);
  });
});

describe('rescued cells', () => {
  it('are all kept where hardly any repeat, over several dictionaries', async () => {
    const workshop = await workshopOf({
      'schema.yaml':
        'd:\n  files: "*"\n  columns: { id: INTEGER }\n  ragged: rescue\n  extra_columns: rescue\n',
      'dropgate.yaml': 'parquet: { row_group_rows: 1000000 }\n',
    });
    const count = 320_000;
    const lines = Array.from({ length: count }, (_, i) => `${i},note ${i},${i * 3}\n`);
    workshop.drop('wide.csv', `id,note\n${lines.join('')}`);
    const [published] = await workshop.takeAll();
    const { id, _rescued } = await tableOf(published);
    expect(id).toHaveLength(count);
    const wrong = id.findIndex(
      (value, i) => value !== i || _rescued[i] !== `{"note":"note ${i}","":["${i * 3}"]}`,
    );
    expect([id[wrong], _rescued[wrong]]).toEqual([undefined, undefined]);
  });
});

describe('a second table below the first', () => {
  const first = 'id,name,price\n1,a,1.50\n2,b,2.50\n3,c,3.50\n4,d,4.50\n';
  it.each([
    ['right below', 'shop,town\nNorth,Leeds\nSouth,Bath\n', /^Lines 6 to 8 look like a table of their own/],
    ['under a title', '\nShops\nshop,town\nNorth,Leeds\nSouth,Bath\n', /^Lines 8 to 10 look like/],
    ['that is two broken rows', '5,e\n6,f\n', /^Mend the row/],
    ['that is broken rows here and there', '5,e\n6,f,6.50\n7,g\n8,h\n', /^Mend the row/],
  ])('%s is pointed at or not', async (_, second, hint) => {
    const workshop = await workshopOf('d:\n  files: "*"\n  columns: any\n');
    const report = reportOf(await workshop.convert(workshop.drop('two.csv', first + second)));
    expect(report.code).toBe('ragged_row');
    expect(report.hint).toMatch(hint);
  });
});

describe('what looks like the header of a further table among rows that are all taken', () => {
  const people = 'name,age,height,town\nAnn,31,1.70,Rome\nBob,42,1.80,Bonn\nCid,53,1.90,Oslo\n';
  const words = 'name,job,town\nAnn,cook,Rome\nBob,judge,Bonn\nCid,judge,Oslo\n';
  const many = `name,age,height,town\n${'Ann,31,1.70,Rome\n'.repeat(300)}`;
  it.each([
    ['right below', `${people}item,label,price,size\nsoap,xx,1.20,small\nham,yy,3.40,big\n`, [5]],
    ['below a blank line', `${people}\nitem,label,shop,price\nsoap,xx,Aldi,2\nham,yy,Lidl,3\n`, [6]],
    ['below a title', `${words}\nShops\nshop,owner,street\nAldi,Karl,Main\n`, [7]],
    ['below an empty row', `${words},,\nPrices,,\nitem,price,\nsoap,3,\nham,4,\n`, [7]],
    ['of another width', `${people}item,price\nsoap,1.20\nham,3.40\n`, [5]],
    ['of its own columns in other letters', `${people}Name,Age,Height,Town\nDan,31,1.70,Rome\n`, [5]],
    ['behind many rows', `${many}item,label,price,size\nsoap,xx,1.20,small\n`, [302]],
    [
      'twice',
      `${people}item,label,price,size\nsoap,xx,1.20,small\nham,yy,3.40,big\n\nday,event,hour,room\nMon,talk,9,B\nTue,tour,10,C\n`,
      [5, 9],
    ],
    ['but is a row: with a number', `${people}\nDan,unknown,1.70,Rome\nEve,31,1.50,Bonn\n`, []],
    ['but is a row: texts of which one recurs', `${people}Dan,unknown,untold,Rome\nEve,31,1.50,Bonn\n`, []],
    ['but is a row: a single odd value', 'a,b\nAnn,1\nBob,unknown\nCid,3\n', []],
    ['but is a row: words below a blank line', `${words}\nDan,clerk,Paris\nEve,nurse,Wien\n`, []],
    ['but is a row of keys and values', 'key,value\nname,Ann\nage,3\ncity,Rome\n', []],
    ['but is a total', `${people}\nTotal,,,\n`, []],
  ])('%s is told, or not', async (_, content, lines) => {
    const workshop = await workshopOf(
      'd:\n  files: "*"\n  columns: any\n  ragged: rescue\n  duplicates: keep\n',
    );
    const result = await workshop.convert(workshop.drop('two.csv', content));
    if (result.status !== 'converted') throw new Error(result.status);
    const told = result.notes.listed.filter(({ kind }) => kind === 'another_header');
    expect(told.map(({ line }) => line)).toEqual(lines);
    const records = content.split('\n').filter((line) => line !== '').length - 1;
    expect(result.counts.rows_out).toBe(records);
  });

  it('is told of texts, and not where a declared type refuses it', async () => {
    const content = `${people}item,label,price,size\nsoap,xx,1.20,small\n`;
    const kinds = async (type: string) => {
      const columns = `{ name: TEXT, age: ${type}, height: TEXT, town: TEXT }`;
      const workshop = await workshopOf(
        `d:\n  files: "*"\n  columns: ${columns}\n  invalid: set_aside\n  max_set_aside: 100%\n`,
      );
      const result = await workshop.convert(workshop.drop('two.csv', content));
      if (result.status !== 'converted') throw new Error(result.status);
      return { kinds: result.notes.listed.map(({ kind }) => kind), setAside: result.counts.set_aside };
    };
    expect(await kinds('TEXT')).toEqual({ kinds: ['another_header'], setAside: 0 });
    expect(await kinds('INTEGER')).toEqual({ kinds: [], setAside: 2 });
  });
});
