import { formatSqlType, parseSqlType, type SqlType } from '../base/sql-type.js';
import { didYouMean } from '../base/suggest.js';
import { quoteValue } from '../base/text.js';
import type { ConfigFile } from './config-file.js';
import { type Contract, foldName, RESCUED, rescues } from './datasets.js';
import { tablesSchema } from './schemas.js';
import type { DatabaseSettings, Dataset, DeclaredColumn, TableSpec } from './settings.js';
import { checkShape } from './shape.js';
import type { KeyPath } from './yaml-tree.js';

/** Longest names; Postgres would cut longer ones in silence. */
const MAX_NAME = { postgres: { bytes: 63 }, mysql: { characters: 64 } };

/** What {@link readTables} needs to know from elsewhere. */
export interface TableOptions {
  /** Absent when it is faulty; the tables are then only checked by themselves. */
  contract: Contract | undefined;
  contractFile: ConfigFile;
  engine: DatabaseSettings['engine'];
  warnings: string[];
}

interface RawColumn {
  name: string;
  type: string;
}

interface RawTable {
  columns: RawColumn[];
  key: string[];
  mode: TableSpec['mode'];
  indexes: string[][];
}

/** A table, its dataset and where they stand. */
interface TableSite extends TableOptions {
  file: ConfigFile;
  path: KeyPath;
  columnsPath: KeyPath;
  dataset: Dataset;
  raw: RawTable;
}

/**
 * The name of the dataset in the short form of `schema.yaml`, which has none: that of the only table, or of the
 * only table with the same columns, or `data`.
 */
export function nameAfterTable(file: ConfigFile, columnNames: string[]): string {
  const root = file.node;
  if (root?.kind !== 'map') return 'data';
  const names = [...root.entries.keys()];
  if (names.length === 1) return names[0];
  const wanted = fingerprint(columnNames);
  const matching = names.filter((name) => fingerprint(columnNamesAt(file, name)) === wanted);
  return matching.length === 1 ? matching[0] : 'data';
}

function columnNamesAt(file: ConfigFile, table: string): string[] {
  const node = file.nodeAt([table]);
  const columns = node?.kind === 'map' ? node.entries.get('columns')?.node : node;
  if (columns?.kind !== 'list') return [];
  return columns.items.map((item) => {
    const name = item.kind === 'map' ? item.entries.get('name')?.node : undefined;
    return name?.kind === 'scalar' ? name.text : '';
  });
}

function fingerprint(columnNames: string[]): string {
  return JSON.stringify(columnNames.map((name) => foldName(name, 'lower')).sort());
}

/**
 * Reads `schema_sql.yaml` and holds it against the datasets. Declared datasets without a table get one with exactly
 * their columns; a dataset with `columns: any` and no table is not loaded.
 */
export function readTables(file: ConfigFile, options: TableOptions): Record<string, TableSpec> {
  // No prototype: a dataset may be called "constructor".
  const tables: Record<string, TableSpec> = Object.create(null);
  const raws = (checkShape(file, tablesSchema) ?? {}) as Record<string, RawTable | RawColumn[]>;
  const { contract } = options;
  if (!contract) return tables;
  for (const [name, raw] of file.node?.kind === 'map' ? Object.entries(raws) : []) {
    if (file.isFaulty([name])) continue;
    const site = siteOf({ ...options, contract, file }, { name, raw });
    if (site) tables[name] = readTable(site);
  }
  for (const dataset of contract.datasets) {
    if (dataset.columns !== 'any') tables[dataset.name] ??= derivedTable(dataset, dataset.columns);
  }
  for (const table of Object.values(tables)) checkNameLengths(table, { file, ...options });
  return tables;
}

function siteOf(
  options: TableOptions & { contract: Contract; file: ConfigFile },
  { name, raw }: { name: string; raw: RawTable | RawColumn[] },
): TableSite | undefined {
  const { file, contract, contractFile } = options;
  const dataset = contract.datasets.find((candidate) => candidate.name === name);
  if (dataset) {
    const bare = Array.isArray(raw);
    const full: RawTable = bare ? { columns: raw, key: [], mode: 'append', indexes: [] } : raw;
    return { ...options, path: [name], columnsPath: bare ? [name] : [name, 'columns'], dataset, raw: full };
  }
  const names = contract.datasets.map((candidate) => candidate.name);
  const someTableFits = contract.form === 'short' && file.nodeAt([names[0]]) !== undefined;
  const text = `no dataset of ${contractFile.shown} has the name of this table`;
  // The short form can describe one table only, and old files hold the tables of other programs as well.
  if (someTableFits)
    options.warnings.push(`${file.placeOf([name])}: ${name}: ${text}; the table is not used`);
  else file.complain([name], text + (didYouMean(name, names) || `; datasets are: ${names.join(', ')}`));
  return undefined;
}

function readTable(site: TableSite): TableSpec {
  const { dataset, raw } = site;
  const columns = raw.columns.map(({ name, type }) => {
    return { name: foldName(name, dataset.names), type: parseSqlType(type)! };
  });
  const fold = (names: string[]) => names.map((name) => foldName(name, dataset.names));
  const table: TableSpec = {
    name: dataset.name,
    columns,
    key: fold(raw.key),
    mode: raw.mode,
    indexes: raw.indexes.map(fold),
  };
  checkTwins(site, table);
  if (dataset.columns !== 'any') compareWithDataset(site, { table, declared: dataset.columns });
  checkKey(site, table);
  table.indexes.forEach((names, index) => {
    checkIndexed(site, { table, names, at: [...site.path, 'indexes', index] });
  });
  return table;
}

function checkTwins({ file, columnsPath }: TableSite, table: TableSpec): void {
  table.columns.forEach(({ name }, index) => {
    const first = table.columns.findIndex((column) => column.name === name);
    if (first < index) file.complain([...columnsPath, index, 'name'], `the column "${name}" stands twice`);
  });
}

/** What the table lacks would be lost, and what only the table has could not be filled. */
function compareWithDataset(
  site: TableSite,
  { table, declared }: { table: TableSpec; declared: DeclaredColumn[] },
): void {
  const { file, columnsPath, contractFile, dataset } = site;
  const declaredNames = declared.map(({ name }) => name);
  const tableNames = table.columns.map(({ name }) => name);
  table.columns.forEach(({ name }, index) => {
    if (declaredNames.includes(name) || (name === RESCUED && rescues(dataset))) return;
    const free = declaredNames.filter((candidate) => !tableNames.includes(candidate));
    const text = `the column "${name}" is not declared for dataset "${dataset.name}" in ${contractFile.shown}`;
    file.complain([...columnsPath, index, 'name'], text + didYouMean(name, free));
  });
  for (const { name, where } of declared) {
    if (tableNames.includes(name)) continue;
    const text = `the table lacks the column "${name}" declared at ${where}; its values would be lost`;
    file.complain([...columnsPath, name], text);
  }
  if (rescues(dataset) && !tableNames.includes(RESCUED)) {
    const text = `the table lacks the column "${RESCUED}" (JSON) for what dataset "${dataset.name}" rescues`;
    file.complain([...columnsPath, RESCUED], text);
  }
}

function checkKey(site: TableSite, table: TableSpec): void {
  const { file, path, dataset } = site;
  const at = [...path, 'key'];
  if (table.mode === 'upsert' && table.key.length === 0) {
    file.complain(at, 'missing; mode upsert needs the columns that tell whether two rows are the same');
  }
  checkIndexed(site, { table, names: table.key, at });
  if (dataset.columns === 'any') return;
  table.key.forEach((name, index) => {
    const column = (dataset.columns as DeclaredColumn[]).find((candidate) => candidate.name === name);
    if (!column?.nullable) return;
    file.complain(
      [...at, index],
      `the key column "${name}" cannot be nullable; it is declared so at ${column.where}`,
    );
  });
}

function checkIndexed(
  { file, engine }: TableSite,
  { table, names, at }: { table: TableSpec; names: string[]; at: KeyPath },
): void {
  names.forEach((name, index) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    const place = [...at, index];
    if (!column) {
      const known = table.columns.map((candidate) => candidate.name);
      file.complain(place, `the table has no column "${name}"${didYouMean(name, known)}`);
      return;
    }
    if (names.indexOf(name) < index) file.complain(place, `the column "${name}" stands twice`);
    const objection = objectionToIndex(column.type, engine);
    if (objection)
      file.complain(place, `the column "${name}" is ${formatSqlType(column.type)}, ${objection}`);
  });
}

function objectionToIndex(type: SqlType, engine: DatabaseSettings['engine']): string | undefined {
  if (type.kind === 'json') return 'which no database can index';
  const endless = type.kind === 'text' || (type.kind === 'varchar' && type.length === undefined);
  if (engine !== 'mysql' || !endless) return undefined;
  return 'which MySQL cannot index; give it a length, such as VARCHAR(100)';
}

function derivedTable(dataset: Dataset, declared: DeclaredColumn[]): TableSpec {
  const columns: TableSpec['columns'] = declared.map(({ name, type }) => ({ name, type }));
  if (rescues(dataset)) columns.push({ name: RESCUED, type: { kind: 'json' } });
  return { name: dataset.name, columns, key: [], mode: 'append', indexes: [] };
}

function checkNameLengths(
  table: TableSpec,
  { file, engine, contractFile }: TableOptions & { file: ConfigFile },
): void {
  if (engine === 'none') return;
  const declaredIn = file.nodeAt([table.name]) ? file : contractFile;
  for (const name of [table.name, ...table.columns.map((column) => column.name)]) {
    const tooLong =
      engine === 'mysql'
        ? [...name].length > MAX_NAME.mysql.characters
        : Buffer.byteLength(name) > MAX_NAME.postgres.bytes;
    if (!tooLong) continue;
    const limit = engine === 'mysql' ? '64 characters' : '63 bytes';
    declaredIn.complain(
      [table.name],
      `the name ${quoteValue(name)} is longer than the ${limit} that the database allows`,
    );
  }
}
