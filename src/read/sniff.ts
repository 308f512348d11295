import type { Dialect, Origin } from './dialect.js';

const DELIMITERS = [',', ';', '\t', '|'];
const QUOTES = ['"', "'", ''];

/** Rows of the sample that are scored, and bytes that are looked at. */
const MAX_SAMPLE_ROWS = 200;
const MAX_SAMPLE_BYTES = 64 * 1024;

const LF = 10;
const CR = 13;

export interface SniffOptions {
  /** What the user said, or 'auto'. */
  delimiter: string;
  quote: string;
  /** Names of declared columns, folded; a first line made of them settles the delimiter. */
  expectedNames: ReadonlySet<string>;
}

export interface SniffedDialect {
  dialect: Dialect;
  delimiterOrigin: Origin;
  quoteOrigin: Origin;
  /** Consistency score of the dialect, and of the best one with another delimiter; absent when nothing was weighed. */
  score?: number;
  runnerUp?: { delimiter: string; quote: string; score: number };
}

/**
 * Finds delimiter and quote from the beginning of a file. The measure is the one of van den Burg, Nazábal and
 * Sutton, "Wrangling messy CSV files by detecting row and type patterns" (2019): uniform row widths times the
 * share of cells that look like values. A header made of declared column names decides at once.
 */
export function sniffDialect(sample: Uint8Array, options: SniffOptions): SniffedDialect {
  const bytes = Buffer.from(sample.buffer, sample.byteOffset, Math.min(sample.length, MAX_SAMPLE_BYTES));
  const loneCrEnds = hasLoneCr(bytes);
  const delimiters = options.delimiter === 'auto' ? DELIMITERS : [options.delimiter];
  const quotes = options.quote === 'auto' ? QUOTES : [options.quote];
  const origins = { delimiterOrigin: originOf(options.delimiter), quoteOrigin: originOf(options.quote) };
  const byHeader = delimiters.find((delimiter) => namesMatch(bytes, delimiter, options.expectedNames));
  if (byHeader !== undefined && (options.quote !== 'auto' || !bytes.includes("'"))) {
    const quote = options.quote === 'auto' ? '"' : options.quote;
    return { dialect: { delimiter: byHeader, quote, loneCrEnds }, ...origins };
  }
  const candidates = byHeader === undefined ? delimiters : [byHeader];
  return weigh({ text: bytes.toString('utf8'), delimiters: candidates, quotes, loneCrEnds, origins });
}

function originOf(setting: string): Origin {
  return setting === 'auto' ? 'detected' : 'user';
}

/** Is a carriage return without a line feed the way lines end here? Only when it is the more frequent. */
function hasLoneCr(sample: Buffer): boolean {
  let lone = 0;
  let feeds = 0;
  for (let at = sample.indexOf(CR); at >= 0; at = sample.indexOf(CR, at + 1)) {
    if (at + 1 < sample.length && sample[at + 1] !== LF) lone++;
  }
  for (let at = sample.indexOf(LF); at >= 0 && feeds < lone; at = sample.indexOf(LF, at + 1)) feeds++;
  return lone > feeds;
}

/** Does the first line, split at `delimiter`, hold declared names in at least two cells and mostly? */
function namesMatch(sample: Buffer, delimiter: string, expected: ReadonlySet<string>): boolean {
  if (expected.size === 0) return false;
  const end = sample.findIndex((byte) => byte === LF || byte === CR);
  const cells = sample.toString('utf8', 0, end < 0 ? sample.length : end).split(delimiter);
  if (cells.length < 2) return false;
  const known = cells.filter((cell) => expected.has(unquote(cell).toLowerCase())).length;
  return known >= 2 && known * 2 > cells.length;
}

function unquote(cell: string): string {
  return cell
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
}

interface Weighing {
  text: string;
  delimiters: string[];
  quotes: string[];
  loneCrEnds: boolean;
  origins: { delimiterOrigin: Origin; quoteOrigin: Origin };
}

function weigh({ text, delimiters, quotes, loneCrEnds, origins }: Weighing): SniffedDialect {
  const scored = [];
  for (const delimiter of delimiters) {
    for (const quote of quotes) {
      if (quote !== '' && quote !== '"' && !text.includes(quote)) continue;
      const rows = splitRows(text, { delimiter, quote, loneCrEnds });
      scored.push({ delimiter, quote, score: patternScore(rows) * typeScore(rows) });
    }
  }
  // Stable: on equal scores the usual delimiter and the usual quote, which come first, win.
  scored.sort((a, b) => b.score - a.score);
  const best = scored[0];
  const runnerUp = scored.find(({ delimiter }) => delimiter !== best.delimiter);
  const nothingFound = best.score === 0 && origins.delimiterOrigin === 'detected';
  return {
    dialect: { delimiter: best.delimiter, quote: best.quote, loneCrEnds },
    delimiterOrigin: nothingFound ? 'default' : origins.delimiterOrigin,
    quoteOrigin: origins.quoteOrigin,
    score: best.score,
    runnerUp,
  };
}

/** Splits a sample leniently; the last row is left out when the sample may have cut it. */
function splitRows(text: string, dialect: Dialect): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length && rows.length < MAX_SAMPLE_ROWS; i++) {
    const char = text[i];
    if (quoted) {
      if (char !== dialect.quote) cell += char;
      else if (text[i + 1] === dialect.quote) cell += text[++i];
      else quoted = false;
    } else if (char === dialect.quote && cell === '') {
      quoted = true;
    } else if (char === dialect.delimiter) {
      row.push(cell);
      cell = '';
    } else if (char === '\n' || (char === '\r' && dialect.loneCrEnds)) {
      if (row.length > 0 || cell !== '') rows.push([...row, cell]);
      row = [];
      cell = '';
    } else if (char !== '\r') {
      cell += char;
    }
  }
  if (text.length < MAX_SAMPLE_BYTES && (row.length > 0 || cell !== '')) rows.push([...row, cell]);
  return rows;
}

/** High when few row widths occur, each often, and rows are wide; 0 for one column. */
function patternScore(rows: string[][]): number {
  const byWidth = new Map<number, number>();
  for (const row of rows) byWidth.set(row.length, (byWidth.get(row.length) ?? 0) + 1);
  let sum = 0;
  for (const [width, count] of byWidth) sum += (count * (width - 1)) / width;
  return byWidth.size === 0 ? 0 : sum / byWidth.size / rows.length;
}

const VALUE_PATTERNS = [
  /^$/,
  /^[+-]?\d{1,3}([ ,.']\d{3})*([.,]\d+)?%?$/,
  /^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?$/,
  /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/,
  /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?$/,
  /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/,
  /^https?:\/\/\S+$/,
  /^[\p{L}_][\p{L}\p{N}_.-]*( [\p{L}\p{N}_.-]+){0,5}$/u,
];

/** Share of cells that look like a value of some kind; never quite 0, so that widths still speak. */
function typeScore(rows: string[][]): number {
  let known = 0;
  let all = 0;
  for (const row of rows) {
    for (const cell of row) {
      const value = cell.trim();
      all++;
      if (VALUE_PATTERNS.some((pattern) => pattern.test(value))) known++;
    }
  }
  return all === 0 ? 0 : Math.max(known / all, 1e-10);
}
