import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const expected = fileURLToPath(new URL('../../../shared/data/student-mat.csv', import.meta.url));

/**
 * Absolute path of the real student file (UCI "Student Performance", mathematics; 395 rows, 33 columns), or undefined
 * where it is absent: it is not part of the repository. Use: `describe.skipIf(!realStudentCsv)(…)`.
 */
export const realStudentCsv: string | undefined = existsSync(expected) ? expected : undefined;

if (!realStudentCsv) {
  console.warn(
    `Tests on the real student file are skipped: ../shared/data/student-mat.csv is not there (${expected})`,
  );
}
