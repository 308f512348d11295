/* Delivering files, as JSON. */

/** `GET /api/upload`: what can be uploaded. */
export interface UploadLimits {
  max_bytes: number;
}

/** Answer to `PUT /input/NAME` with 200 or 202. */
export interface UploadAnswer {
  name: string;
  bytes: number;
  /**
   * - `waiting`: it lies in the input folder and is taken in a moment (202)
   * - `converted`: its rows are in Parquet, and wait for the database (202), or are not to be loaded (200)
   * - `loaded`: its rows are in the table (200)
   * - `duplicate`: delivered before; not loaded again (200)
   */
  state: 'waiting' | 'converted' | 'loaded' | 'duplicate';
  /** One sentence. */
  message: string;
  /** Where to see what becomes of it. */
  link: string;
  dataset?: string;
  /** Of the file; they add up: in = out + dropped_missing + dropped_duplicate + set_aside. */
  rows?: UploadedRows;
  rows_loaded?: number;
  /** The delivery that a duplicate repeats; its time is ISO 8601 in UTC. */
  earlier?: { name: string; judged_at: string };
}

export interface UploadedRows {
  in: number;
  out: number;
  dropped_missing: number;
  dropped_duplicate: number;
  set_aside: number;
}

/** Answer with 422: the file failed. Problem details (RFC 9457) with more members. */
export interface FailedUpload {
  type: string;
  title: string;
  status: 422;
  /** The first violation, and how many more there are. */
  detail: string;
  hint: string;
  code: string;
  name: string;
  state: 'failed' | 'load_failed';
  link: string;
  dataset: string | null;
  rows: UploadedRows;
  /** The first ones. */
  violations: UploadViolation[];
  /** How many there are in all. */
  violations_total: number;
}

export interface UploadViolation {
  line: number;
  /** '' when the whole record is meant. */
  column: string;
  code: string;
  value: string;
  message: string;
}
