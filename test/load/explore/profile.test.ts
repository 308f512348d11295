import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/load/engine.js';
import { chartData } from '../../../src/load/explore/chart.js';
import type { ExploredTable } from '../../../src/load/explore/column.js';
import { profileColumns } from '../../../src/load/explore/profile.js';
import { countRows, readLoadMarks, readPage } from '../../../src/load/explore/tables.js';
import { ensureTable } from '../../../src/load/table.js';
import { realStudentCsv } from '../../helpers/real-data.js';
import { copyStream } from '../support/copy.js';
import { TARGETS, type Target } from '../support/targets.js';
import { DAY, loadOddRows, MOMENT, ODD_TABLE, type OddRow, oddRows, sourceOf, TRUTH } from './odd-table.js';

const ROWS = oddRows(300);
const NUMBERS = new Set(['integer', 'decimal', 'double', 'bigint']);

describe.each(Object.keys(TARGETS))('profiles on %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
    await loadOddRows(engine, ROWS);
  });
  afterAll(() => target.dispose());

  it('count, measure and put together what plain JavaScript finds', async () => {
    const { rows, columns } = await profileColumns(sourceOf(engine));
    expect(rows).toBe(300);
    for (const { name: column, type } of ODD_TABLE.columns) {
      const found = columns.find((profile) => profile.name === column)!;
      const present = ROWS.map((row) => row[column]).filter((value) => value !== null);
      expect(found.nulls, column).toBe(300 - present.length);
      expect(found.distinct, column).toBe(new Set(present).size);
      if (NUMBERS.has(type.kind)) expectNumbers(found, present.map(Number));
      const parts = [...found.histogram, ...found.top];
      const total = parts.reduce((sum, part) => sum + part.rows, 0);
      if (found.histogram.length > 0 || found.distinct <= 10) expect(total, column).toBe(present.length);
    }
  });

  it('give the most frequent texts and truth values, and the first and last day', async () => {
    const { columns } = await profileColumns(sourceOf(engine));
    const profileOf = (column: string) => columns.find((profile) => profile.name === column)!;
    expect(profileOf(TRUTH).top).toEqual(countsOf(TRUTH));
    const text = ODD_TABLE.columns[1].name;
    expect(profileOf(text).top).toEqual(countsOf(text).slice(0, 10));
    const days = ROWS.map((row) => row[DAY])
      .filter((day) => day !== null)
      .sort();
    expect([profileOf(DAY).min, profileOf(DAY).max]).toEqual([days[0], days.at(-1)]);
    expect(profileOf(MOMENT).min).toBe(
      ROWS.map((row) => row[MOMENT])
        .filter((time) => time !== null)
        .sort()[0],
    );
  });

  it('look at the first rows only when they are told so', async () => {
    const table = { ...ODD_TABLE, firstRows: 50 };
    expect((await profileColumns(sourceOf(engine, table))).rows).toBe(50);
    const chart = await chartData(sourceOf(engine, table), { kind: 'number' });
    expect(chart).toMatchObject({ rows: [[50]], firstRows: 50 });
  });

  it('find the tables that are there, and pages of their rows', async () => {
    const source = sourceOf(engine);
    const { present, marks } = await readLoadMarks(source, [ODD_TABLE.name, 'not there']);
    expect([...present]).toEqual([ODD_TABLE.name]);
    expect(marks.size).toBe(0);
    expect(await countRows(source, { table: ODD_TABLE, most: 1000 })).toBe(300);
    expect(await countRows(source, { table: ODD_TABLE, most: 7 })).toBe(7);
    const pages = [0, 250].map((offset) => readPage(source, { table: ODD_TABLE, offset, limit: 100 }));
    expect((await Promise.all(pages)).map((rows) => rows.length)).toEqual([100, 50]);
  });

  it.skipIf(!realStudentCsv)('agree with DuckDB on the real students', async () => {
    await loadStudents(engine);
    const { columns } = await profileColumns(sourceOf(engine, STUDENTS));
    const connection = await (await DuckDBInstance.create()).connect();
    const from = `FROM read_csv('${realStudentCsv}', delim = ';')`;
    for (const { name: column, min, max, mean, median, distinct, nulls } of columns) {
      const isNumber = mean !== null;
      const numbers = isNumber
        ? `avg(${column}), median(${column}), min(${column}), max(${column})`
        : 'NULL, NULL, NULL, NULL';
      const sql = `SELECT ${numbers}, count(DISTINCT ${column}), count(*) - count(${column}) ${from}`;
      const [expected] = (await connection.runAndReadAll(sql)).getRowsJson();
      const found = isNumber
        ? [mean, median, min, max, distinct, nulls]
        : [null, null, null, null, distinct, nulls];
      for (const [index, value] of expected.entries()) {
        if (value === null) continue;
        expect(Number(found[index]), `${column} ${index}`).toBeCloseTo(Number(value), 9);
      }
    }
    const g3 = columns.find((profile) => profile.name === 'g3')!;
    const grades = (
      await connection.runAndReadAll(`SELECT g3, count(*) ${from} GROUP BY 1 ORDER BY 1`)
    ).getRowsJson();
    expect(g3.histogram.filter((bin) => bin.rows > 0).map((bin) => [bin.from, bin.rows])).toEqual(
      grades.map(([grade, count]) => [Number(grade), Number(count)]),
    );
  });
});

const TEXTS = ['school', 'sex', 'mjob'];
const STUDENTS: ExploredTable = {
  name: 'student_data',
  columns: ['school', 'sex', 'mjob', 'age', 'studytime', 'absences', 'failures', 'g1', 'g2', 'g3'].map(
    (name) => ({
      name,
      type: TEXTS.includes(name) ? { kind: 'varchar', length: 20 } : { kind: 'integer' },
    }),
  ),
};

async function loadStudents(engine: Engine): Promise<void> {
  const names = STUDENTS.columns.map(({ name }) => name);
  const lines: string[][] = parse(readFileSync(realStudentCsv!), { delimiter: ';' });
  const header = lines[0].map((name) => name.toLowerCase());
  const rows = lines.slice(1).map((line) => names.map((name) => line[header.indexOf(name)].toLowerCase()));
  await ensureTable(engine, { ...STUDENTS, key: [], mode: 'append', indexes: [] });
  await engine.copyIn(STUDENTS.name, names, copyStream(rows));
}

function expectNumbers(
  found: { name: string; min: unknown; max: unknown; mean: number | null; median: number | null },
  values: number[],
): void {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const middle = Number.isInteger(half) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[Math.floor(half)];
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const near = (value: unknown, expected: number) =>
    expect(Number(value) / (expected || 1), found.name).toBeCloseTo(expected === 0 ? 0 : 1, 9);
  near(found.min, sorted[0]);
  near(found.max, sorted.at(-1)!);
  near(found.mean, mean);
  near(found.median, middle);
}

function countsOf(column: string): { value: unknown; rows: number }[] {
  const counts = new Map<unknown, number>();
  for (const row of ROWS as OddRow[])
    if (row[column] !== null) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1);
  return [...counts]
    .map(([value, rows]) => ({ value, rows }))
    .sort((a, b) => b.rows - a.rows || (String(a.value) < String(b.value) ? -1 : 1));
}
