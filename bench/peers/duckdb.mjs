import { basename } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/*
 * DuckDB doing the same work: every cell trimmed and lower-cased, null tokens recognised, rows with a missing value left
 * out, values cast to the declared types, written with snappy, rows in their order. Of seven ways to write the filter this
 * was the fastest (33 times NOT IN takes five times as long). Unless it is told the columns, DuckDB detects the dialect of
 * each file, as we do.
 */

const THREADS = '2';
const NULL_TOKENS = ['', 'na', 'n/a', 'nan', 'null', 'none'].map((token) => `'${token}'`).join(', ');

let connection;

async function connect() {
  connection ??= await (await DuckDBInstance.create(':memory:', { threads: THREADS })).connect();
  return connection;
}

/** One query a file, the dialect being detected. */
export function convertEach(work) {
  return convertFiles(work, (file) => csv(file));
}

/** One query a file, DuckDB being told everything that it would have to detect. */
export function convertEachTold(work) {
  return convertFiles(work, toldCsv);
}

/** One query over all files, a Parquet file for each by partitions. */
export async function convertAll({ glob, folder, dataset }) {
  const db = await connect();
  const query = cleaned(dataset, csv(glob, ', filename = true'), [
    'parse_filename(filename, true) AS source',
    'source',
  ]);
  await db.run(`COPY (${query}) TO '${folder}' (FORMAT parquet, PARTITION_BY (source), OVERWRITE_OR_IGNORE)`);
}

/** One file without any cleaning; types are detected, for which DuckDB must be told what means that a value is missing. */
export async function convertPlainly({ file, target }) {
  const db = await connect();
  await db.run(
    `COPY (FROM read_csv('${file}', nullstr = ['', 'NA', 'n/a', 'null'])) TO '${target}' (FORMAT parquet)`,
  );
}

/** Parquet files as one clean CSV, for clients that load such. */
export async function exportCsv({ source, target }) {
  const db = await connect();
  await db.run(`COPY (FROM '${source}') TO '${target}' (FORMAT csv, HEADER)`);
}

/** The rows of any query. */
export async function rowsOf({ query }) {
  const db = await connect();
  return (await db.runAndReadAll(query)).getRowObjectsJson();
}

async function convertFiles({ files, folder, dataset, codec = 'snappy' }, source) {
  const db = await connect();
  for (const file of files) {
    const target = `${folder}/${basename(file, '.csv')}.parquet`;
    await db.run(
      `COPY (${cleaned(dataset, source(file, dataset))}) TO '${target}' (FORMAT parquet, CODEC '${codec}')`,
    );
  }
}

function csv(file, options = '') {
  return `read_csv('${file}', header = true, all_varchar = true${options})`;
}

function toldCsv(file, { columns, delimiter }) {
  const texts = columns.map(({ name }) => `'${name}': 'VARCHAR'`).join(', ');
  return `read_csv('${file}', auto_detect = false, delim = '${delimiter}', quote = '"', escape = '"', header = true,
    columns = {${texts}})`;
}

/** @param {[string, string]} [passed] a further column of the source, and its name */
function cleaned({ columns }, source, [passedFrom, passedAs] = []) {
  const texts = columns.map(({ name }) => `lower(trim("${name}")) AS "${name}"`);
  const typed = columns.map(({ name, type }) => `CAST("${name}" AS ${type}) AS "${name}"`);
  const values = columns.map(({ name }) => `coalesce("${name}", '')`);
  const inner = passedFrom ? [...texts, passedFrom] : texts;
  const outer = passedAs ? [...typed, passedAs] : typed;
  return `SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${source})
    WHERE NOT list_has_any([${values.join(', ')}], [${NULL_TOKENS}])`;
}
