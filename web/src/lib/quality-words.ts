import type { DriftFinding, QualityAlert } from '../../../src/server/api/quality.js';
import { formatNumber } from './format.js';

/* How the page calls what the API has codes for. */

export const ALERTS: Record<string, { title: string; tone: string }> = {
  file_failed: { title: 'File failed', tone: 'bad' },
  load_failed: { title: 'Load failed', tone: 'bad' },
  rows_left_out: { title: 'Rows left out', tone: 'warn' },
  drift: { title: 'Unusual values', tone: 'warn' },
  late: { title: 'Late', tone: 'bad' },
  arrived: { title: 'Arrived', tone: 'good' },
  database_away: { title: 'Database away', tone: 'bad' },
  database_back: { title: 'Database back', tone: 'good' },
};

export const DELIVERIES: Record<QualityAlert['delivery'], string> = {
  none: 'no webhook',
  waiting: 'waits',
  delivered: 'sent',
  given_up: 'refused',
};

export const METRICS: Record<DriftFinding['metric'], string> = {
  null_share: 'share of NULLs',
  distinct: 'distinct values',
  mean: 'mean',
  left_out_share: 'share of rows left out',
};

/** A value of a metric: `12.5 %`, `1,234`. */
export function metricText(metric: DriftFinding['metric'], value: number | null): string {
  if (value === null) return '(hidden)';
  const isShare = metric === 'null_share' || metric === 'left_out_share';
  const shown = Number((isShare ? value * 100 : value).toPrecision(4));
  return isShare ? `${formatNumber(shown)} %` : formatNumber(shown);
}

/** Choices of time, in days. */
export const DAYS: Record<string, { title: string; days: number }> = {
  '1d': { title: 'Last 24 hours', days: 1 },
  '7d': { title: 'Last 7 days', days: 7 },
  '30d': { title: 'Last 30 days', days: 30 },
  '365d': { title: 'Last 365 days', days: 365 },
};

/** The address of the API for the choice in the address of the page. */
export function reportAddress(query: URLSearchParams): string {
  const { days } = DAYS[query.get('time') ?? ''] ?? DAYS['30d'];
  // To the minute, so that the same question has the same address for a while.
  const until = Math.ceil(Date.now() / 60_000) * 60_000;
  const asked = new URLSearchParams({
    since: new Date(until - days * 86_400_000).toISOString(),
    until: new Date(until).toISOString(),
  });
  const dataset = query.get('dataset');
  if (dataset) asked.set('dataset', dataset);
  return `/api/quality?${asked}`;
}
