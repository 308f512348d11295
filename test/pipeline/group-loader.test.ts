import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintText } from '../../src/base/files.js';
import { openThreadPool } from '../../src/base/thread-pool.js';
import type { TableSpec } from '../../src/config/settings.js';
import type { Engine } from '../../src/load/engine.js';
import { loadKey } from '../../src/load/ledger-table.js';
import { CopyStream } from '../../src/pipeline/copy-stream.js';
import { type GroupFile, GroupLoader } from '../../src/pipeline/group-loader.js';
import { tempDir } from '../helpers/temp-dir.js';
import { TARGETS, type Target } from '../load/support/targets.js';
import { writeParquet } from '../write/tables.js';
import { SILENT } from './workshop.js';

const TABLE: TableSpec = {
  name: 'numbers',
  columns: [{ name: 'n', type: { kind: 'bigint' } }],
  key: [],
  mode: 'append',
  indexes: [],
};
const APP = new URL('../../src/pipeline/app.ts', import.meta.url).href;
const pool = openThreadPool({
  worker: './copy-worker.js',
  caller: APP,
  maxThreads: 1,
  concurrentTasksPerWorker: 3,
});
const folder = tempDir();
let target: Target;
let engine: Engine;
/** Files whose decoding has begun, in order. */
let begun: string[] = [];

beforeAll(async () => {
  target = await TARGETS.postgres();
  engine = target.open();
});
afterAll(async () => {
  await pool.destroy();
  await target.dispose();
});

function openLoader(): GroupLoader {
  begun = [];
  return new GroupLoader({
    engine,
    log: SILENT,
    copyTextOf: (paths, { columns }) => {
      begun.push(...paths.map((file) => path.basename(file)));
      return new CopyStream(pool, { paths, columns, dialect: 'postgres', isReturning: true });
    },
  });
}

/** A Parquet file that holds these numbers; a new one each time, whatever lay there. */
async function fileOf(name: string, numbers: readonly number[]): Promise<GroupFile> {
  const file = path.join(folder, name);
  const values = numbers.map(BigInt);
  fs.writeFileSync(
    `${file}.tmp`,
    await writeParquet([{ name: 'n', type: { kind: 'bigint' }, nullable: false, values }]),
  );
  fs.renameSync(`${file}.tmp`, file);
  const sha256 = String(Math.random());
  const identity = { identity: 'name_and_content', dataset: 'numbers', file: name, sha256 } as const;
  return {
    name,
    path: file,
    fingerprint: fingerprintText(fs.lstatSync(file, { bigint: true })),
    loadKey: loadKey(identity),
    dataset: 'numbers',
    file: name,
    sha256: sha256.padEnd(64).slice(0, 64),
    rows: numbers.length,
  };
}

function load(loader: GroupLoader, group: GroupFile[], onDecoded: () => void = () => undefined) {
  return loader.load(group, {
    table: TABLE,
    onFlow: () => undefined,
    onDecoded,
    mayCommit: async () => undefined,
    more: async () => [],
  });
}

async function numbersIn(): Promise<unknown[]> {
  const rows = await engine.query('SELECT n FROM numbers ORDER BY n');
  await engine.execute('DELETE FROM numbers');
  return rows.map(({ n }) => n);
}

const statuses = (outcomes: { status: string }[]) => outcomes.map(({ status }) => status);

test('a group is decoded once, while the one before it is loaded', async () => {
  const loader = openLoader();
  const [a, b, c] = await Promise.all([fileOf('a', [1, 2]), fileOf('b', [3]), fileOf('c', [4, 5])]);
  const first = await load(loader, [a], () => loader.prepare([b, c], TABLE));
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(loader.prepared).toEqual([b, c]);
  expect(statuses([...first, ...(await load(loader, [b, c]))])).toEqual(['loaded', 'loaded', 'loaded']);
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(await numbersIn()).toEqual([1, 2, 3, 4, 5]);
});

test('what was decoded of other files than those that are loaded is not loaded', async () => {
  const loader = openLoader();
  const old = await fileOf('a', [1, 2]);
  const other = await fileOf('b', [3]);
  loader.prepare([old, other], TABLE);
  const replaced = await fileOf('a', [7]);
  expect(statuses(await load(loader, [replaced, other]))).toEqual(['loaded', 'loaded']);
  expect(begun).toEqual(['a', 'b', 'a', 'b']);
  expect(await numbersIn()).toEqual([3, 7]);
});

test('of a group of which a file is loaded already only the others are loaded', async () => {
  const loader = openLoader();
  const [a, b] = await Promise.all([fileOf('a', [1, 2]), fileOf('b', [3])]);
  await load(loader, [a]);
  expect(await numbersIn()).toEqual([1, 2]);
  loader.prepare([a, b], TABLE);
  expect(statuses(await load(loader, [a, b]))).toEqual(['already_loaded', 'loaded']);
  expect(await numbersIn()).toEqual([3]);
});

test('a file that was replaced before it had been read is not loaded', async () => {
  const loader = openLoader();
  const [a, b] = [await fileOf('a', [1, 2]), await fileOf('b', [3])];
  await fileOf('b', [4]);
  loader.prepare([a, b], TABLE);
  expect(statuses(await load(loader, [a, b]))).toEqual(['loaded', 'unreadable']);
  expect(await numbersIn()).toEqual([1, 2]);
});

test('a file whose text is at hand is not decoded', async () => {
  const loader = openLoader();
  const [a, b, c] = await Promise.all([fileOf('a', [1]), fileOf('b', [2, 3]), fileOf('c', [4])]);
  const room = Buffer.from('1\n2\n3\n4\n');
  a.text = { bytes: room.subarray(0, 2) };
  b.text = { bytes: room.subarray(2, 6) };
  c.text = { bytes: Buffer.from('4\n') };
  expect(statuses(await load(loader, [a, b, c]))).toEqual(['loaded', 'loaded', 'loaded']);
  expect(begun).toEqual([]);
  expect(await numbersIn()).toEqual([1, 2, 3, 4]);
});

test('a file whose text is gone is decoded, with those beside it', async () => {
  const loader = openLoader();
  const [a, b] = await Promise.all([fileOf('a', [1]), fileOf('b', [2])]);
  a.text = { bytes: Buffer.from('1\n') };
  b.text = { bytes: undefined };
  expect(statuses(await load(loader, [a, b]))).toEqual(['loaded', 'loaded']);
  expect(begun).toEqual(['a', 'b']);
  expect(await numbersIn()).toEqual([1, 2]);
});
