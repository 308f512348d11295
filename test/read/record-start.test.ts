import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { FileSource } from '../../src/read/file-source.js';
import { findRecordStart } from '../../src/read/record-start.js';
import { tempDir } from '../helpers/temp-dir.js';

const DIALECT = { delimiter: ',', quote: '"', escape: 'double', loneCrEnds: false } as const;
const SHAPE = { dialect: DIALECT, width: 3, maxWidth: 3 };

let source: FileSource;
afterEach(() => source.close());

/** Where records are found to begin in a file of these, from each byte of the first ten on. */
function foundStarts(records: string[]): { found: Set<number | undefined>; starts: Set<number> } {
  const file = path.join(tempDir(), 'file.csv');
  writeFileSync(file, records.join(''));
  source = new FileSource(file);
  const starts = records.map((_, i) => records.slice(0, i).join('').length);
  const positions = Array.from({ length: starts[10] }, (_, position) => position);
  const found = new Set(positions.map((position) => findRecordStart(source, position, SHAPE)));
  return { found, starts: new Set(starts) };
}

it('finds no record inside a quoted cell with line breaks, wherever it begins to look', () => {
  const records = Array.from({ length: 30 }, (_, i) => `"a ${i}, b\nc ""d"", e\nf","g\nh, ""i""",${i}\n`);
  const { found, starts } = foundStarts(records);
  expect([...found].filter((at) => at === undefined || !starts.has(at))).toEqual([]);
});

it('finds records with quotes in the middle of cells, where there are no others', () => {
  const { found, starts } = foundStarts(Array.from({ length: 30 }, (_, i) => `pipe ${i}",2,3\n`));
  expect(found).toEqual(new Set([...starts].slice(1, 11)));
});
