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

/** Labels of files; `reason` is the code of a failure, else ''; `dataset` is '' where none claims the file. */
export type FileLabels = { state: FileEnd; reason: string; dataset: string };
/** What can become of a file, one after the other: judged as one of the first three, then perhaps one of the others. */
export type FileEnd = 'converted' | 'failed' | 'duplicate' | 'loaded' | 'already_loaded' | 'load_failed';
/** Labels of rows: of files that were judged, and `loaded` into tables. */
export type RowLabels = {
  kind: 'in' | 'out' | 'dropped_missing' | 'dropped_duplicate' | 'set_aside' | 'loaded';
  dataset: string;
};

/** Counts what becomes of files since the daemon started. */
export class Tally implements Observer {
  readonly files = new LabelledCounts<FileLabels>();
  readonly rows = new LabelledCounts<RowLabels>();
  /** Of converted files: as they came, and as Parquet. */
  readonly bytes = new LabelledCounts<{ kind: 'in' | 'out' }>();
  readonly durations = { convert: new Durations(), publish: new Durations(), load: new Durations() };

  judged(one: Published): void {
    if (one.kind === 'failed') {
      const { code, dataset, counts } = one.result.report;
      this.files.add({ state: 'failed', reason: code ?? '', dataset: dataset ?? '' });
      this.#addRows(counts, dataset ?? '');
      return;
    }
    const { dataset, counts, bytesIn, bytesOut, durationMs } = one.result;
    this.files.add({ state: one.kind, reason: '', dataset });
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
    this.files.add({ state: isRepeated ? 'already_loaded' : 'loaded', reason: '', dataset: table });
    if (!isRepeated) this.rows.add({ kind: 'loaded', dataset: table }, rows);
  }

  refused({ dataset, error }: RefusedParquet): void {
    this.files.add({ state: 'load_failed', reason: error.code, dataset: dataset ?? '' });
  }

  transacted({ durationMs }: { durationMs: number }): void {
    this.durations.load.add(durationMs);
  }

  #addRows(counts: RowCounts, dataset: string): void {
    const kinds = { in: counts.rows_in, out: counts.rows_out };
    const { dropped_missing, dropped_duplicate, set_aside } = counts;
    for (const [kind, rows] of Object.entries({ ...kinds, dropped_missing, dropped_duplicate, set_aside })) {
      this.rows.add({ kind: kind as RowLabels['kind'], dataset }, rows);
    }
  }
}
