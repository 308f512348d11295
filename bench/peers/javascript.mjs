import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';

/*
 * What one would write by hand today: csv-parse for the rows, a loop that cleans and types them, and one of two Parquet
 * writers. Only the types of the student file are known here.
 */

const NULL_TOKENS = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);

/** csv-parse and parquetjs-lite, a file after the other. */
export async function convertWithParquetjs({ files, folder, dataset }) {
  const { default: parquet } = await import('parquetjs-lite');
  const fields = dataset.columns.map(({ name, type }) => [name, parquetjsField(type)]);
  const schema = new parquet.ParquetSchema(Object.fromEntries(fields));
  for (const file of files) {
    const rows = await cleanRows(file, dataset);
    const writer = await parquet.ParquetWriter.openFile(schema, targetOf(file, folder));
    for (const row of rows) await writer.appendRow(row);
    await writer.close();
  }
}

function parquetjsField(type) {
  return { type: type === 'INTEGER' ? 'INT32' : 'UTF8', compression: 'SNAPPY' };
}

/** csv-parse and hyparquet-writer, a file after the other. */
export async function convertWithHyparquet({ files, folder, dataset }) {
  const { parquetWriteFile } = await import('hyparquet-writer');
  for (const file of files) {
    const rows = await cleanRows(file, dataset);
    const columnData = dataset.columns.map(({ name, type }) => ({
      name,
      data: rows.map((row) => row[name]),
      type: type === 'INTEGER' ? 'INT32' : 'STRING',
      nullable: false,
    }));
    await parquetWriteFile({ filename: targetOf(file, folder), columnData });
  }
}

function targetOf(file, folder) {
  return `${folder}/${basename(file, '.csv')}.parquet`;
}

async function cleanRows(file, { columns, delimiter }) {
  const records = parse(await readFile(file), { delimiter, from_line: 2 });
  const rows = [];
  for (const record of records) {
    const row = cleanRow(record, columns);
    if (row) rows.push(row);
  }
  return rows;
}

/** Undefined when a value is missing. */
function cleanRow(record, columns) {
  const row = {};
  for (let i = 0; i < columns.length; i++) {
    const text = record[i].trim().toLowerCase();
    if (NULL_TOKENS.has(text)) return undefined;
    row[columns[i].name] = columns[i].type === 'INTEGER' ? integer(text) : text;
  }
  return row;
}

function integer(text) {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`${text} is not an integer`);
  return Number(text);
}
