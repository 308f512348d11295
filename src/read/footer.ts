import type { IrregularRecord } from './irregular.js';

const LF = 10;
const CR = 13;

/** More lines than this below a table are no footer. */
const MAX_FOOTER_LINES = 20;

/** How notes below a table begin; a cell of data that a line end tore apart does not. */
const NOTE_STARTS =
  /^["'\s]*(\*|†|‡|©|--|\(\d+ rows?|\d+ rows?\b|(source|sources|note|notes|remark|footnote|copyright|generated|created|exported|printed|downloaded|last update|end of|total rows|record count|rows selected|legend|quelle|hinweis|stand|fuente|nota|bron)\b)/i;

/** How many records behind the last row of a batch are shorter than a row, if they are few. */
export function countTrailing(
  irregular: readonly IrregularRecord[],
  { rowCount, width }: { rowCount: number; width: number },
): number {
  let first = irregular.length;
  while (first > 0) {
    const { kind, cells, beforeRow } = irregular[first - 1];
    if (kind !== 'ragged' || cells >= width || beforeRow !== rowCount) break;
    if (irregular.length - --first > MAX_FOOTER_LINES) return 0;
  }
  return irregular.length - first;
}

/**
 * How many of the short records at the end of a file are notes below the table: their first is a single cell, set off by
 * a blank line, or speaking for itself and ended by a line end (a last record that is cut short looks like one); most of
 * them are, since a table of its own has more cells.
 */
export function countFooterRecords(
  { buffer, end }: { buffer: Uint8Array; end: number },
  records: readonly IrregularRecord[],
): number {
  const first = records.findIndex(
    (record) =>
      record.cells === 1 &&
      (isSetOff(buffer, record.start) || (record.end < end && speaksForItself(buffer, record))),
  );
  if (first < 0) return 0;
  const notes = records.slice(first);
  const isTable = notes.filter(({ cells }) => cells > 1).length * 2 > notes.length;
  return isTable ? 0 : notes.length;
}

/** Is the line before `start` blank? */
function isSetOff(buffer: Uint8Array, start: number): boolean {
  let ends = 0;
  for (let i = start - 1; i >= 0 && (buffer[i] === LF || buffer[i] === CR); i--) {
    if (buffer[i] === LF || buffer[i + 1] !== LF) ends++;
  }
  return ends > 1;
}

function speaksForItself(buffer: Uint8Array, { start, end }: IrregularRecord): boolean {
  return NOTE_STARTS.test(
    Buffer.from(buffer.buffer, buffer.byteOffset + start, Math.min(80, end - start)).toString(),
  );
}
