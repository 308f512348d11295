import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../helpers/temp-dir.js';
import { type ReadTable, readBytes, readFile } from '../read/reading.js';

/*
 * Files of other people: delimiter and table as the reader finds them, compared with csv-parse, which is told the dialect;
 * as the files are, and rewritten in other dialects. None of them is part of this repository; see `npm run corpus`.
 */

const folder = process.env.CORPUS ?? '';
const MAX_BYTES = 3_000_000;
/** A rewritten file has at most so many records. */
const MAX_REWRITTEN = 1000;

interface TrueDialect {
  delimiter: string;
  quote: string;
  escape: 'double' | 'backslash';
}

const USUAL: TrueDialect = { delimiter: ',', quote: '"', escape: 'double' };

/** What a file is rewritten to. A bare space between cells is told from words only by quotes. */
const REWRITTEN: (TrueDialect & { quoteAll?: boolean })[] = [
  { ...USUAL, delimiter: ';' },
  { ...USUAL, delimiter: '\t' },
  { ...USUAL, delimiter: '|' },
  { ...USUAL, delimiter: ', ' },
  { ...USUAL, delimiter: ' ' },
  { ...USUAL, quote: "'" },
  { ...USUAL, delimiter: ';', escape: 'backslash' },
  { ...USUAL, quoteAll: true },
];

/** Dialects of files that are not written with commas and double quotes: a JSON file in the folder, by relative path. */
function knownDialects(): Record<string, Partial<TrueDialect> | null> {
  const path = join(folder, 'dialects.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

function corpus(): { path: string; name: string; dialect: TrueDialect }[] {
  const known = knownDialects();
  const contents = new Set<string>();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(csv|tsv)$/i.test(name),
  );
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const { size } = statSync(path);
    if (size === 0 || size > MAX_BYTES || known[name] === null) return [];
    const content = readFileSync(path, 'latin1');
    if (contents.has(content)) return [];
    contents.add(content);
    const usual = /\.tsv$/i.test(name) ? { ...USUAL, delimiter: '\t' } : USUAL;
    return [{ path, name: relative('.', name), dialect: { ...usual, ...known[name] } }];
  });
}

function parsed(text: string, { delimiter, quote, escape: way }: TrueDialect): string[][] {
  return parse(text, {
    delimiter,
    quote,
    escape: way === 'double' ? quote : '\\',
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
  });
}

function rewritten(records: string[][], how: TrueDialect & { quoteAll?: boolean }): string {
  const { delimiter, quote, quoteAll } = how;
  const cell = (text: string) => {
    const isPlain =
      !quoteAll &&
      ![quote, delimiter[0], '\n', '\r'].some((mark) => text.includes(mark)) &&
      !(how.escape === 'backslash' && text.includes('\\')) &&
      !(delimiter === ' ' && text === '');
    if (isPlain) return text;
    const escaped =
      how.escape === 'double'
        ? text.replaceAll(quote, quote + quote)
        : text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
    return quote + escaped + quote;
  };
  return records.map((record) => `${record.map(cell).join(delimiter)}\n`).join('');
}

/** Are the rows that were read the last of the records, but for empty cells at their ends? */
function isSameTable(table: ReadTable, records: string[][]): boolean {
  const { preamble, headerRecords } = table.findings;
  const above = preamble.length + headerRecords;
  if (table.irregular.length > 0 || above + table.rows.length !== records.length) return false;
  return table.rows.every(({ cells, surplus }, i) =>
    areSame([...cells, ...(surplus ?? [])], records[above + i]),
  );
}

function areSame(a: string[], b: string[]): boolean {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if ((a[i] ?? '') !== (b[i] ?? '')) return false;
  return true;
}

interface Tally {
  files: number;
  delimiter: number;
  table: number;
  wrong: string[];
}

function note(
  tally: Tally,
  file: { name: string; table: ReadTable; records: string[][]; dialect: TrueDialect },
): void {
  const { name, table, records, dialect } = file;
  const isOneColumn = records.every((record) => record.length === 1);
  const found = table.findings.dialect;
  const hasDelimiter = isOneColumn ? table.width === 1 : found.delimiter === dialect.delimiter;
  tally.files++;
  if (hasDelimiter) tally.delimiter++;
  const isSame = isSameTable(table, records);
  if (isSame) tally.table++;
  if (!hasDelimiter || !isSame) {
    tally.wrong.push(`${name}: ${hasDelimiter ? 'other table' : 'other delimiter'} ${JSON.stringify(found)}`);
  }
}

describe.skipIf(folder === '')('files of other people', () => {
  const temp = tempDir();
  const emptyTally = (): Tally => ({ files: 0, delimiter: 0, table: 0, wrong: [] });

  it('are read in the dialect that they were written in', { timeout: 3_600_000 }, async () => {
    const tallies = new Map<string, Tally>([['as published', emptyTally()]]);
    for (const { path, name, dialect } of corpus()) {
      const table = await readFile(path, { keepRagged: true, mendHeader: true, maxColumns: 100_000 });
      const text = iconv.decode(readFileSync(path), table.findings.encoding.label);
      const records = parsed(text, dialect);
      note(tallies.get('as published')!, { name, table, records, dialect });
      const some = records.slice(0, MAX_REWRITTEN);
      for (const how of REWRITTEN) {
        const label = JSON.stringify(how);
        const tally = tallies.get(label) ?? emptyTally();
        tallies.set(label, tally);
        const again = await readBytes(temp, rewritten(some, how), {
          keepRagged: true,
          mendHeader: true,
          maxColumns: 100_000,
        });
        note(tally, {
          name,
          table: again,
          records: some.filter((r) => r.length > 1 || r[0] !== ''),
          dialect: how,
        });
      }
    }
    for (const [label, { files, delimiter, table, wrong }] of tallies) {
      const share = (count: number) => `${((count / files) * 100).toFixed(2)} %`;
      const line = `${label}: ${files} files, delimiter right in ${share(delimiter)}, same table in ${share(table)}`;
      console.info([line, ...wrong].join('\n'));
    }
    expect(tallies.get('as published')!.files).toBeGreaterThan(0);
  });
});
