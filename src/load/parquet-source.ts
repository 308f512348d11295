import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ColumnMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { DropgateError, messageOf } from '../base/errors.js';
import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import { type CellWriter, cellWriter } from './cell-text.js';
import { type CellColumn, copyChunks } from './copy-text.js';
import type { SqlDialect } from './engine.js';
import { decodeColumn, RowError } from './parquet-column.js';
import { notParquet, openParquet, type ParquetFile } from './parquet-file.js';
import { describeElement, sourceTypeOf } from './parquet-type.js';

/** What a Parquet file says about itself. */
export interface ParquetInfo {
  rows: number;
  /** Top-level columns; `type` is for messages: `INT64`, `BYTE_ARRAY (STRING)`. */
  columns: { name: string; type: string }[];
  /** Key-value metadata; a key without a value is an empty text. */
  metadata: Record<string, string>;
  /** The program that wrote the file. */
  createdBy?: string;
}

/** A column of the target table. */
export interface TargetColumn {
  name: string;
  type: SqlType;
}

export interface CopyTextOptions {
  path: string;
  /** Columns of the table, in the order that the rows shall have. */
  columns: TargetColumn[];
  dialect: SqlDialect;
  /** See `openParquet`. */
  access?: 'patient' | 'prompt';
}

/**
 * Reads the footer of a Parquet file, whoever wrote it.
 * @throws DropgateError `not_parquet` (junk, cut short, encrypted), `unreadable`
 */
export async function readParquetInfo(path: string): Promise<ParquetInfo> {
  const file = await openParquet(path);
  await file.close();
  const { metadata, schema, rows } = file;
  return {
    rows,
    columns: schema.children.map(({ element }) => ({ name: element.name, type: describeElement(element) })),
    metadata: Object.fromEntries(
      (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    createdBy: metadata.created_by,
  };
}

/**
 * The rows of a Parquet file as COPY text, in chunks of whole rows of about 1 MB. Columns are matched by name, exactly or
 * else without regard to case. Memory is bounded by one row group.
 * @throws DropgateError `parquet_columns_differ` before the first row; `load_refused` for a value that its column cannot
 *   hold; `not_parquet`, `unreadable`
 */
export async function* copyText(options: CopyTextOptions): AsyncGenerator<Uint8Array> {
  const file = await openParquet(options.path, options.access);
  try {
    const plans = planColumns(file.schema, options);
    let firstRow = 0;
    for (const group of file.metadata.row_groups) {
      const columns: CellColumn[] = [];
      for (const plan of plans) {
        columns.push(await readChunk({ file, group, plan, firstRow, path: options.path }));
        // Decoding a column can take tens of milliseconds; others on this thread get their turn in between.
        if (group.num_rows > FEW_ROWS) await nextTurn();
      }
      yield* copyChunks(columns, Number(group.num_rows));
      firstRow += Number(group.num_rows);
    }
  } finally {
    await file.close();
  }
}

/** So many rows are decoded in one go. */
const FEW_ROWS = 4096n;

/** How one column gets from the file into the table. */
interface ColumnPlan {
  column: SchemaTree;
  write: CellWriter;
}

function planColumns(schema: SchemaTree, { path, columns, dialect }: CopyTextOptions): ColumnPlan[] {
  const differences: string[] = [];
  const plans: ColumnPlan[] = [];
  const found = matchColumns(schema.children, columns);
  for (const target of columns) {
    const column = found.get(target);
    const write = column && writerFor(column, target, dialect);
    if (column && write) plans.push({ column, write });
    else if (!column) differences.push(`column ${quoteValue(target.name)} is missing`);
    else {
      differences.push(
        `column ${quoteValue(target.name)} is ${describeElement(column.element)}, which cannot become ${formatSqlType(target.type)}`,
      );
    }
  }
  const used = new Set(found.values());
  for (const column of schema.children) {
    if (!used.has(column)) differences.push(`column ${quoteValue(column.element.name)} is not in the table`);
  }
  if (differences.length > 0) {
    throw new DropgateError('parquet_columns_differ', `${path}: ${differences.join('; ')}.`);
  }
  return plans;
}

/** Exact names first, so that two columns that differ only in case can both be found. */
function matchColumns(children: SchemaTree[], columns: TargetColumn[]): Map<TargetColumn, SchemaTree> {
  const found = new Map<TargetColumn, SchemaTree>();
  const left = new Set(children);
  for (const fold of [(name: string) => name, (name: string) => name.toLowerCase()]) {
    for (const target of columns) {
      if (found.has(target)) continue;
      const match = [...left].filter(({ element }) => fold(element.name) === fold(target.name));
      if (match.length !== 1) continue;
      found.set(target, match[0]);
      left.delete(match[0]);
    }
  }
  return found;
}

function writerFor(
  { element }: SchemaTree,
  { type }: TargetColumn,
  dialect: SqlDialect,
): CellWriter | undefined {
  if (element.num_children || element.repetition_type === 'REPEATED') return undefined;
  return cellWriter({ source: sourceTypeOf(element), target: type, dialect });
}

interface ChunkRequest {
  file: ParquetFile;
  group: RowGroup;
  plan: ColumnPlan;
  /** Row of the file at which the group begins, counted from 0. */
  firstRow: number;
  path: string;
}

async function readChunk({ file, group, plan, firstRow, path }: ChunkRequest): Promise<CellColumn> {
  const { column, write } = plan;
  const name = column.element.name;
  const meta = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data;
  if (!meta) throw notParquet(path, `column ${quoteValue(name)} is missing in a row group`);
  if (meta.num_values !== group.num_rows) {
    throw notParquet(
      path,
      `column ${quoteValue(name)} has ${meta.num_values} values for ${group.num_rows} rows`,
    );
  }
  const bytes = await file.read(...extentOf(meta));
  try {
    return decodeColumn({ bytes, meta, schema: file.schema, column, rows: Number(group.num_rows), write });
  } catch (error) {
    const where = `column ${quoteValue(name)}`;
    if (!(error instanceof RowError))
      throw notParquet(path, `${where} is damaged (${messageOf(error)})`, error);
    throw new DropgateError(
      'load_refused',
      `${path}: ${where}, row ${firstRow + error.row + 1}: ${error.message}.`,
      {
        hint: 'Correct the value, or the type of the column in schema_sql.yaml, then run "dropgate retry".',
      },
    );
  }
}

function extentOf(meta: ColumnMetaData): [number, number] {
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  return [start, start + Number(meta.total_compressed_size)];
}
