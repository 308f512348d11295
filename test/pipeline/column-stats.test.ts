import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type ColumnStats, unpackStats } from '../../src/pipeline/column-stats.js';
import { Workshop } from './workshop.js';

const open: Workshop[] = [];
afterEach(() => {
  for (const workshop of open.splice(0)) workshop.close();
});

/** Groups of seven rows, so that small files have several. */
async function workshop(): Promise<Workshop> {
  const config = {
    'schema.yaml': `table:
  files: "*"
  duplicates: keep
  columns:
    id: INTEGER
    big: { type: BIGINT, nullable: true }
    price: { type: "DECIMAL(9,2)", nullable: true }
    part: { type: DOUBLE, nullable: true }
    word: { type: TEXT, nullable: true }
`,
    'dropgate.yaml': 'parquet: { row_group_rows: 7 }\n',
  };
  const one = await Workshop.open({ config });
  open.push(one);
  return one;
}

async function statsOf(one: Workshop, csv: string): Promise<ColumnStats[]> {
  const result = await one.convert(one.drop('a.csv', csv));
  if (result.status !== 'converted') throw new Error(JSON.stringify(result));
  return unpackStats(result.columnStats!);
}

/** The same, in the plainest way. */
function plainly(column: string, cells: string[], isNumber: boolean): ColumnStats {
  const values = cells.filter((cell) => cell !== '');
  const numbers = isNumber ? values.map(Number) : [];
  const orNull = (value: number) => (numbers.length > 0 ? value : null);
  return {
    column,
    nulls: cells.length - values.length,
    distinct: new Set(values).size,
    mean: orNull(numbers.reduce((sum, value) => sum + value, 0) / numbers.length),
    min: orNull(Math.min(...numbers)),
    max: orNull(Math.max(...numbers)),
  };
}

const or = (arbitrary: fc.Arbitrary<string>) => fc.oneof(fc.constant(''), arbitrary);
const row = fc.tuple(
  fc.integer({ min: -20, max: 20 }).map(String),
  or(fc.constantFrom('9007199254740991', '-4294967297', '5', '0')),
  or(fc.integer({ min: -500, max: 500 }).map((cents) => (cents / 100).toFixed(2))),
  or(fc.constantFrom('0.5', '-2.25', '1000000')),
  or(fc.constantFrom('a', 'b', 'longer', 'ü')),
);

describe('the statistics of a file', () => {
  it('are those of its cells, whatever the number of row groups', async () => {
    const one = await workshop();
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        const csv = `id,big,price,part,word\n${rows.map((cells) => `${cells.join(',')}\n`).join('')}`;
        const stats = await statsOf(one, csv);
        const names = ['id', 'big', 'price', 'part', 'word'];
        for (const [i, name] of names.entries()) {
          const expected = plainly(
            name,
            rows.map((cells) => cells[i]),
            name !== 'word',
          );
          const { mean, ...rest } = stats[i];
          expect(rest).toEqual({
            column: name,
            nulls: expected.nulls,
            distinct: expected.distinct,
            min: expected.min,
            max: expected.max,
          });
          if (expected.mean === null) expect(mean).toBeNull();
          else expect(Math.abs(mean! - expected.mean)).toBeLessThan(1e-9 * (1 + Math.abs(expected.mean)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('do not count the distinct values of a column that hardly repeats', async () => {
    const one = await workshop();
    // Batches end with blocks of 8 MB; the column is judged between two of them.
    const note = 'x'.repeat(1000);
    const csv = `id,big,price,part,word\n${Array.from({ length: 18_000 }, (_, i) => `${i % 3},,,,${i}${note}\n`).join('')}`;
    const [id, , , , word] = await statsOf(one, csv);
    expect(id).toMatchObject({ nulls: 0, distinct: 3, min: 0, max: 2 });
    expect(word.distinct).toBeNull();
  });
});
