import fs from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CellTable } from '../../src/load/cell-table.js';
import { copyRows } from '../../src/load/copy-rows.js';
import { CopyTextWriter } from '../../src/load/copy-text.js';
import type { Engine } from '../../src/load/engine.js';
import { copyText } from '../../src/load/parquet-source.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { tempDir } from '../helpers/temp-dir.js';
import { bytesOf } from './support/copy.js';
import { TARGETS, type Target } from './support/targets.js';

const TABLE: TargetTable = {
  name: 'texts',
  columns: [
    { name: 'id', type: { kind: 'integer' } },
    { name: 'word', type: { kind: 'text' } },
  ],
  key: [],
  mode: 'append',
  indexes: [],
};

/** Texts of any characters, with those that mean something to COPY more often than by chance, and NULLs. */
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...'\t\n\r\\N.0tn,"\''), fc.string({ unit: 'binary', maxLength: 1 })),
});
const texts = fc.array(fc.option(anyText), { minLength: 1, maxLength: 40 });

describe.each(Object.keys(TARGETS))('any text arrives as it was: %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
    await ensureTable(engine, TABLE);
  });
  afterAll(() => target?.dispose());

  test('from Parquet to the table', async () => {
    const file = path.join(tempDir(), 'x.parquet');
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        // Postgres has no NUL character; that it is refused is tested elsewhere.
        const words =
          engine.dialect === 'postgres' ? values.map((value) => value?.replaceAll('\0', '') ?? null) : values;
        const columnData = [
          { name: 'id', data: words.map((_, index) => index), type: 'INT32' as const },
          { name: 'word', data: words, type: 'STRING' as const },
        ];
        await fs.writeFile(file, new Uint8Array(parquetWriteBuffer({ columnData })));
        await engine.execute('DELETE FROM texts');
        const rows = bytesOf(copyText({ paths: [file], columns: TABLE.columns, dialect: engine.dialect }));
        expect(await engine.copyIn('texts', ['id', 'word'], rows)).toBe(words.length);
        const found = await engine.query('SELECT word FROM texts ORDER BY id');
        expect(found.map(({ word }) => word)).toEqual(words);
      }),
      { numRuns: 30 },
    );
  });
});

test('COPY text reads back into the same rows', () => {
  const utf8 = new TextEncoder();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(anyText), fc.option(anyText)), { maxLength: 20 }), (rows) => {
      const table = new CellTable();
      const { cells } = table;
      table.reset({ columns: 2, rows: rows.length });
      for (const column of [0, 1]) {
        const first = cells.length;
        for (const [row, values] of rows.entries()) {
          table.ids[table.nextStart + row] = cells.length;
          const value = values[column];
          if (value === null) cells.pushNull();
          else cells.pushText(utf8.encode(value));
        }
        table.addColumn(first);
      }
      table.finish();
      const writer = new CopyTextWriter();
      const chunks = [...writer.add(table), writer.rest()];
      const read = chunks.flatMap((chunk) => [...copyRows(chunk)]);
      expect(read).toEqual(rows);
    }),
  );
});

test('COPY text of repeated values reads back into the same rows', () => {
  const utf8 = new TextEncoder();
  const words = fc.array(fc.option(anyText), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 5 }),
      fc.nat({ max: 300 }),
      (columns, rowCount) => {
        const table = new CellTable();
        table.reset({ columns: columns.length, rows: rowCount });
        for (const values of columns) {
          const first = table.cells.length;
          for (const value of values) {
            if (value === null) table.cells.pushNull();
            else table.cells.pushText(utf8.encode(value));
          }
          for (let row = 0; row < rowCount; row++)
            table.ids[table.nextStart + row] = first + (row % values.length);
          table.addColumn(first);
        }
        table.finish();
        const writer = new CopyTextWriter();
        const read = [...writer.add(table), writer.rest()].flatMap((chunk) => [...copyRows(chunk)]);
        const row = (at: number) => columns.map((values) => values[at % values.length]);
        expect(read).toEqual(Array.from({ length: rowCount }, (_, at) => row(at)));
      },
    ),
  );
});
