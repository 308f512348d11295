import { DropgateError, EXIT } from '../base/errors.js';
import { didYouMean } from '../base/suggest.js';
import { formatDuration, plural } from '../base/text.js';
import { listQueries, namedQuery, runQuery } from '../pipeline/query.js';
import type { Command, CommandContext } from './command.js';
import { FORMATS, type Format, formatResult } from './result-format.js';
import { textTable } from './table.js';

const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 86_400;

/** `dropgate query`: a named query or a statement that only reads. */
export const queryCommand: Command = {
  name: 'query',
  argumentsText: '[NAME|SQL] [options]',
  summary: 'runs sql/<engine>/NAME.sql or a statement, reading only',
  details: `Without an argument the named queries are listed. An argument without a space is a name; everything else is a
statement, which needs quotes: dropgate query "SELECT count(*) FROM student_data"

  --format table      aligned columns, NULL shown as NULL (the default)
  --format csv        RFC 4180 with a header; NULL is an empty cell, an empty text is ""
  --format json       one array of objects; whole numbers beyond 2^53 and decimals are texts
  --timeout SECONDS   ends the statement after so long (default ${DEFAULT_TIMEOUT_SECONDS})

The statement runs in a transaction that can only read. The embedded database is reached through the running daemon; when
none runs, it is opened for as long as the statement takes, under the lock of the folders.

Exits 2 when the statement is refused or takes too long, 4 when the database cannot be reached, 5 when another Dropgate
holds the embedded database and does not answer.`,
  options: { format: { type: 'string' }, timeout: { type: 'string' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  // 1. What is asked.
  const format = formatOf(context);
  const timeoutMs = timeoutOf(context);
  const [asked, ...more] = context.positionals;
  if (more.length > 0) {
    throw new DropgateError('usage', 'query takes one argument', {
      hint: 'Put quotes around the statement, as in: dropgate query "SELECT 1"',
    });
  }
  const settings = context.settings();
  if (asked === undefined) return list(context, format);
  const sql = /[\s(]/.test(asked) ? asked : namedQuery(settings, asked);
  // 2. The answer.
  const startedAt = performance.now();
  const result = await runQuery({ settings, sql, timeoutMs });
  for (const line of formatResult(result, format)) context.out(line);
  if (format === 'table') {
    context.say(`${plural(result.rows.length, 'row')}, ${formatDuration(performance.now() - startedAt)}`);
  }
  return EXIT.done;
}

function formatOf({ values }: CommandContext): Format {
  const given = values.format ?? 'table';
  const format = FORMATS.find((one) => one === given);
  if (format) return format;
  throw new DropgateError(
    'usage',
    `--format is one of ${FORMATS.join(', ')}, not "${given}"${didYouMean(String(given), FORMATS)}`,
  );
}

function timeoutOf({ values }: CommandContext): number {
  const seconds = values.timeout === undefined ? DEFAULT_TIMEOUT_SECONDS : Number(values.timeout);
  if (seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return Math.ceil(seconds * 1000);
  throw new DropgateError(
    'usage',
    `--timeout is a number of seconds up to ${MAX_TIMEOUT_SECONDS}, not "${values.timeout}"`,
  );
}

function list(context: CommandContext, format: Format): number {
  const queries = listQueries(context.settings());
  if (format === 'json') {
    context.out(JSON.stringify(queries, null, 2));
    return EXIT.done;
  }
  const rows = queries.map(({ name, title, question }) => [name, title, question]);
  if (format === 'csv') {
    for (const line of formatResult({ columns: ['name', 'title', 'question'], rows }, 'csv'))
      context.out(line);
    return EXIT.done;
  }
  if (queries.length === 0) context.say(`There are no queries in ${context.settings().folders.sql}.`);
  const columns = ['name', 'title', 'question'].map((title) => ({ title, align: 'left' as const }));
  if (queries.length > 0) for (const line of textTable(columns, rows)) context.out(line);
  return EXIT.done;
}
