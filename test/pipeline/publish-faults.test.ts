import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultyDisk } from '../base/faulty-disk.js';
import { readWithHyparquet } from '../write/tables.js';
import { filesUnder, Workshop } from './workshop.js';

/*
 * Four files of every fate in one task, and a disk that fails, or a process that is killed, at the first, second, third
 * … of the file operations that this takes. Afterwards the program is started again (or simply tries again): then
 * everything must be as if nothing had happened.
 */

const SCHEMA = `
people:
  files: "*"
  invalid: set_aside
  max_set_aside: 50%
  columns: { name: TEXT, age: INTEGER }
`;
const FILES = {
  'bad.csv': 'name,age\nann,x\n',
  'known.csv': 'name,age\nknown,1\n',
  'partly.csv': 'name,age\nbob,2\ncem,x\n',
  'whole.csv': 'name,age\ndan,3\neve,4\n',
};

const open: Workshop[] = [];
let disk: FaultyDisk | undefined;
afterEach(() => {
  disk?.restore();
  for (const workshop of open.splice(0)) workshop.close();
});

/** A workshop that has converted known.csv before, with all four files in its input folder. */
async function prepared(config: string): Promise<Workshop> {
  const workshop = await Workshop.open({ config: { 'schema.yaml': SCHEMA, 'dropgate.yaml': config } });
  open.push(workshop);
  await workshop.deliver('known.csv', FILES['known.csv']);
  for (const [name, content] of Object.entries(FILES)) workshop.drop(name, content);
  return workshop;
}

async function expectAllInOrder(workshop: Workshop, keeps: boolean): Promise<void> {
  const { input, output, failed, archive } = workshop.settings.folders;
  // 1. Each original is in one place, and whole.
  expect(hashesIn(archive)).toEqual(
    keeps ? hashesOf('known.csv', 'known.csv', 'partly.csv', 'whole.csv') : [],
  );
  expect(hashesIn(failed, 'bad.csv')).toEqual(hashesOf('bad.csv'));
  expect(fs.readdirSync(input).sort()).toEqual(['archived', 'output_failed']);
  // 2. Each table is there once.
  expect(filesUnder(output)).toEqual(['known.parquet', 'partly.parquet', 'whole.parquet']);
  expect(await peopleIn(output)).toEqual(['bob', 'dan', 'eve', 'known']);
  // 3. Rejected rows and reports, each beside what it speaks of; nothing temporary.
  expect(filesUnder(failed)).toEqual([
    'bad.csv',
    'bad.csv.report.json',
    'partly.rejected.csv',
    'partly.rejected.csv.report.json',
  ]);
  expect(fs.readFileSync(path.join(failed, 'partly.rejected.csv'), 'utf8')).toBe('name,age\ncem,x\n');
  expect(filesUnder(workshop.root).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  // 4. The ledger has every delivery once, and says where its original is.
  const { byState } = workshop.ledger.summary();
  expect(byState).toEqual({ converted: 3, loaded: 0, failed: 1, load_failed: 0, duplicate: 1 });
  for (const { original, state } of workshop.ledger.latest(10)) {
    if (!keeps && state !== 'failed') expect(original).toBeNull();
    else expect(fs.existsSync(path.join(input, original!))).toBe(true);
  }
  // 5. What was converted is known.
  for (const name of ['partly.csv', 'whole.csv'] as const) {
    expect((await workshop.deliver(name, FILES[name])).kind).toBe('duplicate');
  }
}

function hashesOf(...names: (keyof typeof FILES)[]): string[] {
  return names.map((name) => createHash('sha256').update(FILES[name]).digest('hex')).sort();
}

function hashesIn(folder: string, ending = '.csv'): string[] {
  return filesUnder(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) =>
      createHash('sha256')
        .update(fs.readFileSync(path.join(folder, file)))
        .digest('hex'),
    )
    .sort();
}

async function peopleIn(output: string): Promise<unknown[]> {
  const tables = filesUnder(output).map((file) =>
    readWithHyparquet(new Uint8Array(fs.readFileSync(path.join(output, file)))),
  );
  return (await Promise.all(tables)).flatMap(({ name }) => name).sort();
}

it('the new name is durable before the original goes', async () => {
  const workshop = await Workshop.open({ config: SCHEMA });
  open.push(workshop);
  workshop.drop('whole.csv', FILES['whole.csv']);
  disk = new FaultyDisk({ failAt: Number.POSITIVE_INFINITY });
  await workshop.takeAll();
  const { calls } = disk;
  const between = calls.slice(calls.lastIndexOf('link'), calls.lastIndexOf('rename'));
  expect(between).toContain('fsync');
});

describe.each([
  { originals: 'archive', keeps: true, everyNth: 1 },
  // Differs in few of the operations.
  { originals: 'delete', keeps: false, everyNth: 6 },
])('originals: $originals', ({ originals, keeps, everyNth }) => {
  const config = `originals: ${originals}\n`;

  it('killed at any file operation, a start brings everything in order', async () => {
    const steps = new Set<string>();
    for (let failAt = 1; ; failAt += everyNth) {
      const workshop = await prepared(config);
      disk = new FaultyDisk({ failAt, isCrash: true });
      await workshop.takeAll().catch(() => undefined);
      disk.restore();
      if (!disk.hasFailed) break;
      steps.add(disk.calls[failAt - 1]);
      await workshop.restart();
      await workshop.takeAll();
      await expectAllInOrder(workshop, keeps);
      for (const one of open.splice(0)) one.close();
    }
    if (everyNth > 1) return;
    expect([...steps]).toEqual(
      expect.arrayContaining(['openSync', 'writeSync', 'link', 'unlink', 'rename', 'fsync']),
    );
  });

  it('refused at any file operation, a second try brings everything in order', async () => {
    for (let failAt = 1; ; failAt += everyNth) {
      const workshop = await prepared(config);
      disk = new FaultyDisk({ failAt });
      await workshop.takeAll().catch(() => undefined);
      disk.restore();
      if (!disk.hasFailed) break;
      await workshop.takeAll();
      await workshop.restart();
      await expectAllInOrder(workshop, keeps);
      for (const one of open.splice(0)) one.close();
    }
  });
});
