import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { Site } from './site.js';

const ROWS = 1_700_000;
const PIECE_ROWS = 100_000;
/** About a part of the file further on, so that threads that are next to each other meet the same rows. */
const DISTANCE = 130_001;
const WRONG_ROW = 777_777;

/** One row in 32 repeats one that comes before it. */
function isRepeated(i: number): boolean {
  return i >= DISTANCE && i % 32 === 0;
}

function rowText(i: number): string {
  if (i === WRONG_ROW) return 'x,"some text\n of two lines",city 7\n';
  const id = isRepeated(i) ? i - DISTANCE : i;
  return `${id},"some text\n of two lines",city ${id % 100}\n`;
}

test('a large file is converted by several threads and comes out whole', async () => {
  const site = new Site({
    'schema.yaml':
      'large:\n  files: "*"\n  invalid: set_aside\n  columns: { id: INTEGER, note: TEXT, city: VARCHAR(20) }\n',
    'schema_sql.yaml': '',
    'db_creds.yaml': 'database: { engine: none }\n',
    'dropgate.yaml': 'workers: 3\nserver: { enabled: false }\n',
  });
  onTestFinished(() => site.close());
  const file = openSync(site.path('input_csv', 'large.csv'), 'w');
  writeSync(file, 'id,note,city\n');
  for (let from = 0; from < ROWS; from += PIECE_ROWS) {
    writeSync(file, Array.from({ length: PIECE_ROWS }, (_, i) => rowText(from + i)).join(''));
  }
  closeSync(file);

  const { code, stderr } = await site.run('once');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const left = Array.from({ length: ROWS }, (_, i) => i).filter((i) => isRepeated(i) || i === WRONG_ROW);
  const rejects = readFileSync(site.path('input_csv/output_failed/large.rejected.csv'), 'utf8');
  expect(rejects === `id,note,city\n${left.map(rowText).join('')}`).toBe(true);
  const report = site.report('input_csv/output_failed/large.rejected.csv') as unknown as { counts: object };
  expect(report.counts).toEqual({
    rows_in: ROWS,
    rows_out: ROWS - left.length,
    dropped_missing: 0,
    dropped_duplicate: left.length - 1,
    set_aside: 1,
  });
  const { violations } = site.report('input_csv/output_failed/large.rejected.csv');
  expect(violations.map(({ line }) => line)).toEqual(left.slice(0, 1000).map((i) => 2 + 2 * i));
});
