import { REASONS, type ReasonCode } from '../base/errors.js';
import { createTempFile, fileOps, type TempFile } from '../base/files.js';
import { plural, quoteValue } from '../base/text.js';
import type { TypedColumn } from '../base/vector.js';
import type { Violation } from '../check/parse-value.js';
import type { Dataset } from '../config/settings.js';
import type { Place } from '../read/batch-reader.js';
import type { OpenTable } from '../read/open-table.js';
import { textOf } from '../read/record.js';
import type { IrregularRecord, ScanNote } from '../read/scanner.js';
import { ParquetFile } from '../write/parquet-file.js';
import { encodeRowGroup } from '../write/row-group.js';
import { ROW, rawText } from './column-converter.js';
import type { ConvertContext } from './convert-context.js';
import type { ConvertPlan } from './convert-plan.js';
import { RejectsFile, writeAll } from './rejects.js';
import { type Counts, describeViolation, emptyCounts, NoteList, summarise, ViolationList } from './report.js';

/** What the rows of a file came to. */
export interface RowsOutcome {
  counts: Counts;
  /** Why the file fails; undefined when it does not. */
  verdict?: { code: ReasonCode; message: string; hint: string };
  violations: ViolationList;
  /** Lines that are no records, and records that were mended. */
  notes: NoteList;
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
  readonly #notes = new NoteList();
  readonly #rejects: RejectsFile;
  #flags = new Uint8Array(0);
  #parquet: { file: ParquetFile; temp: TempFile; isOpen: boolean } | undefined;

  constructor(work: { table: OpenTable; plan: ConvertPlan; dataset: Dataset; context: ConvertContext }) {
    this.#table = work.table;
    this.#plan = work.plan;
    this.#dataset = work.dataset;
    this.#context = work.context;
    this.#rejects = new RejectsFile({
      folder: work.context.failedFolder,
      header: work.table.headerBytes,
      lineEnd: lineEndOf(work.table),
      encoding: work.table.findings.encoding,
    });
  }

  async run(): Promise<RowsOutcome> {
    const { rows } = this.#table;
    const { scanner } = this.#plan;
    for (const { line, text } of this.#table.findings.preamble) {
      this.#notes.add(() => ({ line, kind: 'preamble', text: text.slice(0, MAX_SHOWN_BYTES) }));
    }
    while (await rows.next(scanner)) {
      this.#convertBatch();
      for (const note of scanner.notes) this.#addNote(note);
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
      notes: this.#notes,
      finish: (metadata) => this.#finish(metadata),
      abandon: () => this.abandon(),
    };
  }

  /** Closes the temporary files and answers which are to be deleted. */
  abandon(): string[] {
    for (const close of [() => this.#closeParquet(), () => this.#rejects.close()]) ignoringErrors(close);
    return [this.#parquet?.temp.path, this.#rejects.tempPath].filter((file) => file !== undefined);
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

  #addNote({ kind, start, end, linesBefore }: ScanNote): void {
    const { rows } = this.#table;
    this.#notes.add(() => ({
      line: rows.place(linesBefore, start).line,
      kind,
      text: textOf(rows.buffer, start, Math.min(end, start + MAX_SHOWN_BYTES)),
    }));
  }

  #leaveOutRecord(record: IrregularRecord): void {
    const { rows } = this.#table;
    const { buffer } = rows;
    const { code, ...description } = describeIrregular(record, this.#table.width);
    const list = this.#tolerates(record) ? this.#leftOut : this.#failures;
    list.add(code, () => ({
      ...placeOf(rows.place(record.linesBefore, record.start)),
      column: '',
      ...description,
      value: textOf(buffer, record.start, Math.min(record.end, record.start + MAX_SHOWN_BYTES)),
    }));
    this.#counts.set_aside++;
    this.#reject(record.start, record.end);
  }

  /** Whoever takes ragged rows or sets bad ones aside does not want a file to fail for one misplaced quote. */
  #tolerates(record: IrregularRecord): boolean {
    const { ragged, invalid } = this.#dataset;
    if (record.kind === 'ragged') return ragged !== 'fail_file';
    return ragged !== 'fail_file' || invalid !== 'fail_file';
  }

  #leaveOutRow(row: number, flag: number, columns: TypedColumn[]): void {
    const { scanner } = this.#plan;
    if (flag === ROW.duplicate) this.#addDuplicate(row);
    else this.#addFaultyCells(row, columns);
    if (flag === ROW.duplicate) this.#counts.dropped_duplicate++;
    else if (flag === ROW.missing) this.#counts.dropped_missing++;
    else this.#counts.set_aside++;
    this.#reject(scanner.rowStarts[row], scanner.rowEnds[row]);
  }

  /** Keeps a record as it stands in the file, unless the whole file is set aside. */
  #reject(start: number, end: number): void {
    if (this.#context.dryRun || this.#failures.total > 0) return;
    this.#rejects.add(this.#table.rows.buffer.subarray(start, end));
  }

  #addDuplicate(row: number): void {
    const list = this.#dataset.duplicates === 'fail_file' ? this.#failures : this.#leftOut;
    list.add(DUPLICATE.code, () => ({ ...this.#placeOfRow(row), column: '', ...DUPLICATE, value: '' }));
  }

  /**
   * Tells every missing and every invalid value of a row, whichever of them the row is counted by: a value that fails
   * the file must fail it also in a row that is left out for another reason.
   */
  #addFaultyCells(row: number, columns: TypedColumn[]): void {
    const { missing, invalid } = this.#dataset;
    const ofMissing = missing === 'fail_file' ? this.#failures : this.#leftOut;
    const ofInvalid = invalid === 'fail_file' ? this.#failures : this.#leftOut;
    this.#plan.columns.forEach(({ source, converter }, i) => {
      const violation = converter.violationAt(row, columns[i]);
      const isMissing = !converter.spec.nullable && converter.isMissing(row, columns[i]);
      if (!violation && !isMissing) return;
      const value = () => this.#rawValue(source, row);
      const at = () => ({ ...this.#placeOfRow(row), column: converter.spec.name });
      if (violation)
        ofInvalid.add(violation.code, () => ({ ...at(), ...describeInvalid(violation, value()) }));
      else ofMissing.add(MISSING.code, () => ({ ...at(), ...MISSING, value: value() }));
    });
  }

  #placeOfRow(row: number) {
    const { scanner } = this.#plan;
    return placeOf(this.#table.rows.place(scanner.lineOfRow(row), scanner.rowStarts[row]));
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
      const temp = createTempFile(this.#context.outputFolder);
      const sink = { write: (bytes: Uint8Array) => writeAll(temp.fd, bytes) };
      const file = new ParquetFile({ sink, columns: this.#plan.specs, version: this.#context.version });
      this.#parquet = { file, temp, isOpen: true };
    }
    return this.#parquet.file;
  }

  #closeParquet(): void {
    if (!this.#parquet?.isOpen) return;
    this.#parquet.isOpen = false;
    fileOps.closeSync(this.#parquet.temp.fd);
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
    const limit = setAsideLimit(this.#dataset, rows_in);
    if (set_aside <= limit.rows) return undefined;
    const first = this.#leftOut.listed.find(({ code }) => !DROPPED.has(code));
    const { hint } = REASONS.too_many_set_aside;
    return {
      code: 'too_many_set_aside',
      message:
        `${plural(set_aside, 'row')} would be set aside, max_set_aside allows ${limit.text}` +
        (first ? `; first: ${describeViolation(first)}` : ''),
      hint,
    };
  }

  #finish(metadata: Record<string, string>): ReturnType<RowsOutcome['finish']> {
    if (this.#context.dryRun) return { bytesOut: 0 };
    const { byteLength } = this.#openParquet().finish(metadata);
    this.#closeParquet();
    return {
      parquetTemp: this.#parquet!.temp.path,
      rejectsTemp: this.#rejects.finish(),
      bytesOut: byteLength,
    };
  }
}

/** What cannot be closed properly is deleted next. */
function ignoringErrors(work: () => void): void {
  try {
    work();
  } catch {}
}

/** What ends a record in the file. */
function lineEndOf({ headerBytes, findings }: OpenTable): string {
  const written = /\r?\n?$/.exec(Buffer.from(headerBytes.subarray(-2)).toString('latin1'))![0];
  return written || (findings.dialect.loneCrEnds ? '\r' : '\n');
}

function placeOf({ line, byteOffset }: Place): { line: number; byte_offset: number } {
  return { line, byte_offset: byteOffset };
}

/** How many rows of a file may be set aside, and how messages put it. */
function setAsideLimit({ maxSetAside }: Dataset, rowsIn: number): { rows: number; text: string } {
  if ('rows' in maxSetAside) return { rows: maxSetAside.rows, text: `${maxSetAside.rows}` };
  // 29% of 100 are 29 rows, although 0.29 * 100 is a little less in floating point.
  const percent = Number((maxSetAside.share * 100).toPrecision(12));
  return { rows: Math.floor((percent * rowsIn) / 100 + 1e-9), text: `${percent}% of ${rowsIn}` };
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

/** Rows with these alone are dropped, not set aside. */
const DROPPED: ReadonlySet<ReasonCode> = new Set([MISSING.code, DUPLICATE.code]);

function describeInvalid({ rule, message }: Violation, value: string) {
  return {
    rule,
    value: value.slice(0, MAX_SHOWN_BYTES),
    message: `${quoteValue(value)} ${message}`,
  };
}

function describeIrregular(
  record: IrregularRecord,
  width: number,
): { code: ReasonCode; rule: string; message: string } {
  switch (record.kind) {
    case 'ragged':
      return {
        code: 'ragged_row',
        rule: `${width} columns`,
        message: `the row has ${plural(record.cells, 'cell')}, the header has ${width}`,
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
    case 'bad_encoding':
      return {
        code: 'bad_encoding',
        rule: 'encoding',
        message: `the byte at position ${record.at - record.start + 1} of the record cannot be decoded`,
      };
  }
}
