import type { Dialect } from './dialect.js';
import type { FileSource } from './file-source.js';
import { RecordSplitter, type SplitRecord } from './record.js';

/** What records of a file look like. */
export interface RecordShape {
  dialect: Dialect;
  /** Number of columns. */
  width: number;
  /** The same, with as many empty cells as may end a record besides. */
  maxWidth: number;
}

/** Bytes in which a start is looked for; records that are longer get a second try. */
const PIECE_BYTES = [1 << 16, 1 << 20];
/** So many whole records of the right width have to follow. */
const PROOF_RECORDS = 3;
const MAX_CANDIDATES = 100;
const LF = 10;

/**
 * Where a record seems to begin, at or after `position` of an uncompressed UTF-8 file: behind a line feed, if whole records
 * of the right width follow. It may be wrong, as a line feed inside quotes may be followed by what looks like records; only
 * who has read everything before it knows. Undefined when none is found.
 *
 * From inside a quoted cell, its closing quote seems to stand in the middle of an unquoted one: records of which that is true
 * are taken only where there are no others.
 */
export function findRecordStart(file: FileSource, position: number, shape: RecordShape): number | undefined {
  let doubtful: number | undefined;
  for (const bytes of PIECE_BYTES) {
    const found = startsIn(file.peek(position, bytes), shape);
    if (found.sure !== undefined) return position + found.sure;
    doubtful ??= found.doubtful;
  }
  return doubtful === undefined ? undefined : position + doubtful;
}

/** The first offsets behind a line feed from which whole records follow: for sure, and with quotes in unquoted cells. */
interface Starts {
  sure?: number;
  doubtful?: number;
}

function startsIn(piece: Uint8Array, shape: RecordShape): Starts {
  const splitter = new RecordSplitter(shape.dialect);
  const found: Starts = {};
  let at = piece.indexOf(LF);
  for (let tried = 0; at >= 0 && tried < MAX_CANDIDATES && found.sure === undefined; tried++) {
    const proof = proofOf(piece, at + 1, { shape, splitter });
    if (proof) found[proof] ??= at + 1;
    at = piece.indexOf(LF, at + 1);
  }
  return found;
}

function proofOf(
  buffer: Uint8Array,
  start: number,
  { shape, splitter }: { shape: RecordShape; splitter: RecordSplitter },
): keyof Starts | undefined {
  let from = start;
  let proof: keyof Starts = 'sure';
  for (let i = 0; i < PROOF_RECORDS; i++) {
    const record = splitter.split({ buffer, from, end: buffer.length });
    // The last record of the piece may go on behind it.
    if (record.fault || record.next >= buffer.length || !hasWidth(record.cells, shape)) return undefined;
    if (holdsQuotes(record, shape.dialect)) proof = 'doubtful';
    from = record.next;
  }
  return proof;
}

/** Does a quote stand in a cell that is not quoted? */
function holdsQuotes({ cells, quoted }: SplitRecord, { quote }: Dialect): boolean {
  return quote !== '' && cells.some((cell, i) => !quoted[i] && cell.includes(quote));
}

function hasWidth(cells: string[], { width, maxWidth }: RecordShape): boolean {
  return cells.length >= width && cells.length <= maxWidth && cells.slice(width).every((cell) => cell === '');
}
