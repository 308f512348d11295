import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { sweepTempFiles } from '../../src/base/files.js';
import { filesUnder } from '../pipeline/workshop.js';
import { readWithHyparquet } from '../write/tables.js';
import { DiskTrouble, type Operation } from './support/disk-trouble.js';
import { IntakeRig } from './support/intake-rig.js';

/*
 * Files of every fate go through intake, conversion and publication in this process while one operation of the disk
 * fails, once or for good. Nothing may be lost meanwhile, and once the disk works again everything must be done.
 */

const FILES: Record<string, string> = {
  'bad.csv': 'name,age\nann,x\n',
  'partly.csv': 'name,age\nbob,2\ncem,x\n',
  'whole.csv': 'name,age\ndan,3\neve,4\n',
};

/** Rounds that the trouble lasts: fewer than the attempts after which an unreadable file is given up. */
const ROUNDS_OF_TROUBLE = 3;
/** The log says once what is wrong, however many files and rounds meet it. */
const TROUBLE = /Cannot convert .* for now: /;

let trouble: DiskTrouble | undefined;
const rigs: IntakeRig[] = [];
afterEach(async () => {
  trouble?.end();
  await closeRigs();
});

/** A rig with the files; what it does with the disk itself does not fail. */
async function openRig(): Promise<IntakeRig> {
  const rig = await IntakeRig.open({
    aside: (work) => {
      if (trouble) trouble.isPaused = true;
      const result = work();
      if (trouble) trouble.isPaused = false;
      return result;
    },
  });
  rigs.push(rig);
  for (const [name, content] of Object.entries(FILES)) rig.workshop.drop(name, content);
  return rig;
}

async function closeRigs(): Promise<void> {
  for (const rig of rigs.splice(0)) await rig.close();
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Each original is somewhere, in one place. */
function expectNothingLost({ workshop }: IntakeRig): void {
  const { input } = workshop.settings.folders;
  const found = filesUnder(input).map((file) => sha256(fs.readFileSync(path.join(input, file))));
  for (const [name, content] of Object.entries(FILES))
    expect(found.filter((one) => one === sha256(content)).length, name).toBe(1);
}

async function expectAllDone(rig: IntakeRig): Promise<void> {
  const { archive, failed, output } = rig.workshop.settings.folders;
  expect(rig.waiting()).toEqual([]);
  expectNothingLost(rig);
  expect(filesUnder(archive).map((file) => path.basename(file))).toEqual(['partly.csv', 'whole.csv']);
  expect(filesUnder(failed)).toEqual([
    'bad.csv',
    'bad.csv.report.json',
    'partly.rejected.csv',
    'partly.rejected.csv.report.json',
  ]);
  expect(fs.readFileSync(path.join(failed, 'partly.rejected.csv'), 'utf8')).toBe('name,age\ncem,x\n');
  expect(filesUnder(output)).toEqual(['partly.parquet', 'whole.parquet']);
  const tables = filesUnder(output).map((file) =>
    readWithHyparquet(new Uint8Array(fs.readFileSync(path.join(output, file)))),
  );
  expect((await Promise.all(tables)).flatMap(({ name }) => name)).toEqual(['bob', 'dan', 'eve']);
  const { byState } = rig.workshop.ledger.summary();
  expect(byState).toEqual({ converted: 2, loaded: 0, failed: 1, load_failed: 0, duplicate: 0 });
  for (const [name, word] of Object.entries({ bad: 'Failed', partly: 'Converted', whole: 'Converted' }))
    expect(rig.told(new RegExp(`${word} input_csv/${name}`)).length, name).toBe(1);
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

/** What each operation can answer; EXDEV makes a rename or a link a copy. */
function errnosOf(operation: Operation): string[] {
  switch (operation) {
    case 'rename':
    case 'link':
      return ['ENOSPC', 'EIO', 'EACCES', 'EXDEV', 'EPERM'];
    case 'unlink':
      return ['EIO', 'EACCES', 'EBUSY'];
    case 'mkdir':
    case 'mkdirSync':
    case 'writeSync':
    case 'handle.writeFile':
    case 'copyFile':
      return ['ENOSPC', 'EIO', 'EROFS'];
    case 'open':
    case 'openSync':
      return ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'ENOENT'];
    case 'read.openSync':
      return ['EIO', 'EACCES', 'EMFILE'];
    default:
      return ['EIO', 'ENOSPC'];
  }
}

/** Operations that the files of this test need, and how many calls of each. */
async function usedOperations(): Promise<[Operation, number][]> {
  // What is read once in the life of a process is read by the first files.
  await (await openRig()).round();
  const rig = await openRig();
  trouble = new DiskTrouble();
  await rig.round();
  trouble.end();
  await closeRigs();
  return [...trouble.calls];
}

const operations = await usedOperations();

it('the operations are those that a disk can refuse', () => {
  expect(operations.map(([name]) => name)).toEqual(
    expect.arrayContaining(['openSync', 'writeSync', 'closeSync', 'fsync']),
  );
  expect(operations.map(([name]) => name)).toEqual(
    expect.arrayContaining(['rename', 'link', 'unlink', 'mkdir', 'read.openSync', 'read.readSync']),
  );
});

describe.each(operations)('%s', (operation, calls) => {
  it.each(errnosOf(operation))('%s once, at each of its calls', async (errno) => {
    for (let from = 1; from <= calls; from++) {
      const rig = await openRig();
      const descriptors = openDescriptors();
      trouble = new DiskTrouble({ operation, errno, from, forGood: false });
      await rig.untilDone();
      expect(trouble.failures).toBe(1);
      trouble.end();
      await expectAllDone(rig).catch((error: Error) => {
        throw new Error(`call ${from}: ${error.message}\n${rig.lines.join('\n')}`);
      });
      expect(openDescriptors(), `descriptors after call ${from}`).toBeLessThanOrEqual(descriptors + 1);
      await closeRigs();
    }
  });

  it.each(errnosOf(operation))('%s for good, until somebody mends it', async (errno) => {
    const rig = await openRig();
    trouble = new DiskTrouble({ operation, errno, from: 1, forGood: true });
    for (let round = 0; round < ROUNDS_OF_TROUBLE; round++) await rig.round();
    trouble.end();
    expectNothingLost(rig);
    // What cannot be deleted stays until the next start.
    if (operation === 'unlink') await sweepTempFiles(rig.workshop.settings.folders.output);
    const isTold = rig.told(TROUBLE).length;
    expect(isTold).toBeLessThanOrEqual(1);
    await rig.untilDone();
    await expectAllDone(rig).catch((error: Error) => {
      throw new Error(`${error.message}\n${rig.lines.join('\n')}`);
    });
    expect(rig.told(/Conversion works again after/).length).toBe(isTold);
  });
});

it('leaves no temporary file behind when the disk is full for a while', async () => {
  for (const operation of ['writeSync', 'fsync', 'link', 'rename'] as const) {
    const rig = await openRig();
    trouble = new DiskTrouble({ operation, errno: 'ENOSPC', from: 1, forGood: true });
    for (let round = 0; round < ROUNDS_OF_TROUBLE; round++) await rig.round();
    trouble.end();
    expect(filesUnder(rig.workshop.root).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    await closeRigs();
  }
});
