import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { realStudentCsv, repositoryRoot } from '../helpers/real-data.js';
import { loadStudents, openTarget, readStudents, type Student, type Target } from './student-table.js';

interface NamedQuery {
  name: string;
  title: string;
  question: string;
  plot: { kind: string; x?: string; y?: string; series?: string; only?: Record<string, unknown> };
  columns: Record<string, string>;
}

type Answers = Record<string, unknown[][]>;

const sqlDir = join(repositoryRoot, 'sql');
const { queries } = parse(readFileSync(join(sqlDir, 'manifest.yaml'), 'utf8')) as { queries: NamedQuery[] };

/** Given with the questions, except for the numbers of students beside the medians, which were counted by hand. */
const REAL_ANSWERS: Answers = {
  'mothers-jobs': [['at_home'], ['health'], ['other'], ['services'], ['teacher']],
  'rural-travel-time': [[1, 35]],
  'fathers-jobs': [
    ['a', 1, 'other', 23],
    ['a', 2, 'services', 7],
    ['a', 3, 'teacher', 5],
    ['t', 1, 'other', 194],
    ['t', 2, 'services', 104],
    ['t', 3, 'teacher', 24],
  ],
  'failures-by-family-size': [
    ['gt3', 0, 222],
    ['le3', 0, 90],
  ],
  'median-absences': [
    ['sex', 'f', null, 52, 3.5],
    ['sex', 'm', null, 42, 4],
    ['sex, famrel', 'f', 1, 5, 10],
    ['sex, famrel', 'f', 2, 9, 5],
    ['sex, famrel', 'f', 3, 38, 3],
    ['sex, famrel', 'm', 1, 3, 5],
    ['sex, famrel', 'm', 2, 9, 7],
    ['sex, famrel', 'm', 3, 30, 4],
  ],
};

/** Made by hand: ties, an even and an odd number of values around a median, values just outside each condition. */
const FEW: Student[] = [
  few({ sex: 'm', age: 19, mjob: 'teacher', famrel: 1, absences: 1 }),
  few({ sex: 'm', age: 15, mjob: 'at_home', famrel: 1, absences: 9 }),
  few({ sex: 'm', age: 15, mjob: 'at_home', famrel: 3, absences: 4 }),
  few({ sex: 'm', age: 20, mjob: 'health', famrel: 4, absences: 90 }),
  few({ sex: 'f', age: 15, mjob: 'services', famrel: 2, absences: 0 }),
  few({ sex: 'f', age: 15, mjob: 'services', famrel: 2, absences: 7 }),
  few({ sex: 'f', address: 'r', traveltime: 3, pstatus: 't', fjob: 'other', failures: 2 }),
  few({ sex: 'f', address: 'r', traveltime: 2, pstatus: 't', fjob: 'teacher', failures: 2 }),
  few({ sex: 'f', address: 'r', traveltime: 3, pstatus: 't', fjob: 'services', failures: 1 }),
  few({ sex: 'f', address: 'r', traveltime: 2, pstatus: 't', fjob: 'health', famsize: 'le3', failures: 3 }),
  few({ sex: 'f', address: 'r', traveltime: 4, pstatus: 't', fjob: 'teacher', famsize: 'le3', failures: 1 }),
];

const FEW_ANSWERS: Answers = {
  'mothers-jobs': [['at_home'], ['teacher']],
  'rural-travel-time': [[2, 2]],
  'fathers-jobs': [
    ['a', 1, 'other', 6],
    ['t', 1, 'teacher', 2],
    ['t', 2, 'health', 1],
    ['t', 3, 'other', 1],
  ],
  'failures-by-family-size': [
    ['gt3', 0, 6],
    ['le3', 1, 1],
  ],
  'median-absences': [
    ['sex', 'f', null, 2, 3.5],
    ['sex', 'm', null, 3, 4],
    ['sex, famrel', 'f', 2, 2, 3.5],
    ['sex, famrel', 'm', 1, 2, 5],
    ['sex, famrel', 'm', 3, 1, 4],
  ],
};

function few(student: Student): Student {
  const usual = {
    sex: 'f',
    age: 15,
    address: 'u',
    famsize: 'gt3',
    pstatus: 'a',
    mjob: 'other',
    fjob: 'other',
  };
  return { ...usual, traveltime: 1, failures: 0, famrel: 5, absences: 0, ...student };
}

const dataSets = [
  { title: 'a few students with ties', students: () => FEW, answers: FEW_ANSWERS, isThere: true },
  {
    title: 'the real students',
    students: () => readStudents(realStudentCsv!),
    answers: REAL_ANSWERS,
    isThere: realStudentCsv !== undefined,
  },
];

describe.each(['postgres', 'mysql', 'pglite'] as const)('on %s', (engine) => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget[engine]();
  });
  afterAll(() => target.close());

  for (const { title, students, answers, isThere } of dataSets) {
    test.skipIf(!isThere)(title, async () => {
      await loadStudents(target, students());
      for (const query of queries)
        expect(await answer(target, query), query.name).toEqual(answers[query.name]);
    });
  }
});

/** The questions in the words of another engine, which reads the file itself. */
const DUCKDB_QUESTIONS: Record<string, string> = {
  'mothers-jobs': `SELECT unnest(list_sort(list(DISTINCT lower(mjob)))) FROM real WHERE sex = 'M' AND age < 20`,
  'rural-travel-time': `
    SELECT mode(traveltime), (SELECT max(n) FROM (SELECT count(*) n FROM real WHERE address = 'R' GROUP BY traveltime))
    FROM real WHERE address = 'R'`,
  'fathers-jobs': `
    SELECT lower(pstatus), row_number() OVER (PARTITION BY pstatus ORDER BY n DESC), job, n
    FROM (SELECT pstatus, unnest(approx_top_k(fjob, 3)) AS job FROM real GROUP BY pstatus)
    JOIN (SELECT pstatus, fjob AS job, count(*) AS n FROM real GROUP BY ALL) USING (pstatus, job)
    ORDER BY 1, 2`,
  'failures-by-family-size': `
    SELECT lower(famsize), mode(failures), count(*) FILTER (failures = 0) FROM real GROUP BY famsize ORDER BY 1`,
  'median-absences': `
    SELECT 'sex', lower(sex), NULL, count(*), median(absences) FROM real WHERE famrel < 4 GROUP BY sex
    UNION ALL
    SELECT 'sex, famrel', lower(sex), famrel, count(*), median(absences) FROM real WHERE famrel < 4 GROUP BY sex, famrel
    ORDER BY 1, 2, 3`,
};

describe.skipIf(!realStudentCsv)('DuckDB gives the same answers', () => {
  test.each(queries)('$name', async ({ name }) => {
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`CREATE VIEW real AS FROM read_csv('${realStudentCsv}', delim = ';')`);
    const rows = (await connection.runAndReadAll(DUCKDB_QUESTIONS[name])).getRows();
    expect(
      rows.map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value))),
    ).toEqual(REAL_ANSWERS[name]);
  });
});

describe('the manifest', () => {
  test.each(['postgres', 'mysql'])('lists exactly the files of %s', (dialect) => {
    const files = readdirSync(join(sqlDir, dialect)).sort();
    expect(files).toEqual(queries.map(({ name }) => `${name}.sql`).sort());
  });

  test.each(queries)('$name has the question on top of both files', ({ name, question }) => {
    for (const dialect of ['postgres', 'mysql']) {
      const [firstLine] = readFileSync(join(sqlDir, dialect, `${name}.sql`), 'utf8').split('\n');
      expect(firstLine).toBe(`-- ${question}`);
    }
  });

  test.each(queries)('$name plots columns that it has', ({ plot, columns }) => {
    const { kind, only = {}, ...axes } = plot;
    expect(['table', 'bar']).toContain(kind);
    expect(Object.keys(columns)).toEqual(
      expect.arrayContaining([...Object.values(axes), ...Object.keys(only)]),
    );
  });
});

/** Rows as lists in the order of the manifest's columns, which the result must have. Postgres gives counts as text. */
async function answer(target: Target, { name, columns }: NamedQuery): Promise<unknown[][]> {
  const rows = await target.run(readFileSync(join(sqlDir, target.dialect, `${name}.sql`), 'utf8'));
  expect(Object.keys(rows[0])).toEqual(Object.keys(columns));
  return rows.map((row) => Object.values(row).map(wholeNumber));
}

function wholeNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}
