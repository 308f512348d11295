import { DropgateError, errnoOf } from '../base/errors.js';
import type { SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';
import { bindColumns } from '../check/bind-columns.js';
import { cleanName } from '../clean/clean-name.js';
import { cleanerFor } from '../clean/clean-value.js';
import { programSchema } from '../config/schemas.js';
import { withDefaults } from '../config/shape.js';
import { NotUtf8, TextWindow } from '../read/batch-reader.js';
import { FileSource } from '../read/file-source.js';
import { makeScanner } from '../read/make-scanner.js';
import { type Findings, type OpenTable, openTable } from '../read/open-table.js';
import type { ScanColumn } from '../read/scanner.js';
import { rawText } from './column-converter.js';
import { TypeEvidence } from './type-evidence.js';

/** What a sample file holds. */
export interface Sample {
  findings: Findings;
  columns: SampledColumn[];
  rows: number;
  /** Records that are no rows (too many or too few cells, misplaced quotes), and the line of the first. */
  irregular: { count: number; firstLine: number };
}

/** One column of a sample, after cleaning. */
export interface SampledColumn {
  name: string;
  /** The smallest type that takes all values. */
  type: SqlType;
  /** Some value is missing. */
  hasMissing: boolean;
  /** No value is there. */
  isEmpty: boolean;
  /** All distinct values, when they are few and repeat; undefined otherwise. */
  fewValues?: string[];
  /** Smallest and largest value of a column of numbers. */
  range?: { min: number; max: number };
}

const MAX_FEW_VALUES = 10;
/** Each of a few values stands this often on average at least. */
const MIN_REPEATS = 3;
const MAX_BATCH_ROWS = 1 << 16;
const FIRST_WINDOW_BYTES = 1 << 17;
/** Past so many distinct values a column is looked at cell by cell. */
const MAX_DISTINCT = 1 << 16;

/**
 * Reads a whole file and finds out what its columns hold, cleaned as by default.
 * @throws DropgateError for a file that no contract could make readable: `unreadable`, `empty_file`, `binary_file`, …, `duplicate_column`,
 *   `empty_column_name`
 */
export async function sampleColumns(file: string, nullTokens: readonly string[]): Promise<Sample> {
  const source = openFile(file);
  try {
    return await readSample({ source, nullTokens, encoding: 'auto' }).catch((error) => {
      if (!(error instanceof NotUtf8)) throw error;
      // It began as UTF-8 and is not, as when a file is converted.
      return readSample({ source, nullTokens, encoding: 'survey' });
    });
  } finally {
    source.close();
  }
}

function openFile(file: string): FileSource {
  try {
    return new FileSource(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new DropgateError('unreadable', `there is no file ${quoteValue(file, 300)}`, {
      cause: error,
      hint: 'Check the path.',
    });
  }
}

interface Reading {
  source: FileSource;
  nullTokens: readonly string[];
  encoding: string;
}

async function readSample(reading: Reading): Promise<Sample> {
  // 1. Names, and then the dialect once more as it is found by whoever knows them.
  const first = await open(reading, []);
  const names = namesOf(first);
  const table = first.header ? await open(reading, names) : first;
  if (JSON.stringify(namesOf(table)) !== JSON.stringify(names)) {
    throw new DropgateError('no_header', 'the header can be read in more than one way', {
      hint: 'Write schema.yaml by hand, with "delimiter" and "quote" of the dataset.',
    });
  }
  // 2. Every value.
  const { rows, findings } = table;
  const wanted = names.map(() => true);
  const scanner = makeScanner({
    dialect: findings.dialect,
    wanted,
    maxRows: MAX_BATCH_ROWS,
    keepRagged: false,
  });
  const columns = names.map((name) => new ColumnSampler(name, reading.nullTokens));
  const counted = { rows: 0, irregular: { count: 0, firstLine: 0 } };
  while (await rows.next(scanner)) {
    for (const [i, column] of columns.entries()) column.addBatch(scanner.columns[i], scanner.rowCount);
    counted.rows += scanner.rowCount;
    const [bad] = scanner.irregular;
    if (bad && counted.irregular.count === 0) {
      counted.irregular.firstLine = rows.place(bad.linesBefore, bad.start).line;
    }
    counted.irregular.count += scanner.irregular.length;
    rows.finishBatch(scanner);
  }
  // 3. What they have in common.
  return { findings, columns: columns.map((column) => column.conclude(counted.rows)), ...counted };
}

function open({ source, encoding }: Reading, names: readonly string[]): Promise<OpenTable> {
  const { limits } = withDefaults<{ limits: Record<string, number> }>(programSchema, {});
  source.rewind();
  return openTable(source, new TextWindow(FIRST_WINDOW_BYTES), {
    delimiter: 'auto',
    quote: 'auto',
    encoding,
    header: 'auto',
    expectedNames: new Set(names),
    looksLikeData: () => false,
    maxRowBytes: limits.max_row_bytes,
    maxColumns: limits.max_columns,
    maxDecompressedRatio: limits.max_decompressed_ratio,
  });
}

/** Cleaned names of the columns; `column_1`, … where there is no header. */
function namesOf({ header, headerLine, width }: OpenTable): string[] {
  if (!header) return Array.from({ length: width }, (_, i) => `column_${i + 1}`);
  const names = header.map((cell) => cleanName(cell, 'lower'));
  const { problems } = bindColumns({ header: names, width, declared: names, extraColumns: 'fail_file' });
  const empty = names.indexOf('');
  if (empty >= 0) {
    throw new DropgateError('empty_column_name', `line ${headerLine}: column ${empty + 1} has no name`, {
      hint: 'Name every column in the header row, or write schema.yaml with "columns: any".',
    });
  }
  if (problems.length === 0) return names;
  const [{ code, message }] = problems;
  throw new DropgateError(code, `line ${headerLine}: ${message}`, {
    hint: 'Rename one of the two columns in the header row, or write schema.yaml with "columns: any".',
  });
}

/** Takes in the values of one column, batch by batch. */
class ColumnSampler {
  readonly #name: string;
  readonly #clean: (raw: string) => string | null;
  readonly #evidence = new TypeEvidence();
  readonly #fewValues = new Set<string>();
  #hasMissing = false;
  /** Raw ids of the dictionary that rows use; ragged records leave values in it that no row has. */
  #known = new Uint8Array(1024);

  constructor(name: string, nullTokens: readonly string[]) {
    this.#name = name;
    this.#clean = cleanerFor({ case: 'lower', nullTokens });
  }

  addBatch(column: ScanColumn, rowCount: number): void {
    const { dictionary, ids, cells } = column;
    if (!dictionary) {
      for (let row = 0; row < rowCount; row++) this.#add(cells!.textAt(row));
      return;
    }
    if (this.#known.length < dictionary.count) this.#growKnown(dictionary.count * 2);
    for (let row = 0; row < rowCount; row++) {
      const id = ids[row];
      if (this.#known[id] === 1) continue;
      this.#known[id] = 1;
      this.#add(rawText(dictionary.values, id));
    }
    if (dictionary.count > MAX_DISTINCT) column.becomePlain();
  }

  conclude(rows: number): SampledColumn {
    const type = this.#evidence.conclude();
    const isText = type.kind === 'varchar' || type.kind === 'text';
    const isEmpty = this.#fewValues.size === 0;
    const isFew = isText && !isEmpty && this.#fewValues.size <= MAX_FEW_VALUES;
    const repeats = rows >= this.#fewValues.size * MIN_REPEATS;
    return {
      name: this.#name,
      type,
      hasMissing: this.#hasMissing,
      isEmpty,
      ...(isFew && repeats && { fewValues: [...this.#fewValues].sort() }),
      ...(!isText && { range: this.#evidence.range }),
    };
  }

  #add(raw: string): void {
    const text = this.#clean(raw);
    if (text === null) {
      this.#hasMissing = true;
      return;
    }
    if (this.#fewValues.size <= MAX_FEW_VALUES) this.#fewValues.add(text);
    this.#evidence.add(text);
  }

  #growKnown(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.#known);
    this.#known = next;
  }
}
