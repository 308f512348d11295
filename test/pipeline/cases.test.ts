import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/base/files.js';
import { parseSqlType, type SqlType } from '../../src/base/sql-type.js';
import type { Published } from '../../src/pipeline/publish.js';
import type { Counts, Report } from '../../src/pipeline/report.js';
import { repositoryRoot } from '../helpers/real-data.js';
import { Duck, metadataOf, readWithHyparquet, type TestValue } from '../write/tables.js';
import { type ConfigFiles, filesUnder, spelled, textOfFile, Workshop } from './workshop.js';

/*
 * Each folder is a case: one or more input files, a `config` folder where the common one does not do, and
 * `expected.json`. That says for each input file what is to come of it; what it does not mention is not compared, but
 * verdict and counts, the rows of a converted file and the violations of any other must be mentioned. Whatever the
 * case, what must always hold is checked as well: see `checkInvariants`.
 */

const casesFolder = path.join(repositoryRoot, 'test/cases/convert');
const cases = fs
  .readdirSync(casesFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'config')
  .map(({ name }) => name);

interface ExpectedFile {
  verdict: 'converted' | 'failed';
  counts: Counts;
  [key: string]: unknown;
}

/** What came of one input file, in the form of `expected.json`. */
interface Outcome {
  verdict: string;
  dataset: string | null;
  code: string | null;
  message?: string;
  hint?: string;
  dialect?: Record<string, string>;
  counts: Counts;
  violations?: Report['violations'];
  violations_not_listed?: number;
  columns?: string[];
  rows?: unknown[][];
  /** Text of the rejects file; null when there is none. */
  rejected?: string | null;
  also_claimed_by?: string[];
}

const duck = new Duck();
afterAll(() => duck.close());

describe.each(cases)('%s', (name) => {
  const folder = path.join(casesFolder, name);
  const expected = JSON.parse(fs.readFileSync(path.join(folder, 'expected.json'), 'utf8')) as {
    about: string;
    files: Record<string, ExpectedFile>;
  };

  it(expected.about, async () => {
    const inputs = fs.readdirSync(folder).filter((file) => !['config', 'expected.json'].includes(file));
    expect(Object.keys(expected.files).sort()).toEqual(inputs.sort());
    const workshop = await Workshop.open({ config: configOf(folder) });
    for (const input of inputs) {
      mentionsEnough(expected.files[input]);
      const outcome = await runFile(workshop, input, fs.readFileSync(path.join(folder, input)));
      expect(outcome).toMatchObject(expected.files[input]);
    }
    workshop.close();
  });
});

function configOf(folder: string): ConfigFiles {
  const common = path.join(casesFolder, 'config');
  const own = path.join(folder, 'config');
  const files: ConfigFiles = {};
  for (const source of [common, own]) {
    for (const name of fs.existsSync(source) ? fs.readdirSync(source) : []) {
      files[name] = fs.readFileSync(path.join(source, name), 'utf8');
    }
  }
  return files;
}

/** An expectation that says too little would pass whatever happens. */
function mentionsEnough(expected: ExpectedFile): void {
  const needed = expected.verdict === 'converted' ? ['columns', 'rows', 'rejected'] : ['code', 'message'];
  expect(Object.keys(expected)).toEqual(expect.arrayContaining(['verdict', 'counts', ...needed]));
}

async function runFile(workshop: Workshop, name: string, content: Buffer): Promise<Outcome> {
  const file = workshop.drop(name, content);
  const judged = await workshop.check(file);
  const [published] = await workshop.take([file]);
  const outcome = await outcomeOf(workshop, published);
  const checked = 'report' in judged ? judged.report : undefined;
  if (checked?.dialect) outcome.dialect = describeDialect(checked.dialect);
  await checkInvariants(workshop, { content, published, outcome });
  // `dropgate check` gives the verdict of the daemon.
  expect(judged.status).toBe(published.result.status);
  const report = reportOf(published);
  if (report) {
    const { reported_at: _, ...same } = report;
    expect('report' in judged && judged.report).toMatchObject(same);
  }
  return outcome;
}

function reportOf(published: Published): Report | undefined {
  return published.kind === 'duplicate' ? undefined : published.result.report;
}

async function outcomeOf(workshop: Workshop, published: Published): Promise<Outcome> {
  const report = reportOf(published);
  const common = {
    message: report?.message,
    hint: report?.hint,
    violations: report?.violations ?? [],
    violations_not_listed: report?.violations_not_listed,
  };
  if (published.kind === 'failed') {
    const { code, dataset, counts } = published.result.report;
    return { verdict: 'failed', dataset, code, counts, ...common };
  }
  if (published.kind === 'duplicate') throw new Error(`${published.file.name} is a duplicate`);
  const { dataset, counts, alsoClaimedBy } = published.result;
  return {
    verdict: 'converted',
    dataset,
    code: null,
    counts,
    ...common,
    ...(await readTable(workshop, dataset, published.parquet)),
    rejected: published.rejects ? textOfFile(published.rejects, report!.dialect!.encoding.value) : null,
    also_claimed_by: alsoClaimedBy,
  };
}

/** Setting and origin in one text: `; (detected)`. */
function describeDialect(dialect: NonNullable<Report['dialect']>): Record<string, string> {
  const { encoding, delimiter, quote, header } = dialect;
  return Object.fromEntries(
    Object.entries({ encoding, delimiter, quote, header }).map(([key, { value, origin }]) => [
      key,
      `${value} (${origin})`,
    ]),
  );
}

/** The Parquet file as hyparquet reads it; DuckDB must read the same. */
async function readTable(
  workshop: Workshop,
  datasetName: string,
  parquet: string,
): Promise<{ columns: string[]; rows: unknown[][] }> {
  const bytes = new Uint8Array(fs.readFileSync(parquet));
  const columns = metadataOf(bytes)
    .schema.slice(1)
    .map(({ name }) => name);
  const types = columns.map((column) => typeOf(workshop, datasetName, column));
  const tables = [await readWithHyparquet(bytes), await duck.read(bytes)].map((table) => {
    const rowCount = table[columns[0]].length;
    return Array.from({ length: rowCount }, (_, row) =>
      columns.map((column, i) => spelled(table[column][row] as TestValue, types[i])),
    );
  });
  expect(tables[1]).toEqual(tables[0]);
  return { columns, rows: tables[0] };
}

function typeOf(workshop: Workshop, datasetName: string, column: string): SqlType {
  const dataset = workshop.settings.datasets.find(({ name }) => name === datasetName)!;
  const declared = dataset.columns === 'any' ? [] : dataset.columns;
  return declared.find(({ name }) => name === column)?.type ?? parseSqlType('TEXT')!;
}

/** What must hold for every file, whatever it is and whatever the configuration says. */
async function checkInvariants(
  workshop: Workshop,
  { content, published, outcome }: { content: Buffer; published: Published; outcome: Outcome },
): Promise<void> {
  const { folders } = workshop.settings;
  const { counts } = outcome;
  const report = reportOf(published);
  // 1. Every row is accounted for.
  const { rows_in, rows_out, dropped_missing, dropped_duplicate, set_aside } = counts;
  expect(rows_out + dropped_missing + dropped_duplicate + set_aside).toBe(rows_in);
  if (outcome.rows) expect(outcome.rows).toHaveLength(rows_out);
  // 2. The original is unharmed, in one place, and known by its hash.
  const original =
    published.kind === 'failed' ? published.failed : published.kind === 'converted' && published.original;
  expect(fs.readFileSync(original as string).equals(content)).toBe(true);
  expect(published.result.sha256).toBe(await sha256Of(original as string));
  expect(fs.existsSync(published.file.path)).toBe(false);
  // 3. Nothing temporary is left.
  expect(filesUnder(workshop.root).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  // 4. The report lies beside what it speaks of.
  const reported = published.kind === 'converted' ? published.rejects : original;
  if (reported) expect(JSON.parse(fs.readFileSync(`${reported}.report.json`, 'utf8'))).toEqual(report);
  // 5. Violations are counted, and each stands where it says.
  if (report) checkViolations(report, content, published.file.name);
  // 6. Rejected rows can be dropped again.
  if (published.kind === 'converted' && published.rejects) await checkRejects(workshop, published);
  // 7. The Parquet file says what it was made of.
  if (published.kind === 'converted') {
    const metadata = metadataOf(new Uint8Array(fs.readFileSync(published.parquet))).key_value_metadata ?? [];
    expect(Object.fromEntries(metadata.map(({ key, value }) => [key, value]))).toMatchObject({
      'dropgate.source': published.file.name,
      'dropgate.sha256': published.result.sha256,
      'dropgate.dataset': published.result.dataset,
      'dropgate.version': '1.2.3',
      ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [`dropgate.${key}`, String(value)])),
    });
    expect(fs.statSync(published.parquet).size).toBe(published.result.bytesOut);
  }
  // 8. The ledger has it.
  expect(workshop.ledger.latest(1)[0]).toMatchObject({
    name: published.file.name,
    state: published.kind,
    code: outcome.code,
    rowsIn: rows_in,
    rowsOut: rows_out,
    original: path.relative(folders.input, original as string),
  });
}

function checkViolations(report: Report, content: Buffer, name: string): void {
  const { violations, violations_by_code, violations_not_listed } = report;
  const total = Object.values(violations_by_code).reduce((sum, count) => sum + count, 0);
  expect(total).toBe(violations.length + violations_not_listed);
  if (violations.length === 0) return;
  const bytes = /\.gz$/i.test(name) ? gunzipSync(content) : content;
  for (const { line, byte_offset } of violations) {
    expect(byte_offset).toBeGreaterThanOrEqual(0);
    const before = iconv.decode(bytes.subarray(0, byte_offset), report.dialect!.encoding.value);
    expect(before.split(/\r\n|\n|\r/).length).toBe(line);
  }
  const places = violations.map(({ byte_offset }) => byte_offset);
  expect(places).toEqual([...places].sort((a, b) => a - b));
}

/** Dropped again under the same configuration, the rejects file has exactly the rows that were left out. */
async function checkRejects(
  workshop: Workshop,
  published: Extract<Published, { kind: 'converted' }>,
): Promise<void> {
  const { counts, report } = published.result;
  const codes = Object.keys(report!.violations_by_code);
  // A quote gone astray finds another partner in another company, and a bad row may look like a header.
  if (codes.some((code) => code.endsWith('_quote')) || report!.dialect!.header.value === 'absent') return;
  const again = await workshop.check({
    name: path.basename(published.file.name, '.gz'),
    path: published.rejects!,
  });
  if (!('report' in again) || !again.report) throw new Error(`no report: ${again.status}`);
  expect(again.report.counts.rows_in).toBe(counts.rows_in - counts.rows_out);
}
