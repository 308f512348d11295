import type { NewAlert } from '../../ledger/quality-store.js';

/**
 * What there can be an alert about.
 * - `file_failed`, `load_failed`: a file was set aside, as it came or as Parquet
 * - `rows_left_out`, `drift`: a file was taken, but is unlike the last ones
 * - `late`, `arrived`: a file that is expected did not come in time; it came after all
 * - `database_away`, `database_back`: for longer than `alerts.database_away_ms`
 */
export const ALERT_KINDS = [
  'file_failed',
  'load_failed',
  'rows_left_out',
  'drift',
  'late',
  'arrived',
  'database_away',
  'database_back',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Something that somebody should know. */
export interface Alert {
  kind: AlertKind;
  dataset?: string;
  /** Reason code. */
  code?: string;
  /** Holds no values of private columns. */
  message: string;
  /** Name of the file that it is about. */
  file?: string;
}

/** Names of files that an alert about several lists. */
export const MAX_LISTED_FILES = 10;

/** Alerts about the same, as one that says how many there were. */
export class AlertGroups {
  readonly #groups = new Map<string, Omit<NewAlert, 'delivery'>>();

  get size(): number {
    return this.#groups.size;
  }

  add({ kind, dataset, code, message, file }: Alert): void {
    const at = new Date().toISOString();
    const about = { kind, dataset: dataset ?? null, code: code ?? null };
    const files = file === undefined ? [] : [file];
    this.merge({ ...about, message, files, count: 1, firstAt: at, lastAt: at });
  }

  merge(alert: Omit<NewAlert, 'delivery'>): void {
    const key = JSON.stringify([alert.kind, alert.dataset, alert.code]);
    const known = this.#groups.get(key);
    if (!known) {
      this.#groups.set(key, { ...alert, files: alert.files.slice(0, MAX_LISTED_FILES) });
      return;
    }
    known.count += alert.count;
    known.lastAt = alert.lastAt;
    known.files = [...new Set([...known.files, ...alert.files])].slice(0, MAX_LISTED_FILES);
  }

  /** In the order in which the first of each came. */
  all(): Omit<NewAlert, 'delivery'>[] {
    return [...this.#groups.values()];
  }

  clear(): void {
    this.#groups.clear();
  }
}
