import { DropgateError, messageOf } from '../base/errors.js';
import { formatDuration, quoteValue } from '../base/text.js';

/**
 * Words by which MySQL writes and reads files of its server in a statement that only reads. Wherever they stand: what is
 * a comment or a text for MySQL is not always one for us.
 */
const SERVER_FILES = /\b(?:outfile|dumpfile|load_file)\b/i;

const READING = new Set(['select', 'with', 'values', 'table', 'show', 'explain', 'describe', 'desc']);

/**
 * A first fence in front of the read-only transaction, which lets a few statements with effects outside of the tables
 * pass (COPY … TO PROGRAM, SET).
 * @throws DropgateError `query_refused`
 */
export function checkReads(sql: string): void {
  const word = firstWord(sql);
  const serverFile = SERVER_FILES.exec(sql);
  if (serverFile)
    throw new DropgateError(
      'query_refused',
      `A statement with the word ${quoteValue(serverFile[0])} could reach files of the server.`,
    );
  if (READING.has(word)) return;
  const what =
    word === ''
      ? 'The statement is empty'
      : `A statement that begins with ${quoteValue(word)} does not only read`;
  throw new DropgateError('query_refused', `${what}.`);
}

/** What the database said against the statement, with the place where it says so. */
export function queryRefused(error: unknown, sql: string): DropgateError {
  if (error instanceof DropgateError) return error;
  const place = placeOf(error, sql);
  const where = place ? ` (line ${place.line}, column ${place.column})` : '';
  return new DropgateError(
    'query_refused',
    `The database refused the statement: ${messageOf(error)}${where}`,
    {
      cause: error,
    },
  );
}

/** Postgres counts characters from 1 in `position`. */
function placeOf(error: unknown, sql: string): { line: number; column: number } | undefined {
  const position = Number((error as { position?: unknown } | null)?.position);
  if (!(position > 0)) return undefined;
  const before = [...sql]
    .slice(0, position - 1)
    .join('')
    .split('\n');
  return { line: before.length, column: [...before.at(-1)!].length + 1 };
}

/** Somebody ended the statement. */
export function queryCancelled(): DropgateError {
  return new DropgateError('query_refused', 'The statement was cancelled.', { hint: 'Run it again.' });
}

/** How a statement is ended when a signal fires. */
export interface Cancellation {
  signal: AbortSignal | undefined;
  cancel: () => void;
  /** Cancelling costs more than waiting a moment for the statement to end by itself. */
  isCostly?: boolean;
}

/** A server forgets a cancellation that comes before the statement, so it is told again until the statement has ended. */
const CANCEL_EVERY_MS = 500;

/**
 * Runs `work` and has `cancel` end it when the signal fires.
 * @throws DropgateError `query_refused` when it fired; else what `work` throws
 */
export async function cancellable<T>(
  { signal, cancel, isCostly = false }: Cancellation,
  work: () => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw queryCancelled();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    if (!isCostly) cancel();
    timer = setInterval(cancel, CANCEL_EVERY_MS);
  };
  signal?.addEventListener('abort', begin, { once: true });
  try {
    return await work();
  } catch (error) {
    throw signal?.aborted ? queryCancelled() : error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', begin);
  }
}

/** Whether a statement gives rows of which a cursor can fetch some: not so those that tell of the server. */
export function isCursorable(sql: string): boolean {
  return ['select', 'with', 'values', 'table'].includes(firstWord(sql));
}

/** The statement ran longer than it may. */
export function queryTooSlow(timeoutMs: number): DropgateError {
  return new DropgateError('query_refused', `The statement ran longer than ${formatDuration(timeoutMs)}.`, {
    hint: 'Narrow the statement, add an index, or raise the time limit.',
  });
}

/** In lower case, after white space, comments and opening brackets. */
function firstWord(sql: string): string {
  const start = /^(?:\s|\(|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(sql)?.[0].length ?? 0;
  return /^[a-z]*/i.exec(sql.slice(start))![0].toLowerCase();
}
