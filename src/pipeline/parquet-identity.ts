import { DropgateError } from '../base/errors.js';
import { sha256Of } from '../base/files.js';
import { datasetFor } from '../config/dataset-for.js';
import type { Dataset, TableSpec } from '../config/settings.js';
import type { ParquetLook } from './copy-worker.js';
import { type Counts, emptyCounts } from './report.js';
import { asError } from './worker-failure.js';

/** Which rows a Parquet file holds. */
export interface ParquetIdentity {
  /** Name of the file that it was made of; its own name when somebody else made it. */
  file: string;
  /** Of the file that it was made of; its own when somebody else made it. */
  sha256: string;
  dataset: string;
  rows: number;
  /** What its conversion counted. */
  counts: Counts;
}

export interface IdentityOptions {
  /** What the file says of itself. */
  look: ParquetLook;
  tables: Readonly<Record<string, TableSpec>>;
  datasets: readonly Dataset[];
}

/** Not a Parquet file yet? A writer that does not rename is given this long after its last change, in milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Finds out what a Parquet file in the output folder is. Undefined when it may still be in the making.
 * @throws DropgateError `not_parquet`, `no_table`, `unreadable`
 */
export async function identifyParquet(
  file: { name: string; path: string; mtimeMs: number },
  { look, tables, datasets }: IdentityOptions,
): Promise<ParquetIdentity | undefined> {
  if (look.kind !== 'label') {
    if (Date.now() - file.mtimeMs < PATIENCE_MS) return undefined;
    throw asError(look);
  }
  const { metadata, rows } = look.label;
  const { 'dropgate.dataset': dataset, 'dropgate.sha256': sha256, 'dropgate.source': source } = metadata;
  const counts = countsIn(metadata, rows);
  if (dataset !== undefined && sha256 !== undefined)
    return { file: source ?? file.name, sha256, dataset, rows, counts };
  const claimed = claimant(file.name, { tables, datasets });
  if (claimed === undefined) throw new DropgateError('no_table', `no dataset claims ${file.name}`);
  return { file: file.name, sha256: await sha256Of(file.path), dataset: claimed, rows, counts };
}

/** The dataset of somebody else's Parquet file: that of its own name, or of a CSV file of this name. */
function claimant(name: string, { tables, datasets }: Omit<IdentityOptions, 'look'>): string | undefined {
  const stem = name.replace(/\.parquet$/i, '');
  if (Object.hasOwn(tables, stem)) return stem;
  return datasetFor(datasets, `${stem}.csv`).dataset?.name;
}

function countsIn(metadata: Record<string, string>, rows: number): Counts {
  const names = Object.keys(emptyCounts()) as (keyof Counts)[];
  const found = names.map((name) => [name, Number(metadata[`dropgate.${name}`])] as const);
  if (found.every(([, count]) => Number.isSafeInteger(count))) return Object.fromEntries(found) as never;
  return { ...emptyCounts(), rows_in: rows, rows_out: rows };
}
