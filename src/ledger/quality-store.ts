import type Database from 'libsql';

/** Statistics of the columns of one file: see the pipeline's PackedStats. */
export interface StoredStats {
  /** Names of the columns as JSON. */
  columns: string;
  numbers: Float64Array;
}

/** The statistics of a file together with how many of its rows were taken. */
export interface FileStats extends StoredStats {
  recordId: number;
  /** Of the file, as it was delivered. */
  name: string;
  judgedAt: string;
  rowsIn: number;
  rowsOut: number;
}

/**
 * - `converted`, `duplicate`: files
 * - `failed`, `load_failed`: files by reason code
 * - `violation`: violations of rows that were left out of converted files, by code and column
 */
export type CountKind = 'converted' | 'duplicate' | 'failed' | 'load_failed' | 'violation';

/** What happened in one hour to one dataset. */
export interface QualityCount {
  /** `2026-11-22T06`, in UTC. */
  hour: string;
  /** '' where nobody knows. */
  dataset: string;
  kind: CountKind;
  code: string;
  /** '' but for violations of one column. */
  column: string;
  files: number;
  /** Rows taken; of a violation, how often it occurred. */
  rows: number;
  /** Rows of converted files that were set aside or dropped. */
  leftOut: number;
}

/** A stretch of time and a dataset, or all of them. Times are ISO 8601 in UTC, `until` is excluded. */
export interface QualityFilter {
  since: string;
  until: string;
  dataset?: string;
}

/** A value of a file that left its usual range. */
export interface DriftRecord {
  recordId: number;
  dataset: string;
  /** '' where the whole file is meant. */
  column: string;
  metric: string;
  value: number;
  low: number;
  high: number;
  median: number;
  /** Number of files that the range was made of. */
  compared: number;
  foundAt: string;
}

/** `none`: nobody is to be told; `given_up`: the receiver refused it. */
export type AlertDelivery = 'none' | 'waiting' | 'delivered' | 'given_up';

/** One alert, or several of a kind that came close together. */
export interface AlertRecord {
  id: number;
  kind: string;
  dataset: string | null;
  code: string | null;
  count: number;
  message: string;
  /** Names of some of the files that it is about. */
  files: string[];
  firstAt: string;
  lastAt: string;
  delivery: AlertDelivery;
  deliveredAt: string | null;
}

export type NewAlert = Omit<AlertRecord, 'id' | 'deliveredAt'>;

/** When a dataset's next file is due. */
export interface ExpectationState {
  dataset: string;
  /** The rule it was computed by; another one makes it void. */
  rule: string;
  dueMs: number;
  /** It was told that the file is late. */
  isLate: boolean;
}

/** Statistics are kept of so many files of a dataset, the last ones. */
export const MAX_STATS_FILES = 1000;
/** After so many new ones the oldest are forgotten. */
const TRIM_EVERY = 200;
/** How long hours are kept, in days. */
const COUNTS_DAYS = 800;
const MAX_FINDINGS = 20_000;
const MAX_ALERTS = 10_000;

/** The part of the local ledger that remembers how good the files were. */
export class QualityStore {
  readonly #statements: ReturnType<typeof prepareAll>;
  readonly #layouts = new Map<string, Layout>();

  constructor(db: Database.Database) {
    this.#statements = prepareAll(db);
  }

  /** Keeps the statistics of a delivery. */
  addStats(file: { recordId: number; dataset: string; stats: StoredStats }): void {
    const { recordId, dataset, stats } = file;
    const { buffer, byteOffset, byteLength } = stats.numbers;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const layout = this.#layoutOf(dataset, stats.columns);
    this.#statements.addStats.run([layout.firstId + recordId, bytes]);
    layout.added = (layout.added + 1) % TRIM_EVERY;
    if (layout.added === 0) this.#statements.trimStats.run(...rangeOf(layout), MAX_STATS_FILES);
  }

  /** The statistics of the last files of a dataset, the oldest first; `before` leaves out that delivery and all after it. */
  recentStats(dataset: string, { limit, before }: { limit: number; before?: number }): FileStats[] {
    const layouts = this.#statements.layouts.all(dataset) as { id: number; columns: string }[];
    const found = layouts.flatMap(({ id, columns }) => {
      const firstId = id * LAYOUT_STEP;
      const rows = this.#statements.recentStats.all(
        ...[firstId, firstId, firstId + (before ?? LAYOUT_STEP), limit],
      );
      return (rows as StatsRow[]).map((row) => statsFrom(row, columns));
    });
    return found.sort((one, other) => one.recordId - other.recordId).slice(-limit);
  }

  /** Adds to what is counted. */
  count(counts: Iterable<QualityCount>): void {
    for (const { hour, dataset, kind, code, column, files, rows, leftOut } of counts)
      this.#statements.count.run([hour, dataset, kind, code, column, files, rows, leftOut]);
  }

  /** What became of files, by hour (`hours`), by day in UTC (`days`), or altogether; `hour` is shortened accordingly. */
  counts(filter: QualityFilter, bucket: 'hours' | 'days' | 'all'): QualityCount[] {
    const length = { hours: 13, days: 10, all: 0 }[bucket];
    return this.#statements.counts.all(length, ...rangeIn(filter)) as QualityCount[];
  }

  /** Why rows were left out, altogether, the most frequent first. */
  violations(filter: QualityFilter, limit: number): QualityCount[] {
    return this.#statements.violations.all(...rangeIn(filter), limit) as QualityCount[];
  }

  /** Forgets hours that are very old. */
  forgetOldCounts(): void {
    const oldest = new Date(Date.now() - COUNTS_DAYS * 86_400_000).toISOString();
    this.#statements.forgetCounts.run(oldest.slice(0, 13));
  }

  /** The datasets that anything is counted of. */
  datasets(): string[] {
    return (this.#statements.datasets.all() as { dataset: string }[]).map(({ dataset }) => dataset);
  }

  addFinding(finding: DriftRecord): void {
    const { recordId, dataset, column, metric, value, low, high, median, compared, foundAt } = finding;
    const { lastInsertRowid } = this.#statements.addFinding.run(
      ...[recordId, dataset, column, metric, value, low, high, median, compared, foundAt],
    );
    this.#statements.trimFindings.run(Number(lastInsertRowid) - MAX_FINDINGS);
  }

  /** The newest first, with the name of the file. */
  findings({ since, until, dataset }: QualityFilter, limit: number): (DriftRecord & { file: string })[] {
    return this.#statements.findings.all(
      since,
      until,
      dataset ?? null,
      dataset ?? null,
      limit,
    ) as (DriftRecord & {
      file: string;
    })[];
  }

  addAlert(alert: NewAlert): AlertRecord {
    const { kind, dataset, code, count, message, files, firstAt, lastAt, delivery } = alert;
    const { lastInsertRowid } = this.#statements.addAlert.run(
      ...[kind, dataset, code, count, message, JSON.stringify(files), firstAt, lastAt, delivery],
    );
    const id = Number(lastInsertRowid);
    this.#statements.trimAlerts.run(id - MAX_ALERTS);
    return { ...alert, id, deliveredAt: null };
  }

  /** Alerts that have to be delivered, the oldest first. */
  waitingAlerts(): AlertRecord[] {
    return (this.#statements.waitingAlerts.all() as AlertRow[]).map(alertFrom);
  }

  /** What came of the delivery of some alerts. */
  settleAlerts(ids: readonly number[], delivery: 'delivered' | 'given_up'): void {
    const at = delivery === 'delivered' ? new Date().toISOString() : null;
    for (const id of ids) this.#statements.settleAlert.run(delivery, at, id);
  }

  /** The newest first. Those that concern no dataset are among those of each. */
  alerts({ since, until, dataset }: QualityFilter, limit: number): AlertRecord[] {
    const rows = this.#statements.alerts.all(since, until, dataset ?? null, dataset ?? null, limit);
    return (rows as AlertRow[]).map(alertFrom);
  }

  expectation(dataset: string): ExpectationState | undefined {
    const row = this.#statements.expectation.get(dataset) as
      | (Omit<ExpectationState, 'isLate'> & { isLate: number })
      | undefined;
    return row && { ...row, isLate: row.isLate === 1 };
  }

  setExpectation({ dataset, rule, dueMs, isLate }: ExpectationState): void {
    this.#statements.setExpectation.run(dataset, rule, dueMs, isLate ? 1 : 0);
  }

  /** When the last file of a dataset arrived, ISO 8601. */
  lastArrival(dataset: string): string | undefined {
    return (this.#statements.lastArrival.get(dataset) as { at: string | null }).at ?? undefined;
  }

  /** A transaction was rolled back, and perhaps ids with it. */
  forgetLayouts(): void {
    this.#layouts.clear();
  }

  #layoutOf(dataset: string, columns: string): Layout {
    const key = `${columns} ${dataset}`;
    const known = this.#layouts.get(key);
    if (known) return known;
    this.#statements.addLayout.run(dataset, columns);
    const { id } = this.#statements.layout.get(dataset, columns) as { id: number };
    const layout = { firstId: id * LAYOUT_STEP, added: 0 };
    this.#layouts.set(key, layout);
    return layout;
  }
}

/** Files of one dataset with the same columns. */
interface Layout {
  /** Id of the statistics of delivery 0, see the table. */
  firstId: number;
  /** Since the oldest were forgotten. */
  added: number;
}

const LAYOUT_STEP = 2 ** 40;

function rangeOf({ firstId }: Layout): [from: number, to: number, from: number, to: number] {
  const to = firstId + LAYOUT_STEP;
  return [firstId, to, firstId, to];
}

interface StatsRow {
  recordId: number;
  name: string;
  judgedAt: string;
  rowsIn: number;
  rowsOut: number;
  /** The driver gives one or the other. */
  numbers: ArrayBuffer | Uint8Array;
}

function statsFrom({ numbers, ...row }: StatsRow, columns: string): FileStats {
  // A copy of bytes that need not be aligned.
  const bytes = new Uint8Array(numbers);
  return { ...row, columns, numbers: new Float64Array(bytes.buffer) };
}

type AlertRow = Omit<AlertRecord, 'files'> & { files: string };

function alertFrom(row: AlertRow): AlertRecord {
  return { ...row, files: JSON.parse(row.files) };
}

const IN_RANGE = 'hour >= ? AND hour < ? AND (? IS NULL OR dataset = ?)';

function rangeIn({ since, until, dataset }: QualityFilter): unknown[] {
  return [since.slice(0, 13), until.slice(0, 13), dataset ?? null, dataset ?? null];
}

const SELECT_ALERTS = `SELECT id, kind, dataset, code, count, message, files, first_at AS firstAt, last_at AS lastAt,
  delivery, delivered_at AS deliveredAt FROM alerts`;

function prepareAll(db: Database.Database) {
  return {
    addLayout: db.prepare(`INSERT OR IGNORE INTO column_layouts (dataset, columns) VALUES (?, ?)`),
    layout: db.prepare(`SELECT id FROM column_layouts WHERE dataset = ? AND columns = ?`),
    layouts: db.prepare(`SELECT id, columns FROM column_layouts WHERE dataset = ?`),
    addStats: db.prepare(`INSERT OR REPLACE INTO column_stats (id, numbers) VALUES (?, ?)`),
    trimStats: db.prepare(
      `DELETE FROM column_stats WHERE id >= ? AND id < ? AND id <=
         (SELECT id FROM column_stats WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    ),
    // CROSS JOIN keeps the order: the files of a layout are few.
    recentStats: db.prepare(
      `SELECT files.id AS recordId, name, judged_at AS judgedAt, rows_in AS rowsIn, rows_out AS rowsOut, numbers
       FROM column_stats CROSS JOIN files ON files.id = column_stats.id - ?
       WHERE column_stats.id >= ? AND column_stats.id < ? ORDER BY column_stats.id DESC LIMIT ?`,
    ),
    count: db.prepare(
      `INSERT INTO quality_counts (hour, dataset, kind, code, column_name, files, rows, left_out)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET files = files + excluded.files, rows = rows + excluded.rows,
         left_out = left_out + excluded.left_out`,
    ),
    counts: db.prepare(
      `SELECT substr(hour, 1, ?) AS hour, dataset, kind, code, '' AS "column", sum(files) AS files,
         sum(rows) AS rows, sum(left_out) AS leftOut
       FROM quality_counts WHERE ${IN_RANGE} AND kind <> 'violation' GROUP BY 1, 2, 3, 4`,
    ),
    violations: db.prepare(
      `SELECT '' AS hour, dataset, kind, code, column_name AS "column", sum(files) AS files, sum(rows) AS rows,
         0 AS leftOut
       FROM quality_counts WHERE ${IN_RANGE} AND kind = 'violation'
       GROUP BY dataset, code, column_name ORDER BY sum(rows) DESC, dataset, code, column_name LIMIT ?`,
    ),
    forgetCounts: db.prepare(`DELETE FROM quality_counts WHERE hour < ?`),
    datasets: db.prepare(`SELECT DISTINCT dataset FROM quality_counts WHERE dataset <> '' ORDER BY dataset`),
    addFinding: db.prepare(
      `INSERT INTO drift_findings (record_id, dataset, column_name, metric, value, low, high, median, compared, found_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    trimFindings: db.prepare(`DELETE FROM drift_findings WHERE id <= ?`),
    findings: db.prepare(
      `SELECT record_id AS recordId, f.dataset AS dataset, column_name AS "column", metric, value, low, high, median,
         compared, found_at AS foundAt, name AS file
       FROM drift_findings f JOIN files ON files.id = record_id
       WHERE found_at >= ? AND found_at < ? AND (? IS NULL OR f.dataset = ?) ORDER BY f.id DESC LIMIT ?`,
    ),
    addAlert: db.prepare(
      `INSERT INTO alerts (kind, dataset, code, count, message, files, first_at, last_at, delivery)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    trimAlerts: db.prepare(`DELETE FROM alerts WHERE id <= ?`),
    waitingAlerts: db.prepare(`${SELECT_ALERTS} WHERE delivery = 'waiting' ORDER BY id`),
    settleAlert: db.prepare(`UPDATE alerts SET delivery = ?, delivered_at = ? WHERE id = ?`),
    alerts: db.prepare(
      `${SELECT_ALERTS} WHERE last_at >= ? AND last_at < ? AND (? IS NULL OR dataset IS NULL OR dataset = ?)
       ORDER BY id DESC LIMIT ?`,
    ),
    expectation: db.prepare(
      `SELECT dataset, rule, due_ms AS dueMs, is_late AS isLate FROM expectations WHERE dataset = ?`,
    ),
    setExpectation: db.prepare(
      `INSERT OR REPLACE INTO expectations (dataset, rule, due_ms, is_late) VALUES (?, ?, ?, ?)`,
    ),
    lastArrival: db.prepare(
      `SELECT max(arrived_at) AS at FROM (SELECT arrived_at FROM files WHERE dataset = ? ORDER BY id DESC LIMIT 100)`,
    ),
  };
}
