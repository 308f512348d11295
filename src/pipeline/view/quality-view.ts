import type { Expectation } from '../../config/settings.js';
import type {
  AlertRecord,
  DriftRecord,
  ExpectationState,
  QualityCount,
  QualityFilter,
} from '../../ledger/quality-store.js';
import { type ColumnStats, unpackStats } from '../column-stats.js';
import type { Daemon } from '../daemon.js';
import type { LabelledCounts } from '../tally.js';

export type { QualityCount, QualityFilter } from '../../ledger/quality-store.js';

/** How good the files are. Everything here is counted beforehand: it takes milliseconds, however many files there are. */
export interface QualityView {
  /** Alerts since the start. */
  alertCounts: LabelledCounts<{ kind: string; dataset: string }>;
  /** What became of files, by hour or by day in UTC. */
  counts(filter: QualityFilter, bucket: 'hours' | 'days'): QualityCount[];
  /** Why rows were left out, the most frequent first. */
  violations(filter: QualityFilter, limit: number): QualityCount[];
  /** The newest first. */
  findings(filter: QualityFilter, limit: number): (DriftRecord & { file: string })[];
  /** The newest first. */
  alerts(filter: QualityFilter, limit: number): AlertRecord[];
  /** What is waited for. */
  expected(): (ExpectationState & { expect: Expectation })[];
  /** Datasets that there are, or that were. */
  datasets(): string[];
  /** The last files that have the column, the oldest first. */
  trend(dataset: string, options: { column: string; limit: number }): TrendPoint[];
}

/** A column of one file. */
export interface TrendPoint extends ColumnStats {
  recordId: number;
  file: string;
  judgedAt: string;
  rows: number;
}

/** The view on a running daemon. */
export function openQualityView({ pipeline }: Daemon): QualityView {
  const { settings, ledger, quality } = pipeline;
  const store = ledger.quality;
  return {
    alertCounts: quality.desk.counts,
    counts: (filter, bucket) => store.counts(filter, bucket),
    violations: (filter, limit) => store.violations(filter, limit),
    findings: (filter, limit) => store.findings(filter, limit),
    alerts: (filter, limit) => store.alerts(filter, limit),
    expected: () =>
      settings.datasets.flatMap(({ name, expect }) => {
        const state = quality.expectations.states.get(name);
        return state && expect ? [{ ...state, expect }] : [];
      }),
    datasets: () => [...new Set([...settings.datasets.map(({ name }) => name), ...store.datasets()])],
    trend: (dataset, { column, limit }) =>
      store.recentStats(dataset, { limit }).flatMap((file) => {
        const stats = unpackStats(file).find((one) => one.column === column);
        const { recordId, rowsOut: rows, name, judgedAt } = file;
        return stats ? [{ ...stats, recordId, rows, file: name, judgedAt }] : [];
      }),
  };
}
