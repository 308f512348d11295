import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { headerOf, students } from './datasets.mjs';
import { Random } from './random.mjs';

const SEED = 20_261_122;
const SMALL_FILE_ROWS = 395;
const PIECE_BYTES = 4 << 20;

/** The real student file, where this machine has it: beside the repository. */
export const REAL_FILE = fileURLToPath(new URL('../../../shared/data/student-mat.csv', import.meta.url));

/**
 * Writes `count` files of 395 students each into `folder`, no two alike, the first being the real student file where it
 * is there. A folder that holds them already is taken as it is.
 * @returns {string[]} their paths
 */
export function writeSmallFiles(folder, count) {
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: count }, (_, i) => `students-${String(i + 1).padStart(6, '0')}.csv`);
  if (readdirSync(folder).length !== count) {
    const random = new Random(SEED);
    for (const name of names) writeFileSync(path.join(folder, name), smallFile(random));
    if (existsSync(REAL_FILE)) copyFileSync(REAL_FILE, path.join(folder, names[0]));
  }
  return names.map((name) => path.join(folder, name));
}

function smallFile(random) {
  let text = headerOf(students);
  for (let row = 0; row < SMALL_FILE_ROWS; row++) text += students.row(random);
  return text;
}

/** Writes one file of about `bytes`. One that is there already is taken as it is. */
export function writeLargeFile(file, dataset, bytes) {
  writePieces(file, dataset, ({ written }) => written < bytes);
}

/** Writes one file of `rows` rows. One that is there already is taken as it is. */
export function writeLargeFileOfRows(file, dataset, rows) {
  writePieces(file, dataset, (done) => done.rows < rows);
}

/** @param {(done: { written: number, rows: number }) => boolean} isWanted whether another row belongs to the file */
function writePieces(file, dataset, isWanted) {
  if (existsSync(file)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const random = new Random(SEED);
  const unfinished = `${file}.part`;
  const out = openSync(unfinished, 'w');
  let piece = headerOf(dataset);
  let before = 0;
  let rows = 0;
  while (isWanted({ written: before + piece.length, rows })) {
    piece += dataset.row(random);
    rows++;
    if (piece.length < PIECE_BYTES) continue;
    before += writeSync(out, piece);
    piece = '';
  }
  writeSync(out, piece);
  closeSync(out);
  renameSync(unfinished, file);
}

/** Bytes of all files together. */
export function totalBytes(files) {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
