import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Place, TextWindow } from '../../src/read/batch-reader.js';
import { FileSource } from '../../src/read/file-source.js';
import { makeScanner } from '../../src/read/make-scanner.js';
import { type Findings, openTable, type ReadOptions } from '../../src/read/open-table.js';
import type { Irregularity, ScanColumn } from '../../src/read/scanner.js';

/** A record that made a row. */
export interface ReadRow extends Place {
  cells: string[];
  /** The record as it stands in the decoded text, without its line end. */
  raw: string;
  surplus?: string[];
}

/** A record that made none. */
export interface ReadIrregular extends Place {
  kind: Irregularity;
  raw: string;
  /** Offset in the file of the fault itself. */
  at: number;
}

export interface ReadTable {
  header: string[] | undefined;
  headerLine: number;
  findings: Findings;
  width: number;
  rows: ReadRow[];
  irregular: ReadIrregular[];
  batches: number;
}

export const NO_WISHES: ReadOptions = {
  delimiter: 'auto',
  quote: 'auto',
  encoding: 'auto',
  header: 'auto',
  expectedNames: new Set(),
  looksLikeData: () => false,
  maxRowBytes: 1 << 20,
  maxColumns: 1000,
  maxDecompressedRatio: 1000,
};

export interface ReadWishes extends Partial<ReadOptions> {
  /** Columns are scanned cell by cell. */
  plain?: boolean;
  keepRagged?: boolean;
  maxRows?: number;
}

/** Reads a file to its end, as the pipeline does. */
export async function readFile(path: string, wishes: ReadWishes = {}): Promise<ReadTable> {
  const source = new FileSource(path);
  try {
    const table = await openTable(source, new TextWindow(0), { ...NO_WISHES, ...wishes });
    const scanner = makeScanner({
      dialect: table.findings.dialect,
      wanted: new Array<boolean>(table.width).fill(true),
      maxRows: wishes.maxRows ?? 1 << 16,
      keepRagged: wishes.keepRagged ?? false,
    });
    if (wishes.plain) for (const column of scanner.columns) column.becomePlain();
    const rows: ReadRow[] = [];
    const irregular: ReadIrregular[] = [];
    let batches = 0;
    while (await table.rows.next(scanner)) {
      batches++;
      const { buffer } = table.rows;
      for (let row = 0; row < scanner.rowCount; row++) {
        const start = scanner.rowStarts[row];
        rows.push({
          cells: scanner.columns.map((column) => cellText(column, row)),
          raw: textOf(buffer, start, scanner.rowEnds[row]),
          ...table.rows.place(scanner.lineOfRow(row), start),
          ...(scanner.surplus.has(row) && { surplus: scanner.surplus.get(row) }),
        });
      }
      for (const { kind, start, end, at, linesBefore } of scanner.irregular) {
        irregular.push({
          kind,
          raw: textOf(buffer, start, end),
          ...table.rows.place(linesBefore, start),
          at: table.rows.place(0, at).byteOffset,
        });
      }
      table.rows.finishBatch(scanner);
    }
    const { header, headerLine, findings, width } = table;
    return { header, headerLine, findings, width, rows, irregular, batches };
  } finally {
    source.close();
  }
}

let files = 0;

/** Writes a file into `folder` and reads it. */
export function readBytes(
  folder: string,
  content: Uint8Array | string,
  wishes: ReadWishes & { name?: string } = {},
): Promise<ReadTable> {
  const path = join(folder, wishes.name ?? `${files++ % 16}.csv`);
  writeFileSync(path, content);
  return readFile(path, wishes);
}

/** The cell of a row of the scanner's current batch. */
export function cellText(column: ScanColumn, row: number): string {
  const { dictionary, ids, cells } = column;
  return dictionary ? Buffer.from(dictionary.values.bytesAt(ids[row])).toString('utf8') : cells!.textAt(row);
}

export function textOf(buffer: Uint8Array, from: number, end: number): string {
  return Buffer.from(buffer.subarray(from, end)).toString('utf8');
}
