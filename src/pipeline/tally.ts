import { REASONS, type ReasonArea, type ReasonCode } from '../base/errors.js';
import type { LoadedParquet, Observer, RefusedParquet } from './observer.js';
import type { Published } from './publish.js';
import type { Counts as RowCounts } from './report.js';

/** Upper bounds of the classes of durations, in seconds: from a small file to a large one on a slow disk. */
export const DURATION_BOUNDS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

/** Counts that differ in their labels. */
export class LabelledCounts<L extends Record<string, string>> {
  readonly #counts = new Map<string, { labels: L; value: number }>();

  add(labels: L, by = 1): void {
    const key = Object.values(labels).join('\0');
    const known = this.#counts.get(key);
    if (known) known.value += by;
    else this.#counts.set(key, { labels, value: by });
  }

  all(): Iterable<Readonly<{ labels: L; value: number }>> {
    return this.#counts.values();
  }
}

/** How long things took, in classes. */
export class Durations {
  /** How many took at most each of {@link DURATION_BOUNDS_S}, and longer than the bound before; the last took longer than all. */
  readonly counts = new Array<number>(DURATION_BOUNDS_S.length + 1).fill(0);
  sumS = 0;

  add(durationMs: number): void {
    const seconds = durationMs / 1000;
    const at = DURATION_BOUNDS_S.findIndex((bound) => seconds <= bound);
    this.counts[at < 0 ? DURATION_BOUNDS_S.length : at]++;
    this.sumS += seconds;
  }
}

/** What can become of a file, one after the other: judged as one of the first three, then perhaps one of the others. */
const FILE_STATES = ['converted', 'failed', 'duplicate', 'loaded', 'already_loaded', 'load_failed'] as const;
/** Kinds of rows: of files that were judged, and `loaded` into tables. */
const ROW_KINDS = ['in', 'out', 'dropped_missing', 'dropped_duplicate', 'set_aside', 'loaded'] as const;
/** What files fail with. */
const FAILURE_AREAS: readonly ReasonArea[] = ['file', 'columns', 'rows', 'load'];

/** `dataset` is '' where none claims the file. */
export type FileLabels = { state: (typeof FILE_STATES)[number]; dataset: string };
export type RowLabels = { kind: (typeof ROW_KINDS)[number]; dataset: string };

/**
 * Counts what becomes of files since the daemon started. What can be counted begins with 0: of a count that comes into
 * being with 1, Prometheus does not see that it grew.
 */
export class Tally implements Observer {
  readonly files = new LabelledCounts<FileLabels>();
  /** Of files that failed, or that no retry can load, by reason code. */
  readonly failures = new LabelledCounts<{ reason: ReasonCode }>();
  readonly rows = new LabelledCounts<RowLabels>();
  /** Of converted files: as they came, and as Parquet. */
  readonly bytes = new LabelledCounts<{ kind: 'in' | 'out' }>();
  readonly durations = { convert: new Durations(), publish: new Durations(), load: new Durations() };

  /** @param datasets their names */
  constructor(datasets: readonly string[]) {
    this.files.add({ state: 'failed', dataset: '' }, 0);
    for (const dataset of datasets) {
      for (const state of FILE_STATES) this.files.add({ state, dataset }, 0);
      for (const kind of ROW_KINDS) this.rows.add({ kind, dataset }, 0);
    }
    for (const [reason, { area }] of Object.entries(REASONS)) {
      if (FAILURE_AREAS.includes(area)) this.failures.add({ reason: reason as ReasonCode }, 0);
    }
    this.failures.add({ reason: 'internal' }, 0);
    for (const kind of ['in', 'out'] as const) this.bytes.add({ kind }, 0);
  }

  judged(one: Published): void {
    if (one.kind === 'failed') {
      const { code, dataset, counts } = one.result.report;
      this.files.add({ state: 'failed', dataset: dataset ?? '' });
      this.failures.add({ reason: code ?? 'internal' });
      this.#addRows(counts, dataset ?? '');
      return;
    }
    const { dataset, counts, bytesIn, bytesOut, durationMs } = one.result;
    this.files.add({ state: one.kind, dataset });
    this.#addRows(counts, dataset);
    this.durations.convert.add(durationMs);
    if (one.kind === 'duplicate') return;
    this.bytes.add({ kind: 'in' }, bytesIn);
    this.bytes.add({ kind: 'out' }, bytesOut);
  }

  published({ durationMs }: { durationMs: number }): void {
    this.durations.publish.add(durationMs);
  }

  loaded({ table, rows, isRepeated }: LoadedParquet): void {
    this.files.add({ state: isRepeated ? 'already_loaded' : 'loaded', dataset: table });
    if (!isRepeated) this.rows.add({ kind: 'loaded', dataset: table }, rows);
  }

  refused({ dataset, error }: RefusedParquet): void {
    this.files.add({ state: 'load_failed', dataset: dataset ?? '' });
    this.failures.add({ reason: error.code });
  }

  transacted({ durationMs }: { durationMs: number }): void {
    this.durations.load.add(durationMs);
  }

  #addRows(counts: RowCounts, dataset: string): void {
    this.rows.add({ kind: 'in', dataset }, counts.rows_in);
    this.rows.add({ kind: 'out', dataset }, counts.rows_out);
    for (const kind of ['dropped_missing', 'dropped_duplicate', 'set_aside'] as const) {
      this.rows.add({ kind, dataset }, counts[kind]);
    }
  }
}
