import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ColumnSpec, NULL_ID, type TypedColumn, Vector } from '../../src/base/vector.js';
import { RowGroupBuilder } from '../../src/pipeline/row-group-builder.js';

const SPECS: ColumnSpec[] = [
  { name: 'text', type: { kind: 'text' }, nullable: true },
  { name: 'number', type: { kind: 'integer' }, nullable: true },
  { name: 'word', type: { kind: 'text' }, nullable: true },
];

type Row = [text: string, number: number | null, word: number | null];
const WORDS = new Vector('bytes');
for (const word of ['a', 'bb', '']) WORDS.pushText(word);

/** The first two columns plain, the second with NULLs where there are any, the third by a dictionary. */
function columnsOf(rows: Row[]): TypedColumn[] {
  const texts = new Vector('bytes');
  const numbers = new Vector('int32');
  for (const [text, number] of rows) {
    texts.pushText(text);
    if (number === null) numbers.pushZero();
    else numbers.pushInt32(number);
  }
  const hasNull = rows.some(([, number]) => number === null);
  const nulls = Uint8Array.from(rows, ([, number]) => (number === null ? 1 : 0));
  return [
    { values: texts },
    hasNull ? { values: numbers, nulls } : { values: numbers },
    {
      values: WORDS,
      ids: Uint32Array.from(rows, ([, , word]) => word ?? NULL_ID),
      isFull: rows.every(([, , word]) => word !== null),
    },
  ];
}

function rowsOf({ columns, rowCount }: RowGroupBuilder): Row[] {
  const [texts, numbers, words] = columns;
  if (words.isFull) expect(words.ids!.subarray(0, rowCount)).not.toContain(NULL_ID);
  return Array.from({ length: rowCount }, (_, row) => [
    Buffer.from(texts.values.bytesAt(row)).toString(),
    numbers.nulls?.[row] === 1 ? null : numbers.values.int32At(row),
    words.ids![row] === NULL_ID ? null : words.ids![row],
  ]);
}

const row = fc.tuple(
  fc.string({ maxLength: 40 }),
  fc.option(fc.integer({ min: -9, max: 9 }), { freq: 4 }),
  fc.option(fc.nat(2)),
);
const flagged = fc.record({ row, flag: fc.constantFrom(0, 0, 1, 2) });

describe('a row group', () => {
  it('gathers the good rows of any batches, in their order, as many as it may have', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(flagged, { maxLength: 40 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        (batches, maxRows) => {
          const group = new RowGroupBuilder(SPECS, maxRows);
          const groups: Row[][] = [];
          const close = () => {
            if (group.rowCount > 0) groups.push(rowsOf(group));
            group.clear();
          };
          for (const batch of batches) {
            const columns = columnsOf(batch.map(({ row }) => row));
            const flags = Uint8Array.from(batch, ({ flag }) => flag);
            for (let from = 0; from < batch.length; ) {
              from = group.add(columns, { from, rowCount: batch.length, flags });
              if (group.isFull) close();
            }
          }
          close();
          const good = batches.flat().flatMap(({ row, flag }) => (flag === 0 ? [row] : []));
          expect(groups.flat()).toEqual(good);
          for (const rows of groups.slice(0, -1)) expect(rows).toHaveLength(maxRows);
        },
      ),
      { numRuns: 300 },
    );
  });
});
