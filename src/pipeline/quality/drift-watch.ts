import path from 'node:path';
import type { Log } from '../../base/log.js';
import type { Settings } from '../../config/settings.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Published } from '../publish.js';
import type { Alert } from './alert.js';
import type { AlertDesk } from './alert-desk.js';
import {
  type DriftFinding,
  type DriftMetric,
  findDrift,
  HISTORY_FILES,
  type UsualRanges,
  usualRanges,
} from './drift.js';

/** Usual ranges are made anew at most so often: files of one moment are compared with the same ones. */
const RANGES_MS = 1000;
/** Findings that a message names. */
const MAX_NAMED = 3;

/** What the metrics are called in messages. */
const METRIC_NAMES: Record<DriftMetric, string> = {
  null_share: 'share of NULLs',
  distinct: 'number of distinct values',
  mean: 'mean',
  left_out_share: 'share of rows left out',
};

type Converted = Extract<Published, { kind: 'converted' }>;

/** Compares every converted file with the last ones of its dataset. */
export class DriftWatch {
  readonly #options: { settings: Settings; ledger: Ledger; log: Log; desk: AlertDesk };
  readonly #known = new Map<string, { usual: UsualRanges; columns: string; madeAtMs: number }>();
  /** Names of private columns, by dataset. */
  readonly #hidden: Map<string, ReadonlySet<string>>;

  constructor(options: { settings: Settings; ledger: Ledger; log: Log; desk: AlertDesk }) {
    this.#options = options;
    this.#hidden = new Map(
      options.settings.datasets.map(({ name, columns }) => {
        const hidden = columns === 'any' ? [] : columns.filter((column) => column.private);
        return [name, new Set(hidden.map((column) => column.name))];
      }),
    );
  }

  /** Has the dataset private columns? Then its values are in no message. A file of no dataset may be of any. */
  isPrivate(dataset: string | null): boolean {
    const all = dataset === null ? [...this.#hidden.values()] : [this.#hidden.get(dataset)];
    return all.some((hidden) => hidden !== undefined && hidden.size > 0);
  }

  compare({ result, file, recordId }: Converted): void {
    const { columnStats: stats, counts, dataset } = result;
    if (!stats || recordId === undefined) return;
    const usual = this.#usualOf({ dataset, columns: stats.columns, before: recordId });
    const sample = { rowsIn: counts.rows_in, rowsOut: counts.rows_out, numbers: stats.numbers };
    const findings = findDrift(usual, sample);
    if (findings.length === 0) return;
    const names = JSON.parse(stats.columns) as string[];
    const named = findings.map((finding) => ({ ...finding, name: names[finding.column] ?? '' }));
    for (const { name, column: _, ...rest } of named) {
      const foundAt = new Date().toISOString();
      this.#options.desk.note({ ...rest, recordId, dataset, column: name, foundAt });
    }
    const isLeftOut = ({ metric }: DriftFinding) => metric === 'left_out_share';
    const about = { dataset, file: file.name, path: file.path };
    this.#tell(named.filter(isLeftOut), { kind: 'rows_left_out', ...about });
    this.#tell(
      named.filter((finding) => !isLeftOut(finding)),
      { kind: 'drift', ...about },
    );
  }

  #usualOf({ dataset, columns, before }: { dataset: string; columns: string; before: number }): UsualRanges {
    const known = this.#known.get(dataset);
    const now = performance.now();
    if (known?.columns === columns && now - known.madeAtMs < RANGES_MS) return known.usual;
    const history = this.#options.ledger.quality.recentStats(dataset, { limit: HISTORY_FILES, before });
    const usual = usualRanges(history.filter((one) => one.columns === columns));
    if (usual.ranges.length > 0) this.#known.set(dataset, { usual, columns, madeAtMs: now });
    return usual;
  }

  #tell(
    findings: readonly (DriftFinding & { name: string })[],
    about: Pick<Alert, 'kind'> & { dataset: string; file: string; path: string },
  ): void {
    if (findings.length === 0) return;
    const { log, desk, settings } = this.#options;
    const { kind, dataset, file } = about;
    const hidden = this.#hidden.get(dataset);
    const told = findings
      .slice(0, MAX_NAMED)
      .map((one) => describeFinding(one, hidden?.has(one.name) ?? false));
    const more = findings.length - told.length;
    const message = `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''} (last ${findings[0].compared} files)`;
    log.warning(`${path.relative(settings.root, about.path)} is unlike the last files: ${message}`, {
      event: kind,
      file,
      dataset,
    });
    desk.raise({ kind, dataset, file, message: `${file}: ${message}` });
  }
}

/** `column age: the mean 44.1 is outside of 16.2 to 17.5`. */
function describeFinding(finding: DriftFinding & { name: string }, isHidden: boolean): string {
  const { metric, name, value, low, high } = finding;
  const what = `${name === '' ? '' : `column ${name}: `}the ${METRIC_NAMES[metric]}`;
  if (isHidden) return `${what} left its usual range`;
  const isShare = metric === 'null_share' || metric === 'left_out_share';
  const show = (number: number) =>
    isShare ? `${Number((number * 100).toPrecision(3))} %` : `${Number(number.toPrecision(6))}`;
  return `${what} ${show(value)} is outside of ${show(low)} to ${show(high)}`;
}
