import type { FastifyInstance } from 'fastify';
import type { PipelineView } from '../../pipeline/view/pipeline-view.js';
import type { QualityCount, QualityFilter, QualityView } from '../../pipeline/view/quality-view.js';
import type {
  ColumnTrend,
  DriftFinding,
  FailureCount,
  QualityFilters,
  QualityReport,
  QualityTotals,
  ViolationCount,
} from '../api/quality.js';
import { hiddenColumns } from '../privacy.js';
import { RequestProblem } from '../problem.js';
import type { User } from '../user.js';
import * as schemas from './quality-schemas.js';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
/** Longer stretches of time are told by the day. */
const MAX_HOURLY_DAYS = 45;
const MAX_LISTED = 200;
const TREND_FILES = 100;

/** `GET /api/quality`, `GET /api/quality/trend`: how good the files were. */
export function qualityRoutes(app: FastifyInstance, { quality, settings }: PipelineView): void {
  app.get<{ Querystring: QualityFilters }>(
    '/api/quality',
    { schema: schemas.REPORT },
    async ({ query, user }): Promise<QualityReport> => {
      const filter = filterOf(query);
      return { ...countsOf(quality, filter), ...listsOf(quality, { filter, settings, user }) };
    },
  );
  app.get<{ Querystring: { dataset: string; column: string } }>(
    '/api/quality/trend',
    { schema: schemas.TREND },
    async ({ query: { dataset, column }, user }): Promise<ColumnTrend> => {
      if (hiddenColumns(settings, { dataset, user }).has(column))
        throw new RequestProblem(403, 'This column is private, only the role admin may see its values');
      const points = quality
        .trend(dataset, { column, limit: TREND_FILES })
        .map(({ recordId, judgedAt, ...point }) => {
          return { ...point, file_id: recordId, judged_at: judgedAt };
        });
      return { dataset, column, points };
    },
  );
}

function filterOf({ since, until, dataset }: QualityFilters): QualityFilter {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  if (!(start < end)) throw new RequestProblem(400, 'since must be a time before until');
  return {
    since: new Date(start).toISOString(),
    until: new Date(end).toISOString(),
    dataset: dataset || undefined,
  };
}

type Counts = Pick<
  QualityReport,
  'since' | 'until' | 'bucket' | 'totals' | 'series' | 'reasons' | 'violations'
>;

/** Everything that is made of the counts. */
function countsOf(quality: QualityView, filter: QualityFilter): Counts {
  const { since, until } = filter;
  const isHourly = Date.parse(until) - Date.parse(since) <= MAX_HOURLY_DAYS * DAY_MS;
  // The hour that has begun counts.
  const through = new Date(Date.parse(until) + 3_600_000).toISOString();
  const whole = { ...filter, until: through };
  const totals = noTotals();
  const series = new Map<string, QualityTotals>();
  const reasons = new Map<string, FailureCount>();
  for (const count of quality.counts(whole, isHourly ? 'hours' : 'days')) {
    const at = series.get(count.hour) ?? noTotals();
    series.set(count.hour, at);
    for (const target of [totals, at]) addTotals(target, count);
    addReason(reasons, count);
  }
  return {
    since,
    until,
    bucket: isHourly ? 'hour' : 'day',
    totals,
    series: [...series]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([hour, at]) => ({ at: isHourly ? `${hour}:00:00.000Z` : `${hour}T00:00:00.000Z`, ...at })),
    reasons: [...reasons.values()].sort((one, other) => other.files - one.files),
    violations: quality.violations(whole, MAX_LISTED).map(violationOf),
  };
}

function noTotals(): QualityTotals {
  return { converted: 0, failed: 0, load_failed: 0, duplicates: 0, rows: 0, left_out: 0 };
}

const TOTAL_OF = {
  converted: 'converted',
  failed: 'failed',
  load_failed: 'load_failed',
  duplicate: 'duplicates',
} as const;

function addTotals(target: QualityTotals, { kind, files, rows, leftOut }: QualityCount): void {
  if (kind === 'violation') return;
  target[TOTAL_OF[kind]] += files;
  target.rows += rows;
  target.left_out += leftOut;
}

function addReason(reasons: Map<string, FailureCount>, { kind, dataset, code, files }: QualityCount): void {
  if (kind !== 'failed' && kind !== 'load_failed') return;
  const key = JSON.stringify([kind, dataset, code]);
  const stage = kind === 'failed' ? 'convert' : 'load';
  const known = reasons.get(key) ?? { dataset: dataset || null, stage, code, files: 0 };
  known.files += files;
  reasons.set(key, known);
}

function violationOf({ dataset, code, column, files, rows }: QualityCount): ViolationCount {
  return { dataset: dataset || null, code, column: column || null, files, violations: rows };
}

type Lists = Pick<QualityReport, 'datasets' | 'findings' | 'alerts' | 'expected'>;

function listsOf(
  quality: QualityView,
  { filter, settings, user }: { filter: QualityFilter; settings: PipelineView['settings']; user: User },
): Lists {
  const { dataset } = filter;
  return {
    datasets: quality.datasets(),
    findings: quality.findings(filter, MAX_LISTED).map((finding) => {
      const isHidden = hiddenColumns(settings, { dataset: finding.dataset, user }).has(finding.column);
      return findingOf(finding, isHidden);
    }),
    alerts: quality.alerts(filter, MAX_LISTED).map(({ firstAt, lastAt, deliveredAt, ...alert }) => {
      return { ...alert, first_at: firstAt, last_at: lastAt, delivered_at: deliveredAt };
    }),
    expected: quality
      .expected()
      .filter((one) => dataset === undefined || one.dataset === dataset)
      .map(({ dataset: name, dueMs, isLate, expect }) => ({
        dataset: name,
        due_at: new Date(dueMs).toISOString(),
        overdue_at: new Date(dueMs + expect.graceMs).toISOString(),
        is_late: isLate,
      })),
  };
}

function findingOf(finding: ReturnType<QualityView['findings']>[number], isHidden: boolean): DriftFinding {
  const { recordId, dataset, file, foundAt, column, metric, value, low, high, median, compared } = finding;
  const range = isHidden
    ? { value: null, low: null, high: null, median: null }
    : { value, low, high, median };
  return {
    ...{ dataset, file_id: recordId, file, found_at: foundAt, column: column || null },
    ...{ metric: metric as DriftFinding['metric'], ...range, compared },
  };
}
