import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/read/file-source.js';
import { makeScanner } from '../../src/read/make-scanner.js';
import { openTable, type ReadOptions } from '../../src/read/open-table.js';
import { TextWindow } from '../../src/read/text-feed.js';
import { tempDir } from '../helpers/temp-dir.js';
import { NO_WISHES } from './reading.js';

/*
 * Files that no table is in, or too much of one: each ends with a code, and with memory that its size does not decide.
 */

const folder = tempDir();
const LIMITS: Partial<ReadOptions> = {
  maxRowBytes: 16 << 20,
  maxColumns: 16_384,
  maxDecompressedRatio: 200,
};
const MAX_WINDOW_BYTES = 48 << 20;
const MAX_BATCH_ROWS = 1 << 16;

interface Run {
  /** Code of the error that ended the reading. */
  code?: string;
  rows: number;
  irregular: number;
  /** Largest size of the window, and most irregular records of a batch. */
  windowBytes: number;
  batchIrregular: number;
}

async function run(
  name: string,
  content: Uint8Array | string | ((fd: number) => void),
  wishes: Partial<ReadOptions> = {},
): Promise<Run> {
  const path = join(folder, name);
  if (typeof content === 'function') {
    const fd = openSync(path, 'w');
    content(fd);
    closeSync(fd);
  } else {
    writeFileSync(path, content);
  }
  const source = new FileSource(path);
  const window = new TextWindow(0);
  const result: Run = { rows: 0, irregular: 0, windowBytes: 0, batchIrregular: 0 };
  try {
    const table = await openTable(source, window, { ...NO_WISHES, ...LIMITS, ...wishes });
    const scanner = makeScanner({
      dialect: table.findings.dialect,
      wanted: new Array<boolean>(table.width).fill(true),
      maxRows: MAX_BATCH_ROWS,
      keepRagged: false,
    });
    while (await table.rows.next(scanner)) {
      result.rows += scanner.rowCount;
      result.irregular += scanner.irregular.length;
      result.batchIrregular = Math.max(result.batchIrregular, scanner.irregular.length);
      result.windowBytes = Math.max(result.windowBytes, window.buffer.length);
      table.rows.finishBatch(scanner);
    }
  } catch (error) {
    result.code = (error as { code: string }).code;
  } finally {
    source.close();
  }
  result.windowBytes = Math.max(result.windowBytes, window.buffer.length);
  expect(result.windowBytes).toBeLessThanOrEqual(MAX_WINDOW_BYTES);
  expect(result.batchIrregular).toBeLessThanOrEqual(MAX_BATCH_ROWS);
  return result;
}

/** Writes the same block again and again. */
function repeated(block: string | Uint8Array, times: number): (fd: number) => void {
  const bytes = Buffer.from(block as string);
  return (fd) => {
    for (let i = 0; i < times; i++) writeSync(fd, bytes);
  };
}

const MB = 1 << 20;

describe('a file that is no table ends with a code and bounded memory', () => {
  it('one line of 100 MB', async () => {
    expect((await run('line.csv', repeated('x'.repeat(MB), 100))).code).toBe('row_too_long');
  });

  it('a table with a cell of 100 MB', async () => {
    const cell = repeated(`${'word '.repeat(MB / 5)}`, 100);
    const result = await run('cell.csv', (fd) => {
      writeSync(fd, 'id,text\n1,x\n2,');
      cell(fd);
      writeSync(fd, '\n3,y\n');
    });
    expect(result.code).toBe('row_too_long');
  });

  it('100,000 columns', async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `c${i}`).join(',');
    expect((await run('columns.csv', `${names}\n`)).code).toBe('too_many_columns');
  });

  it('a gzip file that expands ten thousand times', async () => {
    const packed = gzipSync(Buffer.alloc(110 * MB, 'a,b\n'));
    expect((await run('bomb.csv.gz', packed)).code).toBe('bad_gzip');
  });

  it.each([
    ['delimiters', ',,,,,,,,\n'.repeat(1000)],
    ['quotes', `${'"'.repeat(99)}\n`.repeat(100)],
    ['an even number of quotes', '"'.repeat(5000)],
    ['an odd number of quotes', '"'.repeat(5001)],
    ['line ends', '\r\n'.repeat(5000)],
  ])('only %s', async (_, text) => {
    expect((await run('only.csv', text)).code).toMatch(/empty_file|unclosed_quote|no_header/);
  });

  it('only delimiters, of more than a block', async () => {
    const text = ';;;;;;\r\n'.repeat(1_500_000);
    expect((await run('delimiters.csv', text)).code).toBe('empty_file');
    expect(await run('one.csv', `${text};;;x;;;\r\n`)).toMatchObject({ rows: 1_500_001, irregular: 0 });
    expect(await run('kept.csv', text, { keepEmpty: true })).toMatchObject({ rows: 1_500_000, irregular: 0 });
    expect(await run('few.csv', ';;\n;;\n', { keepEmpty: true })).toMatchObject({ rows: 2 });
  });

  it('random bytes', async () => {
    expect((await run('random.csv', randomBytes(3 * MB))).code).toBe('binary_file');
  });

  it('a picture', async () => {
    const png = Buffer.concat([
      Buffer.from('89504e470d0a1a0a0000000d49484452000003200000025808060000009a768270', 'hex'),
      randomBytes(50_000),
    ]);
    expect((await run('picture.csv', png)).code).toBe('binary_file');
  });
});

describe('a file that is hard to read is read', () => {
  it('after a quote that is never closed: only its line is lost', async () => {
    const rows = repeated('1,x,y\n'.repeat(MB / 8), 32);
    const result = await run('quote.csv', (fd) => {
      writeSync(fd, 'a,b,c\n1,"x,y\n');
      rows(fd);
    });
    expect(result).toMatchObject({ rows: (MB / 8) * 32, irregular: 1 });
    expect(result.code).toBeUndefined();
  });

  it('with millions of ragged lines', async () => {
    const result = await run('ragged.csv', (fd) => {
      writeSync(fd, 'a,b,c\n1,2,3\n4,5,6\n');
      repeated('x,y\n'.repeat(MB), 3)(fd);
      writeSync(fd, '7,8,9\n');
    });
    expect(result).toMatchObject({ rows: 3, irregular: 3 * MB });
  });

  it('with millions of blank lines', async () => {
    const result = await run('blank.csv', (fd) => {
      writeSync(fd, 'a,b,c\n1,2,3\n');
      repeated('\n'.repeat(MB), 8)(fd);
      writeSync(fd, '4,5,6\n');
    });
    expect(result).toMatchObject({ rows: 2, irregular: 0 });
  });

  it('with a misplaced quote in every line', async () => {
    const strays = (fd: number) => {
      writeSync(fd, 'a,b,c\n1,2,3\n4,5,6\n');
      repeated('1,"x"y,2\n'.repeat(1000), 20)(fd);
    };
    const result = await run('strays.csv', strays, { delimiter: ',', escape: 'double' });
    expect(result).toMatchObject({ rows: 2, irregular: 20_000 });
  });

  it('of no rows', async () => {
    const result = await run('header.csv', 'a,b,c\n');
    expect(result).toMatchObject({ rows: 0, irregular: 0 });
    expect(result.code).toBeUndefined();
  });
});
