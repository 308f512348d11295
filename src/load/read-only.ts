import { DropgateError, messageOf } from '../base/errors.js';
import { formatDuration, quoteValue } from '../base/text.js';

const READING = new Set(['select', 'with', 'values', 'table', 'show', 'explain', 'describe', 'desc']);

/**
 * A first fence in front of the read-only transaction, which lets a few statements with effects outside of the tables
 * pass (COPY … TO PROGRAM, SET).
 * @throws DropgateError `query_refused`
 */
export function checkReads(sql: string): void {
  const word = firstWord(sql);
  if (READING.has(word)) return;
  const what =
    word === ''
      ? 'The statement is empty'
      : `A statement that begins with ${quoteValue(word)} does not only read`;
  throw new DropgateError('query_refused', `${what}.`);
}

/** What the database said against the statement. */
export function queryRefused(error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  return new DropgateError('query_refused', `The database refused the statement: ${messageOf(error)}`, {
    cause: error,
  });
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
