/**
 * - `converted`: its Parquet file waits to be loaded (or stays, when nothing is to be loaded)
 * - `loaded`: its rows are in the table
 * - `failed`: it lies in the failed folder with its report
 * - `load_failed`: its Parquet file lies in the output's failed folder with its report
 * - `duplicate`: it was delivered before; only archived
 */
export type FileState = 'converted' | 'loaded' | 'failed' | 'load_failed' | 'duplicate';

/** One delivery of a file. Times are ISO 8601 in UTC. */
export interface FileRecord {
  id: number;
  name: string;
  sha256: string;
  dataset: string | null;
  state: FileState;
  code: string | null;
  message: string | null;
  bytesIn: number;
  bytesOut: number;
  rowsIn: number;
  rowsOut: number;
  droppedMissing: number;
  droppedDuplicate: number;
  setAside: number;
  /** File name in the output folder. */
  parquet: string | null;
  /** Path of the original relative to the input folder, where it is now. */
  original: string | null;
  convertMs: number | null;
  arrivedAt: string;
  /** Converted, failed, or recognised as a duplicate. */
  judgedAt: string;
  loadedAt: string | null;
}

/** A delivery that is to be written down. */
export type NewFileRecord = Omit<FileRecord, 'id' | 'loadedAt'> & { loadedAt?: string | null };

/** Columns of the table `files`, but for its id. */
export const COLUMNS = [
  'name',
  'sha256',
  'dataset',
  'state',
  'code',
  'message',
  'bytes_in',
  'bytes_out',
  'rows_in',
  'rows_out',
  'dropped_missing',
  'dropped_duplicate',
  'set_aside',
  'parquet',
  'original',
  'convert_ms',
  'arrived_at',
  'judged_at',
  'loaded_at',
] as const;

/** Asks for whole rows; a condition and an order may follow. */
export const SELECT = `SELECT id, ${COLUMNS.join(', ')} FROM files`;

/** A row as the database returns it. */
export type Row = Record<(typeof COLUMNS)[number] | 'id', never>;

/** The values of a row, in the order of {@link COLUMNS}. */
export function toRow(record: NewFileRecord): unknown[] {
  return [
    record.name,
    record.sha256,
    record.dataset,
    record.state,
    record.code,
    record.message,
    record.bytesIn,
    record.bytesOut,
    record.rowsIn,
    record.rowsOut,
    record.droppedMissing,
    record.droppedDuplicate,
    record.setAside,
    record.parquet,
    record.original,
    record.convertMs,
    record.arrivedAt,
    record.judgedAt,
    record.loadedAt ?? null,
  ];
}

/** The record in a row. */
export function fromRow(row: Row): FileRecord {
  return {
    id: row.id,
    name: row.name,
    sha256: row.sha256,
    dataset: row.dataset,
    state: row.state,
    code: row.code,
    message: row.message,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
    rowsIn: row.rows_in,
    rowsOut: row.rows_out,
    droppedMissing: row.dropped_missing,
    droppedDuplicate: row.dropped_duplicate,
    setAside: row.set_aside,
    parquet: row.parquet,
    original: row.original,
    convertMs: row.convert_ms,
    arrivedAt: row.arrived_at,
    judgedAt: row.judged_at,
    loadedAt: row.loaded_at,
  };
}

/** What a delivery's story tells beside its record. Absent where there is nothing to tell. */
export interface FileDetails {
  /** How the file is written, as in its report: JSON. */
  dialect?: string;
  /** Number of violations by code: JSON. */
  violations?: string;
  /** Lines that are no records: JSON, the listed ones and how many in all. */
  notes?: string;
  /** Name of the file in the failed folder that has the rows which were left out. */
  rejects?: string;
}
