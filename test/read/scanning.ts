import type { Dialect } from '../../src/read/dialect.js';
import { GeneralScanner } from '../../src/read/general-scanner.js';
import { makeScanner } from '../../src/read/make-scanner.js';
import { type Scanner, type ScannerOptions, SENTINEL_BYTES } from '../../src/read/scanner.js';
import { cellText, textOf } from './reading.js';

/** Everything that a scanner tells of a text. */
export interface Scanned {
  rows: string[][];
  surplus: (string[] | undefined)[];
  rawRows: string[];
  rawIrregular: string[];
  rawNotes: string[];
  /** 0 for the first line. */
  lines: number[];
  irregularLines: number[];
  lineBreaks: number;
}

/** How a text is scanned. */
export interface Case {
  dialect: Dialect;
  /** Use the scanner for unusual dialects. */
  general?: boolean;
  width: number;
  /** All columns are scanned cell by cell, or these. */
  plain?: boolean | readonly number[];
  headerLine?: Uint8Array;
  trailingDelimiters?: number;
  /** Offsets of bytes that cannot be decoded. */
  undecodable?: readonly number[];
  keepRagged?: boolean;
  maxRows?: number;
  /** Bytes that are added to the window at a time. */
  windowBytes: number;
}

/** Scans a text through a window that grows by `windowBytes`, as the batch reader does. */
export function scanAll(text: string | Uint8Array, options: Case): Scanned {
  const bytes = Buffer.from(text as string);
  const make = (wishes: ScannerOptions) =>
    options.general ? new GeneralScanner(wishes) : makeScanner(wishes);
  const scanner = make({
    dialect: options.dialect,
    wanted: new Array<boolean>(options.width).fill(true),
    maxRows: options.maxRows ?? 1 << 16,
    keepRagged: options.keepRagged ?? false,
  });
  const { plain = false } = options;
  for (const [i, column] of scanner.columns.entries())
    if (plain === true || (plain !== false && plain.includes(i))) column.becomePlain();
  scanner.headerLine = options.headerLine;
  scanner.trailingDelimiters = options.trailingDelimiters ?? 0;
  scanner.undecodable = options.undecodable ?? [];
  const result: Scanned = {
    rows: [],
    surplus: [],
    rawRows: [],
    rawIrregular: [],
    rawNotes: [],
    lines: [],
    irregularLines: [],
    lineBreaks: 0,
  };
  let from = 0;
  let end = 0;
  for (let calls = 0; from < bytes.length || end < bytes.length; calls++) {
    if (calls > 4 * bytes.length + 10) throw new Error('the scanner does not move on');
    end = Math.min(bytes.length, end + options.windowBytes);
    // A copy, so that reading beyond the window is seen.
    const window = new Uint8Array(end + SENTINEL_BYTES);
    window.set(bytes.subarray(0, end));
    const final = end === bytes.length;
    for (let next = -1; next !== from; ) {
      if (next >= 0) from = next;
      next = scanner.scan(window, from, end, final);
      collect(scanner, window, result);
      if (next === end) {
        from = next;
        break;
      }
    }
  }
  return result;
}

function collect(scanner: Scanner, window: Uint8Array, result: Scanned): void {
  for (let row = 0; row < scanner.rowCount; row++) {
    result.rows.push(scanner.columns.map((column) => cellText(column, row)));
    result.surplus.push(scanner.surplus.get(row));
    result.rawRows.push(textOf(window, scanner.rowStarts[row], scanner.rowEnds[row]));
    result.lines.push(result.lineBreaks + scanner.lineOfRow(row));
  }
  for (const { start, end, linesBefore } of scanner.irregular) {
    result.rawIrregular.push(textOf(window, start, end));
    result.irregularLines.push(result.lineBreaks + linesBefore);
  }
  for (const { kind, start, end } of scanner.notes) {
    if (kind !== 'mended_record') result.rawNotes.push(textOf(window, start, end));
  }
  result.lineBreaks += scanner.lineBreaks;
}
