import fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import type { Dataset, DeclaredColumn } from '../../src/config/settings.js';
import { metadataOf, readWithHyparquet, type TestValue } from '../write/tables.js';
import { convertSimply, type SimpleValue } from './simple-conversion.js';
import { spelled, textOfFile, Workshop } from './workshop.js';

/*
 * Random tables of random types with random defects under random settings, in random dialects: the program must come
 * to the verdict, the counts, the values and the rejected rows of a simple implementation, and every row must be
 * accounted for.
 */

/** Types with cells that are good, and cells that are not. */
const TYPES: Record<string, { good: fc.Arbitrary<string>; bad: fc.Arbitrary<string> }> = {
  INTEGER: {
    good: fc.oneof(fc.integer().map(String), fc.constantFrom('+5', '007', '-0', ' 12 ')),
    bad: fc.constantFrom('x', '1.5', '2147483648', '1e3'),
  },
  BIGINT: {
    good: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    bad: fc.constantFrom('9223372036854775808', '12a'),
  },
  'DECIMAL(12,3)': {
    good: fc
      .tuple(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.nat(999))
      .map(([a, b]) => `${a}.${b}`),
    bad: fc.constantFrom('1.2345', '1234567890', '1,5', '.'),
  },
  'DECIMAL(30,2)': {
    good: fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }).map((n) => `${n}.5`),
    bad: fc.constantFrom('1.234', `1${'0'.repeat(28)}`),
  },
  DOUBLE: {
    good: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    bad: fc.constantFrom('1e999', 'one', '1,5'),
  },
  BOOLEAN: { good: fc.constantFrom('yes', 'No', 'TRUE', 'f', '1', '0'), bad: fc.constantFrom('ja', '2') },
  'VARCHAR(5)': {
    good: fc.string({
      unit: fc.constantFrom('a', 'B', 'é', '漢', '🎓', ' ', '-'),
      minLength: 1,
      maxLength: 5,
    }),
    bad: fc.constantFrom('too long', 'äöüäöü'),
  },
  TEXT: {
    good: fc.string({
      unit: fc.constantFrom('a', 'Z', ',', '"', '\n', 'ß', ';', "'", '|', '\t', ' '),
      minLength: 1,
      maxLength: 8,
    }),
    bad: fc.constant('anything'),
  },
  DATE: {
    good: fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map(isoDay),
    bad: fc.constantFrom('2023-02-29', 'today', '2026-1-1'),
  },
  TIMESTAMP: {
    good: fc
      .tuple(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        fc.nat(999_999),
      )
      .map(
        ([date, micros]) =>
          `${isoDay(date)} ${date.toISOString().slice(11, 19)}.${String(micros).padStart(6, '0')}`,
      ),
    bad: fc.constantFrom('2026-11-31 00:00:00', '12:00', '2026-11-22 24:00:00'),
  },
};

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

const NULL_TOKENS = ['', 'na', 'n/a', 'nan', 'null', 'none'];
const missingCell = fc.constantFrom('', 'NA', ' null ', 'N/a');

interface Case {
  dataset: Dataset;
  /** Names of the header, in the file's order, and the cells under them. */
  header: string[];
  rows: string[][];
  form: Form;
}

/** How the text lies in the file. */
interface Form {
  encoding: 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be';
  quoteAll: boolean;
  endsWithLineEnd: boolean;
  isZipped: boolean;
  rowGroupRows: number;
}

const column = fc.record({
  type: fc.constantFrom(...Object.keys(TYPES)),
  nullable: fc.boolean(),
  case: fc.constantFrom('lower' as const, 'upper' as const, 'keep' as const),
  hasRule: fc.boolean(),
});

const settings = fc.record({
  missing: fc.constantFrom('drop_row' as const, 'drop_row' as const, 'keep' as const, 'fail_file' as const),
  duplicates: fc.constantFrom('drop' as const, 'keep' as const, 'fail_file' as const),
  invalid: fc.constantFrom('set_aside' as const, 'set_aside' as const, 'fail_file' as const),
  ragged: fc.constantFrom('set_aside' as const, 'rescue' as const, 'fail_file' as const),
  extraColumns: fc.constantFrom('ignore' as const, 'rescue' as const),
  maxSetAside: fc.oneof(
    fc.constant({ share: 1 }),
    fc.record({ rows: fc.nat(10) }),
    fc.nat(100).map((percent) => ({ share: percent / 100 })),
  ),
});

const form: fc.Arbitrary<Form> = fc.record({
  encoding: fc.constantFrom('utf-8', 'utf-8', 'utf-8-bom', 'utf-16le', 'utf-16be'),
  quoteAll: fc.boolean(),
  endsWithLineEnd: fc.boolean(),
  isZipped: fc.boolean(),
  rowGroupRows: fc.constantFrom(1, 3, 100_000),
});

/** Defects are rare, so that files pass now and then. */
function cellOf(type: string): fc.Arbitrary<string> {
  const { good, bad } = TYPES[type];
  return fc.oneof(
    { weight: 40, arbitrary: good },
    { weight: 1, arbitrary: bad },
    { weight: 2, arbitrary: missingCell },
  );
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    columns: fc.array(column, { minLength: 2, maxLength: 5 }),
    extra: fc.nat(2),
    settings,
    form,
  })
  .chain(({ columns, extra, settings, form }) => {
    const declared: DeclaredColumn[] = columns.map(({ type, nullable, case: rule, hasRule }, i) => ({
      name: `col ${i}`,
      type: parseSqlType(type)!,
      nullable,
      case: rule,
      private: false,
      rules: hasRule
        ? ['INTEGER', 'DOUBLE'].includes(type)
          ? { minimum: -100 }
          : { maxLength: 6 }
        : undefined,
      where: 'schema.yaml:1',
    }));
    for (const one of declared) if (/bigint|decimal/.test(one.type.kind)) one.rules = undefined;
    const dataset: Dataset = {
      name: 'random',
      files: '*',
      columns: declared,
      names: 'lower',
      nullTokens: NULL_TOKENS,
      delimiter: 'auto',
      quote: '"',
      escape: 'auto' as const,
      encoding: 'auto',
      header: 'auto',
      case: 'lower',
      ...settings,
    };
    const names = [
      ...declared.map(({ name }) => name),
      ...Array.from({ length: extra }, (_, i) => `more ${i}`),
    ];
    const cell = (name: string) => {
      const index = declared.findIndex((one) => one.name === name);
      return index < 0 ? fc.constantFrom('x', '', ' y ') : cellOf(columns[index].type);
    };
    return fc.shuffledSubarray(names, { minLength: names.length }).chain((order) => {
      const row = fc.tuple(...order.map(cell)) as fc.Arbitrary<string[]>;
      const ragged = fc.tuple(row, fc.constantFrom(-1, 1, 2)).map(([cells, by]) => raggedBy(cells, by));
      const rows = fc.array(fc.oneof({ weight: 60, arbitrary: row }, { weight: 1, arbitrary: ragged }), {
        maxLength: 40,
      });
      const repeated = fc
        .tuple(rows, fc.array(fc.nat(39), { maxLength: 3 }))
        .map(([list, again]) => [...list, ...again.filter((i) => i < list.length).map((i) => list[i])]);
      return fc.record({
        dataset: fc.constant(dataset),
        header: fc.constant(order.map((name, i) => (i % 2 === 0 ? name.toUpperCase() : ` ${name}`))),
        rows: repeated,
        form: fc.constant(form),
      });
    });
  });

/**
 * A record with cells too few or too many. Without line breaks: where one of its lines has the right number of cells,
 * the reader takes the quote around the break for one gone astray. Without other delimiters: where one of them gives the
 * right number of cells, the reader takes the record for one of another dialect.
 */
function raggedBy(cells: string[], by: number): string[] {
  const flat = cells.map((cell) => cell.replaceAll(/[\n;|\t]/g, ' '));
  if (by > 0) return [...flat, ...Array.from({ length: by }, (_, i) => `surplus ${i}`)];
  return flat.length > 2 ? flat.slice(0, by) : flat;
}

function csvOf({ header, rows, form }: Case): string {
  const quoted = (cell: string) =>
    form.quoteAll || /[,"\n\r]/.test(cell) || cell === '' ? `"${cell.replaceAll('"', '""')}"` : cell;
  const lines = [header, ...rows].map((cells) => cells.map(quoted).join(','));
  return lines.join('\n') + (form.endsWithLineEnd ? '\n' : '');
}

function bytesOf(text: string, { encoding, isZipped }: Form): Buffer {
  const [label, addBOM] = encoding === 'utf-8-bom' ? ['utf-8', true] : [encoding, encoding !== 'utf-8'];
  const bytes = iconv.encode(text, label as string, { addBOM: addBOM as boolean });
  return isZipped ? gzipSync(bytes) : bytes;
}

it('converting a random table gives what a simple implementation gives', async () => {
  const workshop = await Workshop.open({ config: 'any: { files: "*", columns: any }' });
  let serial = 0;
  const seen = { converted: 0, failed: 0, rows: 0, leftOut: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const text = csvOf(one);
      const expected = convertSimply(text, one.dataset);
      Object.assign(workshop.context, {
        datasets: [one.dataset],
        plans: new Map(),
        rowGroupRows: one.form.rowGroupRows,
      });
      const name = `t${serial++}.csv${one.form.isZipped ? '.gz' : ''}`;
      const published = await workshop.deliver(name, bytesOf(text, one.form));
      if (published.kind === 'duplicate') throw new Error('every file has a name of its own');
      const report = published.result.report;
      const counts = published.kind === 'failed' ? published.result.report.counts : published.result.counts;
      expect({ verdict: published.kind, code: report?.code ?? null, counts }).toEqual({
        verdict: expected.verdict,
        code: expected.code,
        counts: expected.counts,
      });
      expect(counts.rows_in).toBe(
        counts.rows_out + counts.dropped_missing + counts.dropped_duplicate + counts.set_aside,
      );
      if (report) expect(report.violations_by_code).toEqual(expected.violationsByCode);
      seen[expected.verdict]++;
      if (published.kind === 'failed') return;
      expect(await readRows(published.parquet, one.dataset)).toEqual({
        columns: expected.columns,
        rows: expected.rows,
      });
      seen.rows += expected.rows.length;
      seen.leftOut += expected.leftOutLines.length;
      const lines = new Set(report?.violations.map(({ line }) => line));
      expect([...lines]).toEqual(expected.leftOutLines);
      if (published.rejects) {
        const rejected = textOfFile(published.rejects, report!.dialect!.encoding.value);
        const source = text.endsWith('\n') ? text : `${text}\n`;
        expect(isMadeOfLines(rejected, source)).toBe(true);
      }
    }),
    { numRuns: 250 },
  );
  workshop.close();
  // The property is worth something only if files of both verdicts and rows of both kinds occur.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});

async function readRows(
  parquet: string,
  dataset: Dataset,
): Promise<{ columns: string[]; rows: SimpleValue[][] }> {
  const bytes = new Uint8Array(fs.readFileSync(parquet));
  const table = await readWithHyparquet(bytes);
  const columns = metadataOf(bytes)
    .schema.slice(1)
    .map(({ name }) => name);
  const declared = dataset.columns as DeclaredColumn[];
  const types = columns.map(
    (name) => declared.find((one) => one.name === name)?.type ?? parseSqlType('TEXT')!,
  );
  const rowCount = table[columns[0]].length;
  const rows = Array.from({ length: rowCount }, (_, row) =>
    columns.map((name, i) => spelled(table[name][row] as TestValue, types[i])),
  );
  return { columns, rows };
}

/** Rejected rows stand as they stood, in their order: what is left of the source when other lines are taken out. */
function isMadeOfLines(rejected: string, source: string): boolean {
  let at = 0;
  for (const line of rejected.split('\n').slice(0, -1)) {
    at = source.indexOf(`${line}\n`, at);
    if (at < 0) return false;
    at += line.length + 1;
  }
  return rejected.length > 0;
}
