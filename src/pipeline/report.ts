import path from 'node:path';
import { REASONS, type ReasonCode } from '../base/errors.js';
import { plural, quoteValue } from '../base/text.js';

/** Most violations a report lists; all of them are counted. */
export const MAX_VIOLATIONS = 1000;

export interface ReportedViolation {
  /** 1 for the first line of the file. */
  line: number;
  /** Offset of the record's first byte in the file; -1 where the encoding does not tell. */
  byte_offset: number;
  /** Name of the column, '' when the whole record is meant. */
  column: string;
  code: ReasonCode;
  rule: string;
  value: string;
  message: string;
}

/** Always: rows_in = rows_out + dropped_missing + dropped_duplicate + set_aside, for a file that was converted. */
export interface Counts {
  rows_in: number;
  rows_out: number;
  dropped_missing: number;
  dropped_duplicate: number;
  set_aside: number;
}

/** A line of the file that is no record of its table, or a record that was mended or is doubtful: nothing goes in silence. */
export interface ReportedNote {
  line: number;
  kind: 'preamble' | 'repeated_header' | 'footer' | 'mended_record' | 'another_header';
  /** The line as it stands, shortened. */
  text: string;
}

const NOTE_KINDS: Record<ReportedNote['kind'], string> = {
  preamble: 'above the table, no row',
  repeated_header: 'the header again, no row',
  footer: 'below the table, no row',
  mended_record: 'breaks the rules of its file, was mended',
  another_header: 'looks like the header of a further table, was taken as a row',
};

/** `line 5 "Source: registry" (below the table, no row)`. */
export function describeNote({ line, kind, text }: ReportedNote): string {
  return `line ${line} ${quoteValue(text, 40)} (${NOTE_KINDS[kind]})`;
}

/** Most notes a report lists; all of them are counted. */
const MAX_NOTES = 100;

/** Collects notes of one file. */
export class NoteList {
  readonly listed: ReportedNote[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Counts a note; `describe` is called only when it is listed. */
  add(describe: () => ReportedNote): void {
    this.#total++;
    if (this.listed.length < MAX_NOTES) this.listed.push(describe());
  }

  /** Adds the notes of the next part of the file, whose lines are counted from that of its first record. */
  addPart({ listed, total }: Pick<NoteList, 'listed' | 'total'>, firstLine: number): void {
    this.#total += total;
    const room = MAX_NOTES - this.listed.length;
    for (const one of listed.slice(0, room)) this.listed.push({ ...one, line: one.line + firstLine });
  }
}

export type SettingOrigin = 'user' | 'detected' | 'default';

/** What was found out about how a file is written. */
export interface DialectReport {
  encoding: { value: string; origin: SettingOrigin };
  delimiter: { value: string; origin: SettingOrigin };
  quote: { value: string; origin: SettingOrigin };
  /** How a quote stands inside a quoted cell; absent where it is doubled, as usual. */
  escape?: 'backslash' | 'none';
  header: { value: 'present' | 'absent'; origin: SettingOrigin };
  /** Records that the header takes, where it is more than one. */
  header_records?: number;
  /** So many delimiters stand behind the last cell of each record. */
  trailing_delimiters?: number;
  score?: number;
  runner_up?: { delimiter: string; quote: string; score: number };
}

/** The content of `*.report.json`. */
export interface Report {
  file: string;
  sha256: string;
  dataset: string | null;
  verdict: 'failed' | 'converted';
  /** Why it failed; null when it did not. */
  code: ReasonCode | null;
  message: string;
  hint: string;
  dialect: DialectReport | null;
  counts: Counts;
  /** Number of all violations, listed or not, by code. */
  violations_by_code: Partial<Record<ReasonCode, number>>;
  violations: ReportedViolation[];
  violations_not_listed: number;
  /** Lines that are no records, and records that were mended. */
  notes: ReportedNote[];
  notes_not_listed: number;
  reported_at: string;
}

/** The report of a file lies beside it. */
export function reportPathOf(file: string): string {
  return `${file}.report.json`;
}

export function emptyCounts(): Counts {
  return { rows_in: 0, rows_out: 0, dropped_missing: 0, dropped_duplicate: 0, set_aside: 0 };
}

/** Collects violations of one file: lists the first {@link MAX_VIOLATIONS}, counts all. */
export class ViolationList {
  readonly listed: ReportedViolation[] = [];
  readonly byCode: Partial<Record<ReasonCode, number>> = {};
  /** Number of all violations by code and column: `not_a_number age`; a violation of a whole row ends behind the space. */
  readonly byPlace = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Counts a violation of a column, or of a whole row (''); `describe` is called only when it is listed. */
  add(code: ReasonCode, describe: () => Omit<ReportedViolation, 'code'>, column = ''): void {
    this.#total++;
    this.byCode[code] = (this.byCode[code] ?? 0) + 1;
    this.#countPlace(`${code} ${column}`, 1);
    if (this.listed.length < MAX_VIOLATIONS) this.listed.push(inOrder(code, describe()));
  }

  get notListed(): number {
    return this.#total - this.listed.length;
  }

  /** Adds the violations of the next part of the file, whose lines are counted from that of its first record. */
  addPart(
    { listed, byCode, byPlace }: Pick<ViolationList, 'listed' | 'byCode' | 'byPlace'>,
    firstLine: number,
  ): void {
    for (const [place, count] of byPlace) this.#countPlace(place, count);
    for (const [code, count] of Object.entries(byCode) as [ReasonCode, number][]) {
      this.#total += count;
      this.byCode[code] = (this.byCode[code] ?? 0) + count;
    }
    const room = MAX_VIOLATIONS - this.listed.length;
    for (const one of listed.slice(0, room)) this.listed.push({ ...one, line: one.line + firstLine });
  }

  #countPlace(place: string, count: number): void {
    this.byPlace.set(place, (this.byPlace.get(place) ?? 0) + count);
  }
}

/** The keys in the order in which a report shows them. */
function inOrder(code: ReasonCode, violation: Omit<ReportedViolation, 'code'>): ReportedViolation {
  const { line, byte_offset, column, rule, value, message } = violation;
  return { line, byte_offset, column, code, rule, value, message };
}

/** `line 3, column age: "x" is not a number`. */
export function describeViolation({ line, column, message }: ReportedViolation): string {
  return `line ${line}${column === '' ? '' : `, column ${column}`}: ${message}`;
}

/** One sentence for log and report: the first violation, and how many more there are. */
export function summarise(violations: ViolationList): { code: ReasonCode; message: string; hint: string } {
  const first = violations.listed[0];
  const more = violations.total - 1;
  const rest = more > 0 ? ` (and ${plural(more, 'more violation')})` : '';
  return {
    code: first.code,
    message: `${describeViolation(first)}${rest}`,
    hint: REASONS[first.code].hint,
  };
}

/** What the rows of a file, or of a part of it, came to. */
export interface RowsTally {
  counts: Counts;
  /** Violations that fail the file. */
  failures: ViolationList;
  /** Violations of rows that are left out while the file passes. */
  leftOut: ViolationList;
  notes: NoteList;
}

/** A report on what was found and listed. */
export function makeReport(
  input: Omit<
    Report,
    | 'violations'
    | 'violations_by_code'
    | 'violations_not_listed'
    | 'notes'
    | 'notes_not_listed'
    | 'reported_at'
  > & {
    violations: ViolationList;
    notes?: NoteList;
  },
): Report {
  const { violations, notes = new NoteList(), ...rest } = input;
  return {
    ...rest,
    violations_by_code: violations.byCode,
    violations: violations.listed,
    violations_not_listed: violations.notListed,
    notes: notes.listed,
    notes_not_listed: notes.total - notes.listed.length,
    reported_at: new Date().toISOString(),
  };
}

/** The name that a converted file's Parquet and rejects are derived from. */
export function stemOf(name: string): string {
  return path.parse(name.replace(/\.gz$/i, '')).name;
}
