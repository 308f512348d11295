import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import Database from 'libsql';
import type { Delivery } from './deliveries.js';
import type { FaultSite } from './site.js';
import type { Target } from './targets.js';

/** What the check counted, for the figures. */
export interface Account {
  files: number;
  rowsDelivered: number;
  rowsInTable: number;
  rowsRejected: number;
  filesFailed: number;
}

export interface InvariantOptions {
  target: Target;
  deliveries: readonly Delivery[];
  /** The log lay on a disk that was full: lines that it refused are counted, not kept. */
  mayLackLogLines?: boolean;
}

/**
 * Everything that must hold once the input is used up and the program has ended, looked at with other tools than the
 * program's own: DuckDB for Parquet, the database's driver for tables, the file system for the rest.
 * @throws Error listing every broken promise
 */
export async function checkInvariants(
  site: FaultSite,
  { target, deliveries, mayLackLogLines }: InvariantOptions,
): Promise<Account> {
  const problems: string[] = [];
  const say = (problem: string) => problems.push(problem);
  const passed = deliveries.filter(({ dataset }) => dataset !== undefined);
  const failed = deliveries.filter(({ dataset }) => dataset === undefined);
  checkNothingLeft(site, say);
  checkOriginals(site, { passed, failed, say });
  const rowsRejected = checkRejects(site, { passed, say });
  const parquet = await readParquet(site);
  checkParquet(parquet, { passed, say });
  const loads = target.query ? await checkDatabase(site, { target, passed, say }) : undefined;
  checkLedger(site, { deliveries, loads, say });
  if (!mayLackLogLines) checkLog(site, { deliveries, say });
  if (problems.length > 0) {
    const shown = problems.slice(0, 30).join('\n');
    throw new Error(`${problems.length} broken promises in ${site.root}:\n${shown}`);
  }
  const rowsInTable = passed.reduce((sum, { good }) => sum + good.length, 0);
  return {
    files: deliveries.reduce((sum, { times }) => sum + times, 0),
    rowsDelivered: rowsInTable + rowsRejected,
    rowsInTable,
    rowsRejected,
    filesFailed: failed.length,
  };
}

type Say = (problem: string) => void;

function checkNothingLeft(site: FaultSite, say: Say): void {
  for (const name of site.waiting()) say(`${name} still waits in input_csv`);
  for (const file of everyFile(site.root)) {
    const name = path.basename(file);
    if (name.startsWith('.dropgate-')) say(`a temporary file is left: ${file}`);
  }
}

/** Paths of all files below a folder, the database's own left out. */
function everyFile(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (!entry.isDirectory()) return [full];
    return entry.name === 'embedded' ? [] : everyFile(full);
  });
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Every original lies in the archive or in the failed folder, as often as it was dropped, and nothing else does. */
function checkOriginals(
  site: FaultSite,
  { passed, failed, say }: { passed: Delivery[]; failed: Delivery[]; say: Say },
): void {
  const archived = tally(everyFile(site.path('input_csv/archived')).map(sha256Of));
  const inFailed = everyFile(site.path('input_csv/output_failed'));
  const isOriginal = (file: string) => !file.endsWith('.report.json') && !file.endsWith('.rejected.csv');
  const failedContents = tally(inFailed.filter(isOriginal).map(sha256Of));
  compareTallies(
    archived,
    tallyOf(passed, ({ times }) => times),
    (sha, found, wanted) =>
      say(`${nameOf(passed, sha)}: ${found} originals in the archive, ${wanted} expected`),
  );
  // A failed file that is dropped again takes the place of itself.
  compareTallies(
    failedContents,
    tallyOf(failed, () => 1),
    (sha, found, wanted) =>
      say(`${nameOf(failed, sha)}: ${found} originals in output_failed, ${wanted} expected`),
  );
  for (const file of inFailed) {
    if (isOriginal(file) && !existsSync(`${file}.report.json`)) say(`${file} has no report`);
  }
}

function tally(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function tallyOf(deliveries: Delivery[], count: (delivery: Delivery) => number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of deliveries) counts.set(one.sha256, (counts.get(one.sha256) ?? 0) + count(one));
  return counts;
}

function compareTallies(
  found: Map<string, number>,
  wanted: Map<string, number>,
  differs: (key: string, found: number, wanted: number) => void,
): void {
  for (const key of new Set([...found.keys(), ...wanted.keys()])) {
    const [a, b] = [found.get(key) ?? 0, wanted.get(key) ?? 0];
    if (a !== b) differs(key, a, b);
  }
}

function nameOf(deliveries: readonly Delivery[], sha256: string): string {
  return deliveries.find((one) => one.sha256 === sha256)?.name ?? `something unknown (${sha256.slice(0, 8)})`;
}

/** Every rejected record stands in exactly one rejects file, that of its own source. */
function checkRejects(site: FaultSite, { passed, say }: { passed: Delivery[]; say: Say }): number {
  const folder = site.path('input_csv/output_failed');
  const found: string[] = [];
  for (const name of site.files('input_csv/output_failed').filter((one) => one.endsWith('.rejected.csv'))) {
    const report = `${path.join(folder, name)}.report.json`;
    if (!existsSync(report)) {
      say(`${name} has no report`);
      continue;
    }
    const { file, sha256 } = JSON.parse(readFileSync(report, 'utf8')) as { file: string; sha256: string };
    const lines = readFileSync(path.join(folder, name), 'utf8').split('\n').slice(1, -1);
    for (const line of lines) found.push(`${file} ${sha256.slice(0, 8)}: ${line}`);
  }
  const wanted = passed.flatMap(({ name, sha256, rejected }) =>
    rejected.map((line) => `${name} ${sha256.slice(0, 8)}: ${line}`),
  );
  compareTallies(tally(found), tally(wanted), (line, a, b) =>
    say(`rejected ${a} times instead of ${b}: ${line}`),
  );
  return wanted.length;
}

interface ParquetRows {
  /** File name, then ids. */
  ids: Map<string, number[]>;
  /** File name, then source and SHA-256 from its metadata. */
  sources: Map<string, { source: string; sha256: string }>;
}

async function readParquet(site: FaultSite): Promise<ParquetRows> {
  const names = site.files('output_parquet').filter((name) => name.endsWith('.parquet'));
  const rows: ParquetRows = { ids: new Map(), sources: new Map() };
  if (names.length === 0) return rows;
  const list = names.map((name) => `'${site.path('output_parquet', name).replaceAll("'", "''")}'`).join(', ');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRows() as string[][];
  const ids = await query(
    `SELECT filename, CAST(list(id) AS VARCHAR) FROM read_parquet([${list}], union_by_name = true, filename = true) GROUP BY 1`,
  );
  for (const [file, some] of ids) rows.ids.set(path.basename(file), JSON.parse(some) as number[]);
  const metadata = await query(
    `SELECT file_name, decode(key), decode(value) FROM parquet_kv_metadata([${list}])`,
  );
  for (const name of names) {
    const of = (key: string) =>
      metadata.find(([file, one]) => path.basename(file) === name && one === key)?.[2] ?? '';
    rows.sources.set(name, { source: of('dropgate.source'), sha256: of('dropgate.sha256') });
  }
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** The ids in all Parquet files of the output folder. */
export async function parquetIds(site: FaultSite): Promise<number[]> {
  return [...(await readParquet(site)).ids.values()].flat();
}

/** How many rows all Parquet files of the output folder hold, and how many different ids. */
export async function countParquetRows(site: FaultSite): Promise<{ rows: number; ids: number }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const files = `${site.path('output_parquet').replaceAll("'", "''")}/*.parquet`;
  const answer = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT id) FROM read_parquet('${files}')`,
  );
  const [[rows, ids]] = answer.getRows();
  connection.closeSync();
  instance.closeSync();
  return { rows: Number(rows), ids: Number(ids) };
}

/** One Parquet file for each content under each name, holding exactly its good rows. */
function checkParquet(
  { ids, sources }: ParquetRows,
  { passed, say }: { passed: Delivery[]; say: Say },
): void {
  const left = new Map(sources);
  for (const delivery of passed) {
    const files = [...sources].filter(
      ([, { source, sha256 }]) => source === delivery.name && sha256 === delivery.sha256,
    );
    for (const [file] of files) left.delete(file);
    if (files.length !== 1) {
      say(`${delivery.name}: ${files.length} Parquet files instead of one`);
      continue;
    }
    const difference = differ(ids.get(files[0][0]) ?? [], delivery.good);
    if (difference) say(`${delivery.name}: rows in ${files[0][0]}: ${difference}`);
  }
  for (const file of left.keys()) say(`${file} was made of nothing that was delivered`);
}

function differ(found: readonly number[], wanted: readonly number[]): string | undefined {
  const counts = new Map<number, number>();
  for (const id of wanted) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const id of found) counts.set(id, (counts.get(id) ?? 0) - 1);
  const missing = [...counts].filter(([, n]) => n > 0).map(([id]) => id);
  const surplus = [...counts].filter(([, n]) => n < 0).map(([id]) => id);
  if (missing.length === 0 && surplus.length === 0) return undefined;
  const some = (list: number[]) => `${list.length} (${list.slice(0, 5).join(', ')})`;
  return `missing ${some(missing)}, too many ${some(surplus)}`;
}

interface LoadRow {
  file: string;
  sha256: string;
  rows: number;
}

/** Every good row once in its table, and one row of dropgate_loads for each content under each name. */
async function checkDatabase(
  site: FaultSite,
  { target, passed, say }: { target: Target; passed: Delivery[]; say: Say },
): Promise<LoadRow[]> {
  const [events, strict, loads] = await target.query!(
    site.root,
    'SELECT id FROM events',
    'SELECT id FROM strict',
    'SELECT * FROM dropgate_loads',
  );
  for (const [table, rows] of Object.entries({ events, strict })) {
    const wanted = passed.filter(({ dataset }) => dataset === table).flatMap(({ good }) => good);
    const difference = differ(
      rows.map(({ id }) => Number(id)),
      wanted,
    );
    if (difference) say(`table ${table}: ${difference}`);
  }
  const found = loads.map((row) => ({
    file: String(row.file),
    sha256: String(row.sha256),
    rows: Number(row.rows),
  }));
  compareTallies(
    tally(found.map((row) => `${row.file} ${row.sha256} ${row.rows}`)),
    tally(passed.map(({ name, sha256, good }) => `${name} ${sha256} ${good.length}`)),
    (row, a, b) => say(`dropgate_loads has ${a} rows instead of ${b}: ${row}`),
  );
  return found;
}

interface LedgerRow {
  name: string;
  sha256: string;
  state: string;
  parquet: string | null;
  original: string | null;
  rows_out: number;
  dropped: number;
}

/** The local ledger tells the same as folders and dropgate_loads. */
function checkLedger(
  site: FaultSite,
  { deliveries, loads, say }: { deliveries: readonly Delivery[]; loads: LoadRow[] | undefined; say: Say },
): void {
  const db = new Database(site.path('state/ledger.db'), { readonly: true });
  const rows = db
    .prepare(
      `SELECT name, sha256, state, parquet, original, rows_out,
         dropped_missing + dropped_duplicate + set_aside AS dropped FROM files`,
    )
    .all() as LedgerRow[];
  db.close();
  const done = loads ? 'loaded' : 'converted';
  for (const delivery of deliveries) {
    const own = rows.filter(({ name, sha256 }) => name === delivery.name && sha256 === delivery.sha256);
    const states = tally(own.map(({ state }) => state));
    const wanted: Record<string, number> =
      delivery.dataset === undefined
        ? { failed: delivery.times }
        : { [done]: 1, duplicate: delivery.times - 1 };
    compareTallies(states, new Map(Object.entries(wanted).filter(([, count]) => count > 0)), (state, a, b) =>
      say(`ledger: ${delivery.name} is ${state} ${a} times instead of ${b}`),
    );
    const loaded = own.find(({ state }) => state === done);
    if (!loaded) continue;
    if (loaded.rows_out !== delivery.good.length || loaded.dropped !== delivery.rejected.length) {
      say(
        `ledger: ${delivery.name} has ${loaded.rows_out} rows and ${loaded.dropped} left out instead of ${delivery.good.length} and ${delivery.rejected.length}`,
      );
    }
    if (!existsSync(site.path('output_parquet', loaded.parquet ?? '-')))
      say(`ledger: ${loaded.parquet} of ${delivery.name} is not there`);
  }
  checkPlaces(site, { rows, say });
}

/** Each record names where its original lies, and each original is named. */
function checkPlaces(site: FaultSite, { rows, say }: { rows: LedgerRow[]; say: Say }): void {
  const named = new Set(rows.map(({ original }) => original));
  for (const { name, state, original } of rows) {
    if (original === null) say(`ledger: ${name} (${state}) does not say where its original is`);
    else if (!existsSync(site.path('input_csv', original))) say(`ledger: ${original} is not there`);
  }
  const put = everyFile(site.path('input_csv')).map((file) => path.relative(site.path('input_csv'), file));
  for (const file of put) {
    const isOriginal = !file.endsWith('.report.json') && !file.endsWith('.rejected.csv');
    if (isOriginal && !named.has(file)) say(`ledger: nobody knows of ${file}`);
  }
}

/** Nothing is silent: the log names the verdict on every file. */
function checkLog(site: FaultSite, { deliveries, say }: { deliveries: readonly Delivery[]; say: Say }): void {
  const log = site.log();
  for (const { name, dataset, times } of deliveries) {
    if (!log.includes(`${dataset ? 'Converted' : 'Failed'} input_csv/${name}`))
      say(`log: no verdict on ${name}`);
    if (times > 1 && dataset && !log.includes(`Skipped input_csv/${name}`))
      say(`log: ${name} is not skipped`);
  }
}

/** The text of a delivery, decompressed. */
export function textOf({ name, content }: Delivery): string {
  return (name.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8');
}
