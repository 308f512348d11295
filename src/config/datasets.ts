import iconv from 'iconv-lite';
import { messageOf } from '../base/errors.js';
import { parseSqlType } from '../base/sql-type.js';
import { nearest } from '../base/suggest.js';
import type { ConfigFile } from './config-file.js';
import { compilePattern, isCatchAll } from './dataset-for.js';
import { type RawExpectation, readExpectation } from './expectation.js';
import { checkRules } from './rules.js';
import { columnsSchema, datasetSchema, datasetsSchema } from './schemas.js';
import type { CaseRule, Dataset, DeclaredColumn } from './settings.js';
import { checkShape, withDefaults } from './shape.js';
import type { KeyPath, YamlNode } from './yaml-tree.js';

/** The column that takes surplus cells as JSON text where `ragged` or `extra_columns` says `rescue`. */
export const RESCUED = '_rescued';
/** The table of ours in the target database. */
const RESERVED_TABLE = 'dropgate_loads';

/** `schema.yaml` as read. */
export interface Contract {
  form: 'short' | 'full';
  datasets: Dataset[];
}

/** What {@link readContract} needs to know from elsewhere. */
export interface ContractOptions {
  /** Names the one dataset of the short form after its table, given the names of its columns. */
  nameShortForm: (columnNames: string[]) => string;
  warnings: string[];
}

type RawColumn = { type: string; case?: CaseRule; nullable?: boolean; private?: boolean } & Record<
  string,
  unknown
>;

/** A dataset as {@link datasetSchema} lets it through. */
interface RawDataset
  extends Pick<
    Dataset,
    'files' | 'names' | 'missing' | 'duplicates' | 'invalid' | 'ragged' | 'escape' | 'header' | 'case'
  > {
  columns: Record<string, string | RawColumn> | 'any';
  null_tokens: string[];
  max_set_aside: number | string;
  extra_columns: Dataset['extraColumns'];
  delimiter: string;
  quote: string;
  encoding: string;
  expect?: RawExpectation;
}

/** A dataset and where it and its columns stand. */
interface DatasetSite {
  file: ConfigFile;
  name: string;
  path: KeyPath;
  columnsPath: KeyPath;
  raw: RawDataset;
}

/** Reads `schema.yaml` in either form. Undefined when something is wrong; it is then among the file's problems. */
export function readContract(file: ConfigFile, options: ContractOptions): Contract | undefined {
  if (!requireContent(file)) return undefined;
  const form = formOf(file);
  if (!form) return undefined;
  const sites = form === 'short' ? [shortFormSite(file, options)] : fullFormSites(file);
  const datasets = sites.map(readDataset);
  checkPatterns(sites, options.warnings);
  return file.isFaulty() ? undefined : { form, datasets: datasets as Dataset[] };
}

function requireContent(file: ConfigFile): boolean {
  const propose = '"dropgate init FILE" proposes one from a sample';
  if (!file.exists) file.reject('config_missing', `the file is missing; ${propose}`);
  else if (!file.node && !file.isFaulty())
    file.complain([], `declares nothing; expected columns or datasets; ${propose}`);
  return file.node !== undefined;
}

type EntryKind = 'type' | 'mapping' | 'other';

/** The short form has a type beside every key, the full form a mapping. */
function formOf(file: ConfigFile): Contract['form'] | undefined {
  const root = file.node!;
  if (root.kind !== 'map' || root.entries.size === 0) {
    file.complain([], 'expected a mapping: column: TYPE, or dataset: { files, columns }');
    return undefined;
  }
  const kinds = new Map([...root.entries].map(([key, { node }]) => [key, kindOf(node)]));
  for (const [key, kind] of kinds) {
    const objection = objectionToEntry(root.entries.get(key)!.node, kind);
    if (objection) file.complain([key], objection);
  }
  if (!file.isFaulty()) checkUniform(file, kinds);
  if (file.isFaulty()) return undefined;
  return kinds.values().next().value === 'type' ? 'short' : 'full';
}

function kindOf(node: YamlNode): EntryKind {
  if (node.kind === 'map') return 'mapping';
  const isText = node.kind === 'scalar' && (node.value !== null || node.problem !== undefined);
  return isText ? 'type' : 'other';
}

function objectionToEntry(node: YamlNode, kind: EntryKind): string | undefined {
  if (kind === 'other') return 'expected a SQL type, or a mapping with "files" and "columns"';
  const isColumn = node.kind === 'map' && node.entries.has('type') && !node.entries.has('columns');
  if (!isColumn) return undefined;
  const remedy = 'put all columns under "columns" of a dataset, beside "files"';
  return `a column that is more than its type needs the full form; ${remedy}`;
}

function checkUniform(file: ConfigFile, kinds: Map<string, EntryKind>): void {
  const [[firstKey, firstKind], ...others] = kinds;
  const odd = others.find(([, kind]) => kind !== firstKind);
  if (!odd) return;
  const [key, kind] = odd;
  file.complain([key], `mixes the two forms: here stands a ${kind}, at "${firstKey}" a ${firstKind}`);
}

function shortFormSite(file: ConfigFile, options: ContractOptions): DatasetSite {
  const columns = checkShape(file, columnsSchema) as Record<string, string>;
  const raw = withDefaults<RawDataset>(datasetSchema, { files: '*', columns });
  return { file, name: options.nameShortForm(Object.keys(columns)), path: [], columnsPath: [], raw };
}

function fullFormSites(file: ConfigFile): DatasetSite[] {
  const raws = checkShape(file, datasetsSchema) as Record<string, RawDataset>;
  return Object.entries(raws).map(([name, raw]) => {
    return { file, name, path: [name], columnsPath: [name, 'columns'], raw };
  });
}

function readDataset(site: DatasetSite): Dataset | undefined {
  const { file, name, path, raw } = site;
  if (name.toLowerCase() === RESERVED_TABLE)
    file.complain(path, 'this table name is taken by Dropgate itself');
  if (name.trim() === '' || name.includes('\0')) file.complain(path, 'a dataset needs a name');
  const columns = readColumns(site);
  if (!columns || file.isFaulty(path)) return undefined;
  checkDialect(site);
  const expect = readExpectation(raw.expect, { file, path: [...path, 'expect'] });
  return {
    name,
    files: raw.files,
    columns,
    names: raw.names,
    missing: raw.missing,
    nullTokens: readNullTokens(site),
    duplicates: raw.duplicates,
    invalid: raw.invalid,
    maxSetAside: readMaxSetAside(raw.max_set_aside),
    ragged: raw.ragged,
    extraColumns: raw.extra_columns,
    delimiter: raw.delimiter === 'none' ? '' : raw.delimiter,
    quote: raw.quote === 'none' ? '' : raw.quote,
    escape: raw.escape,
    encoding: raw.encoding.toLowerCase(),
    header: raw.header,
    case: raw.case,
    ...(expect && { expect }),
  };
}

/**
 * A dataset that takes whatever comes and keeps case and missing values wants a faithful picture of the file: there an
 * empty cell is an empty text and "NA" is "NA", unless the user names tokens.
 */
function readNullTokens({ file, path, raw }: DatasetSite): string[] {
  const isFaithful = raw.columns === 'any' && raw.case === 'keep' && raw.missing === 'keep';
  if (isFaithful && file.nodeAt([...path, 'null_tokens']) === undefined) return [];
  return [...new Set(raw.null_tokens.map((token) => token.trim().toLowerCase()))];
}

/** Whether rows of the dataset can have a {@link RESCUED} column. */
export function rescues(dataset: Pick<Dataset, 'ragged' | 'extraColumns'>): boolean {
  return dataset.ragged === 'rescue' || dataset.extraColumns === 'rescue';
}

/**
 * A column name as it is known inside: as it stands with `names: keep`, else trimmed, with single spaces and in lower
 * case. The header of a file is folded in the same way when it is read; a test holds the two together.
 */
export function foldName(name: string, names: Dataset['names']): string {
  return names === 'keep' ? name : name.trim().replace(/\s+/g, ' ').toLowerCase();
}

function readColumns(site: DatasetSite): DeclaredColumn[] | 'any' | undefined {
  const { file, columnsPath, raw } = site;
  if (raw.columns === 'any') return 'any';
  if (file.nodeAt(columnsPath)?.kind !== 'map') return undefined;
  const columns: DeclaredColumn[] = [];
  for (const [key, declared] of Object.entries(raw.columns)) {
    if (file.isFaulty([...columnsPath, key])) continue;
    const column = readColumn(site, {
      key,
      declared: typeof declared === 'string' ? { type: declared } : declared,
    });
    checkColumnName(site, { key, column, earlier: columns });
    columns.push(column);
  }
  return columns;
}

function readColumn(
  { file, columnsPath, raw }: DatasetSite,
  { key, declared }: { key: string; declared: RawColumn },
): DeclaredColumn {
  const path = [...columnsPath, key];
  const {
    type: typeText,
    nullable = false,
    case: caseRule = raw.case,
    private: isPrivate = false,
    ...rules
  } = declared;
  const type = parseSqlType(typeText)!;
  return {
    name: foldName(key, raw.names),
    type,
    nullable,
    case: caseRule,
    private: isPrivate,
    rules: checkRules({ file, path, rules, type, case: caseRule }),
    where: file.placeOf(path),
  };
}

function checkColumnName(
  { file, columnsPath, raw }: DatasetSite,
  { key, column, earlier }: { key: string; column: DeclaredColumn; earlier: DeclaredColumn[] },
): void {
  const path = [...columnsPath, key];
  const twin = earlier.find(({ name }) => name === column.name);
  if (column.name.trim() === '' || column.name.includes('\0')) file.complain(path, 'a column needs a name');
  if (twin)
    file.complain(path, `the same column as the one at ${twin.where} after trimming and folding of case`);
  const isRescued = column.name === RESCUED && (raw.ragged === 'rescue' || raw.extra_columns === 'rescue');
  if (isRescued) file.complain(path, 'this name is taken by the column for rescued cells');
}

function readMaxSetAside(value: number | string): Dataset['maxSetAside'] {
  return typeof value === 'number' ? { rows: value } : { share: Number.parseFloat(value) / 100 };
}

/** Names under which iconv-lite offers what is no encoding of text. */
const NO_ENCODINGS = ['base64', 'hex', 'binary'];
const COMMON_ENCODINGS = [
  'auto',
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'iso-8859-1',
  'iso-8859-15',
];

function checkDialect({ file, path, raw }: DatasetSite): void {
  const encoding = raw.encoding.toLowerCase();
  const known = encoding === 'auto' || (iconv.encodingExists(encoding) && !NO_ENCODINGS.includes(encoding));
  if (!known) {
    const near = nearest(encoding, COMMON_ENCODINGS);
    const help = near ? `did you mean "${near}"?` : `expected one such as ${COMMON_ENCODINGS.join(', ')}`;
    file.complain([...path, 'encoding'], `"${raw.encoding}" is no encoding that can be read; ${help}`);
  }
  if (raw.delimiter === raw.quote && raw.delimiter !== 'auto') {
    file.complain([...path, 'quote'], 'the same character as the delimiter');
  }
}

/** Patterns that make no sense or repeat an earlier one are wrong; one behind a catch-all is only useless. */
function checkPatterns(sites: DatasetSite[], warnings: string[]): void {
  const earlier = new Map<string, DatasetSite>();
  let catchAll: DatasetSite | undefined;
  for (const site of sites) {
    const { file, name, path, raw } = site;
    const at = [...path, 'files'];
    if (file.isFaulty(at)) continue;
    const twin = earlier.get(raw.files.toLowerCase());
    if (twin)
      file.complain(
        at,
        `the same pattern as that of dataset "${twin.name}" on line ${file.lineAt(twin.path)}`,
      );
    else if (catchAll) {
      const reason = `dataset "${catchAll.name}" before it claims every file; move "${name}" before it`;
      warnings.push(`${file.placeOf(at)}: the pattern of dataset "${name}" can never match: ${reason}`);
    }
    checkPattern(site, at);
    earlier.set(raw.files.toLowerCase(), site);
    if (isCatchAll(raw.files)) catchAll ??= site;
  }
}

function checkPattern({ file, raw }: DatasetSite, at: KeyPath): void {
  try {
    compilePattern(raw.files);
  } catch (error) {
    file.complain(at, `not a pattern: ${messageOf(error)}`);
  }
}
