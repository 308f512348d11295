import type { ReasonCode } from '../base/errors.js';
import { plural, quoteValue } from '../base/text.js';
import type { TypedColumn } from '../base/vector.js';
import type { Violation } from '../check/parse-value.js';
import type { DuplicateFinder } from '../clean/duplicates.js';
import type { Dataset } from '../config/settings.js';
import type { Place } from '../read/batch-reader.js';
import { NO_HABITS } from '../read/habits.js';
import { HeaderWatch } from '../read/header-watch.js';
import type { OpenTable } from '../read/open-table.js';
import { textOf } from '../read/record.js';
import type { IrregularRecord, ScanNote } from '../read/scanner.js';
import { type EncodedRowGroup, encodeRowGroup } from '../write/row-group.js';
import { ROW, rawText } from './column-converter.js';
import type { ConvertContext } from './convert-context.js';
import { type ConvertPlan, MAX_DISTINCT_SHARE, TEXT_KINDS } from './convert-plan.js';
import { emptyCounts, NoteList, type RowsTally, ViolationList } from './report.js';

/** Where the rows of a file go. */
export interface RowsOutlet {
  /** Takes the next row group. */
  append(group: EncodedRowGroup): void;
  /** Keeps a record that is left out, as it stands in the file. */
  reject(record: Uint8Array): void;
  /** Sees the rows of a file that has one row group only. */
  seeAll?(data: readonly TypedColumn[], rowCount: number): void;
  /** The rows are only some of those of the file. */
  readonly isPart?: boolean;
}

/** What {@link ConvertRows} works on. */
export interface RowsWork {
  table: OpenTable;
  plan: ConvertPlan;
  dataset: Dataset;
  context: ConvertContext;
  outlet: RowsOutlet;
  /** Default: that of the plan. */
  duplicates?: DuplicateFinder;
  /** The part of the file that the table is. Default: 0. */
  part?: number;
  /** Given where several threads look for repeated rows of one file. */
  turn?: Turn;
}

/** The right to mark repeated rows, which goes from part to part of a file in order. */
export interface Turn {
  /** Resolves when all rows before this part are marked. */
  take(): Promise<void>;
  /** All rows of this part are marked. */
  pass(): void;
}

/** Rows to have seen before that is judged. */
const MIN_ROWS_TO_JUDGE = 4096;
/** Distinct values past which a column leaves dictionary mode in any case: a row group's dictionary hardly pays then. */
const MAX_DISTINCT = 1 << 16;
/** Distinct values of all columns together; past them, columns with more than their share leave dictionary mode. */
const MAX_ALL_DISTINCT = 1 << 19;

/** Turns the rows of one opened file into row groups, counts them all, and hands on what is left out. */
export class ConvertRows {
  readonly #table: OpenTable;
  readonly #plan: ConvertPlan;
  readonly #dataset: Dataset;
  readonly #context: ConvertContext;
  readonly #outlet: RowsOutlet;
  readonly #duplicates: DuplicateFinder;
  readonly #part: number;
  readonly #turn: Turn | undefined;
  /** Rows of the batches before, good or not. */
  #rowsBefore = 0;
  readonly #counts = emptyCounts();
  /** Violations that fail the file. */
  readonly #failures = new ViolationList();
  /** Violations of rows that are left out while the file passes. */
  readonly #leftOut = new ViolationList();
  readonly #notes = new NoteList();
  #flags = new Uint8Array(0);
  readonly #headers: HeaderWatch | undefined;

  constructor(work: RowsWork) {
    this.#table = work.table;
    this.#plan = work.plan;
    this.#dataset = work.dataset;
    this.#context = work.context;
    this.#outlet = work.outlet;
    this.#duplicates = work.duplicates ?? work.plan.duplicates;
    this.#part = work.part ?? 0;
    this.#turn = work.turn;
    this.#headers = headerWatch(work);
  }

  async run(): Promise<RowsTally> {
    const { rows } = this.#table;
    const { scanner } = this.#plan;
    for (const { line, text } of this.#table.findings.preamble) {
      this.#notes.add(() => ({ line, kind: 'preamble', text: text.slice(0, MAX_SHOWN_BYTES) }));
    }
    for (;;) {
      this.#leaveDictionaries();
      if (!(await rows.next(scanner))) break;
      await this.#convertBatch();
      this.#addNotes();
      rows.finishBatch(scanner);
      this.#context.onProgress?.(rows.bytesRead, this.#counts.rows_in);
    }
    if (this.#plan.group.rowCount > 0) this.#closeGroup({ isLast: true });
    return {
      counts: this.#counts,
      failures: this.#failures,
      leftOut: this.#leftOut,
      notes: this.#notes,
    };
  }

  /** One batch: convert every column, judge every row, then take the good ones. */
  async #convertBatch(): Promise<void> {
    const { scanner, rescue } = this.#plan;
    const { rowCount } = scanner;
    this.#plan.rowsSeen += rowCount;
    this.#counts.rows_in += rowCount + scanner.irregular.length;
    const flags = this.#freshFlags(rowCount);
    // 1. Clean, type and check: work per distinct value.
    const columns = this.#convertColumns(rowCount, flags);
    if (rescue) columns.push(this.#rescue(rowCount));
    // 2. Repeated rows.
    const duplicates = await this.#markDuplicates(columns, rowCount, flags);
    // 3. Whatever is not a good row is counted, told and kept.
    const isClean =
      scanner.irregular.length === 0 && duplicates === 0 && nextFlagged(flags, 0, rowCount) === rowCount;
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
    return dictionary ? rawText(dictionary.values, ids[row]) : cells!.textAt(row);
  }

  async #markDuplicates(columns: TypedColumn[], rowCount: number, flags: Uint8Array): Promise<number> {
    if (this.#dataset.duplicates === 'keep') return 0;
    if (this.#isWhole && this.#duplicates.areDistinct(columns, rowCount)) return 0;
    this.#duplicates.hash(columns, rowCount);
    await this.#turn?.take();
    const place = { part: this.#part, firstRow: this.#rowsBefore };
    const count = this.#duplicates.mark({ rowCount, flags, mark: ROW.duplicate, ...place });
    this.#rowsBefore += rowCount;
    if (this.#table.rows.isFinished) this.#turn?.pass();
    return count;
  }

  /** Is the batch in hand all that there is of the file? */
  get #isWhole(): boolean {
    return this.#rowsBefore === 0 && this.#table.rows.isFinished && !this.#turn;
  }

  /** Goes through irregular records and flagged rows in the order of the file. */
  #leaveOut(columns: TypedColumn[], rowCount: number, flags: Uint8Array): void {
    const { irregular } = this.#plan.scanner;
    let next = 0;
    for (let row = nextFlagged(flags, 0, rowCount); row < rowCount; ) {
      while (next < irregular.length && irregular[next].beforeRow <= row)
        this.#leaveOutRecord(irregular[next++]);
      this.#leaveOutRow(row, flags[row], columns);
      row = nextFlagged(flags, row + 1, rowCount);
    }
    while (next < irregular.length) this.#leaveOutRecord(irregular[next++]);
  }

  #addNotes(): void {
    const { scanner } = this.#plan;
    const doubtful = this.#headers?.find(scanner) ?? [];
    if (doubtful.length === 0) for (const note of scanner.notes) this.#addNote(note);
    else
      for (const note of [...scanner.notes, ...doubtful].sort((a, b) => a.start - b.start))
        this.#addNote(note);
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
    this.#outlet.reject(this.#table.rows.buffer.subarray(start, end));
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
      const column = converter.spec.name;
      const at = () => ({ ...this.#placeOfRow(row), column });
      if (violation)
        ofInvalid.add(violation.code, () => ({ ...at(), ...describeInvalid(violation, value()) }), column);
      else ofMissing.add(MISSING.code, () => ({ ...at(), ...MISSING, value: value() }), column);
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
      this.#encode(columns, { rowCount, isLast: true });
      return;
    }
    if (!group.accepts(columns)) this.#closeGroup();
    for (let from = 0; from < rowCount; ) {
      from = group.add(columns, { from, rowCount, flags });
      if (group.isFull) this.#closeGroup();
    }
  }

  #closeGroup({ isLast = false } = {}): void {
    const { group } = this.#plan;
    if (this.#failures.total === 0) this.#encode(group.columns, { rowCount: group.rowCount, isLast });
    group.clear();
  }

  #encode(data: readonly TypedColumn[], { rowCount, isLast }: { rowCount: number; isLast: boolean }): void {
    const isOnly = isLast && this.#counts.rows_out === 0 && !this.#outlet.isPart;
    this.#counts.rows_out += rowCount;
    if (this.#context.dryRun || rowCount === 0) return;
    if (isOnly) this.#outlet.seeAll?.(data, rowCount);
    const { codec } = this.#context;
    const columns = this.#plan.specs;
    this.#outlet.append(encodeRowGroup({ columns, data, rowCount, codec, wantsKeys: !isOnly }));
  }

  /** Columns whose values hardly repeat are scanned plainly from the next batch on. */
  #leaveDictionaries(): void {
    const { scanner, columns, rescued, rescue } = this.#plan;
    if (rescue?.isFull) {
      if (this.#plan.group.rowCount > 0) this.#closeGroup();
      rescue.clear();
    }
    const most = this.#mostDistinct();
    if (most === undefined) return;
    for (const { source, converter } of columns) {
      const column = scanner.columns[source];
      if ((column.dictionary?.count ?? 0) <= most) continue;
      if (this.#plan.group.rowCount > 0) this.#closeGroup();
      column.becomePlain();
      converter.clear();
    }
    for (const { source } of rescued) {
      const column = scanner.columns[source];
      if ((column.dictionary?.count ?? 0) > most) column.becomePlain();
    }
  }

  /** Distinct values that a column's dictionary may have by now; undefined when it is too early to tell. */
  #mostDistinct(): number | undefined {
    const { rowsSeen, scanner, columns, rescued } = this.#plan;
    let all = 0;
    for (const { dictionary } of scanner.columns) all += dictionary?.count ?? 0;
    const share = all > MAX_ALL_DISTINCT ? MAX_ALL_DISTINCT / (columns.length + rescued.length) : undefined;
    if (rowsSeen < MIN_ROWS_TO_JUDGE) return share;
    return Math.min(MAX_DISTINCT, rowsSeen * MAX_DISTINCT_SHARE, share ?? MAX_DISTINCT);
  }
}

/** Looks for headers among the rows, where no declared type shows that they are none. */
function headerWatch({ table, plan, part = 0 }: RowsWork): HeaderWatch | undefined {
  if (plan.columns.some(({ converter }) => !TEXT_KINDS.has(converter.spec.type.kind))) return undefined;
  const { habits = NO_HABITS } = table.rows.rules;
  return new HeaderWatch({ habits, header: table.header, fromStart: part === 0 });
}

function placeOf({ line, byteOffset }: Place): { line: number; byte_offset: number } {
  return { line, byte_offset: byteOffset };
}

/** The first row from `row` on that is not a good one, or `rowCount`. A function of its own, since V8 keeps what it compiled of it. */
function nextFlagged(flags: Uint8Array, row: number, rowCount: number): number {
  while (row < rowCount && flags[row] === ROW.good) row++;
  return row;
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
