import { REASONS, type ReasonCode } from '../base/errors.js';
import { plural } from '../base/text.js';
import type { Dataset } from '../config/settings.js';
import {
  type Counts,
  describeViolation,
  emptyCounts,
  type NoteList,
  type RowsTally,
  summarise,
  type ViolationList,
} from './report.js';

/** What the rows of a file came to. */
export interface RowsVerdict {
  counts: Counts;
  /** Why the file fails; undefined when it does not. */
  failure?: { code: ReasonCode; message: string; hint: string };
  violations: ViolationList;
  /** Lines that are no records, and records that were mended. */
  notes: NoteList;
}

/** Judges a file by its rows: one that fails is set aside as a whole. */
export function judgeRows(tally: RowsTally, dataset: Dataset): RowsVerdict {
  const { counts, failures, leftOut, notes } = tally;
  const failure = failures.total > 0 ? describeFailures(tally) : tooManySetAside(tally, dataset);
  return {
    counts: failure ? { ...emptyCounts(), rows_in: counts.rows_in, set_aside: counts.rows_in } : counts,
    failure,
    violations: failures.total > 0 ? failures : leftOut,
    notes,
  };
}

function describeFailures({ counts, failures }: RowsTally): NonNullable<RowsVerdict['failure']> {
  const summary = summarise(failures);
  const lines = counts.rows_in > failures.total ? linesOfOwnTable(failures) : undefined;
  if (lines === undefined) return summary;
  const own = `Lines ${lines.first} to ${lines.last} look like a table of their own: give it a file of its own.`;
  return { ...summary, hint: `${own} Else: ${summary.hint}` };
}

/** Fewer rows of another width are rather broken rows. */
const MIN_OWN_ROWS = 3;

/** Where all violations are rows of one other width, one below the other, maybe under a title: the lines they take. */
function linesOfOwnTable({
  listed,
  byCode,
  total,
}: ViolationList): { first: number; last: number } | undefined {
  if (byCode.ragged_row !== total || total !== listed.length) return undefined;
  const [title, ...others] = listed;
  const rows = others[0]?.message === title.message ? listed : others;
  const isBlock = rows.every(
    (row, i) => row.message === rows[0].message && (i === 0 || row.line === rows[i - 1].line + 1),
  );
  return rows.length >= MIN_OWN_ROWS && isBlock
    ? { first: rows[0].line, last: rows.at(-1)!.line }
    : undefined;
}

/** Rows with these alone are dropped, not set aside. */
const DROPPED: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['missing_value', 'duplicate_row']);

function tooManySetAside({ counts, leftOut }: RowsTally, dataset: Dataset): RowsVerdict['failure'] {
  const { set_aside, rows_in } = counts;
  if (set_aside === 0) return undefined;
  const limit = setAsideLimit(dataset, rows_in);
  if (set_aside <= limit.rows) return undefined;
  const first = leftOut.listed.find(({ code }) => !DROPPED.has(code));
  return {
    code: 'too_many_set_aside',
    message:
      `${plural(set_aside, 'row')} would be set aside, max_set_aside allows ${limit.text}` +
      (first ? `; first: ${describeViolation(first)}` : ''),
    hint: REASONS.too_many_set_aside.hint,
  };
}

/** How many rows of a file may be set aside, and how messages put it. */
function setAsideLimit({ maxSetAside }: Dataset, rowsIn: number): { rows: number; text: string } {
  if ('rows' in maxSetAside) return { rows: maxSetAside.rows, text: `${maxSetAside.rows}` };
  // 29% of 100 are 29 rows, although 0.29 * 100 is a little less in floating point.
  const percent = Number((maxSetAside.share * 100).toPrecision(12));
  return { rows: Math.floor((percent * rowsIn) / 100 + 1e-9), text: `${percent}% of ${rowsIn}` };
}
