import path from 'node:path';
import { DropgateError, EXIT } from '../base/errors.js';
import { openLog } from '../base/log.js';
import { plural } from '../base/text.js';
import { type FailedFile, listFailed, readFailure } from '../pipeline/failed-files.js';
import { type RetryOutcome, retryFailed } from '../pipeline/retry.js';
import { runningProcess, type Status } from '../pipeline/status.js';
import type { Command, CommandContext } from './command.js';
import { textTable } from './table.js';

/** `dropgate retry`: failed files are tried again. */
export const retryCommand: Command = {
  name: 'retry',
  argumentsText: '[NAME...] [--all]',
  summary: 'gives failed files back to be tried again',
  details: `Without an argument the failed files are listed, with the reason of each.

A NAME is the name of a file in input_csv/output_failed or output_parquet/output_failed, with or without its extension, or
its path. Files that could not be converted go back to input_csv, Parquet files that could not be loaded to output_parquet,
under the name they were delivered with; where that name is taken they get a suffix, nothing is overwritten. Their
reports are removed. A running daemon takes them up at once, otherwise the next "dropgate run" or "dropgate once" does.

  --all   every failed file

<name>.rejected.csv holds rows that were left out of a file that passed; it is not a failed file, and --all leaves it
alone. Mend its rows, then name it: dropgate retry scores.rejected.csv

Exits 2 when a NAME is unknown (nothing is moved then), 3 when a file could not be moved.`,
  options: { all: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  const names = context.positionals;
  const all = context.values.all === true;
  if (all && names.length > 0) throw new DropgateError('usage', 'retry takes names or --all, not both');
  const settings = context.settings();
  if (!all && names.length === 0) return list(context, await listFailed(settings.folders));
  const log = openLog({ file: settings.folders.logFile, ...settings.log });
  try {
    const outcome = await retryFailed({ settings, names, all, log });
    show(context, outcome);
    context.say(summarise(outcome, runningProcess(settings)));
    return outcome.kept.length > 0 ? EXIT.filesFailed : EXIT.done;
  } finally {
    log.close();
  }
}

async function list(context: CommandContext, failed: readonly FailedFile[]): Promise<number> {
  if (failed.length === 0) {
    context.say('No file has failed.');
    return EXIT.done;
  }
  const rows = await Promise.all(
    failed.map(async ({ kind, path: file }) => {
      const code = (await readFailure(file))?.code ?? 'unknown';
      return [path.relative(context.root, file), kind === 'rejected' ? 'rows left out' : code];
    }),
  );
  const columns = ['file', 'reason'].map((title) => ({ title, align: 'left' as const }));
  for (const line of textTable(columns, rows)) context.out(line);
  context.say('Name the files to be tried again, or give --all.');
  return EXIT.done;
}

function show(context: CommandContext, { moved, kept }: RetryOutcome): void {
  const shown = (file: string) => path.relative(context.root, file);
  for (const { from, to } of moved) context.out(`${shown(from)} -> ${shown(to)}`);
  for (const { file, reason } of kept) process.stderr.write(`${shown(file)} stays: ${reason}\n`);
}

function summarise({ moved }: RetryOutcome, daemon: Status['daemon']): string {
  if (moved.length === 0) return 'No file was given back.';
  const next = daemon.running
    ? `the running Dropgate (pid ${daemon.pid ?? 'unknown'}) tries again`
    : 'run "dropgate once", or start "dropgate run", to try again';
  return `${plural(moved.length, 'file')} given back; ${next}.`;
}
