/* The choice of files that the list shows is in the address. */

export const PAGE_SIZE = 50;

/** Names of the parameters in the address. */
export type QueryKey =
  | 'name'
  | 'state'
  | 'dataset'
  | 'code'
  | 'time'
  | 'from'
  | 'to'
  | 'sort'
  | 'order'
  | 'page';

export const TIMES: Record<string, { title: string; hours?: number }> = {
  '1h': { title: 'Last hour', hours: 1 },
  '24h': { title: 'Last 24 hours', hours: 24 },
  '7d': { title: 'Last 7 days', hours: 24 * 7 },
  '30d': { title: 'Last 30 days', hours: 24 * 30 },
  custom: { title: 'Between two days' },
};

/** The address of the API for the choice in the address of the page. */
export function listAddress(query: URLSearchParams): string {
  const asked = new URLSearchParams();
  for (const key of ['name', 'dataset', 'code', 'sort', 'order']) copy(query, asked, key);
  for (const state of query.getAll('state').flatMap((value) => value.split(',')))
    asked.append('state', state);
  const { from, before } = timesOf(query);
  if (from) asked.set('from', from);
  if (before) asked.set('before', before);
  asked.set('limit', String(PAGE_SIZE));
  asked.set('offset', String((pageOf(query) - 1) * PAGE_SIZE));
  return `/api/files?${asked}`;
}

function copy(from: URLSearchParams, to: URLSearchParams, key: string): void {
  const value = from.get(key);
  if (value) to.set(key, value);
}

/** 1 for the first page. */
export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get('page') ?? 1);
  return Number.isSafeInteger(page) && page > 0 ? page : 1;
}

/** Is the list narrowed to some files? */
export function isNarrowed(query: URLSearchParams): boolean {
  return ['name', 'state', 'dataset', 'code', 'time'].some((key) => query.get(key));
}

/** Days are those of the viewer's zone, both included. */
function timesOf(query: URLSearchParams): { from?: string; before?: string } {
  const time = query.get('time');
  if (time === 'custom')
    return { from: dayStart(query.get('from'), 0), before: dayStart(query.get('to'), 1) };
  const hours = time === null ? undefined : TIMES[time]?.hours;
  if (hours === undefined) return {};
  // To the minute, so that the same question has the same address for a while.
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  return { from: new Date(minute - hours * 3_600_000).toISOString() };
}

function dayStart(day: string | null, daysLater: number): string | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '');
  if (!found) return undefined;
  const [, year, month, date] = found.map(Number);
  const start = new Date(year, month - 1, date + daysLater);
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString();
}

/** Start of the viewer's day. */
export function today(): string {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}
