import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { parse } from 'csv-parse/sync';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type FreshDatabase, freshMysql, freshPostgres, type Row } from '../helpers/databases.js';

/** A student as the tables hold it: texts lower-cased, numbers as numbers. */
export type Student = Record<string, string | number | null>;

/** A database to ask the questions of. Deliberately shares no code with Dropgate's loader. */
export interface Target {
  /** Whose files it runs: sql/<dialect>/. */
  dialect: 'postgres' | 'mysql';
  run(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** The default of MySQL 8; MariaDB's is laxer. */
const MYSQL8_MODE =
  'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

export const openTarget: Record<'postgres' | 'mysql' | 'pglite', () => Promise<Target>> = {
  postgres: async () => {
    const database = await freshPostgres();
    const client = new pg.Client(database.url);
    await client.connect();
    return {
      dialect: 'postgres',
      run: async (sql) => (await client.query(sql)).rows,
      close: () => closeAndDrop(client, database),
    };
  },
  mysql: async () => {
    const database = await freshMysql();
    const connection = await mysql.createConnection(database.url);
    await connection.query(`SET SESSION sql_mode = '${MYSQL8_MODE}'`);
    return {
      dialect: 'mysql',
      run: async (sql) => (await connection.query(sql))[0] as Row[],
      close: () => closeAndDrop(connection, database),
    };
  },
  pglite: async () => {
    const database = await PGlite.create();
    return {
      dialect: 'postgres',
      run: async (sql) => (await database.query<Row>(sql)).rows,
      close: () => database.close(),
    };
  },
};

async function closeAndDrop(connection: { end(): Promise<void> }, database: FreshDatabase): Promise<void> {
  await connection.end();
  await database.drop();
}

/** Makes the table student_data anew and fills it with plain INSERTs. Columns are those of the first student. */
export async function loadStudents(target: Target, students: Student[]): Promise<void> {
  const names = Object.keys(students[0]);
  const columns = names.map(
    (name) => `${name} ${typeof students[0][name] === 'number' ? 'integer' : 'varchar(10)'}`,
  );
  await target.run('DROP TABLE IF EXISTS student_data');
  await target.run(`CREATE TABLE student_data (${columns.join(', ')})`);
  const rows = students.map((student) => `(${names.map((name) => literal(student[name])).join(', ')})`);
  await target.run(`INSERT INTO student_data (${names.join(', ')}) VALUES ${rows.join(', ')}`);
}

function literal(value: string | number | null): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** Reads the real student file with csv-parse: numbers where all of a cell is digits, texts lower-cased. */
export function readStudents(path: string): Student[] {
  const records = parse(readFileSync(path), { columns: true, delimiter: ';' }) as Record<string, string>[];
  return records.map((record) =>
    Object.fromEntries(Object.entries(record).map(([name, cell]) => [name.toLowerCase(), typed(cell)])),
  );
}

function typed(cell: string): string | number {
  return /^\d+$/.test(cell) ? Number(cell) : cell.toLowerCase();
}
