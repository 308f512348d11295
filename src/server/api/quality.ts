/* How good the files are, as JSON. Times are ISO 8601 in UTC. */

/** What to look at; all of it is optional. */
export interface QualityFilters {
  /** Default: 30 days before `until`. */
  since?: string;
  /** Default: now. */
  until?: string;
  dataset?: string;
}

/** `GET /api/quality`. */
export interface QualityReport {
  since: string;
  until: string;
  /** Length of the stretches of `series`; a day is one in UTC. */
  bucket: 'hour' | 'day';
  /** Those there are, or were. */
  datasets: string[];
  totals: QualityTotals;
  /** In order of time; stretches in which nothing happened are left out. */
  series: (QualityTotals & { at: string })[];
  /** Most frequent first. */
  reasons: FailureCount[];
  /** Most frequent first. */
  violations: ViolationCount[];
  /** The newest first. */
  findings: DriftFinding[];
  /** The newest first. */
  alerts: QualityAlert[];
  expected: ExpectedFile[];
}

export interface QualityTotals {
  /** Files. */
  converted: number;
  failed: number;
  load_failed: number;
  duplicates: number;
  /** Rows of converted files. */
  rows: number;
  /** Rows that were set aside or dropped. */
  left_out: number;
}

/** Failed files of one reason. */
export interface FailureCount {
  dataset: string | null;
  /** Failed before or after they became Parquet. */
  stage: 'convert' | 'load';
  code: string;
  files: number;
}

/** Why rows of converted files were left out. */
export interface ViolationCount {
  dataset: string | null;
  code: string;
  /** Null where the whole row is meant. */
  column: string | null;
  files: number;
  violations: number;
}

/** A value that left its usual range. */
export interface DriftFinding {
  dataset: string;
  file_id: number;
  file: string;
  found_at: string;
  /** Null where the whole file is meant. */
  column: string | null;
  metric: 'null_share' | 'distinct' | 'mean' | 'left_out_share';
  /** This and the range are null for columns whose values the user must not see. */
  value: number | null;
  low: number | null;
  high: number | null;
  median: number | null;
  /** Number of files that the range was made of. */
  compared: number;
}

export interface QualityAlert {
  id: number;
  kind: string;
  dataset: string | null;
  code: string | null;
  /** So many of the same came together. */
  count: number;
  message: string;
  /** Some of the files. */
  files: string[];
  first_at: string;
  last_at: string;
  /** Whether the webhook has it; `none`: there is no webhook. */
  delivery: 'none' | 'waiting' | 'delivered' | 'given_up';
  delivered_at: string | null;
}

/** A dataset whose files are expected. */
export interface ExpectedFile {
  dataset: string;
  due_at: string;
  /** When somebody is told, or was. */
  overdue_at: string;
  is_late: boolean;
}

/** `GET /api/quality/trend`: one column of the last files of a dataset, the oldest first. */
export interface ColumnTrend {
  dataset: string;
  column: string;
  points: {
    file_id: number;
    file: string;
    judged_at: string;
    rows: number;
    nulls: number;
    distinct: number | null;
    mean: number | null;
    min: number | null;
    max: number | null;
  }[];
}
