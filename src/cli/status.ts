import { EXIT } from '../base/errors.js';
import { pathFrom } from '../base/files.js';
import { formatBytes, formatCount, plural } from '../base/text.js';
import { localDate } from '../pipeline/publish.js';
import { type Activity, type LatestFile, readStatus, type Status } from '../pipeline/status.js';
import type { Command, CommandContext } from './command.js';
import { type TextColumn, textTable } from './table.js';

/** `dropgate status`: how everything stands. */
export const statusCommand: Command = {
  name: 'status',
  argumentsText: '[--json]',
  summary: 'pending, failed and loaded files, rates, database',
  details: `Looks at the folders, the local ledger and the database, beside a running daemon or without one, and changes nothing.

  --json   one document with the same content; its shape is described in src/pipeline/status.ts

Exits 0 whatever it finds; the state of the database is in the output.`,
  options: { json: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  const settings = context.settings();
  const status = await readStatus(settings);
  if (context.values.json) {
    context.out(JSON.stringify(status, null, 2));
    return EXIT.done;
  }
  const shown = (folder: string) => pathFrom(context.root, folder);
  const { input, failed, output, outputFailed } = settings.folders;
  const places = {
    input: shown(input),
    failed: shown(failed),
    output: shown(output),
    outputFailed: shown(outputFailed),
  };
  for (const line of statusLines(status, places)) context.out(line);
  return EXIT.done;
}

/** The folders as they are to be shown. */
type Places = Record<'input' | 'failed' | 'output' | 'outputFailed', string>;

function statusLines(status: Status, places: Places): string[] {
  const { loaded, activity, latest, warnings } = status;
  return [
    `Dropgate ${status.version} in ${status.root}`,
    `Daemon    ${describeDaemon(status)}`,
    `Database  ${describeDatabase(status)}`,
    `Pending   ${describePending(status, places)}`,
    ...describeFailed(status, places).map((text, i) => `${i === 0 ? 'Failed  ' : '        '}  ${text}`),
    `Waiting   ${plural(status.waiting_to_load, 'Parquet file')} in ${places.output} to be loaded`,
    `Loaded    ${plural(loaded.files, 'file')}, ${plural(loaded.rows, 'row')}`,
    '',
    ...activityTable(activity),
    ...(latest.length > 0 ? ['', ...latestTable(latest)] : []),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ];
}

function describeDaemon({ daemon }: Status): string {
  return daemon.running ? `runs, pid ${daemon.pid ?? 'unknown'}` : 'does not run';
}

function describeDatabase({ database }: Status): string {
  const { engine, address, state, message } = database;
  const named = engine === 'embedded' ? `embedded, in ${address}` : address;
  switch (state) {
    case 'none':
      return 'none, files are only converted';
    case 'reachable':
      return `${named}: reachable`;
    case 'closed':
      return `${named}: not open; it is opened when it is needed`;
    case 'unreachable':
      return `${named}: unreachable (${message})`;
  }
}

function describePending({ pending }: Status, { input }: Places): string {
  const parts = [`${formatCount(pending.ready)} ready (${formatBytes(pending.ready_bytes)})`];
  if (pending.being_written > 0) parts.push(`${formatCount(pending.being_written)} being written`);
  if (pending.without_marker > 0) parts.push(`${formatCount(pending.without_marker)} without a marker`);
  const detail = pending.files === 0 ? '' : `: ${parts.join(', ')}`;
  return `${plural(pending.files, 'file')} in ${input}${detail}`;
}

function describeFailed({ failed }: Status, places: Places): string[] {
  const lines = [`${plural(failed.files, 'file')} in ${places.failed}${codes(failed.by_code)}`];
  if (failed.parquet_files > 0) {
    lines.push(
      `${plural(failed.parquet_files, 'Parquet file')} in ${places.outputFailed}${codes(failed.parquet_by_code)}`,
    );
  }
  if (failed.rejected_files > 0) {
    lines.push(`${plural(failed.rejected_files, 'file')} with rows left out, in ${places.failed}`);
  }
  return lines;
}

function codes(byCode: Record<string, number>): string {
  const sorted = Object.entries(byCode).sort((a, b) => b[1] - a[1]);
  return sorted.length === 0 ? '' : `: ${sorted.map(([code, files]) => `${files} ${code}`).join(', ')}`;
}

const ACTIVITY_COLUMNS: [string, (activity: Activity) => string][] = [
  ['converted', ({ files_converted: files }) => formatCount(files)],
  ['failed', ({ files_failed: files }) => formatCount(files)],
  ['duplicate', ({ files_duplicate: files }) => formatCount(files)],
  ['rows', ({ rows_converted: rows }) => formatCount(rows)],
  ['bytes', ({ bytes_converted: bytes }) => formatBytes(bytes)],
  ['loaded', ({ files_loaded: files }) => formatCount(files)],
  ['rows loaded', ({ rows_loaded: rows }) => formatCount(rows)],
];

function activityTable({ last_hour, last_24_hours }: Status['activity']): string[] {
  const columns: TextColumn[] = [
    { title: '', align: 'left' },
    ...ACTIVITY_COLUMNS.map(([title]) => ({ title, align: 'right' as const })),
  ];
  const row = (label: string, activity: Activity) => [
    label,
    ...ACTIVITY_COLUMNS.map(([, show]) => show(activity)),
  ];
  return textTable(columns, [row('last hour', last_hour), row('last 24 hours', last_24_hours)]);
}

function latestTable(latest: readonly LatestFile[]): string[] {
  const columns: TextColumn[] = [
    { title: 'last files', align: 'left' },
    { title: 'file', align: 'left' },
    { title: 'state', align: 'left' },
    { title: 'rows in', align: 'right' },
    { title: 'rows out', align: 'right' },
  ];
  const rows = latest.map(({ judged_at, name, state, code, rows_in, rows_out }) => [
    localTime(new Date(judged_at)),
    name,
    code === null ? state : `${state}: ${code}`,
    formatCount(rows_in),
    formatCount(rows_out),
  ]);
  return textTable(columns, rows);
}

/** `2026-11-22 06:31:02`, as in the log. */
function localTime(time: Date): string {
  return `${localDate(time)} ${time.toTimeString().slice(0, 8)}`;
}
