const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

/**
 * Makes any text safe for one line of a log: characters that control the terminal, end a line or turn the direction of
 * writing around become escapes such as `\n` or `\u001b`.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The first half of a character beyond the basic plane, cut off from its second half. */
const HALF_PAIR = /[\ud800-\udbff]$/;

/** A value for a message: escaped, at most `maxLength` characters, quoted. */
export function quoteValue(text: string, maxLength = 80): string {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength).replace(HALF_PAIR, '')}…` : text;
  return `"${escapeControls(shown)}"`;
}

/** `57.0 KB`, `9.1 KB`, `1.2 GB`; bytes below 1,000 as `512 B`. Decimal units, as disks are sold and `ls --si` shows. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** `1,234,567`, for whole numbers. Not toLocaleString: its first call loads the data of all languages. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `2 ms`, `3.4 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 row`, `395 rows`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Of a UTF-8 text of more than `maxBytes`: how many of these belong to whole characters. */
export function wholeCharacters(text: Uint8Array, maxBytes: number): number {
  let end = maxBytes;
  while (end > 0 && (text[end] & 0xc0) === 0x80) end--;
  return end;
}
