import { crashPoint } from '../base/crash-point.js';
import { DropgateError, messageOf } from '../base/errors.js';
import { formatCount, quoteValue } from '../base/text.js';
import type { Engine, Session, SqlDialect } from './engine.js';
import { claimLoads, type LedgerEntry } from './ledger-table.js';
import { quoteName } from './quote.js';
import type { TargetTable } from './target-table.js';
import { upsertRows } from './upsert.js';

/** A Parquet file on its way into a table; `rows` is what its footer counts. */
export type FileToLoad = LedgerEntry;

/** What became of one file. */
export interface LoadOutcome {
  /** `refused`: no retry can load it. */
  status: 'loaded' | 'already_loaded' | 'refused';
  /** Rows of the file. */
  rows: number;
  /** Why it was refused. */
  error?: DropgateError;
}

export interface LoadRequest<F extends FileToLoad> {
  engine: Engine;
  table: TargetTable;
  files: F[];
  /**
   * The rows of files, one file after the other, as COPY text in the order of the table's columns. Chunks are whole rows
   * and never empty. Can be called more than once for a file.
   */
  copyTextOf: (files: F[]) => AsyncIterable<Uint8Array>;
  /**
   * None of the files is known to have been loaded. Their rows, and those of all that join them, then go to the server in one COPY
   * before they are claimed, so that it does not wait for answers of ours in between. Only for tables in mode `append`.
   */
  areNew?: boolean;
  /** Is waited for before each commit. What it rejects with undoes the transaction; {@link Withdrawn} ends the load as well. */
  mayCommit?: () => Promise<void>;
  /** Further files for the same transaction, asked for until there are none. They stand at the end of `files` then. */
  more?: () => Promise<F[]>;
}

/** Files are not to be loaded after all: nothing of them is. */
export class Withdrawn extends Error {}

/**
 * Loads files into one table, all in one transaction and in their order, together with their rows in the load ledger.
 * When they cannot be loaded, each half of them is tried again, so that in the end only the file at fault is refused.
 * Both tables must exist.
 * @returns an outcome a file, in the order of the files
 * @throws Withdrawn; else only what `engine.classify` calls transient; the same call can be repeated, files that had been committed are
 *   then `already_loaded`
 */
export async function loadFiles<F extends FileToLoad>(request: LoadRequest<F>): Promise<LoadOutcome[]> {
  const { engine, files, areNew } = request;
  if (files.length === 0) return [];
  try {
    return await engine.transaction(async (session) => {
      const outcomes = areNew ? await loadNew(session, request) : await loadAll(session, request);
      await request.mayCommit?.();
      crashPoint('before-commit');
      return outcomes;
    });
  } catch (error) {
    if (error instanceof Withdrawn || engine.classify(error) === 'transient') throw error;
    // Only a claim tells whether the database has something against rows that it holds already.
    if (areNew) return loadFiles({ ...request, areNew: false, more: undefined });
    if (files.length === 1) return [{ status: 'refused', rows: files[0].rows, error: refusal(error) }];
  }
  const middle = Math.ceil(files.length / 2);
  const half = { ...request, more: undefined };
  const first = await loadFiles({ ...half, files: files.slice(0, middle) });
  return [...first, ...(await loadFiles({ ...half, files: files.slice(middle) }))];
}

/** All rows first, then the claim of their files. @throws Error when one of them had been loaded before */
async function loadNew<F extends FileToLoad>(
  session: Session,
  request: LoadRequest<F>,
): Promise<LoadOutcome[]> {
  const files: F[] = [];
  async function* copyText(): AsyncGenerator<Uint8Array> {
    for (let next = [...request.files]; next.length > 0; next = (await request.more?.()) ?? []) {
      files.push(...next);
      yield* request.copyTextOf(next);
    }
  }
  await loadRows(session, { ...request, files, copyTextOf: copyText });
  const claimed = await claimLoads(session, request.engine.dialect, files);
  if (claimed.size < files.length) throw new Error('a file that was taken for new had been loaded before');
  crashPoint('load-claimed');
  return files.map(({ rows }) => ({ status: 'loaded', rows }));
}

/** The claim of files first, then their rows; then the same for those that join them. */
async function loadAll<F extends FileToLoad>(
  session: Session,
  request: LoadRequest<F>,
): Promise<LoadOutcome[]> {
  const outcomes: LoadOutcome[] = [];
  for (let files = [...request.files]; files.length > 0; files = (await request.more?.()) ?? [])
    outcomes.push(...(await loadTogether(session, { ...request, files })));
  return outcomes;
}

async function loadTogether<F extends FileToLoad>(
  session: Session,
  request: LoadRequest<F>,
): Promise<LoadOutcome[]> {
  const { engine, table, files } = request;
  // 1. Which of them are to be loaded: nobody else can load those until the transaction ends.
  const claimed = await claimLoads(session, engine.dialect, files);
  if (claimed.size > 0) crashPoint('load-claimed');
  // 2. Their rows, in one go; a file that replaces the table has to come by itself.
  const fresh = files.filter((file) => claimed.has(file));
  const portions = table.mode === 'replace' ? fresh.map((file) => [file]) : [fresh];
  for (const portion of portions)
    if (portion.length > 0) await loadRows(session, { ...request, files: portion });
  return files.map((file) => ({ status: claimed.has(file) ? 'loaded' : 'already_loaded', rows: file.rows }));
}

async function loadRows<F extends FileToLoad>(session: Session, request: LoadRequest<F>): Promise<void> {
  const { engine, table, files, copyTextOf } = request;
  const taken = await writeRows(session, { dialect: engine.dialect, table, chunks: copyTextOf(files) });
  // Files may have joined them.
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  if (taken !== rows) {
    // Of several files the one at fault is found when they are tried again.
    const names = files.map(({ file }) => quoteValue(file)).join(', ');
    throw new DropgateError(
      'load_refused',
      `The database took ${formatCount(taken)} of the ${formatCount(rows)} rows of ${names}.`,
      { hint: 'Look for a trigger, a rule or a policy on the table that leaves out rows.' },
    );
  }
  crashPoint('rows-copied');
}

interface RowSource {
  dialect: SqlDialect;
  table: TargetTable;
  chunks: AsyncIterable<Uint8Array>;
}

/** Returns the number of rows that the server took. */
async function writeRows(session: Session, { dialect, table, chunks }: RowSource): Promise<number> {
  if (table.mode === 'upsert') return upsertRows(session, { dialect, table, chunks });
  // TRUNCATE would end the transaction on MySQL, and lock out readers on Postgres.
  if (table.mode === 'replace') await session.execute(`DELETE FROM ${quoteName(dialect, table.name)}`);
  return session.copyIn(
    table.name,
    table.columns.map(({ name }) => name),
    chunks,
  );
}

/** Everything that the database said, in one line: Postgres puts the value into the detail and the row into the context. */
function refusal(error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  const { detail, where } = error as { detail?: string; where?: string };
  const parts = [messageOf(error), detail, where].filter((part) => part);
  return new DropgateError('load_refused', `The database refused the rows: ${parts.join('; ')}`, {
    cause: error,
  });
}
