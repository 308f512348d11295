import fc from 'fast-check';
import type { ColumnMetaData } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { afterAll, describe, expect, it } from 'vitest';
import type { SqlType } from '../../src/base/sql-type.js';
import { openCodec } from '../../src/write/codec.js';
import { ParquetFile } from '../../src/write/parquet-file.js';
import { encodeRowGroup } from '../../src/write/row-group.js';
import {
  Duck,
  metadataOf,
  readWithHyparquet,
  specOf,
  type TestColumn,
  type TestValue,
  typedColumn,
  writeParquet,
} from './tables.js';

const duck = new Duck();
afterAll(() => duck.close());

const INTEGER: SqlType = { kind: 'integer' };
const TEXT: SqlType = { kind: 'text' };

async function expectBothRead(file: Uint8Array, columns: TestColumn[]): Promise<void> {
  const wanted = Object.fromEntries(columns.map(({ name, values }) => [name, values]));
  expect(await readWithHyparquet(file)).toEqual(wanted);
  expect(await duck.read(file)).toEqual(wanted);
}

describe('a file', () => {
  it('without rows still has its columns', async () => {
    const columns: TestColumn[] = [
      { name: 'a', type: INTEGER, values: [] },
      { name: 'b', type: TEXT, nullable: true, values: [] },
    ];
    const file = await writeParquet(columns);
    expect(metadataOf(file).schema.map(({ name }) => name)).toEqual(['schema', 'a', 'b']);
    expect(await duck.query(file, 'SELECT count(*) AS n FROM $file')).toEqual([{ n: 0n }]);
    await expectBothRead(file, columns);
  });

  it('leaves out a row group without rows', async () => {
    const codec = await openCodec('snappy');
    const columns = [{ name: 'a', type: INTEGER, nullable: false }];
    const chunks: Uint8Array[] = [];
    const file = new ParquetFile({ sink: { write: (b) => chunks.push(b.slice()) }, columns, version: '1' });
    const data = [typedColumn({ name: 'a', type: INTEGER, values: [1, 2] })];
    file.append(encodeRowGroup({ columns, data, rowCount: 0, codec }));
    file.append(encodeRowGroup({ columns, data, rowCount: 2, codec }));
    expect(file.finish({}).rowCount).toBe(2);
    expect(metadataOf(new Uint8Array(Buffer.concat(chunks))).row_groups).toHaveLength(1);
  });

  it('carries key-value metadata and the program that wrote it', async () => {
    const metadata = {
      'dropgate.source': 'schüler 🎓.csv',
      'dropgate.note': '',
      'dropgate.long': 'x'.repeat(5000),
    };
    const file = await writeParquet([{ name: 'a', type: INTEGER, values: [1] }], { metadata });
    const read = metadataOf(file);
    expect(Object.fromEntries(read.key_value_metadata!.map(({ key, value }) => [key, value]))).toEqual(
      metadata,
    );
    expect(read.created_by).toBe('dropgate 1.2.3');
    const told = await duck.query(
      file,
      'SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata($file)',
    );
    expect(Object.fromEntries(told.map(({ k, v }) => [k, v]))).toEqual(metadata);
  });

  it('states the order that its bounds follow, for every column', async () => {
    const column = { type: INTEGER, values: [1] };
    const file = await writeParquet([
      { name: 'a', ...column },
      { name: 'b', ...column },
    ]);
    const offset = file.length - 8 - metadataOf(file).metadata_length;
    const footer = deserializeTCompactProtocol({ view: new DataView(file.buffer), offset });
    expect(footer.field_7).toEqual([{ field_1: {} }, { field_1: {} }]);
  });

  it('may have 500 columns, with names in any script', async () => {
    const columns = Array.from({ length: 500 }, (_, i): TestColumn => {
      const nullable = i % 3 === 0;
      return { name: `größe_${i}`, type: INTEGER, nullable, values: [i, nullable ? null : -i] };
    });
    await expectBothRead(await writeParquet(columns), columns);
  });

  it('reaches the sink in one piece when small, and in order when large', async () => {
    const codec = await openCodec('none');
    const columns = [{ name: 'a', type: TEXT, nullable: false }];
    for (const [length, maxWrites] of [
      [10, 1],
      [50_000, 100],
    ]) {
      const values = Array.from({ length }, (_, i) => `row ${i}`);
      const column: TestColumn = { name: 'a', type: TEXT, mode: 'plain', values };
      const chunks: Uint8Array[] = [];
      const file = new ParquetFile({ sink: { write: (b) => chunks.push(b.slice()) }, columns, version: '1' });
      for (let from = 0; from < length; from += 1000) {
        const to = Math.min(from + 1000, length);
        file.append(
          encodeRowGroup({ columns, data: [typedColumn(column, from, to)], rowCount: to - from, codec }),
        );
      }
      file.finish({});
      expect(chunks.length).toBeLessThanOrEqual(maxWrites);
      await expectBothRead(new Uint8Array(Buffer.concat(chunks)), [column]);
    }
  });
});

describe('row groups', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? null : `value ${i % 40}`));
  const columns: TestColumn[] = [
    { name: 'dictionary', type: TEXT, nullable: true, values },
    { name: 'plain', type: TEXT, nullable: true, mode: 'plain', values },
    { name: 'sorted', type: INTEGER, values: values.map((_, i) => Math.floor(i / 100)) },
  ];

  it('are read back in order', async () => {
    const file = await writeParquet(columns, { groupRows: 300 });
    expect(metadataOf(file).row_groups.map(({ num_rows }) => num_rows)).toEqual([300n, 300n, 300n, 100n]);
    await expectBothRead(file, columns);
  });

  it('hold only the dictionary values that their rows use', async () => {
    const file = await writeParquet([columns[2]], { groupRows: 500 });
    const chunks = metadataOf(file).row_groups.map(({ columns: [chunk] }) => chunk.meta_data!);
    for (const chunk of chunks) expect(chunk.statistics!.distinct_count).toBe(5n);
    // Five values of four bytes, their header, and five runs.
    for (const chunk of chunks) expect(Number(chunk.total_compressed_size)).toBeLessThan(100);
  });

  it('can be encoded elsewhere and sent over', async () => {
    const codec = await openCodec('snappy');
    const specs = columns.map(specOf);
    const chunks: Uint8Array[] = [];
    const file = new ParquetFile({
      sink: { write: (b) => chunks.push(b.slice()) },
      columns: specs,
      version: '1',
    });
    const groups = [0, 500].map((from) => {
      const data = columns.map((column) => typedColumn(column, from, from + 500));
      const group = encodeRowGroup({ columns: specs, data, rowCount: 500, codec });
      expect(group.bytes.buffer.byteLength).toBe(group.bytes.length);
      return structuredClone(group, { transfer: [group.bytes.buffer] });
    });
    for (const group of groups) file.append(group);
    file.finish({});
    await expectBothRead(new Uint8Array(Buffer.concat(chunks)), columns);
  });

  it('do not depend on what was encoded before', async () => {
    const first = await writeParquet(columns);
    await writeParquet([
      { name: 'a', type: TEXT, values: Array.from({ length: 3000 }, (_, i) => `${i * 7919}`) },
    ]);
    expect(Buffer.compare(await writeParquet(columns), first)).toBe(0);
  });

  it('tell their sizes and places truly', async () => {
    const file = await writeParquet(columns, { groupRows: 300 });
    const { row_groups } = metadataOf(file);
    let offset = 4n;
    for (const group of row_groups) {
      let uncompressed = 0n;
      expect(group.file_offset).toBe(offset);
      for (const { meta_data: chunk } of group.columns) {
        expect(chunk!.dictionary_page_offset ?? chunk!.data_page_offset).toBe(offset);
        offset += chunk!.total_compressed_size;
        const pageSizes = pagesOf(file, chunk!).map(({ uncompressedBytes }) => uncompressedBytes);
        expect(chunk!.total_uncompressed_size).toBe(BigInt(pageSizes.reduce((sum, size) => sum + size)));
        uncompressed += chunk!.total_uncompressed_size;
      }
      expect(group.total_byte_size).toBe(uncompressed);
    }
    const footerBytes = metadataOf(file).metadata_length + 8;
    expect(offset).toBe(BigInt(file.length - footerBytes));
  });
});

describe('dictionaries', () => {
  it.each([1, 2, 3, 255, 256, 257, 65_537])('of %i values are read back', async (size) => {
    const length = Math.max(200, size * 3);
    const values = Array.from({ length }, (_, i) => `text number ${(i * 7919) % size}`);
    const columns: TestColumn[] = [
      { name: 'text', type: TEXT, values },
      {
        name: 'nullable',
        type: TEXT,
        nullable: true,
        values: values.map((v, i) => (i > size && i % 5 === 0 ? null : v)),
      },
    ];
    const file = await writeParquet(columns);
    for (const { meta_data: chunk } of metadataOf(file).row_groups[0].columns) {
      expect(chunk!.encodings).toContain('RLE_DICTIONARY');
      expect(chunk!.statistics!.distinct_count).toBe(BigInt(size));
    }
    await expectBothRead(file, columns);
  });

  it('are not written where values hardly repeat', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => `${i} of 1000`);
    const numbers = Array.from({ length: 1000 }, (_, i) => Math.imul(i, 0x9e3779b1));
    const columns: TestColumn[] = [
      { name: 'text', type: TEXT, values },
      { name: 'number', type: INTEGER, values: numbers },
    ];
    const file = await writeParquet(columns);
    for (const { meta_data: chunk } of metadataOf(file).row_groups[0].columns) {
      expect(chunk!.encodings).toEqual(['PLAIN']);
      expect(chunk!.dictionary_page_offset).toBeUndefined();
    }
    await expectBothRead(file, columns);
  });

  it('are written where one long text repeats among many short ones', async () => {
    const long = 'x'.repeat(1000);
    const values = Array.from({ length: 1000 }, (_, i) => (i % 20 === 0 ? long : `${i}`));
    const file = await writeParquet([{ name: 'a', type: TEXT, values }], { codec: 'none' });
    expect(metadataOf(file).row_groups[0].columns[0].meta_data!.encodings).toContain('RLE_DICTIONARY');
  });

  it('give way to differences where integers are a sequence', async () => {
    const length = 3000;
    const columns: TestColumn[] = (['dictionary', 'plain'] as const).map((mode) => ({
      name: mode,
      type: { kind: 'timestamp' },
      mode,
      nullable: true,
      values: Array.from({ length }, (_, i) =>
        i % 10 === 0 ? null : 1_700_000_000_000_000n + BigInt(Math.floor(i / 2)),
      ),
    }));
    const file = await writeParquet(columns);
    for (const { meta_data: chunk } of metadataOf(file).row_groups[0].columns) {
      expect(chunk!.encodings).toEqual(['RLE', 'DELTA_BINARY_PACKED']);
    }
    await expectBothRead(file, columns);
  });
});

describe('pages', () => {
  const length = 70_000;

  it('of many rows are split and read back', async () => {
    const columns: TestColumn[] = [
      { name: 'dictionary', type: TEXT, values: Array.from({ length }, (_, i) => `t${i % 1000}`) },
      { name: 'runs', type: INTEGER, values: Array.from({ length }, (_, i) => Math.floor(i / 30_000)) },
      {
        name: 'nulls',
        type: INTEGER,
        nullable: true,
        mode: 'plain',
        values: Array.from({ length }, (_, i) => (i < 40_000 ? null : Math.imul(i, 0x9e3779b1))),
      },
      { name: 'sequence', type: INTEGER, mode: 'plain', values: Array.from({ length }, (_, i) => i) },
      {
        name: 'flag',
        type: { kind: 'boolean' },
        values: Array.from({ length }, (_, i) => i % 3 === 0 || i > 65_536),
      },
    ];
    const file = await writeParquet(columns);
    await expectBothRead(file, columns);
    expect(firstPages(file).map(({ rowCount }) => rowCount)).toEqual([undefined, 32_768, 32_768, 4464]);
  });

  it('of booleans in runs begin with their length, which some readers go by', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => i > 300);
    const [page] = firstPages(await writeParquet([{ name: 'a', type: { kind: 'boolean' }, values }]));
    const length = new DataView(page.content.buffer, page.content.byteOffset).getUint32(0, true);
    expect(length).toBe(page.content.length - 4);
  });

  it('of long texts stay near a megabyte', async () => {
    const values = Array.from(
      { length: 600 },
      (_, i) => `${i} ${'long '.repeat(i % 50 === 0 ? 60_000 : 900)}`,
    );
    const columns: TestColumn[] = [
      { name: 'text', type: TEXT, mode: 'plain', values },
      {
        name: 'nullable',
        type: TEXT,
        nullable: true,
        values: values.map((v, i) => (i % 2 === 0 ? null : v)),
      },
    ];
    const file = await writeParquet(columns);
    await expectBothRead(file, columns);
    const sizes = firstPages(file).map(({ uncompressedBytes }) => uncompressedBytes);
    expect(sizes.length).toBeGreaterThan(4);
    for (const size of sizes) expect(size).toBeLessThan(1.1 * 1024 * 1024);
  });
});

interface PageFacts {
  /** Undefined for a dictionary page. */
  rowCount: number | undefined;
  /** Header and content, without compression. */
  uncompressedBytes: number;
  content: Uint8Array;
}

/** Reads the page headers of a column chunk. */
function pagesOf(file: Uint8Array, chunk: ColumnMetaData): PageFacts[] {
  const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
  const end = start + Number(chunk.total_compressed_size);
  const reader = { view: new DataView(file.buffer, file.byteOffset, end), offset: start };
  const pages: PageFacts[] = [];
  while (reader.offset < end) {
    const from = reader.offset;
    const header = deserializeTCompactProtocol(reader);
    pages.push({
      rowCount: header.field_8?.field_3,
      uncompressedBytes: reader.offset - from + header.field_2,
      content: file.subarray(reader.offset, reader.offset + header.field_3),
    });
    reader.offset += header.field_3;
  }
  expect(reader.offset).toBe(end);
  return pages;
}

function firstPages(file: Uint8Array, column = 0): PageFacts[] {
  return pagesOf(file, metadataOf(file).row_groups[0].columns[column].meta_data!);
}

/** Any table: columns of different types, modes and shares of NULL, cut into row groups anywhere. */
const anyTable = fc
  .record({ rowCount: fc.integer({ min: 1, max: 400 }), groupRows: fc.integer({ min: 1, max: 500 }) })
  .chain(({ rowCount, groupRows }) =>
    fc.record({
      groupRows: fc.constant(groupRows),
      columns: fc.array(anyColumn(rowCount), { minLength: 1, maxLength: 4 }),
    }),
  );

const KINDS: { type: SqlType; value: fc.Arbitrary<TestValue> }[] = [
  { type: INTEGER, value: fc.integer() },
  { type: { kind: 'smallint' }, value: fc.integer({ min: -3, max: 3 }) },
  { type: { kind: 'bigint' }, value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  {
    type: { kind: 'timestamp' },
    value: fc.bigInt({ min: 1_700_000_000_000_000n, max: 1_700_000_000_000_100n }),
  },
  { type: { kind: 'boolean' }, value: fc.boolean() },
  { type: { kind: 'double' }, value: fc.double() },
  { type: TEXT, value: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { type: { kind: 'uuid' }, value: fc.uuid() },
];

function anyColumn(rowCount: number): fc.Arbitrary<TestColumn> {
  return fc.integer({ min: 0, max: KINDS.length - 1 }).chain((kind) =>
    fc
      .record({
        type: fc.constant(KINDS[kind].type),
        mode: fc.constantFrom('dictionary' as const, 'plain' as const),
        nullable: fc.boolean(),
        pool: fc.array(KINDS[kind].value, { minLength: 1, maxLength: 40 }),
        picks: fc.array(fc.nat(), { minLength: rowCount, maxLength: rowCount }),
        nullEvery: fc.integer({ min: 1, max: 20 }),
      })
      .map(({ type, mode, nullable, pool, picks, nullEvery }) => ({
        name: 'c',
        type,
        mode,
        nullable,
        values: picks.map((pick) => (nullable && pick % nullEvery === 0 ? null : pool[pick % pool.length])),
      })),
  );
}

it('any table comes back', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, async ({ columns, groupRows }) => {
      const named = columns.map((column, i) => ({ ...column, name: `c${i}` }));
      const file = await writeParquet(named, { groupRows });
      const wanted = Object.fromEntries(named.map(({ name, values }) => [name, values]));
      expect(await readWithHyparquet(file)).toEqual(wanted);
    }),
    { numRuns: 150 },
  );
});
