import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SchemaTree } from 'hyparquet';
import { DropgateError, messageOf } from '../base/errors.js';
import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import { CellTable } from './cell-table.js';
import { type CellWriter, cellWriter } from './cell-text.js';
import { CopyTextWriter } from './copy-text.js';
import type { SqlDialect } from './engine.js';
import { matchColumns } from './match-columns.js';
import { decodeColumn, RowError } from './parquet-column.js';
import { notParquet, openParquet, type ParquetFile } from './parquet-file.js';
import type { ChunkPlace, RowGroupPlace } from './parquet-footer.js';
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
  /** Parquet files, decoded one after the other. */
  paths: readonly string[];
  /** Columns of the table, in the order that the rows shall have. */
  columns: TargetColumn[];
  dialect: SqlDialect;
  /** See `openParquet`. */
  access?: 'patient' | 'prompt';
  /** See `CopyTextWriterOptions`. */
  spare?: () => ArrayBuffer | undefined;
}

/**
 * Reads the footer of a Parquet file, whoever wrote it.
 * @throws DropgateError `not_parquet` (junk, cut short, encrypted), `unreadable`
 */
export async function readParquetInfo(
  path: string,
  access?: CopyTextOptions['access'],
): Promise<ParquetInfo> {
  const file = await openParquet(path, access);
  await file.close();
  const { schema, rows, keyValues, createdBy } = file.footer;
  return {
    rows,
    columns: schema.children.map(({ element }) => ({ name: element.name, type: describeElement(element) })),
    metadata: keyValues,
    createdBy,
  };
}

/** Whole rows in COPY text form. */
export interface CopyPiece {
  bytes: Uint8Array;
  /** Files that end with it, each as it was when all of it had been read; see `fingerprintText`. May come without bytes. */
  ended: string[];
}

/**
 * The rows of Parquet files as COPY text, in pieces of about 1 MB, which can hold rows of several files. Columns are matched
 * by name, exactly or else without regard to case. Memory is bounded by one row group.
 * @throws DropgateError, when what stands before it has been handed over: `parquet_columns_differ` before the first row of a
 *   file; `load_refused` for a value that its column cannot hold; `not_parquet`, `unreadable`
 */
export async function* copyText(options: CopyTextOptions): AsyncGenerator<CopyPiece> {
  const reader = new RowReader(options);
  const writer = new CopyTextWriter(options);
  let ended: string[] = [];
  const pieceOf = (bytes: Uint8Array): CopyPiece => {
    const piece = { bytes, ended };
    ended = [];
    return piece;
  };
  try {
    for (const path of options.paths) {
      const file = await openParquet(path, options.access);
      try {
        for await (const table of reader.tablesOf(path, file)) {
          for (const bytes of writer.add(table)) yield pieceOf(bytes);
        }
        ended.push(await file.fingerprint());
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    yield pieceOf(writer.rest());
    throw error;
  }
  yield pieceOf(writer.rest());
}

/** Reads the row groups of files for one table. */
class RowReader {
  readonly #options: CopyTextOptions;
  readonly #table = new CellTable();
  /** Of the schema that was met last, which is mostly that of the next file too. */
  #plans: { schema: SchemaTree; columns: ColumnPlan[] } | undefined;

  constructor(options: CopyTextOptions) {
    this.#options = options;
  }

  /** A table for each row group, always the same one. */
  async *tablesOf(path: string, file: ParquetFile): AsyncGenerator<CellTable> {
    const plans = this.#plansFor(path, file.footer.schema);
    const table = this.#table;
    let firstRow = 0;
    for (const group of file.footer.groups) {
      table.reset({ columns: plans.length, rows: group.rows });
      for (const plan of plans) {
        await readChunk({ file, group, plan, firstRow, path, table });
        // Decoding a column can take tens of milliseconds; others on this thread get their turn in between.
        if (group.rows > FEW_ROWS) await nextTurn();
      }
      table.finish();
      yield table;
      firstRow += group.rows;
    }
  }

  #plansFor(path: string, schema: SchemaTree): ColumnPlan[] {
    if (this.#plans?.schema !== schema)
      this.#plans = { schema, columns: planColumns(schema, { ...this.#options, path }) };
    return this.#plans.columns;
  }
}

/** So many rows are decoded in one go. */
const FEW_ROWS = 4096;

/** How one column gets from the file into the table. */
interface ColumnPlan {
  column: SchemaTree;
  /** Its place among the columns of the file. */
  index: number;
  write: CellWriter;
}

function planColumns(
  schema: SchemaTree,
  { path, columns, dialect }: CopyTextOptions & { path: string },
): ColumnPlan[] {
  const differences: string[] = [];
  const plans: ColumnPlan[] = [];
  const found = matchColumns(columns, { columns: schema.children, nameOf: ({ element }) => element.name });
  for (const target of columns) {
    const column = found.get(target);
    const write = column && writerFor(column, target, dialect);
    if (column && write) plans.push({ column, index: schema.children.indexOf(column), write });
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
  group: RowGroupPlace;
  plan: ColumnPlan;
  /** Row of the file at which the group begins, counted from 0. */
  firstRow: number;
  path: string;
  table: CellTable;
}

async function readChunk({ file, group, plan, firstRow, path, table }: ChunkRequest): Promise<void> {
  const { column, index, write } = plan;
  const { name } = column.element;
  const place = placeOf(group, { name, index });
  if (!place) throw notParquet(path, `column ${quoteValue(name)} is missing in a row group`);
  if (place.values !== group.rows) {
    throw notParquet(path, `column ${quoteValue(name)} has ${place.values} values for ${group.rows} rows`);
  }
  const bytes = await file.read(place.start, place.start + place.length);
  try {
    decodeColumn({ bytes, codec: place.codec, schema: file.footer.schema, column, write }, table);
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

/** A file without nested columns, and there are no others here, has its chunks in the order of the columns. */
function placeOf(
  { chunks }: RowGroupPlace,
  { name, index }: { name: string; index: number },
): ChunkPlace | undefined {
  return chunks[index]?.name === name ? chunks[index] : undefined;
}
