import type { SqlType } from '../../../src/base/sql-type.js';
import type { Engine } from '../../../src/load/engine.js';
import type { ChartSource } from '../../../src/load/explore/chart.js';
import type { ExploredTable } from '../../../src/load/explore/column.js';
import { ensureTable } from '../../../src/load/table.js';
import { copyStream, type TextRow } from '../support/copy.js';

/** Names that are reserved words, hold quotes, or look like a parameter. */
export const COLUMNS: Record<string, SqlType> = {
  select: { kind: 'integer' },
  'a "quoted" `name`': { kind: 'varchar', length: 50 },
  '$1 ? :x': { kind: 'decimal', precision: 12, scale: 2 },
  ratio: { kind: 'double' },
  big: { kind: 'bigint' },
  'is it; --': { kind: 'boolean' },
  day: { kind: 'date' },
  'Größe 時刻': { kind: 'timestamp' },
  note: { kind: 'text' },
};
export const ODD_TABLE: ExploredTable = {
  name: 'order by "x"',
  columns: Object.entries(COLUMNS).map(([name, type]) => ({ name, type })),
};
export const [INTEGER, TEXT, DECIMAL, DOUBLE, BIG, TRUTH, DAY, MOMENT, NOTE] = Object.keys(COLUMNS);

export type Value = string | number | boolean | null;
export type OddRow = Record<string, Value>;

const WORDS = [
  'plain',
  "O'Brien",
  'a"b',
  'back\\slash',
  '%_',
  'é ü 漢字 😀',
  'Upper',
  'upper',
  '<b>&amp;</b>',
  '; DROP TABLE x',
];
const DAY_MS = 86_400_000;

/** The same rows each time: nulls, negative numbers, big ones with outliers, decimals that binary fractions miss, three years of days. */
export function oddRows(count: number): OddRow[] {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const maybe = (value: Value) => (random() < 0.1 ? null : value);
  return Array.from({ length: count }, (_, index) => ({
    [INTEGER]: maybe(Math.floor(random() * 9) - 4),
    [TEXT]: maybe(WORDS[Math.floor(random() ** 2 * WORDS.length)]),
    [DECIMAL]: maybe(Math.round(random() * 2000 - 1000) / 100),
    [DOUBLE]: maybe((random() - 0.5) * 1e-3),
    [BIG]: maybe(Math.floor(random() ** 4 * 1000) * 1_000_000_007),
    [TRUTH]: maybe(random() < 0.3),
    [DAY]: maybe(
      new Date(Date.UTC(2023, 10, 5) + Math.floor(random() * 1000) * DAY_MS).toISOString().slice(0, 10),
    ),
    [MOMENT]: maybe(new Date(Date.UTC(2026, 1, 27, 22) + index * 437_000).toISOString().slice(0, 19)),
    [NOTE]: maybe(`note ${index % 40}`),
  }));
}

/** Makes the table and loads the rows. */
export async function loadOddRows(engine: Engine, rows: OddRow[]): Promise<void> {
  const { name, columns } = ODD_TABLE;
  await ensureTable(engine, { name, columns, key: [], mode: 'append', indexes: [] });
  const texts = rows.map((row): TextRow => columns.map((column) => textOf(row[column.name])));
  await engine.copyIn(name, Object.keys(COLUMNS), copyStream(texts));
}

function textOf(value: Value): string | null {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value === null ? null : String(value);
}

/** The table as charts and profiles see it. */
export function sourceOf(engine: Engine, table: ExploredTable = ODD_TABLE): ChartSource {
  const read: ChartSource['read'] = ({ sql, params }) => engine.readOnly(sql, { timeoutMs: 30_000, params });
  return { dialect: engine.dialect, table, read };
}
