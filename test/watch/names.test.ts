import { expect, test } from 'vitest';
import { isDelimitedName, isIgnoredName, isParquetName } from '../../src/watch/names.js';

test.each([
  '.x.csv',
  '.dropgate-1.tmp',
  'x.csv.tmp',
  'x.csv.part',
  'x.csv.PART',
  'x.filepart',
  'x.crdownload',
  'x.csv.swp',
  'x.csv~',
])('%s is never touched', (name) => expect(isIgnoredName(name)).toBe(true));

test.each(['x.csv', 'x.tmp.csv', 'part.csv', '~x.csv', 'tmp', 'x.csv.partial', 'x.part\n.csv'])(
  '%j may be touched',
  (name) => expect(isIgnoredName(name)).toBe(false),
);

test.each(['x.csv', 'X.CSV', 'x.tsv', 'x.Txt', 'x.csv.gz', 'x.tsv.GZ', 'x.txt.gz', 'a\nb.csv'])(
  '%j is delimited text',
  (name) => expect(isDelimitedName(name)).toBe(true),
);

test.each(['x', 'csv', 'x.csv.done', 'x.gz', 'x.csv.gz.gz', 'x.xlsx', 'x.csv\n', 'x.parquet'])(
  '%j is not',
  (name) => expect(isDelimitedName(name)).toBe(false),
);

test('Parquet files are known by their extension in any letter case', () => {
  expect(['a.parquet', 'A.Parquet', 'a.parquet.tmp', 'parquet', 'a.csv'].map(isParquetName)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
