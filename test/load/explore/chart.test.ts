import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/load/engine.js';
import { chartData } from '../../../src/load/explore/chart.js';
import type { Aggregate, ChartSpec } from '../../../src/load/explore/chart-spec.js';
import { TARGETS, type Target } from '../support/targets.js';
import {
  BIG,
  DAY,
  DECIMAL,
  DOUBLE,
  INTEGER,
  loadOddRows,
  MOMENT,
  NOTE,
  type OddRow,
  oddRows,
  sourceOf,
  TEXT,
  TRUTH,
  type Value,
} from './odd-table.js';

const ROWS = oddRows(600);

describe.each(Object.keys(TARGETS))('chart data on %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
    await loadOddRows(engine, ROWS);
  });
  afterAll(() => target.dispose());

  const chart = (spec: ChartSpec) => chartData(sourceOf(engine), spec);
  /** Rows of the answer as objects by column. */
  const records = async (spec: ChartSpec) => {
    const { columns, rows } = await chart(spec);
    return rows.map((row) => Object.fromEntries(row.map((cell, index) => [columns[index].name, cell])));
  };
  /** The measured values by x, and by colour where there is one. */
  const measured = async (spec: ChartSpec) => {
    const found = await records(spec);
    return new Map(found.map(({ x, series, y, value }) => [JSON.stringify([x, series ?? null]), value ?? y]));
  };

  it.each<Aggregate>(['count', 'sum', 'avg', 'min', 'max', 'median', 'distinct'])(
    'computes %s of decimals by text and colour as plain JavaScript does',
    async (aggregate) => {
      const spec: ChartSpec = { kind: 'bar', x: TEXT, y: DECIMAL, aggregate, colour: TRUTH };
      const expected = grouped(ROWS, [TEXT, TRUTH], (rows) => aggregateOf(aggregate, values(rows, DECIMAL)));
      expectClose(await measured(spec), expected);
    },
  );

  it('sums whole numbers, doubles and truth values by number', async () => {
    for (const y of [BIG, DOUBLE, TRUTH, INTEGER]) {
      const expected = grouped(ROWS, [INTEGER], (rows) => aggregateOf('sum', values(rows, y).map(Number)));
      expectClose(await measured({ kind: 'bar', x: INTEGER, y, aggregate: 'sum' }), expected);
    }
  });

  it('orders texts by size and numbers by value, with what is missing last', async () => {
    const sizes = (await records({ kind: 'bar', x: TEXT })).map(({ x, y }) => ({ x, y: Number(y) }));
    const named = sizes.filter(({ x }) => x !== null);
    expect(named.map(({ y }) => y)).toEqual(named.map(({ y }) => y).sort((a, b) => b - a));
    expect(sizes.at(-1)!.x).toBeNull();
    const numbers = (await records({ kind: 'bar', x: INTEGER })).map(({ x }) => x);
    expect(numbers).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4, null]);
  });

  it('keeps the largest categories and tells how many rows it left out', async () => {
    const { rows, rowsLeftOut, rowsRead, categoriesLeftOut } = await chart({
      kind: 'bar',
      x: NOTE,
      limit: 5,
    });
    expect(rows).toHaveLength(5);
    expect(categoriesLeftOut).toBe(36);
    expect(rowsRead).toBe(600);
    expect(rows.reduce((sum, row) => sum + Number(row[1]), 0)).toBe(600 - rowsLeftOut);
  });

  it.each(['year', 'quarter', 'month', 'week', 'day'] as const)('puts days together by %s', async (unit) => {
    const spec: ChartSpec = { kind: 'line', x: DAY, y: DECIMAL, aggregate: 'avg', unit };
    const rows = ROWS.map((row) => ({
      ...row,
      [DAY]: row[DAY] === null ? null : bucket(String(row[DAY]), unit),
    }));
    expectClose(
      await measured(spec),
      grouped(rows, [DAY], (some) => aggregateOf('avg', values(some, DECIMAL))),
    );
  });

  it('puts moments together by hour', async () => {
    const hour = (row: OddRow) =>
      row[MOMENT] === null ? null : `${String(row[MOMENT]).slice(0, 13).replace('T', ' ')}:00`;
    const rows = ROWS.map((row) => ({ ...row, [MOMENT]: hour(row) }));
    expectClose(
      await measured({ kind: 'line', x: MOMENT, unit: 'hour' }),
      grouped(rows, [MOMENT], (some) => some.length),
    );
  });

  it.each([
    { x: INTEGER, bins: 20 },
    { x: DECIMAL, bins: 8 },
    { x: DECIMAL, bins: 200 },
    { x: DOUBLE, bins: 10 },
    { x: BIG, bins: 12 },
  ])('counts every value of "$x" in the one of $bins bins that holds it', async ({ x, bins }) => {
    const spec: ChartSpec = { kind: 'histogram', x, bins };
    const found = (await records(spec)).map((bin) => ({
      from: Number(bin.x),
      to: Number(bin.to),
      rows: bin.y,
    }));
    const present = values(ROWS, x).map(Number);
    const isWhole = x === INTEGER || x === BIG;
    for (const { from, to, rows } of found) {
      const inside = present.filter(
        (value) => value >= from - 1e-12 && (isWhole ? value <= to : value < to - 1e-12),
      );
      expect(rows, `${from} to ${to}`).toBe(inside.length);
    }
    expect(found.reduce((sum, { rows }) => sum + Number(rows), 0)).toBe(present.length);
    expect(found.length).toBeLessThanOrEqual(2 * bins + 2);
  });

  it('shows empty months in a histogram of days', async () => {
    const filters = [{ column: DAY, op: 'in' as const, value: ['2024-01-10', '2024-06-20', '2024-06-21'] }];
    const months = await records({ kind: 'histogram', x: DAY, unit: 'month', filters });
    expect(months.map(({ x }) => x)).toEqual(
      months.length === 1
        ? [expect.any(String)]
        : ['2024-01-01', '2024-02-01', '2024-03-01', '2024-04-01', '2024-05-01', '2024-06-01'],
    );
  });

  it.each([DECIMAL, BIG])('computes boxes of %j as linear interpolation and Tukey do', async (y) => {
    const boxes = await records({ kind: 'box', x: TRUTH, y });
    expect(boxes.map(({ x }) => x)).toEqual([false, true, null]);
    for (const box of boxes) {
      const group = ROWS.filter((row) => row[TRUTH] === box.x);
      const sorted = values(group, y)
        .map(Number)
        .sort((one, other) => one - other);
      const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
      const inside = sorted.filter((value) => value >= q1 - 1.5 * (q3 - q1) && value <= q3 + 1.5 * (q3 - q1));
      const expected = { rows: sorted.length, min: sorted[0], q1, median, q3, max: sorted.at(-1)! };
      const whiskers = { low: inside[0], high: inside.at(-1)!, outliers: sorted.length - inside.length };
      expectClose(
        new Map(Object.keys({ ...expected, ...whiskers }).map((key) => [key, box[key]])),
        new Map(Object.entries({ ...expected, ...whiskers })),
      );
    }
  });

  it('bins decimals as people read them, not as binary fractions round them', async () => {
    const filters: ChartSpec['filters'] = [
      { column: DECIMAL, op: 'ge', value: '0' },
      { column: DECIMAL, op: 'lt', value: '1.9' },
    ];
    const bins = await records({ kind: 'histogram', x: DECIMAL, bins: 200, filters });
    const filled = bins.filter(({ y }) => y !== 0).map(({ x, y }) => [Number(x).toFixed(2), y]);
    const texts = values(ROWS, DECIMAL).filter((value) => Number(value) >= 0 && Number(value) < 1.9);
    const expected = new Map<string, number>();
    for (const value of texts) {
      const text = Number(value).toFixed(2);
      expected.set(text, (expected.get(text) ?? 0) + 1);
    }
    expect(filled).toEqual([...expected].sort((one, other) => Number(one[0]) - Number(other[0])));
  });

  it('makes one box of a whole table', async () => {
    const [all] = await records({ kind: 'box', y: INTEGER });
    expect(all.rows).toBe(values(ROWS, INTEGER).length);
  });

  it('samples points from the whole table', async () => {
    const all = await chart({ kind: 'scatter', x: INTEGER, y: DECIMAL, colour: TRUTH });
    const both = ROWS.filter((row) => row[INTEGER] !== null && row[DECIMAL] !== null);
    const text = (rows: Value[][]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(text(all.rows)).toEqual(text(both.map((row) => [row[INTEGER], row[DECIMAL], row[TRUTH]])));
    const some = await chart({ kind: 'scatter', x: INTEGER, y: DECIMAL, limit: 100 });
    expect(some.rows.length).toBeGreaterThan(50);
    expect(some.rows.length).toBeLessThanOrEqual(100);
    expect(some.rowsLeftOut).toBe(both.length - some.rows.length);
  });

  it('makes a heat map of two axes', async () => {
    const cells = await records({ kind: 'heat', x: INTEGER, y: TRUTH, colour: DECIMAL, aggregate: 'median' });
    const expected = grouped(ROWS, [INTEGER, TRUTH], (rows) => aggregateOf('median', values(rows, DECIMAL)));
    expectClose(new Map(cells.map(({ x, y, value }) => [JSON.stringify([x, y]), value])), expected);
  });

  it('answers with one number', async () => {
    const { rows } = await chart({ kind: 'number', y: DECIMAL, aggregate: 'median' });
    expect(rows[0][0]).toBeCloseTo(aggregateOf('median', values(ROWS, DECIMAL))!, 9);
    expect((await chart({ kind: 'number' })).rows).toEqual([[600]]);
  });

  it.each<[string, ChartSpec['filters'], (row: OddRow) => boolean]>([
    ['eq on an odd text', [{ column: TEXT, op: 'eq', value: "O'Brien" }], (row) => row[TEXT] === "O'Brien"],
    ['eq, by letter case', [{ column: TEXT, op: 'eq', value: 'upper' }], (row) => row[TEXT] === 'upper'],
    [
      'contains without wildcards',
      [{ column: TEXT, op: 'contains', value: '%_' }],
      (row) => row[TEXT] === '%_',
    ],
    [
      'contains, by letter case',
      [{ column: TEXT, op: 'contains', value: 'pp' }],
      (row) => /pp/.test(String(row[TEXT])),
    ],
    [
      'in',
      [{ column: TEXT, op: 'in', value: ['a"b', '; DROP TABLE x'] }],
      (row) => ['a"b', '; DROP TABLE x'].includes(row[TEXT] as string),
    ],
    ['ne keeps what is missing', [{ column: INTEGER, op: 'ne', value: '0' }], (row) => row[INTEGER] !== 0],
    [
      'is_null and not_null',
      [
        { column: INTEGER, op: 'is_null' },
        { column: DAY, op: 'not_null' },
      ],
      (row) => row[INTEGER] === null && row[DAY] !== null,
    ],
    [
      'numbers',
      [
        { column: DECIMAL, op: 'ge', value: '-2.5' },
        { column: DECIMAL, op: 'lt', value: '3' },
      ],
      (row) => row[DECIMAL] !== null && Number(row[DECIMAL]) >= -2.5 && Number(row[DECIMAL]) < 3,
    ],
    [
      '64-bit numbers',
      [{ column: BIG, op: 'gt', value: '500000003500' }],
      (row) => row[BIG] !== null && Number(row[BIG]) > 500_000_003_500,
    ],
    ['truth', [{ column: TRUTH, op: 'eq', value: 'true' }], (row) => row[TRUTH] === true],
    [
      'days',
      [{ column: DAY, op: 'ge', value: '2024-06-01' }],
      (row) => row[DAY] !== null && String(row[DAY]) >= '2024-06-01',
    ],
    [
      'moments',
      [{ column: MOMENT, op: 'lt', value: '2026-03-01T00:00:00Z' }],
      (row) => row[MOMENT] !== null && String(row[MOMENT]) < '2026-03-01',
    ],
  ])('filters by %s', async (_, filters, keeps) => {
    const { rows } = await chart({ kind: 'number', filters });
    const expected = ROWS.filter(keeps).length;
    expect(expected).toBeGreaterThan(0);
    expect(rows[0][0]).toBe(expected);
  });

  it.each<[string, ChartSpec, RegExp]>([
    ['an unknown column', { kind: 'bar', x: 'nothing' }, /has no column "nothing"/],
    ['a column that is SQL', { kind: 'bar', x: '"; DROP TABLE x; --' }, /has no column/],
    ['a mean of texts', { kind: 'bar', x: INTEGER, y: TEXT }, /wants a column of numbers/],
    [
      'a value that is no number',
      { kind: 'number', filters: [{ column: INTEGER, op: 'eq', value: '1 OR 1=1' }] },
      /expected a number/,
    ],
    ['a sum of nothing', { kind: 'bar', x: TEXT, aggregate: 'sum' }, /only rows can be counted/],
    ['no x', { kind: 'line' }, /wants a column for "x"/],
  ])('refuses %s', async (_, spec, message) => {
    await expect(chart(spec)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
    });
  });

  it('answers for a table without rows', async () => {
    const filters = [{ column: INTEGER, op: 'eq' as const, value: '99' }];
    for (const kind of ['bar', 'line', 'histogram', 'scatter', 'box', 'heat'] as const) {
      const answer = await chart({ kind, x: INTEGER, y: DECIMAL, filters });
      expect(answer.rows, kind).toEqual([]);
    }
  });
});

function values(rows: OddRow[], column: string): Exclude<Value, null>[] {
  return rows.map((row) => row[column]).filter((value) => value !== null);
}

function grouped(rows: OddRow[], columns: string[], measure: (rows: OddRow[]) => number | null) {
  const groups = new Map<string, OddRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row[columns[0]], columns[1] ? row[columns[1]] : null]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return new Map([...groups].map(([key, some]) => [key, measure(some)]));
}

function aggregateOf(aggregate: Aggregate, some: Exclude<Value, null>[]): number | null {
  const numbers = some.map(Number).sort((a, b) => a - b);
  if (aggregate === 'count') return numbers.length;
  if (aggregate === 'distinct') return new Set(numbers).size;
  if (numbers.length === 0) return null;
  const sum = numbers.reduce((total, value) => total + value, 0);
  const others = {
    sum,
    avg: sum / numbers.length,
    min: numbers[0],
    max: numbers.at(-1)!,
    median: quantile(numbers, 0.5),
  };
  return others[aggregate];
}

/** Linear interpolation between the two nearest values. */
function quantile(sorted: number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  return below + (at - Math.floor(at)) * ((sorted[Math.floor(at) + 1] ?? below) - below);
}

function bucket(day: string, unit: 'year' | 'quarter' | 'month' | 'week' | 'day'): string {
  const [year, month] = day.split('-');
  if (unit === 'year') return `${year}-01-01`;
  if (unit === 'month') return `${year}-${month}-01`;
  if (unit === 'quarter')
    return `${year}-${String(Math.floor((Number(month) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`;
  if (unit === 'day') return day;
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

function expectClose(found: Map<string, unknown>, expected: Map<string, number | null>): void {
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, value] of expected) {
    if (value === null) expect(found.get(key), key).toBeNull();
    else expect(Number(found.get(key)) / (value || 1), key).toBeCloseTo(value === 0 ? 0 : 1, 9);
  }
}
