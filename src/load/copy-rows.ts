import { DropgateError } from '../base/errors.js';

const TAB = 0x09;
const LF = 0x0a;
const BACKSLASH = 0x5c;

const UNESCAPED: Record<string, string> = { t: '\t', n: '\n', r: '\r', '0': '\0' };
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a chunk of COPY text, as `copyText` writes it, back into rows of values; NULL is null. */
export function* copyRows(chunk: Uint8Array): Generator<(string | null)[]> {
  let row: (string | null)[] = [];
  let start = 0;
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at];
    if (byte !== TAB && byte !== LF) continue;
    row.push(cellValue(chunk.subarray(start, at)));
    start = at + 1;
    if (byte === LF) {
      yield row;
      row = [];
    }
  }
}

function cellValue(cell: Uint8Array): string | null {
  if (!cell.includes(BACKSLASH)) return decode(cell);
  const text = decode(cell);
  if (text === '\\N') return null;
  return text.replace(/\\(.)/g, (_, mark: string) => UNESCAPED[mark] ?? mark);
}

function decode(cell: Uint8Array): string {
  try {
    return UTF8.decode(cell);
  } catch (error) {
    throw new DropgateError('load_refused', 'A text is not valid UTF-8.', { cause: error });
  }
}
