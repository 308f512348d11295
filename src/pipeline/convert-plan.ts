import { parseSqlType, type SqlKind } from '../base/sql-type.js';
import type { ColumnSpec } from '../base/vector.js';
import { bindColumns } from '../check/bind-columns.js';
import { parserFor, Violation } from '../check/parse-value.js';
import { cleanName } from '../clean/clean-name.js';
import { cleanerFor } from '../clean/clean-value.js';
import { DuplicateFinder } from '../clean/duplicates.js';
import { RowSet } from '../clean/row-set.js';
import type { Dataset } from '../config/settings.js';
import { type RowTarget, RowText } from '../load/row-text.js';
import type { Dialect } from '../read/dialect.js';
import { makeScanner } from '../read/make-scanner.js';
import type { ScanColumn, Scanner } from '../read/scanner.js';
import { ColumnConverter } from './column-converter.js';
import { RescueColumn } from './rescue-column.js';
import { RowGroupBuilder } from './row-group-builder.js';

/** Name of the column that takes surplus cells and undeclared columns. */
export const RESCUE_COLUMN = '_rescued';

const TEXT = parseSqlType('TEXT')!;
const JSON_TYPE = parseSqlType('JSON')!;

/** Most distinct values that a column's dictionary may carry over from one file to the next. */
const MAX_CARRIED_VALUES = 4096;

/** A column whose distinct values are more than this share of its rows is no good in dictionary mode. */
export const MAX_DISTINCT_SHARE = 0.5;
/** Rows of a file that tell whether its values are new. */
const MIN_ROWS_TO_TELL = 64;
/** Then the columns are tried in dictionary mode again. */
const PLAIN_FILES = 64;

/** Scanned rows that one batch may have, unless row groups are larger. */
const MAX_BATCH_ROWS = 1 << 16;
/** Batches of wide tables have so many cells, since each may be a new value of a dictionary. */
const WIDE_COLUMNS = 256;
const MAX_BATCH_CELLS_WHEN_WIDE = 1 << 19;

/** One output column and the column of the file that it comes from. */
export interface PlannedColumn {
  /** Index in the file. */
  source: number;
  converter: ColumnConverter;
  /** Values that the dictionary had from earlier files when this one began. */
  carried: number;
  /** For so many files more its cells are read plainly, as its values hardly repeat from file to file. */
  plainFiles: number;
}

/**
 * Everything that files of one dataset with the same header and dialect share: scanner, dictionaries, converters.
 * Kept from file to file, so that a value that any earlier file had costs one probe. One thread, one file at a time.
 */
export interface ConvertPlan {
  /** Columns of the Parquet file: the declared ones in their order, then `_rescued` where it is wanted. */
  specs: ColumnSpec[];
  columns: PlannedColumn[];
  /** Undeclared columns of the file that `_rescued` takes. */
  rescued: { source: number; name: string }[];
  rescue: RescueColumn | undefined;
  scanner: Scanner;
  duplicates: DuplicateFinder;
  group: RowGroupBuilder;
  /** Makes COPY text of rows; absent where they go into no table, or into one of other columns. */
  rowText: RowText | undefined;
  /** Rows of the present file that were scanned by this plan. */
  rowsSeen: number;
}

/** Of a column of which nothing is known. */
const NEW = { carried: 0, plainFiles: 0 };

export type ColumnProblem = ReturnType<typeof bindColumns>['problems'][number];

export interface PlanInput {
  dataset: Dataset;
  dialect: Dialect;
  /** Header cells as they stand in the file. */
  header: string[] | undefined;
  width: number;
  rowGroupRows: number;
  /** See ConvertContext. */
  rowSetSlots?: number;
  /** The table that the rows go into. */
  target?: RowTarget;
}

/** Makes the plan, or tells every disagreement between the header and the declaration. */
export function makePlan(input: PlanInput): ConvertPlan | ColumnProblem[] {
  const { dataset, width } = input;
  if (dataset.columns === 'any') return assemble(input, anyColumns(input), []);
  const { bindings, problems } = bindColumns({
    header: input.header?.map((cell) => cleanName(cell, dataset.names)),
    width,
    declared: dataset.columns.map((column) => column.name),
    extraColumns: dataset.extraColumns,
  });
  if (problems.length > 0) return problems;
  const columns: PlannedColumn[] = [];
  const rescued: ConvertPlan['rescued'] = [];
  bindings.forEach((binding, source) => {
    if (binding.kind === 'declared') {
      columns[binding.index] = { source, converter: declaredConverter(dataset, binding.index), ...NEW };
    } else if (binding.kind === 'rescued') {
      rescued.push({ source, name: binding.name });
    }
  });
  return assemble(input, columns, rescued);
}

/** Plans that a thread keeps. Files of many kinds must not pile up dictionaries. */
const MAX_PLANS = 16;

/** The plan for files of this kind, made once and ready for the next file; or the disagreements with the declaration. */
export function planFor(plans: Map<string, ConvertPlan>, input: PlanInput): ConvertPlan | ColumnProblem[] {
  const { dataset, dialect, header, width } = input;
  const key = JSON.stringify([dataset.name, dialect, header ?? width]);
  const known = plans.get(key);
  if (known) {
    resetPlan(known);
    return known;
  }
  const made = makePlan(input);
  if (Array.isArray(made)) return made;
  // The plan that was made first goes first.
  if (plans.size >= MAX_PLANS) plans.delete(plans.keys().next().value!);
  plans.set(key, made);
  return made;
}

/**
 * Makes a plan ready for the next file: empties dictionaries that grew large, returns columns to dictionary mode; but not those
 * of which the last file brought mostly values that no file before it had.
 */
export function resetPlan(plan: ConvertPlan): void {
  const { rowsSeen } = plan;
  plan.duplicates.clear();
  plan.group.clear();
  plan.rowsSeen = 0;
  const scanned = plan.scanner.columns;
  for (const planned of plan.columns) {
    const column = scanned[planned.source];
    if (planned.plainFiles-- > 1) continue;
    const isNew = bringsNewValues(planned, { column, rowsSeen });
    planned.plainFiles = isNew ? PLAIN_FILES : 0;
    if (isNew) column.becomePlain();
    else if (!column.dictionary || column.dictionary.count > MAX_CARRIED_VALUES) column.becomeDictionary();
    planned.carried = column.dictionary?.count ?? 0;
    if (planned.carried === 0) planned.converter.clear();
  }
  for (const { source } of plan.rescued) scanned[source].becomeDictionary();
  if (plan.rescue?.isFull) plan.rescue.clear();
}

/** Of the first file all values are new; what they do is seen in the second. */
function bringsNewValues(
  { carried }: PlannedColumn,
  { column, rowsSeen }: { column: ScanColumn; rowsSeen: number },
): boolean {
  const added = (column.dictionary?.count ?? 0) - carried;
  return carried > 0 && rowsSeen >= MIN_ROWS_TO_TELL && added > rowsSeen * MAX_DISTINCT_SHARE;
}

/**
 * Could these cells be the first record of a headerless file of this dataset? Texts fit a text column whatever they
 * are, so at least one value must be of another type; otherwise a header of other names would be taken for a row.
 */
export function looksLikeData(dataset: Dataset, cells: string[]): boolean {
  const { columns } = dataset;
  if (columns === 'any' || cells.length !== columns.length) return false;
  let isTelling = false;
  const fits = columns.every(({ type, case: rule }, i) => {
    const text = cleanerFor({ case: rule, nullTokens: dataset.nullTokens })(cells[i]);
    if (text === null) return true;
    if (parserFor(type).parse(text) instanceof Violation) return false;
    isTelling ||= !TEXT_KINDS.has(type.kind);
    return true;
  });
  return fits && isTelling;
}

/** Types that take any text. */
export const TEXT_KINDS: ReadonlySet<SqlKind> = new Set(['char', 'varchar', 'text']);

function assemble(input: PlanInput, columns: PlannedColumn[], rescued: ConvertPlan['rescued']): ConvertPlan {
  const { dataset, dialect, width, rowGroupRows, rowSetSlots, target } = input;
  const wanted = new Array<boolean>(width).fill(false);
  for (const { source } of [...columns, ...rescued]) wanted[source] = true;
  const rescues = dataset.ragged === 'rescue' || dataset.extraColumns === 'rescue';
  const specs = columns.map(({ converter }) => converter.spec);
  if (rescues) specs.push({ name: RESCUE_COLUMN, type: JSON_TYPE, nullable: true });
  return {
    specs,
    columns,
    rescued,
    rescue: rescues ? new RescueColumn() : undefined,
    scanner: makeScanner({
      dialect,
      wanted,
      maxRows: maxBatchRows(width, rowGroupRows),
      keepRagged: dataset.ragged === 'rescue',
    }),
    duplicates: new DuplicateFinder({ seen: new RowSet(undefined, rowSetSlots) }),
    group: new RowGroupBuilder(specs, rowGroupRows),
    rowText: target && RowText.for(specs, target),
    rowsSeen: 0,
  };
}

function maxBatchRows(width: number, rowGroupRows: number): number {
  if (width > WIDE_COLUMNS) return Math.ceil(MAX_BATCH_CELLS_WHEN_WIDE / width);
  return Math.max(MAX_BATCH_ROWS, rowGroupRows);
}

function declaredConverter(dataset: Dataset, index: number): ColumnConverter {
  if (dataset.columns === 'any') throw new TypeError('a dataset without a contract declares no columns');
  const { name, type, nullable, case: rule, rules } = dataset.columns[index];
  const keepNulls = nullable || dataset.missing === 'keep';
  return new ColumnConverter({
    spec: { name, type, nullable: keepNulls },
    case: rule,
    nullTokens: dataset.nullTokens,
    keepWhiteSpace: false,
    keepNulls,
    rules,
  });
}

/** Every column of the file as nullable text, under unique names. */
function anyColumns({ dataset, header, width }: PlanInput): PlannedColumn[] {
  const taken = new Set<string>(dataset.ragged === 'rescue' ? [RESCUE_COLUMN] : []);
  return Array.from({ length: width }, (_, source) => {
    const written = header === undefined ? '' : cleanName(header[source], dataset.names);
    const name = uniqueName(written || `column_${source + 1}`, taken);
    const converter = new ColumnConverter({
      spec: { name, type: TEXT, nullable: true },
      case: dataset.case,
      nullTokens: dataset.nullTokens,
      keepWhiteSpace: dataset.case === 'keep',
      keepNulls: true,
    });
    return { source, converter, ...NEW };
  });
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`;
  taken.add(name);
  return name;
}
