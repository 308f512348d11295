import type { Dialect, Escape, Origin } from './dialect.js';
import { type Scored, scoreDialects } from './dialect-score.js';

/** Where all commas have a space behind them, comma and space are as good as the comma; so they come first. */
const DELIMITERS = [', ', ',', ';', '\t', '|', ' ', '^', '~', ':', '#'];
const QUOTES = ['"', "'"];

/** Bytes of a sample that are looked at; what stands at the head of a file weighs most. */
const MAX_HEAD_BYTES = 64 * 1024;

const PROMISING_DELIMITERS = 3;

const LF = 10;
const CR = 13;

export interface SniffOptions {
  /** What the user said, or 'auto'. */
  delimiter: string;
  quote: string;
  /** Default: auto. */
  escape?: 'auto' | Escape;
  /** What the file itself says, by a line such as `sep=;`. */
  separator?: string;
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
 * Finds delimiter, quote, escape and line ends. `head` is the beginning of the text; `elsewhere` fetches more pieces
 * of a large file, and is called only when the head is not enough. A header made of declared column names decides at
 * once; otherwise dialects are weighed, see {@link scoreDialects}. What the user set is taken as it is.
 */
export function sniffDialect(
  head: Uint8Array,
  wishes: SniffOptions,
  elsewhere: () => Uint8Array[] = () => [],
): SniffedDialect {
  const isTold = wishes.delimiter === 'auto' && wishes.separator !== undefined;
  const options = isTold ? { ...wishes, delimiter: wishes.separator! } : wishes;
  const sample = sampleOf(head);
  const { bytes, isCut } = sample;
  const origins = { delimiterOrigin: originOf(wishes.delimiter), quoteOrigin: originOf(options.quote) };
  const byHeader = delimiterByHeader(bytes, options);
  if (
    byHeader !== undefined &&
    isAuto(options.escape) &&
    isSimple(sample, { delimiter: byHeader, quote: options.quote })
  ) {
    const quote = options.quote === 'auto' ? '"' : options.quote;
    const loneCrEnds = lineEnds(bytes, isCut) === 'cr';
    return { dialect: { delimiter: byHeader, quote, escape: 'double', loneCrEnds }, ...origins };
  }
  const pieces = [bytes, ...elsewhere().map((piece) => Buffer.from(piece))];
  return weigh({ pieces, isCut, byHeader, options, origins });
}

/**
 * Would a text whose first line is that of an earlier one, and settled the delimiter there, get the same dialect? The rest of it
 * must not speak of another.
 */
export function staysSettled(head: Uint8Array, { dialect }: SniffedDialect, quote: string): boolean {
  return isSimple(sampleOf(head), { delimiter: dialect.delimiter, quote });
}

interface Sample {
  bytes: Buffer;
  /** The text goes on behind it. */
  isCut: boolean;
}

function sampleOf(head: Uint8Array): Sample {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, MAX_HEAD_BYTES));
  return { bytes, isCut: head.length > bytes.length };
}

function isAuto(way: SniffOptions['escape']): way is 'auto' | undefined {
  return way === undefined || way === 'auto';
}

function originOf(setting: string): Origin {
  return setting === 'auto' ? 'detected' : 'user';
}

/** How lines end in a sample: are there carriage returns that no line feed follows? */
function lineEnds(sample: Buffer, isCut: boolean): 'lf' | 'cr' | 'mixed' {
  let lone = false;
  for (let at = sample.indexOf(CR); at >= 0 && !lone; at = sample.indexOf(CR, at + 1)) {
    lone = sample[at + 1] !== LF && !(isCut && at + 1 === sample.length);
  }
  if (!lone) return 'lf';
  return sample.includes(LF) ? 'mixed' : 'cr';
}

/** The delimiter that splits the first line into declared names. */
function delimiterByHeader(sample: Buffer, { delimiter, expectedNames }: SniffOptions): string | undefined {
  if (expectedNames.size === 0) return undefined;
  const end = sample.findIndex((byte) => byte === LF || byte === CR);
  const line = sample.toString('utf8', 0, end < 0 ? sample.length : end);
  // Whether a space belongs to the comma is told by more than the header.
  const candidates = delimiter === 'auto' ? DELIMITERS.filter((one) => one !== ', ') : [delimiter];
  return candidates.find((candidate) => namesMatch(line, candidate, expectedNames));
}

/** Does a line, split at `delimiter`, hold declared names in at least two cells and mostly? */
function namesMatch(line: string, delimiter: string, expected: ReadonlySet<string>): boolean {
  const cells = line.split(delimiter);
  const known = countKnown(cells, expected);
  return known >= 2 && known * 2 > cells.length;
}

function countKnown(cells: readonly string[], expected: ReadonlySet<string>): number {
  return cells.filter((cell) => expected.has(unquote(cell).toLowerCase())).length;
}

/** Does comma and space part all the declared names that the comma parts? */
function mayBeSpaced(line: string, expected: ReadonlySet<string>): boolean {
  return countKnown(line.split(', '), expected) === countKnown(line.split(','), expected);
}

function unquote(cell: string): string {
  return cell
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
}

/** Nothing in the sample could mean more than the usual quotes and line ends. */
function isSimple(
  { bytes, isCut }: Sample,
  { delimiter, quote }: { delimiter: string; quote: string },
): boolean {
  if (quote === 'auto' && bytes.includes("'")) return false;
  if (delimiter === ',' && hasSpacedComma(bytes)) return false;
  return !bytes.includes('\\') && lineEnds(bytes, isCut) !== 'mixed';
}

/** Is there a comma with a space behind it in the first line, or before a quote? */
function hasSpacedComma(sample: Buffer): boolean {
  const at = sample.indexOf(', ');
  if (at < 0) return false;
  return sample.includes(', "') || !sample.subarray(0, at).some((byte) => byte === LF || byte === CR);
}

interface Weighing {
  pieces: Buffer[];
  /** The head goes on behind its piece. */
  isCut: boolean;
  byHeader: string | undefined;
  options: SniffOptions;
  origins: { delimiterOrigin: Origin; quoteOrigin: Origin };
}

function weigh({ pieces, isCut, byHeader, options, origins }: Weighing): SniffedDialect {
  const sample = { texts: pieces.map((piece) => piece.toString('utf8')), isCut: isCut || pieces.length > 1 };
  const text = sample.texts.join('\n');
  const ends = lineEnds(Buffer.concat(pieces), isCut);
  const loneCrEnds = ends === 'cr' || (ends === 'mixed' && isMostlyCr(text));
  // 1. Delimiter and quote.
  const first: Dialect[] = [];
  for (const delimiter of delimitersIn(text, options, byHeader)) {
    for (const quote of quotesIn(text, options, delimiter)) {
      first.push({
        delimiter,
        quote,
        escape: isAuto(options.escape) ? 'double' : options.escape,
        loneCrEnds,
      });
    }
  }
  const scored = scoreDialects(first, sample);
  let ranked = options.quote === 'auto' ? withoutNeedlessNone(scored) : scored;
  // 2. Escape and line ends, for the best delimiters.
  const delimiters = [...new Set(ranked.map(({ dialect }) => dialect.delimiter))];
  const promising = delimiters.slice(0, PROMISING_DELIMITERS);
  const second = ranked
    .filter(({ dialect }) => promising.includes(dialect.delimiter))
    .flatMap((usual) =>
      // An escape has to explain records that nothing else explains.
      scoreDialects(variants(usual, { text, ends, options }), sample).filter(
        ({ dialect, typical }) => dialect.escape === usual.dialect.escape || typical > usual.typical,
      ),
    );
  ranked = merge(ranked, second);
  const [best] = ranked;
  const runnerUp = ranked.find(({ dialect }) => dialect.delimiter !== best.dialect.delimiter);
  return {
    dialect: best.dialect,
    ...origins,
    score: best.score,
    ...(runnerUp && {
      runnerUp: {
        delimiter: runnerUp.dialect.delimiter,
        quote: runnerUp.dialect.quote,
        score: runnerUp.score,
      },
    }),
  };
}

function merge(a: Scored[], b: Scored[]): Scored[] {
  // Stable: on equal scores the usual dialect, which comes first, stays first.
  return [...a, ...b].sort((x, y) => y.score - x.score);
}

/** Delimiters that occur; '' stands for a table of one column. */
function delimitersIn(text: string, options: SniffOptions, byHeader: string | undefined): string[] {
  if (options.delimiter !== 'auto') return [options.delimiter];
  if (byHeader === ',' && text.includes(', ')) {
    return mayBeSpaced(text.split(/[\r\n]/, 1)[0], options.expectedNames) ? [', ', ','] : [','];
  }
  if (byHeader !== undefined) return [byHeader];
  return [...DELIMITERS.filter((delimiter) => text.includes(delimiter)), ''];
}

function quotesIn(text: string, options: SniffOptions, delimiter: string): string[] {
  if (options.quote !== 'auto') return [options.quote];
  const used = QUOTES.filter((quote) => opensCell(text, quote, delimiter));
  // Where no double quote opens a cell, the usual dialect is as good as one without quotes.
  if (!used.includes('"')) return ['"', ...used];
  // Whoever says how quotes are escaped has some.
  return isAuto(options.escape) ? [...used, ''] : used;
}

/** Does a quote stand where a cell begins? */
function opensCell(text: string, quote: string, delimiter: string): boolean {
  if (text.startsWith(quote)) return true;
  if (delimiter !== '' && text.includes(delimiter + quote)) return true;
  return text.includes(`\n${quote}`) || text.includes(`\r${quote}`);
}

function isMostlyCr(text: string): boolean {
  const lone = text.match(/\r(?!\n)/g)?.length ?? 0;
  const feeds = text.match(/\n/g)?.length ?? 0;
  return lone > feeds;
}

/** Quotes that mean nothing, or that nothing escapes, are told from stray ones by their number. */
const MIN_BARE_QUOTES = 2;

/** One stray quote does not make a file one without quotes, as long as others are sound or stand around cells. */
function withoutNeedlessNone(ranked: Scored[]): Scored[] {
  const sound = ranked.filter(({ quotes }) => quotes.sound > 0 && quotes.sound >= quotes.faulty);
  const delimiters = new Set(sound.map(({ dialect }) => dialect.delimiter));
  return ranked.filter(({ dialect, quotes }) => {
    if (dialect.quote !== '') return true;
    return (
      !delimiters.has(dialect.delimiter) && quotes.half >= MIN_BARE_QUOTES && quotes.half > quotes.wrapped
    );
  });
}

function variants(
  { dialect, quotes }: Scored,
  { text, ends, options }: { text: string; ends: string; options: SniffOptions },
): Dialect[] {
  const escapes: Escape[] = [];
  const { quote, delimiter } = dialect;
  if (!quotes.doubled && isAuto(options.escape)) {
    const isEscaped = (mark: string) => mark !== '' && text.includes(`\\${mark}`);
    if (isEscaped(quote) || isEscaped(delimiter.slice(0, 1))) escapes.push('backslash');
    const isRule = quotes.faulty >= MIN_BARE_QUOTES || (quotes.faulty > 0 && quotes.sound === 0);
    if (isRule && delimiter !== '') escapes.push('none');
  }
  const found: Dialect[] = escapes.map((way) => ({ ...dialect, escape: way }));
  if (ends !== 'mixed') return found;
  const flipped = [dialect, ...found].map((one) => ({ ...one, loneCrEnds: !one.loneCrEnds }));
  return [...found, ...flipped];
}
