import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { realStudentCsv, repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';

const samples = join(repositoryRoot, 'samples');
const text = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8');
const sample = text(samples, 'student-sample.csv');
const rows = parse(sample, { columns: true, delimiter: ';' }) as Record<string, string>[];

test('the committed samples are what the script writes', () => {
  const fresh = tempDir();
  execFileSync(process.execPath, [join(repositoryRoot, 'scripts/make-samples.mjs'), fresh]);
  expect(readdirSync(samples).sort()).toEqual(['README.md', ...readdirSync(fresh)].sort());
  for (const file of readdirSync(fresh)) expect(text(samples, file)).toBe(text(fresh, file));
});

describe('student-sample.csv', () => {
  test('has 401 rows of 33 cells, numbers bare and texts quoted', () => {
    expect(rows).toHaveLength(401);
    const lines = sample.trimEnd().split('\n').slice(1);
    for (const line of lines) expect(line).toMatch(/^(\d+|"[^"]*")(;(\d+|"[^"]*")){32}$/);
  });

  test('is messy in the ways that its README names', () => {
    const cells = rows.flatMap((row) => Object.values(row));
    expect(cells.some((cell) => cell !== cell.trim())).toBe(true);
    expect(rows.filter((row) => Object.values(row).some((cell) => /^(na|null|)$/i.test(cell)))).toHaveLength(
      3,
    );
    expect(new Set(sample.split('\n')).size).toBe(sample.split('\n').length - 1);
  });

  test('gives every question something to answer', () => {
    const low = rows
      .filter(({ famrel }) => Number(famrel) <= 3)
      .map(({ sex, famrel }) => sex.toUpperCase() + famrel);
    expect([...new Set(low)].sort()).toEqual(['F1', 'F2', 'F3', 'M1', 'M2', 'M3']);
    expect(new Set(rows.map(({ pstatus }) => pstatus)).size).toBe(2);
  });

  test.skipIf(!realStudentCsv)('has the columns of the real file', () => {
    expect(sample.split('\n')[0]).toBe(readFileSync(realStudentCsv!, 'utf8').split(/\r?\n/)[0]);
  });
});

test('student-broken.csv has its mistakes on the lines that the README names', () => {
  const lines = text(samples, 'student-broken.csv').trimEnd().split('\n');
  expect(lines).toHaveLength(9);
  const header = lines[0].split(';');
  const cell = (line: number, column: string) => lines[line - 1].split(';')[header.indexOf(column)];
  expect(cell(3, 'absences')).toBe('"many"');
  expect(cell(4, 'age')).toBe('113');
  expect(cell(6, 'guardian')).toBe('"neighbour"');
  expect(lines.map((line) => line.split(';').length)).toEqual([33, 33, 33, 33, 33, 33, 33, 32, 33]);
});
