/**
 * Writes the sample files of samples/: made-up students in the form of the UCI "Student Performance" file (33 columns,
 * semicolons, texts quoted, numbers bare). The seed is fixed, so the output is always the same.
 *
 * Usage: node scripts/make-samples.mjs [FOLDER]      default: samples/ of this repository
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SEED = 20_080_401;
const STUDENTS = 400;

/** Values with their weights, in the order of the file's columns up to the absences. */
const DISTRIBUTIONS = {
  school: { GP: 85, MS: 15 },
  sex: { F: 52, M: 48 },
  age: { 15: 21, 16: 26, 17: 25, 18: 20, 19: 6, 20: 1, 21: 0.5, 22: 0.5 },
  address: { U: 75, R: 25 },
  famsize: { GT3: 70, LE3: 30 },
  pstatus: { T: 88, A: 12 },
  medu: { 0: 1, 1: 15, 2: 26, 3: 25, 4: 33 },
  fedu: { 0: 1, 1: 21, 2: 29, 3: 25, 4: 24 },
  mjob: { other: 36, services: 26, at_home: 15, teacher: 14, health: 9 },
  fjob: { other: 55, services: 27, teacher: 8, at_home: 5, health: 5 },
  reason: { course: 37, home: 27, reputation: 27, other: 9 },
  guardian: { mother: 69, father: 23, other: 8 },
  traveltime: { 1: 65, 2: 27, 3: 6, 4: 2 },
  studytime: { 1: 27, 2: 50, 3: 16, 4: 7 },
  failures: { 0: 79, 1: 13, 2: 4, 3: 4 },
  schoolsup: { no: 87, yes: 13 },
  famsup: { yes: 61, no: 39 },
  paid: { no: 54, yes: 46 },
  activities: { yes: 51, no: 49 },
  nursery: { yes: 79, no: 21 },
  higher: { yes: 95, no: 5 },
  internet: { yes: 83, no: 17 },
  romantic: { no: 66, yes: 34 },
  famrel: { 1: 2, 2: 5, 3: 17, 4: 49, 5: 27 },
  freetime: { 1: 5, 2: 16, 3: 40, 4: 29, 5: 10 },
  goout: { 1: 6, 2: 26, 3: 33, 4: 22, 5: 13 },
  dalc: { 1: 70, 2: 19, 3: 7, 4: 2, 5: 2 },
  walc: { 1: 38, 2: 22, 3: 20, 4: 13, 5: 7 },
  health: { 1: 12, 2: 11, 3: 23, 4: 17, 5: 37 },
};
const COLUMNS = [...Object.keys(DISTRIBUTIONS), 'absences', 'g1', 'g2', 'g3'];

/** Things that real files hold and that cleaning mends: row, column, what becomes of the cell. */
const MESS = [
  { row: 7, column: 'school', change: (cell) => ` ${cell}` },
  { row: 31, column: 'mjob', change: (cell) => `${cell}  ` },
  { row: 58, column: 'sex', change: (cell) => cell.toLowerCase() },
  { row: 59, column: 'fjob', change: (cell) => cell.toUpperCase() },
  { row: 112, column: 'guardian', change: (cell) => `\t${cell}` },
  { row: 140, column: 'internet', change: (cell) => cell.toUpperCase() },
  { row: 203, column: 'famsize', change: (cell) => ` ${cell.toLowerCase()} ` },
  { row: 260, column: 'higher', change: () => 'Yes' },
  // Rows with a missing value are dropped and counted.
  { row: 90, column: 'traveltime', change: () => 'NA' },
  { row: 177, column: 'reason', change: () => '' },
  { row: 333, column: 'g2', change: () => 'null' },
];
/** The row at index `of` appears once more, unchanged, after the row at index `after`. */
const REPEATED = { of: 120, after: 300 };

const BROKEN_STUDENTS = 8;
/** Mistakes that make the file fail, by row; each shows in the report with line, column, value and reason. */
const BROKEN = [
  { row: 1, column: 'absences', value: 'many' },
  { row: 2, column: 'age', value: 113 },
  { row: 4, column: 'guardian', value: 'neighbour' },
];
const RAGGED_ROW = 6;

const folder = process.argv[2] ?? fileURLToPath(new URL('../samples', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'student-sample.csv'), sampleFile());
writeFileSync(join(folder, 'student-broken.csv'), brokenFile());

function sampleFile() {
  const random = randomNumbers(SEED);
  const students = Array.from({ length: STUDENTS }, () => student(random));
  for (const { row, column, change } of MESS) students[row][column] = change(String(students[row][column]));
  students.splice(REPEATED.after + 1, 0, students[REPEATED.of]);
  return fileOf(students.map(line));
}

function brokenFile() {
  const random = randomNumbers(SEED + 1);
  const students = Array.from({ length: BROKEN_STUDENTS }, () => student(random));
  for (const { row, column, value } of BROKEN) students[row][column] = value;
  const lines = students.map(line);
  lines[RAGGED_ROW] = lines[RAGGED_ROW].split(';').slice(0, -1).join(';');
  return fileOf(lines);
}

function student(random) {
  const drawn = Object.entries(DISTRIBUTIONS).map(([column, weights]) => [column, draw(random, weights)]);
  const record = Object.fromEntries(drawn);
  record.absences = absences(random);
  return { ...record, ...grades(random, record) };
}

/** A key of `weights`, each as likely as its weight says; digits become a number. */
function draw(random, weights) {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight);
  const point = random() * total;
  let reached = 0;
  const key = Object.keys(weights).find((key) => {
    reached += weights[key];
    return point < reached;
  });
  return /^\d+$/.test(key) ? Number(key) : key;
}

/** Three in ten never miss a lesson; the others a few, mostly an even number, rarely many. */
function absences(random) {
  if (random() < 0.3) return 0;
  const lessons = Math.ceil(-Math.log(1 - random()) * 7);
  return Math.min(75, random() < 0.85 ? lessons + (lessons % 2) : lessons);
}

/** Three grades from 0 to 20 that go together; past failures lower them, study raises them; some give up before the end. */
function grades(random, { failures, studytime, medu }) {
  const ability = 9.6 - 1.5 * failures + 0.5 * studytime + 0.4 * medu + 2.8 * normal(random);
  const g1 = grade(ability + normal(random));
  const g2 = random() < 0.03 ? 0 : grade(ability + normal(random));
  const g3 = g2 === 0 || random() < 0.06 ? 0 : grade(ability + 0.3 + normal(random));
  return { g1, g2, g3 };
}

function grade(value) {
  return Math.min(20, Math.max(0, Math.round(value)));
}

/** A number from the standard normal distribution, near enough: the sum of twelve even ones (Irwin-Hall). */
function normal(random) {
  return Array.from({ length: 12 }, random).reduce((sum, value) => sum + value) - 6;
}

function line(record) {
  return COLUMNS.map((column) => record[column])
    .map((cell) => (typeof cell === 'number' ? String(cell) : `"${cell}"`))
    .join(';');
}

function fileOf(lines) {
  return `${[COLUMNS.join(';'), ...lines].join('\n')}\n`;
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
