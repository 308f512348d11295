import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.js';
import { convertFile } from '../../src/pipeline/convert-file.js';
import { openContext } from '../../src/pipeline/convert-worker.js';
import { proposeSchema } from '../../src/pipeline/propose-schema.js';
import { tempDir } from '../helpers/temp-dir.js';

/** Cells such as real columns have them: mostly of one kind, now and then another, now and then none. */
const KINDS = [
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.nat({ max: 99_999 }).map((cents) => (cents / 100).toFixed(2)),
  fc.constantFrom('true', 'False'),
  fc.constantFrom('yes', 'no'),
  fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10)),
  fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((time) => time.toISOString()),
  fc.uuid(),
  fc.string({ maxLength: 30 }),
  fc.string({ maxLength: 12, unit: 'grapheme' }),
  fc.constantFrom('007', '+1', '.', '-', '1.', '1e5', '12:30', `$${'{x}'}`, 'İ'),
];
const MISSING = fc.constantFrom('', 'NA', ' null ');

const column = fc.constantFrom(...KINDS).chain((kind) =>
  fc.array(fc.oneof({ arbitrary: kind, weight: 12 }, { arbitrary: MISSING, weight: 1 }), {
    minLength: 8,
    maxLength: 8,
  }),
);

const name = fc.oneof(
  fc.constantFrom(
    'id',
    'yes',
    'null',
    'a: b',
    '# c',
    `$${'{x}'}`,
    `$$${'{y}'}`,
    '__proto__',
    'constructor',
    '-',
    '123',
  ),
  fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.trim() !== '' && !/[\0\ufffd]/.test(text)),
);

const table = fc
  .array(fc.tuple(name, column), { minLength: 2, maxLength: 5 })
  .filter((columns) => new Set(columns.map(([text]) => folded(text))).size === columns.length)
  // Without a header among them, the first row would be taken for one.
  .map((columns) => [['key_column', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']] as const, ...columns]);

function folded(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

const root = tempDir();
mkdirSync(path.join(root, 'config'));
const file = path.join(root, 'sample 2026-11-22.csv');

describe('a proposal', () => {
  it('is accepted as configuration, and the sample meets it', async () => {
    await fc.assert(
      fc.asyncProperty(table, async (columns) => {
        const header = columns.map(([text]) => quoted(text)).join(';');
        const rows = columns[0][1].map((_, row) => columns.map(([, cells]) => quoted(cells[row])).join(';'));
        writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
        const { schemaYaml, tablesYaml, sample } = await proposeSchema({ file });
        writeFileSync(path.join(root, 'config/schema.yaml'), schemaYaml);
        writeFileSync(path.join(root, 'config/schema_sql.yaml'), tablesYaml);
        const settings = loadSettings({ root, configDir: path.join(root, 'config'), env: {} });
        const context = await openContext(
          {
            datasets: settings.datasets,
            overlappingDatasets: 'fail_file',
            outputFolder: root,
            failedFolder: root,
            scratchFolder: root,
            parquet: settings.parquet,
            limits: settings.limits,
            version: '0',
          },
          true,
        );
        const result = await convertFile({ name: path.basename(file), path: file }, context);
        expect(result).toMatchObject({ status: 'converted', counts: { rows_out: sample.rows } });
        // Names that could be numbers make the header look like a row.
        expect(sample.rows).toBe(sample.findings.header === 'present' ? 8 : 9);
      }),
      { numRuns: 300 },
    );
  });
});
