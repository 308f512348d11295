import type { FileSource } from '../read/file-source.js';
import type { OpenTable } from '../read/open-table.js';
import { findRecordStart } from '../read/record-start.js';
import type { TextWindow } from '../read/text-feed.js';
import { type ConvertPlan, MAX_DISTINCT_SHARE } from './convert-plan.js';
import type { PartSizes } from './part-sizes.js';

/** Rows vary in length, and a row group that is a little too long leaves a short one behind. */
const PART_FILL = 0.97;
/** Stretches in which no record could be found to begin. */
const MAX_MISSES = 8;

/** How a large file is divided among threads. */
export interface PartsPlan {
  /** Offsets in the file at which parts begin, and its end. */
  bounds: number[];
  /** Columns of the file, by index, whose values hardly repeat. */
  plainColumns: number[];
  /** How many rows there seem to be. */
  rows: number;
}

/**
 * Divides a file by its first block, which is in the window, read and not yet converted; undefined for a file that only one
 * thread can convert: small, compressed, in another encoding than UTF-8, or of records that cannot be found from the middle.
 */
export function planParts(work: {
  source: FileSource;
  window: TextWindow;
  table: OpenTable;
  plan: ConvertPlan;
  rowGroupRows: number;
  sizes: PartSizes;
}): PartsPlan | undefined {
  const { source, window, table, plan, rowGroupRows, sizes } = work;
  const { encoding, dialect } = table.findings;
  if (source.size < sizes.minFileBytes || encoding.label !== 'utf-8') return undefined;
  if (/\.gz$/i.test(source.path) || dialect.loneCrEnds) return undefined;
  const sample = takeSample(window, plan);
  if (sample.rowCount < sizes.minSampleRows) return undefined;
  const { rowBytes, plainColumns } = sample;
  const start = table.rows.place(0, window.from).byteOffset;
  const wanted = rowBytes * rowGroupRows * PART_FILL;
  const partBytes = Math.round(Math.min(Math.max(wanted, sizes.minPartBytes), sizes.maxPartBytes));
  const bounds = findBounds(source, { start, partBytes, table });
  return bounds && { bounds, plainColumns, rows: Math.ceil((source.size - start) / rowBytes) };
}

/** What the first block says of the rows. The scanner is left as it was, but for its dictionaries. */
function takeSample(window: TextWindow, { scanner, columns }: ConvertPlan) {
  const { buffer, from, end } = window;
  scanner.undecodable = [];
  const next = scanner.scan(buffer, from, end, false);
  const { rowCount } = scanner;
  const plainColumns = columns
    .map(({ source }) => source)
    .filter(
      (source) => (scanner.columns[source].dictionary?.count ?? rowCount) > rowCount * MAX_DISTINCT_SHARE,
    );
  return { rowCount, rowBytes: (next - from) / rowCount, plainColumns };
}

function findBounds(
  source: FileSource,
  { start, partBytes, table }: { start: number; partBytes: number; table: OpenTable },
): number[] | undefined {
  const shape = {
    dialect: table.findings.dialect,
    width: table.width,
    maxWidth: table.width + (table.rows.rules.trailingDelimiters ?? 0),
  };
  const bounds = [start];
  let misses = 0;
  for (let at = start + partBytes; at < source.size - partBytes / 2; at += partBytes) {
    const found = findRecordStart(source, at, shape);
    if (found === undefined || found <= bounds.at(-1)!) misses++;
    else bounds.push(found);
    if (misses > MAX_MISSES) return undefined;
  }
  bounds.push(source.size);
  return bounds.length > 2 ? bounds : undefined;
}
