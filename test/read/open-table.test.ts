import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/read/file-source.js';
import { openTable } from '../../src/read/open-table.js';
import { NotUtf8, TextWindow } from '../../src/read/text-feed.js';
import { realStudentCsv } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';
import { NO_WISHES, readBytes, readFile } from './reading.js';

const folder = tempDir();

describe('a table', () => {
  it.skipIf(!realStudentCsv)('is the real student file', async () => {
    const table = await readFile(realStudentCsv!);
    expect(table.findings).toMatchObject({
      dialect: { delimiter: ';', quote: '"' },
      delimiterOrigin: 'detected',
      header: 'present',
      encoding: { label: 'utf-8' },
    });
    expect(table.width).toBe(33);
    expect(table.rows).toHaveLength(395);
    expect(table.irregular).toEqual([]);
    expect(table.rows[394].line).toBe(396);
  });

  it.each([',', ';', '\t', '|'])('is found with the delimiter %j', async (delimiter) => {
    const text = [
      'id,name,price,day',
      '1,Anna,3.5,2024-01-02',
      '2,Ben,4,2024-01-03',
      '3,Cleo,5.25,2024-01-04',
    ];
    const table = await readBytes(folder, `${text.join('\n').replaceAll(',', delimiter)}\n`);
    expect(table.findings.dialect.delimiter).toBe(delimiter);
    expect(table.header).toEqual(['id', 'name', 'price', 'day']);
    expect(table.rows).toHaveLength(3);
  });

  it.each([
    [' ', '12:00:01 ok\n12:00:02 fail\n12:01:03 ok\n13:00:00 retry\n'],
    [':', 'id:minute:word\n1:10:x\n2:20:y\n3:30:z\n'],
  ])('is not cut at the colons of its times: %j', async (delimiter, text) => {
    expect((await readBytes(folder, text)).findings.dialect.delimiter).toBe(delimiter);
  });

  it.each([
    ['0 bytes', ''],
    ['white space', ' \n\t\r\n  \n'],
    ['only a byte order mark', '\ufeff'],
  ])('is not in a file of %s', async (_, content) => {
    await expect(readBytes(folder, content)).rejects.toMatchObject({ code: 'empty_file' });
  });

  it('begins after blank lines, whose number the lines keep', async () => {
    const table = await readBytes(folder, '\n  \r\n\na,b\n\n1,2\n\n\n3,4');
    expect(table.headerLine).toBe(4);
    expect(table.rows.map(({ line, byteOffset }) => [line, byteOffset])).toEqual([
      [6, 11],
      [9, 17],
    ]);
  });

  it('has lines and offsets that point at its records, whatever is embedded', async () => {
    const cell = fc.constantFrom('x', '', '"a\nb"', '"a\r\nb"', '"q""q"', 'é', '漢');
    const line = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(cell, cell, cell).map((cells) => cells.join(',')) },
      fc.constant(''),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('utf-8', 'utf-8 with mark', 'utf-16le', 'utf-16be with mark', 'windows-1252'),
        fc.integer({ min: 1, max: 50 }),
        async (lines, lineEnd, writing, nextBytes) => {
          const encoding = writing.split(' ')[0];
          const mark = writing.endsWith('mark') ? '\ufeff' : '';
          const usable =
            encoding === 'windows-1252' ? lines.map((text) => text.replaceAll('漢', 'ß')) : lines;
          const text = mark + ['h1,h2,h3', ...usable].join(lineEnd);
          const content = iconv.encode(text, encoding);
          const table = await readBytes(folder, content, {
            encoding,
            delimiter: ',',
            quote: '"',
            header: 'present',
            blockSizes: { firstBytes: 40, nextBytes },
          });
          const records = usable.filter((record) => record !== '');
          expect(table.rows.map(({ raw }) => raw)).toEqual(records);
          let searched = iconv.encode(`${mark}h1,h2,h3`, encoding).length;
          for (const row of table.rows) {
            const at = content.indexOf(iconv.encode(row.raw, encoding), searched);
            expect(row.byteOffset).toBe(at);
            const before = iconv.decode(content.subarray(0, at), encoding);
            expect(row.line).toBe(1 + (before.match(/\n/g)?.length ?? 0));
            searched = at + iconv.encode(row.raw, encoding).length;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never crashes or hangs, and loses nothing, whatever the bytes', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('"', ',', ';', '\n', '\r', 'a', '1', '\0', 'é', "'", '\\', ' '), {
          maxLength: 80,
        })
        .map((parts) => Uint8Array.from(Buffer.from(parts.join('')))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 64 }), async (content, nextBytes) => {
        let table: Awaited<ReturnType<typeof readBytes>>;
        try {
          table = await readBytes(folder, content, { blockSizes: { firstBytes: 512, nextBytes } });
        } catch (error) {
          if (!(error instanceof NotUtf8)) expect(error).toMatchObject({ name: 'DropgateError' });
          return;
        }
        expect(table.rows.length + table.irregular.length).toBeLessThanOrEqual(content.length);
      }),
      { numRuns: 1000 },
    );
  });
});

it('opens a file of 3 GiB, most of which is a hole', async () => {
  const path = join(folder, 'large.csv');
  writeFileSync(path, `a;b\n${'1;2\n'.repeat(20_000)}`);
  truncateSync(path, 3 * 2 ** 30);
  const source = new FileSource(path);
  try {
    const { findings, header } = await openTable(source, new TextWindow(0), NO_WISHES);
    expect(findings.dialect.delimiter).toBe(';');
    expect(header).toEqual(['a', 'b']);
  } finally {
    source.close();
    rmSync(path);
  }
});

describe('a header', () => {
  const expectedNames = new Set(['id', 'name']);

  it('is recognised by declared names, in any case, quoted or not', async () => {
    const table = await readBytes(folder, '"ID" ; Name\n1;x\n', { expectedNames });
    expect(table.findings).toMatchObject({ header: 'present', headerOrigin: 'detected' });
    expect(table.findings.score).toBeUndefined();
  });

  it('tells by declared names that a space behind a comma is part of a name', async () => {
    const text = 'a, more,b\n0, y \n';
    const table = await readBytes(folder, text, { expectedNames: new Set(['a', 'b']), keepRagged: true });
    expect(table.findings.dialect.delimiter).toBe(',');
    expect(table.header).toEqual(['a', ' more', 'b']);
  });

  it('is absent where the first record looks like data', async () => {
    const table = await readBytes(folder, '1,x\n2,y\n', { expectedNames, looksLikeData: () => true });
    expect(table.header).toBeUndefined();
    expect(table.findings.header).toBe('absent');
    expect(table.rows.map(({ line }) => line)).toEqual([1, 2]);
  });

  it('is asked for where the first record is neither', async () => {
    const reading = readBytes(folder, '1,2\n3,4\n', { expectedNames });
    await expect(reading).rejects.toMatchObject({ code: 'no_header' });
  });

  it.each(['present', 'absent'] as const)('is %s when the user says so', async (header) => {
    const table = await readBytes(folder, 'id,name\n1,x\n', { expectedNames, header });
    expect(table.findings).toMatchObject({ header, headerOrigin: 'user' });
    expect(table.rows).toHaveLength(header === 'present' ? 1 : 2);
  });

  it('may span lines', async () => {
    const table = await readBytes(folder, 'id,"name\nof it"\n1,x\n', { delimiter: ',', header: 'present' });
    expect(table.header).toEqual(['id', 'name\nof it']);
    expect(table.rows[0]).toMatchObject({ line: 3, byteOffset: 16 });
  });

  it('of too many columns is refused', async () => {
    const reading = readBytes(folder, `${'a,'.repeat(2000)}b\n`, { delimiter: ',', header: 'present' });
    await expect(reading).rejects.toMatchObject({ code: 'too_many_columns' });
  });

  it('longer than a block is read whole', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `column ${i}`);
    const cells = names.map((_, i) => i);
    const table = await readBytes(folder, `${names.join(',')}\n${cells.join(',')}\n`, {
      delimiter: ',',
      header: 'present',
      blockSizes: { firstBytes: 64, nextBytes: 64 },
    });
    expect(table.header).toEqual(names);
    expect(table.rows).toHaveLength(1);
  });

  it('that does not end within limits.max_row_bytes is refused', async () => {
    const reading = readBytes(folder, 'x'.repeat(5000), {
      maxRowBytes: 1000,
      blockSizes: { firstBytes: 64, nextBytes: 64 },
    });
    await expect(reading).rejects.toMatchObject({ code: 'row_too_long' });
  });
});
