import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileOps } from '../../src/base/files.js';
import type { Published } from '../../src/pipeline/publish.js';
import { readWithHyparquet } from '../write/tables.js';
import { type ConfigFiles, filesUnder, readyFile, Workshop } from './workshop.js';

const SCHEMA = `
people:
  files: "*"
  invalid: set_aside
  max_set_aside: 50%
  columns: { name: TEXT, age: INTEGER }
`;
const GOOD = 'name,age\nann,3\n';
const BAD = 'name,age\nann,x\n';

const realOps = { ...fileOps };
const open: Workshop[] = [];
afterEach(() => {
  Object.assign(fileOps, realOps);
  for (const workshop of open.splice(0)) workshop.close();
});

async function workshopOf(config: ConfigFiles = {}, isLoading = false): Promise<Workshop> {
  const workshop = await Workshop.open({ config: { 'schema.yaml': SCHEMA, ...config }, isLoading });
  open.push(workshop);
  return workshop;
}

function csv(...names: string[]): string {
  return `name,age\n${names.map((name, i) => `${name},${i}\n`).join('')}`;
}

/** Names of people in a Parquet file. */
async function peopleIn(parquet: string): Promise<unknown[]> {
  return (await readWithHyparquet(new Uint8Array(fs.readFileSync(parquet)))).name;
}

/** Files under the input folder, those of a day without the day. */
function inputFiles(workshop: Workshop): string[] {
  return filesUnder(workshop.settings.folders.input).map((file) => file.replace(/\d{4}-\d{2}-\d{2}/, 'DAY'));
}

describe('names', () => {
  it('of Parquet files are never taken from what is there', async () => {
    const workshop = await workshopOf();
    const { output } = workshop.settings.folders;
    fs.writeFileSync(path.join(output, 'scores.parquet'), 'of somebody else');
    fs.mkdirSync(path.join(output, 'scores-3.parquet'));
    const parquet: string[] = [];
    for (const person of ['ann', 'bob', 'cem']) {
      const published = await workshop.deliver('scores.csv', csv(person));
      if (published.kind === 'converted') parquet.push(published.parquet);
    }
    expect(parquet.map((file) => path.basename(file))).toEqual([
      'scores-2.parquet',
      'scores-4.parquet',
      'scores-5.parquet',
    ]);
    expect(fs.readFileSync(path.join(output, 'scores.parquet'), 'utf8')).toBe('of somebody else');
    expect(await Promise.all(parquet.map(peopleIn))).toEqual([['ann'], ['bob'], ['cem']]);
  });

  it('of originals get a suffix, each file keeps its own', async () => {
    const workshop = await workshopOf();
    for (const person of ['ann', 'bob', 'cem']) await workshop.deliver('scores.csv', csv(person));
    expect(inputFiles(workshop)).toEqual([
      'archived/DAY/scores-2.csv',
      'archived/DAY/scores-3.csv',
      'archived/DAY/scores.csv',
    ]);
  });

  it('of one stem and several extensions do not collide', async () => {
    const workshop = await workshopOf();
    await workshop.take(['a.csv', 'a.tsv', 'a.txt'].map((name, i) => workshop.drop(name, csv(`p${i}`))));
    expect(filesUnder(workshop.settings.folders.output)).toEqual(['a-2.parquet', 'a-3.parquet', 'a.parquet']);
  });

  const longest = `${'é'.repeat(125)}x.csv`;

  it.each([
    ['as long as a file system allows', longest],
    ['quotes and line breaks', `a "b" 'c'\n\r\td.csv`],
    ['what a shell would take for something else', '-rf $(x) `y` ; | & *.csv'],
    ['two dots and a space at the end of the stem', 'a.. .csv'],
    ['another script', '学生 🎓 ÄÖÜ.CSV'],
    ['the words of others', 'scores.parquet.rejected.report.json.csv'],
  ])('may have %s', async (_, name) => {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    const workshop = await workshopOf();
    const good = await workshop.deliver(name, `${GOOD}bob,x\n`);
    if (good.kind !== 'converted') throw new Error(`${good.kind}: ${good.result.report?.message}`);
    expect(await peopleIn(good.parquet)).toEqual(['ann']);
    expect(fs.readFileSync(good.original!, 'utf8')).toBe(`${GOOD}bob,x\n`);
    expect(fs.readFileSync(good.rejects!, 'utf8')).toBe('name,age\nbob,x\n');
    expect(fs.existsSync(`${good.rejects}.report.json`)).toBe(true);
    const bad = await workshop.deliver(name, BAD);
    if (bad.kind !== 'failed') throw new Error(bad.kind);
    expect(fs.readFileSync(bad.failed!, 'utf8')).toBe(BAD);
    expect(JSON.parse(fs.readFileSync(`${bad.failed}.report.json`, 'utf8'))).toMatchObject({ file: name });
    const again = await workshop.deliver(name, csv('cem'));
    expect(again.kind).toBe('converted');
  });

  it('that are cut to the same beginning stay apart', async () => {
    const workshop = await workshopOf();
    const names = ['a', 'b', 'c'].map((end) => `${'x'.repeat(250)}${end}.csv`);
    for (const [i, name] of names.entries()) await workshop.deliver(name, csv(`p${i}`));
    const { output } = workshop.settings.folders;
    const people = await Promise.all(filesUnder(output).map((file) => peopleIn(path.join(output, file))));
    expect(people.flat().sort()).toEqual(['p0', 'p1', 'p2']);
    expect(inputFiles(workshop)).toHaveLength(3);
  });
});

describe('originals', () => {
  it('are deleted where that is configured, failed ones are not', async () => {
    const workshop = await workshopOf({ 'dropgate.yaml': 'originals: delete\n' });
    const published = await workshop.take([workshop.drop('good.csv', GOOD), workshop.drop('bad.csv', BAD)]);
    expect(published.map((one) => (one.kind === 'converted' ? one.original : 'failed'))).toEqual([
      undefined,
      'failed',
    ]);
    expect(inputFiles(workshop)).toEqual(['output_failed/bad.csv', 'output_failed/bad.csv.report.json']);
    expect(workshop.ledger.latest(2).map(({ original }) => original)).toEqual(
      expect.arrayContaining([null, 'output_failed/bad.csv']),
    );
  });

  it('that vanish while they are judged leave their Parquet file', async () => {
    const workshop = await workshopOf();
    const file = workshop.drop('a.csv', GOOD);
    const result = await workshop.convert(file);
    fs.rmSync(file.path);
    const [published] = await workshop.publisher.publish([{ file, result }]);
    workshop.publisher.confirm([published]);
    expect(published.kind).toBe('converted');
    expect(published.kind === 'failed' || published.original).toBeFalsy();
    expect(filesUnder(workshop.settings.folders.output)).toEqual(['a.parquet']);
    expect(workshop.ledger.latest(1)[0]).toMatchObject({ state: 'converted', original: null });
  });

  it.each([
    ['archive', GOOD],
    ['failed folder', BAD],
  ])('that are replaced in the moment of the move to the %s are given back', async (_, content) => {
    const workshop = await workshopOf();
    const file = workshop.drop('a.csv', content);
    beforeMoveOf(file.path, () => replace(file.path, csv('newer')));
    const [published] = await workshop.take([file]);
    expect(published.kind === 'failed' ? published.failed : published.original).toBeFalsy();
    expect(fs.readFileSync(file.path, 'utf8')).toBe(csv('newer'));
    Object.assign(fileOps, realOps);
    const [newer] = await workshop.takeAll();
    if (newer.kind !== 'converted') throw new Error(newer.kind);
    expect(await peopleIn(newer.parquet)).toEqual(['newer']);
    expect(inputFiles(workshop).filter((one) => one.endsWith('.csv'))).toEqual(['archived/DAY/a.csv']);
  });

  it('are given back beside a still newer one', async () => {
    const workshop = await workshopOf();
    const file = workshop.drop('a.csv', GOOD);
    beforeMoveOf(
      file.path,
      () => replace(file.path, csv('newer')),
      () => fs.writeFileSync(file.path, csv('newest')),
    );
    await workshop.take([file]);
    expect(inputFiles(workshop)).toEqual(['a-2.csv', 'a.csv']);
    expect(fs.readFileSync(file.path, 'utf8')).toBe(csv('newest'));
  });
});

/** Lets something happen right before, and after, an original is moved away. */
function beforeMoveOf(source: string, before: () => void, after: () => void = () => undefined): void {
  let isDone = false;
  fileOps.rename = (async (from: string, to: string) => {
    const isMove = from === source && !isDone;
    if (isMove) before();
    // Fails once where the folder of the day is yet to be made.
    await realOps.rename(from, to);
    isDone ||= isMove;
    if (isMove) after();
  }) as typeof fileOps.rename;
}

function replace(file: string, content: string): void {
  fs.writeFileSync(`${file}.new`, content);
  fs.renameSync(`${file}.new`, file);
}

describe('failed files', () => {
  it('dropped again as they are replace themselves', async () => {
    const workshop = await workshopOf();
    for (let i = 0; i < 3; i++) await workshop.deliver('a.csv', BAD);
    expect(inputFiles(workshop)).toEqual(['output_failed/a.csv', 'output_failed/a.csv.report.json']);
  });

  it('of other content get a suffix', async () => {
    const workshop = await workshopOf();
    await workshop.deliver('a.csv', BAD);
    await workshop.deliver('a.csv', 'name,age\nbob,y\n');
    expect(inputFiles(workshop)).toEqual([
      'output_failed/a-2.csv',
      'output_failed/a-2.csv.report.json',
      'output_failed/a.csv',
      'output_failed/a.csv.report.json',
    ]);
  });

  it('that somebody mended in place are not written over', async () => {
    const workshop = await workshopOf();
    const first = await workshop.deliver('a.csv', BAD);
    if (first.kind !== 'failed') throw new Error(first.kind);
    fs.writeFileSync(first.failed!, csv('mended'));
    await workshop.deliver('a.csv', BAD);
    expect(fs.readFileSync(first.failed!, 'utf8')).toBe(csv('mended'));
  });

  it('that are no files are put away as they are', async () => {
    const workshop = await workshopOf();
    const link = path.join(workshop.settings.folders.input, 'link.csv');
    fs.symlinkSync('/etc/hostname', link);
    const [published] = await workshop.take([readyFile(link)]);
    if (published.kind !== 'failed') throw new Error(published.kind);
    expect(published.result.report.code).toBe('not_regular_file');
    expect(fs.readlinkSync(published.failed!)).toBe('/etc/hostname');
  });
});

describe('rejected rows', () => {
  it('of two deliveries are both kept, also when they are the same', async () => {
    const workshop = await workshopOf();
    for (const person of ['ann', 'bob']) await workshop.deliver('a.csv', `${csv(person)}cem,x\n`);
    const { failed } = workshop.settings.folders;
    expect(filesUnder(failed)).toEqual([
      'a-2.rejected.csv',
      'a-2.rejected.csv.report.json',
      'a.rejected.csv',
      'a.rejected.csv.report.json',
    ]);
    const hashes = ['a', 'a-2'].map(
      (stem) =>
        JSON.parse(fs.readFileSync(path.join(failed, `${stem}.rejected.csv.report.json`), 'utf8')).sha256,
    );
    expect(new Set(hashes).size).toBe(2);
  });
});

describe('the same content again', () => {
  const delivered = (one: Published) => `${one.file.name}: ${one.kind}`;

  it('under the same name is a duplicate; under another it is not, by name and content', async () => {
    const workshop = await workshopOf();
    const all = [
      await workshop.deliver('a.csv', GOOD),
      await workshop.deliver('a.csv', GOOD),
      await workshop.deliver('b.csv', GOOD),
      await workshop.deliver('a.csv', csv('bob')),
    ];
    expect(all.map(delivered)).toEqual([
      'a.csv: converted',
      'a.csv: duplicate',
      'b.csv: converted',
      'a.csv: converted',
    ]);
    expect(filesUnder(workshop.settings.folders.output)).toEqual(['a-2.parquet', 'a.parquet', 'b.parquet']);
    expect(inputFiles(workshop)).toHaveLength(4);
    expect(all[1]).toMatchObject({ earlier: { name: 'a.csv', parquet: 'a.parquet' } });
  });

  it('is a duplicate under any name, by content; also within one task', async () => {
    const workshop = await workshopOf({ 'dropgate.yaml': 'identity: content\n' });
    const first = await workshop.take(['a.csv', 'b.csv'].map((name) => workshop.drop(name, GOOD)));
    const second = await workshop.deliver('c.csv', GOOD);
    expect([...first, second].map(delivered)).toEqual([
      'a.csv: converted',
      'b.csv: duplicate',
      'c.csv: duplicate',
    ]);
    expect(filesUnder(workshop.settings.folders.output)).toEqual(['a.parquet']);
    expect(inputFiles(workshop)).toHaveLength(3);
    expect(filesUnder(workshop.root).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('is recognised after a restart', async () => {
    const workshop = await workshopOf();
    await workshop.deliver('a.csv', GOOD);
    await workshop.restart();
    expect((await workshop.deliver('a.csv', GOOD)).kind).toBe('duplicate');
  });

  it('is tried again when it failed', async () => {
    const workshop = await workshopOf();
    await workshop.deliver('a.csv', BAD);
    expect((await workshop.deliver('a.csv', BAD)).kind).toBe('failed');
  });

  it('is converted again when its Parquet file vanished before it was loaded', async () => {
    const workshop = await workshopOf({}, true);
    const first = await workshop.deliver('a.csv', GOOD);
    if (first.kind !== 'converted') throw new Error(first.kind);
    expect((await workshop.deliver('a.csv', GOOD)).kind).toBe('duplicate');
    fs.rmSync(first.parquet);
    expect((await workshop.deliver('a.csv', GOOD)).kind).toBe('converted');
    const [record] = workshop.ledger.latest(1);
    workshop.ledger.markLoaded([record.id], new Date().toISOString());
    fs.rmSync(first.parquet);
    expect((await workshop.deliver('a.csv', GOOD)).kind).toBe('duplicate');
  });
});

describe('folders on several disks', () => {
  beforeEach(() => {
    const split = (real: typeof fileOps.rename) =>
      (async (from: string, to: string) => {
        if (path.dirname(from) !== path.dirname(to))
          throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV' });
        return real(from, to);
      }) as typeof fileOps.rename;
    fileOps.rename = split(realOps.rename);
    fileOps.link = split(realOps.link as typeof fileOps.rename) as typeof fileOps.link;
  });

  it('are crossed by copies: nothing is lost, overwritten or left behind', async () => {
    // Copies for the archive are made in its root, which lies on the same disk as its days.
    const { rename } = fileOps;
    fileOps.rename = (async (from: string, to: string) =>
      path.basename(from).endsWith('.tmp')
        ? realOps.rename(from, to)
        : rename(from, to)) as typeof fileOps.rename;
    const workshop = await workshopOf();
    const kinds: string[] = [];
    for (const content of [GOOD, csv('bob'), GOOD, BAD, BAD])
      kinds.push((await workshop.deliver('a.csv', content)).kind);
    expect(kinds).toEqual(['converted', 'converted', 'duplicate', 'failed', 'failed']);
    expect(inputFiles(workshop)).toEqual([
      'archived/DAY/a-2.csv',
      'archived/DAY/a-3.csv',
      'archived/DAY/a.csv',
      'output_failed/a.csv',
      'output_failed/a.csv.report.json',
    ]);
    const file = workshop.drop('b.csv', GOOD);
    const { copyFile } = realOps;
    fileOps.copyFile = (async (from: string, to: string, mode?: number) => {
      fileOps.copyFile = copyFile;
      replace(from, csv('newer'));
      return copyFile(from, to, mode);
    }) as typeof fileOps.copyFile;
    await workshop.take([file]);
    expect(fs.readFileSync(file.path, 'utf8')).toBe(csv('newer'));
    expect((await workshop.takeAll())[0].kind).toBe('converted');
    expect(filesUnder(workshop.root).filter((one) => one.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a file that cannot be put away', () => {
  it('holds up none of the others, and is finished when it can', async () => {
    const workshop = await workshopOf();
    const files = ['a.csv', 'b.csv', 'c.csv'].map((name, i) => workshop.drop(name, csv(`p${i}`)));
    fileOps.rename = (async (from: string, to: string) => {
      if (from === files[1].path) throw Object.assign(new Error('EPERM: not permitted'), { code: 'EPERM' });
      return realOps.rename(from, to);
    }) as typeof fileOps.rename;
    const judged = [];
    for (const file of files) judged.push({ file, result: await workshop.convert(file) });
    const postponed: string[] = [];
    const published = await workshop.publisher.publish(judged, ({ file }) => postponed.push(file.name));
    workshop.publisher.confirm(published);
    expect(published.map(({ file }) => file.name)).toEqual(['a.csv', 'c.csv']);
    expect(postponed).toEqual(['b.csv']);
    fileOps.rename = realOps.rename;
    expect((await workshop.takeAll()).map(({ kind }) => kind)).toEqual(['converted']);
    expect(filesUnder(workshop.settings.folders.output)).toEqual(['a.parquet', 'b.parquet', 'c.parquet']);
    expect(workshop.ledger.summary().byState).toMatchObject({ converted: 3, duplicate: 0, failed: 0 });
    expect(filesUnder(workshop.root).filter((one) => one.endsWith('.tmp'))).toEqual([]);
  });
});
