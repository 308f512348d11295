import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realStudentCsv } from '../helpers/real-data.js';
import { Duck, readWithHyparquet, type TestColumn, writeParquet } from './tables.js';

const duck = new Duck();
afterAll(() => duck.close());

const MAX_BYTES = 9500;

/** All that the pipeline puts into a file, with values of the usual length. */
const METADATA = {
  'dropgate.source': 'student-mat.csv',
  'dropgate.sha256': '0123456789abcdef'.repeat(4),
  'dropgate.dataset': 'student_data',
  'dropgate.rows_in': '395',
  'dropgate.rows_out': '395',
  'dropgate.dropped_missing': '0',
  'dropgate.dropped_duplicate': '0',
  'dropgate.set_aside': '0',
  'dropgate.version': '0.1.0',
};

/** The file holds no quoted delimiters, so that splitting suffices here. */
function studentColumns(path: string): TestColumn[] {
  const [names, ...rows] = readFileSync(path, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(';').map((cell) => cell.replaceAll('"', '').trim().toLowerCase()));
  return names.map((name, i) => {
    const cells = rows.map((row) => row[i]);
    return cells.every((cell) => /^\d+$/.test(cell))
      ? { name, type: { kind: 'integer' }, values: cells.map(Number) }
      : { name, type: { kind: 'varchar', length: 20 }, values: cells };
  });
}

/** Where Python has pyarrow, that reader is asked, too. */
function hasPyarrow(): boolean {
  try {
    execFileSync('python3', ['-c', 'import pyarrow.parquet'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!realStudentCsv)('the real student file', () => {
  const columns = realStudentCsv ? studentColumns(realStudentCsv) : [];
  const wanted = Object.fromEntries(columns.map(({ name, values }) => [name, values]));

  it(`takes at most ${MAX_BYTES} bytes`, async () => {
    const file = await writeParquet(columns, { metadata: METADATA });
    expect(file.length).toBeLessThanOrEqual(MAX_BYTES);
  });

  it.each(['snappy', 'gzip', 'zstd', 'none'] as const)('comes back cell by cell from %s', async (codec) => {
    const file = await writeParquet(columns, { metadata: METADATA, codec });
    expect(await readWithHyparquet(file)).toEqual(wanted);
    expect(await duck.read(file)).toEqual(wanted);
  });

  it.skipIf(!hasPyarrow())('is read by pyarrow', async () => {
    const path = join(duck.folder, 'pyarrow.parquet');
    writeFileSync(path, await writeParquet(columns, { metadata: METADATA }));
    const program =
      'import json,sys,pyarrow.parquet as p; print(json.dumps(p.read_table(sys.argv[1]).to_pydict()))';
    const read = execFileSync('python3', ['-c', program, path], { encoding: 'utf8' });
    expect(JSON.parse(read)).toEqual(wanted);
  });
});
