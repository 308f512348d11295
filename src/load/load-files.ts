import { crashPoint } from '../base/crash-point.js';
import { DropgateError, messageOf } from '../base/errors.js';
import { formatCount, quoteValue } from '../base/text.js';
import type { Engine, Session, SqlDialect } from './engine.js';
import { claimLoad, type LedgerEntry } from './ledger-table.js';
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
  /** The rows of a file as COPY text in the order of the table's columns. Can be called more than once for a file. */
  copyTextOf: (file: F) => AsyncIterable<Uint8Array>;
}

/**
 * Loads files into one table, all in one transaction and in their order, each together with its row in the load ledger.
 * When a file cannot be loaded, all are tried again one by one, so that only that one is refused. Both tables must
 * exist.
 * @returns an outcome a file, in the order of the files
 * @throws only what `engine.classify` calls transient; the same call can be repeated, files that had been committed are
 *   then `already_loaded`
 */
export async function loadFiles<F extends FileToLoad>(request: LoadRequest<F>): Promise<LoadOutcome[]> {
  const { engine, files } = request;
  if (files.length === 0) return [];
  try {
    return await engine.transaction(async (session) => {
      const outcomes = await loadTogether(session, request);
      crashPoint('before-commit');
      return outcomes;
    });
  } catch (error) {
    if (engine.classify(error) === 'transient') throw error;
    if (files.length === 1) return [{ status: 'refused', rows: files[0].rows, error: refusal(error) }];
  }
  const outcomes: LoadOutcome[] = [];
  for (const file of files) outcomes.push(...(await loadFiles({ ...request, files: [file] })));
  return outcomes;
}

async function loadTogether<F extends FileToLoad>(
  session: Session,
  request: LoadRequest<F>,
): Promise<LoadOutcome[]> {
  const outcomes: LoadOutcome[] = [];
  for (const file of request.files) outcomes.push(await loadOne(session, { ...request, file }));
  return outcomes;
}

interface OneLoad<F extends FileToLoad> extends LoadRequest<F> {
  file: F;
}

async function loadOne<F extends FileToLoad>(session: Session, load: OneLoad<F>): Promise<LoadOutcome> {
  const { engine, table, file, copyTextOf } = load;
  const { rows } = file;
  if (!(await claimLoad(session, engine.dialect, file))) return { status: 'already_loaded', rows };
  crashPoint('load-claimed');
  const taken = await writeRows(session, { dialect: engine.dialect, table, chunks: copyTextOf(file) });
  if (taken !== rows) {
    throw new DropgateError(
      'load_refused',
      `The database took ${formatCount(taken)} of the ${formatCount(rows)} rows of ${quoteValue(file.file)}.`,
      { hint: 'Look for a trigger, a rule or a policy on the table that leaves out rows.' },
    );
  }
  crashPoint('rows-copied');
  return { status: 'loaded', rows };
}

interface RowSource {
  dialect: SqlDialect;
  table: TargetTable;
  chunks: AsyncIterable<Uint8Array>;
}

/** Returns the number of rows that the server took from the file. */
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
