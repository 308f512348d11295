import { openAsBlob, rmSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { POSTGRES_CONTENT } from '../lib/databases.mjs';

/* PGlite's own COPY, from a CSV file that is given to it as a blob. */

let db;

/** An empty database in a folder, with the table of a data set. */
export async function prepare({ folder, dataset }) {
  await db?.close();
  rmSync(folder, { recursive: true, force: true });
  db = await PGlite.create(folder);
  const columns = dataset.columns.map(
    ({ name, type }) => `"${name}" ${type.replace('DOUBLE', 'DOUBLE PRECISION')}`,
  );
  await db.exec(`CREATE TABLE ${dataset.name} (${columns.join(', ')})`);
}

export async function copyCsv({ csv, dataset }) {
  for (const file of csv) {
    const sql = `COPY ${dataset.name} FROM '/dev/blob' WITH (FORMAT csv, HEADER)`;
    await db.query(sql, [], { blob: await openAsBlob(file) });
  }
}

export async function contentOf({ table }) {
  const { rows } = await db.query(POSTGRES_CONTENT(table));
  return { rows: Number(rows[0].rows), checksum: rows[0].checksum };
}

export async function close() {
  await db?.close();
  db = undefined;
}
