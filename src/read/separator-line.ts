import type { TextWindow } from './text-feed.js';

/** A first line such as `sep=;`, by which Excel is told the delimiter; it is no record. */
export interface SeparatorLine {
  delimiter: string;
  text: string;
}

/** The line in UTF-8: `sep=`, one character, maybe in quotes. */
const FORM = /^"?sep=(.)"?$/iu;
/** No such line is longer. */
const MAX_BYTES = 12;

const LF = 10;
const CR = 13;

/** Passes over a separator line at the beginning of the text. */
export function takeSeparatorLine(window: TextWindow): SeparatorLine | undefined {
  const { buffer, from } = window;
  if (buffer[from] !== 0x73 && buffer[from] !== 0x53 && buffer[from] !== 0x22) return undefined;
  const start = buffer.subarray(from, Math.min(window.end, from + MAX_BYTES));
  const end = start.findIndex((byte) => byte === LF || byte === CR);
  const text = Buffer.from(start.subarray(0, Math.max(0, end))).toString('utf8');
  const match = FORM.exec(text);
  if (!match) return undefined;
  window.from += end + (start[end] === CR && start[end + 1] === LF ? 2 : 1);
  return { delimiter: match[1], text };
}
