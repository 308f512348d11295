/* Numbers with thousands separators and units, times in the viewer's zone. */

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 6 });
const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `1,234,567`. */
export function formatNumber(value: number | bigint): string {
  return NUMBER.format(value);
}

/** `57 KB`; a KB has 1000 bytes. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${SHORT.format(bytes / 1000 ** power)} ${UNITS[power]}`;
}

/** `2 ms`, `1.5 s`, `3 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${SHORT.format(Math.round(ms * 10) / 10)} ms`;
  if (ms < 60_000) return `${SHORT.format(ms / 1000)} s`;
  if (ms < 3_600_000) return `${SHORT.format(ms / 60_000)} min`;
  return `${SHORT.format(ms / 3_600_000)} h`;
}

/** Of an ISO 8601 time, in the viewer's zone and notation. */
export function formatTime(iso: string): string {
  return TIME.format(new Date(iso));
}

const AGO: [number, Intl.RelativeTimeFormatUnit][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** `3 minutes ago`. */
export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  const [size, unit] = AGO.find(([size]) => Math.abs(seconds) >= size) ?? AGO[3];
  return RELATIVE.format(-Math.round(seconds / size), unit);
}

/** `1 file`, `2,000 files`. */
export function plural(count: number, word: string): string {
  return `${formatNumber(count)} ${word}${count === 1 ? '' : 's'}`;
}
