import path from 'node:path';
import type { ReasonCode } from '../base/errors.js';
import { fileOps, tempPathFor } from '../base/files.js';
import { quoteValue } from '../base/text.js';
import type { TypedColumn } from '../base/vector.js';
import type { Dataset } from '../config/settings.js';
import type { OpenTable } from '../read/open-table.js';
import { textOf } from '../read/record.js';
import type { IrregularRecord } from '../read/scanner.js';
import { ParquetFile } from '../write/parquet-file.js';
import { encodeRowGroup } from '../write/row-group.js';
import { ROW, rawText } from './column-converter.js';
import type { ConvertContext } from './convert-context.js';
import type { ConvertPlan } from './convert-plan.js';
import { RejectsFile, writeAll } from './rejects.js';
import { type Counts, emptyCounts, summarise, ViolationList } from './report.js';

/** What the rows of a file came to. */
export interface RowsOutcome {
  counts: Counts;
  /** Why the file fails; undefined when it does not. */
  verdict?: { code: ReasonCode; message: string; hint: string };
  violations: ViolationList;
  /** Completes the temporary files. */
  finish(metadata: Record<string, string>): { parquetTemp?: string; rejectsTemp?: string; bytesOut: number };
  /** Closes the temporary files and answers which are to be deleted. */
  abandon(): string[];
}

/** A column whose distinct values are more than this share of its rows leaves dictionary mode. */
const MAX_DISTINCT_SHARE = 0.5;
/** Rows to have seen before that is judged. */
const MIN_ROWS_TO_JUDGE = 4096;
/** Distinct values past which a column leaves dictionary mode in any case. */
const MAX_DISTINCT = 1 << 20;

/** Turns the rows of one opened file into row groups, counts them all, and keeps what is left out. */
export class ConvertRows {
  readonly #table: OpenTable;
  readonly #plan: ConvertPlan;
  readonly #dataset: Dataset;
  readonly #context: ConvertContext;
  readonly #counts = emptyCounts();
  /** Violations that fail the file. */
  readonly #failures = new ViolationList();
  /** Violations of rows that are left out while the file passes. */
  readonly #leftOut = new ViolationList();
  readonly #rejects: RejectsFile;
  #flags = new Uint8Array(0);
  #parquet: { file: ParquetFile; fd: number; tempPath: string } | undefined;

  constructor(work: { table: OpenTable; plan: ConvertPlan; dataset: Dataset; context: ConvertContext }) {
    this.#table = work.table;
    this.#plan = work.plan;
    this.#dataset = work.dataset;
    this.#context = work.context;
    this.#rejects = new RejectsFile(
      work.context.failedFolder,
      work.table.headerBytes,
      work.table.findings.encoding,
    );
  }

  async run(): Promise<RowsOutcome> {
    const { rows } = this.#table;
    const { scanner } = this.#plan;
    while (await rows.next(scanner)) {
      this.#convertBatch();
      rows.finishBatch(scanner);
      this.#leaveDictionaries();
      this.#context.onProgress?.(rows.bytesRead, this.#counts.rows_in);
    }
    if (this.#plan.group.rowCount > 0) this.#closeGroup();
    const verdict = this.#verdict();
    return {
      // A file that fails is set aside as a whole.
      counts: verdict
        ? { ...emptyCounts(), rows_in: this.#counts.rows_in, set_aside: this.#counts.rows_in }
        : this.#counts,
      verdict,
      violations: verdict && this.#failures.total > 0 ? this.#failures : this.#leftOut,
      finish: (metadata) => this.#finish(metadata),
      abandon: () => this.abandon(),
    };
  }

  abandon(): string[] {
    if (this.#parquet && this.#parquet.fd >= 0) fileOps.closeSync(this.#parquet.fd);
    return [this.#parquet?.tempPath, this.#rejects.abandon()].filter((file) => file !== undefined);
  }

  /** One batch: convert every column, judge every row, then take the good ones. */
  #convertBatch(): void {
    const { scanner, rescue } = this.#plan;
    const { rowCount } = scanner;
    this.#counts.rows_in += rowCount + scanner.irregular.length;
    const flags = this.#freshFlags(rowCount);
    // 1. Clean, type and check: work per distinct value.
    const columns = this.#convertColumns(rowCount, flags);
    if (rescue) columns.push(this.#rescue(rowCount));
    // 2. Repeated rows.
    const duplicates = this.#markDuplicates(columns, rowCount, flags);
    // 3. Whatever is not a good row is counted, told and kept.
    const isClean = scanner.irregular.length === 0 && duplicates === 0 && isAllGood(flags, rowCount);
    if (!isClean) this.#leaveOut(columns, rowCount, flags);
    // 4. Good rows go into the row group.
    this.#takeRows(columns, { rowCount, flags, isClean });
  }

  #freshFlags(rowCount: number): Uint8Array {
    if (this.#flags.length < rowCount) this.#flags = new Uint8Array(rowCount);
    else this.#flags.fill(0, 0, rowCount);
    return this.#flags;
  }

  #convertColumns(rowCount: number, flags: Uint8Array): TypedColumn[] {
    return this.#plan.columns.map(({ source, converter }) => {
      const { dictionary, ids, cells } = this.#plan.scanner.columns[source];
      return dictionary
        ? converter.convertIds({ raw: dictionary.values, ids, rowCount, flags })
        : converter.convertCells(cells!, rowCount, flags);
    });
  }

  #rescue(rowCount: number): TypedColumn {
    const rescue = this.#plan.rescue!;
    const { scanner, rescued } = this.#plan;
    rescue.begin(rowCount);
    if (rescued.length > 0) {
      for (let row = 0; row < rowCount; row++) {
        const named = Object.fromEntries(
          rescued.map(({ source, name }) => [name, this.#rawValue(source, row)]),
        );
        rescue.put(row, named, scanner.surplus.get(row));
      }
    } else {
      for (const [row, surplus] of scanner.surplus) rescue.put(row, {}, surplus);
    }
    return rescue.column;
  }

  #rawValue(source: number, row: number): string {
    const { dictionary, ids, cells } = this.#plan.scanner.columns[source];
    return dictionary ? rawText(dictionary.values, ids[row]) : rawText(cells!, row);
  }

  #markDuplicates(columns: TypedColumn[], rowCount: number, flags: Uint8Array): number {
    if (this.#dataset.duplicates === 'keep') return 0;
    return this.#plan.duplicates.mark(columns, { rowCount, flags, mark: ROW.duplicate });
  }

  /** Goes through irregular records and flagged rows in the order of the file. */
  #leaveOut(columns: TypedColumn[], rowCount: number, flags: Uint8Array): void {
    const { irregular } = this.#plan.scanner;
    let next = 0;
    for (let row = 0; row < rowCount; row++) {
      while (next < irregular.length && irregular[next].beforeRow <= row)
        this.#leaveOutRecord(irregular[next++]);
      if (flags[row] !== ROW.good) this.#leaveOutRow(row, flags[row], columns);
    }
    while (next < irregular.length) this.#leaveOutRecord(irregular[next++]);
  }

  #leaveOutRecord(record: IrregularRecord): void {
    const { rows } = this.#table;
    const { buffer } = rows;
    const place = rows.place(record.linesBefore, record.start);
    const value = textOf(buffer, record.start, Math.min(record.end, record.start + MAX_SHOWN_BYTES));
    const violation = {
      line: place.line,
      byte_offset: place.byteOffset,
      column: '',
      ...describeIrregular(record, this.#table.width),
      value,
    };
    (this.#tolerates(record) ? this.#leftOut : this.#failures).add(violation);
    this.#counts.set_aside++;
    this.#rejects.add(buffer.subarray(record.start, record.end));
  }

  /** Whoever takes ragged rows or sets bad ones aside does not want a file to fail for one misplaced quote. */
  #tolerates(record: IrregularRecord): boolean {
    const { ragged, invalid } = this.#dataset;
    if (record.kind === 'ragged') return ragged !== 'fail_file';
    return ragged !== 'fail_file' || invalid !== 'fail_file';
  }

  #leaveOutRow(row: number, flag: number, columns: TypedColumn[]): void {
    const { scanner } = this.#plan;
    const { rows } = this.#table;
    const start = scanner.rowStarts[row];
    const place = rows.place(scanner.lineOfRow(row), start);
    const at = { line: place.line, byte_offset: place.byteOffset };
    if (flag === ROW.duplicate) {
      this.#duplicateList().add({ ...at, column: '', ...DUPLICATE, value: '' });
      this.#counts.dropped_duplicate++;
    } else if (flag === ROW.missing) {
      this.#addMissing(row, columns, at);
      this.#counts.dropped_missing++;
    } else {
      this.#addInvalid(row, columns, at);
      this.#counts.set_aside++;
    }
    this.#rejects.add(rows.buffer.subarray(start, scanner.rowEnds[row]));
  }

  #duplicateList(): ViolationList {
    return this.#dataset.duplicates === 'fail_file' ? this.#failures : this.#leftOut;
  }

  #addMissing(row: number, columns: TypedColumn[], at: { line: number; byte_offset: number }): void {
    const list = this.#dataset.missing === 'fail_file' ? this.#failures : this.#leftOut;
    this.#plan.columns.forEach(({ source, converter }, i) => {
      if (converter.spec.nullable || !converter.isMissing(row, columns[i])) return;
      const value = this.#rawValue(source, row);
      list.add({ ...at, column: converter.spec.name, ...MISSING, value });
    });
  }

  #addInvalid(row: number, columns: TypedColumn[], at: { line: number; byte_offset: number }): void {
    const list = this.#dataset.invalid === 'fail_file' ? this.#failures : this.#leftOut;
    this.#plan.columns.forEach(({ source, converter }, i) => {
      const violation = converter.violationAt(row, columns[i]);
      if (!violation) return;
      const value = this.#rawValue(source, row);
      list.add({
        ...at,
        column: converter.spec.name,
        code: violation.code,
        rule: violation.rule,
        value: value.slice(0, MAX_SHOWN_BYTES),
        message: `${quoteValue(value)} ${violation.message}`,
      });
    });
  }

  #takeRows(columns: TypedColumn[], batch: { rowCount: number; flags: Uint8Array; isClean: boolean }): void {
    const { rowCount, flags, isClean } = batch;
    if (this.#failures.total > 0) return;
    const { group } = this.#plan;
    if (
      isClean &&
      group.rowCount === 0 &&
      this.#table.rows.isFinished &&
      rowCount <= this.#context.rowGroupRows
    ) {
      this.#encode(columns, rowCount);
      return;
    }
    if (!group.accepts(columns)) this.#closeGroup();
    for (let from = 0; from < rowCount; ) {
      from = group.add(columns, { from, rowCount, flags });
      if (group.isFull) this.#closeGroup();
    }
  }

  #closeGroup(): void {
    const { group } = this.#plan;
    if (this.#failures.total === 0) this.#encode(group.columns, group.rowCount);
    group.clear();
  }

  #encode(data: readonly TypedColumn[], rowCount: number): void {
    this.#counts.rows_out += rowCount;
    if (this.#context.dryRun || rowCount === 0) return;
    const { codec } = this.#context;
    this.#openParquet().append(encodeRowGroup({ columns: this.#plan.specs, data, rowCount, codec }));
  }

  #openParquet(): ParquetFile {
    if (!this.#parquet) {
      const tempPath = tempPathFor(path.join(this.#context.outputFolder, 'table.parquet'));
      const fd = fileOps.openSync(tempPath, 'wx');
      const sink = { write: (bytes: Uint8Array) => writeAll(fd, bytes) };
      const file = new ParquetFile({ sink, columns: this.#plan.specs, version: this.#context.version });
      this.#parquet = { file, fd, tempPath };
    }
    return this.#parquet.file;
  }

  /** Columns whose values hardly repeat are scanned plainly from the next batch on. */
  #leaveDictionaries(): void {
    const rowsSeen = this.#counts.rows_in;
    if (rowsSeen < MIN_ROWS_TO_JUDGE || this.#table.rows.isFinished) return;
    for (const { source, converter } of this.#plan.columns) {
      const column = this.#plan.scanner.columns[source];
      const count = column.dictionary?.count ?? 0;
      if (count <= MAX_DISTINCT && count <= rowsSeen * MAX_DISTINCT_SHARE) continue;
      if (this.#plan.group.rowCount > 0) this.#closeGroup();
      column.becomePlain();
      converter.clear();
      this.#plan.duplicates.forgetDictionaries();
    }
  }

  #verdict(): RowsOutcome['verdict'] {
    if (this.#failures.total > 0) return summarise(this.#failures);
    const { set_aside, rows_in } = this.#counts;
    const { maxSetAside } = this.#dataset;
    const most = 'rows' in maxSetAside ? maxSetAside.rows : maxSetAside.share * rows_in;
    if (set_aside <= most) return undefined;
    const limit = 'rows' in maxSetAside ? `${most}` : `${maxSetAside.share * 100}% of ${rows_in}`;
    const { message, hint } = summarise(this.#leftOut);
    return {
      code: 'too_many_set_aside',
      message: `${set_aside} rows would be set aside, max_set_aside allows ${limit}; first: ${message}`,
      hint,
    };
  }

  #finish(metadata: Record<string, string>): ReturnType<RowsOutcome['finish']> {
    if (this.#context.dryRun) return { bytesOut: 0 };
    const { byteLength } = this.#openParquet().finish(metadata);
    fileOps.closeSync(this.#parquet!.fd);
    this.#parquet!.fd = -1;
    return {
      parquetTemp: this.#parquet!.tempPath,
      rejectsTemp: this.#rejects.finish(),
      bytesOut: byteLength,
    };
  }
}

function isAllGood(flags: Uint8Array, rowCount: number): boolean {
  for (let row = 0; row < rowCount; row++) if (flags[row] !== ROW.good) return false;
  return true;
}

/** Longest stretch of a record or value that a report shows. */
const MAX_SHOWN_BYTES = 1000;

const DUPLICATE = {
  code: 'duplicate_row',
  rule: 'duplicates',
  message: 'the row repeats an earlier row of the file',
} as const;

const MISSING = {
  code: 'missing_value',
  rule: 'nullable: false',
  message: 'the value is missing',
} as const;

function describeIrregular(
  record: IrregularRecord,
  width: number,
): { code: ReasonCode; rule: string; message: string } {
  switch (record.kind) {
    case 'ragged':
      return {
        code: 'ragged_row',
        rule: `${width} columns`,
        message: `the row has ${record.cells} cells, the header has ${width}`,
      };
    case 'stray_quote':
      return {
        code: 'stray_quote',
        rule: 'quotes',
        message: `cell ${record.cells + 1} goes on after its closing quote`,
      };
    case 'unclosed_quote':
      return {
        code: 'unclosed_quote',
        rule: 'quotes',
        message: `the quote of cell ${record.cells + 1} is never closed`,
      };
  }
}
