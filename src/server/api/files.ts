/* What the API says of files. Times are ISO 8601 in UTC. Types only: the page imports them too. */

/**
 * - `converted`: its Parquet file waits to be loaded (or stays, when nothing is to be loaded)
 * - `loaded`: its rows are in the table
 * - `failed`, `load_failed`: it, or its Parquet file, was put aside with a report
 * - `duplicate`: it was delivered before; only archived
 */
export type FileState = 'converted' | 'loaded' | 'failed' | 'load_failed' | 'duplicate';

/** One delivery of a file, as a line of the list. */
export interface FileSummary {
  id: number;
  name: string;
  dataset: string | null;
  state: FileState;
  /** Reason code of a failure. */
  code: string | null;
  message: string | null;
  bytes_in: number;
  /** Of the Parquet file. */
  bytes_out: number;
  rows_in: number;
  rows_out: number;
  dropped_missing: number;
  dropped_duplicate: number;
  set_aside: number;
  convert_ms: number | null;
  arrived_at: string;
  judged_at: string;
  loaded_at: string | null;
}

/** A page of the list. */
export interface FileList {
  files: FileSummary[];
  total: number;
  limit: number;
  offset: number;
}

/** What the list can be narrowed to. */
export interface FileFilters {
  datasets: string[];
  /** Reason codes that deliveries failed with. */
  codes: string[];
}

/** How the pipeline stands at a moment; the events carry it. */
export interface LiveState {
  /** Changes whenever the list of files has changed. */
  revision: number;
  /** Complete files that wait for a worker. */
  waiting: number;
  being_written: number;
  without_marker: number;
  /** To be tried again after trouble. */
  postponed: number;
  converting: ConvertingTask[];
  waiting_to_load: number;
  database: DatabaseState;
}

/** Files that one worker has in hand together. */
export interface ConvertingTask {
  /** The first of them. */
  name: string;
  files: number;
  bytes: number;
  /** Read so far of the file in hand. */
  bytes_read: number;
  rows_read: number;
  /** How much of a single file that is, 0 to 1; null where it is not known. */
  share: number | null;
  for_ms: number;
}

export interface DatabaseState {
  engine: string;
  address: string | null;
  state: 'none' | 'opening' | 'working' | 'away';
  message: string | null;
  since: string | null;
}

/** A file on its way. */
export interface PendingFile {
  name: string;
  state:
    | 'being_written'
    | 'held_open'
    | 'without_marker'
    | 'waiting'
    | 'converting'
    | 'postponed'
    | 'waiting_to_load';
  bytes: number | null;
  rows: number | null;
  arrived_at: string | null;
  pid: number | null;
}

export interface Overview {
  live: LiveState;
  /** The first of the files on their way. */
  pending: PendingFile[];
  /** Files in the failed folders now. */
  failed: { files: number; parquet_files: number; rejected_files: number };
  /** Since the start of the day that was asked for. */
  loaded: { files: number; rows: number };
  /** Name of the input folder, for hints. */
  input_folder: string;
}

export type ThroughputRange = 'hour' | 'day' | 'week' | 'month';

/** What was done in stretches of time of equal length. */
export interface Throughput {
  range: ThroughputRange;
  /** Start of the first one. */
  from: string;
  bucket_ms: number;
  files: number[];
  failed: number[];
  rows: number[];
  bytes: number[];
}

/** A record as it stands in the file, shortened, with the offending cell. */
export interface SourceLine {
  before: string;
  /** '' where the whole record is meant. */
  cell: string;
  after: string;
  is_cut_left: boolean;
  is_cut_right: boolean;
}

export interface StoryViolation {
  line: number;
  byte_offset: number;
  column: string;
  code: string;
  rule: string;
  value: string;
  message: string;
  /** Null where it cannot be shown, or not to this user. */
  source: SourceLine | null;
}

interface DialectSetting {
  value: string;
  origin: string;
}

export interface StoryDialect {
  encoding: DialectSetting;
  delimiter: DialectSetting;
  quote: DialectSetting;
  header: DialectSetting;
  escape?: string;
}

export type Download = 'original' | 'rejected' | 'report' | 'parquet';

/** Everything that is known of a delivery. */
export interface FileStory extends FileSummary {
  sha256: string;
  /** File name in the output folder. */
  parquet: string | null;
  /** Where the original was put, relative to the input folder. */
  original: string | null;
  hint: string | null;
  load_failed_at: string | null;
  dialect: StoryDialect | null;
  violations_by_code: Record<string, number>;
  violations: StoryViolation[];
  violations_not_listed: number;
  /** Lines that are no records, and records whose quotes were mended. */
  notes: { line: number; kind: string; text: string }[];
  notes_total: number;
  downloads: Download[];
  can_retry: boolean;
  same_name: FileSummary[];
  /** The delivery that a duplicate repeats. */
  repeats: FileSummary | null;
  /** Values were left out that this user may not see. */
  is_hidden: boolean;
}

export interface RetryAnswer {
  /** Name of the file in the folder that it was sent back to. */
  name: string;
}
