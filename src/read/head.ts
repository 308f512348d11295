import type { Dialect } from './dialect.js';
import { NO_HABITS } from './habits.js';
import { mendRecord } from './mend-record.js';
import { lineEndAt, lineEndLength, RecordSplitter } from './record.js';
import type { TextWindow } from './text-feed.js';

/** A record at the beginning of a file. */
export interface HeadRecord {
  cells: string[];
  /** By cell: does it stand in quotes? */
  quoted: readonly boolean[];
  /** Offsets in the window's buffer: first byte, line end, and behind it. */
  start: number;
  end: number;
  next: number;
  /** Line of the file on which it begins, and how many it takes. */
  line: number;
  lines: number;
  /** A blank line stands before it. */
  isSetOff: boolean;
  /** A quote of it is out of place, and it was mended. */
  fault?: 'stray_quote' | 'unclosed_quote';
}

/** So much of a file is looked at to tell titles, header and data apart, and one record in any case. */
const MAX_RECORDS = 200;
const MAX_BYTES = 256 * 1024;

/**
 * Splits the first records of the unread text, at most `maxRecords`; blank lines are passed over. A record that the
 * window may have cut is left out. Misplaced quotes are mended as well as may be.
 */
export function readHead(
  window: TextWindow,
  options: { dialect: Dialect; line: number; maxRecords?: number },
): HeadRecord[] {
  const { dialect, maxRecords = MAX_RECORDS } = options;
  const { buffer } = window;
  const { end, final: isWhole } = window;
  const enough = window.from + MAX_BYTES;
  const splitter = new RecordSplitter(dialect);
  const forgiving = new RecordSplitter(dialect, { paddingIsNothing: true });
  const records: HeadRecord[] = [];
  /** Number of cells of the second line. */
  const widthBelow = (): number => {
    const firstEnd = lineEndAt(buffer, { from: window.from, end, dialect });
    const from = firstEnd + lineEndLength(buffer, firstEnd, end, dialect);
    return splitter.split({ buffer, from, end: lineEndAt(buffer, { from, end, dialect }) }).cells.length;
  };
  let line = options.line;
  let isSetOff = false;
  for (
    let start = window.from;
    start < end && (start < enough || start === window.from) && records.length < maxRecords;
  ) {
    const split = splitter.split({ buffer, from: start, end });
    const padded = split.fault ? forgiving.split({ buffer, from: start, end }) : split;
    const record = padded.fault
      ? mendRecord(
          { buffer, from: start, end },
          { width: records.at(-1)?.cells.length ?? widthBelow(), dialect, habits: NO_HABITS },
        )
      : padded;
    if (record.next >= end && !isWhole) break;
    if (record.end === start) isSetOff = true;
    else {
      const { cells, quoted, next, lines } = record;
      const fault = padded.fault && { fault: padded.fault.kind };
      records.push({ cells, quoted, start, end: record.end, next, line, lines, isSetOff, ...fault });
      isSetOff = false;
    }
    line += record.lines;
    start = record.next;
    if (start === record.end) break;
  }
  return records;
}
