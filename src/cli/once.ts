import { EXIT } from '../base/errors.js';
import { openLog } from '../base/log.js';
import { plural } from '../base/text.js';
import { type OnceOutcome, runOnce } from '../pipeline/run-once.js';
import type { Command, CommandContext } from './command.js';
import { Progress } from './progress.js';

/** `dropgate once`: one pass, for cron. */
export const onceCommand: Command = {
  name: 'once',
  argumentsText: '',
  summary: 'converts and loads everything that is there now, then exits; for cron',
  details:
    'Exits 3 when files failed, 4 when the database could not be reached (the files wait for the next run).',
  options: {},
  run,
};

async function run(context: CommandContext): Promise<number> {
  const settings = context.settings();
  const progress = new Progress({ isEnabled: process.stderr.isTTY === true && !context.isQuiet });
  const echo = (line: string) => progress.above(() => context.say(line));
  const log = openLog({ file: settings.folders.logFile, ...settings.log, echo });
  for (const warning of settings.warnings) log.warning(warning);
  try {
    const outcome = await runOnce({
      settings,
      log,
      onStart: (pipeline, files) => progress.follow(pipeline, files),
    });
    progress.end();
    context.say(summarise(outcome));
    return exitCode(outcome);
  } finally {
    progress.end();
    log.close();
  }
}

function summarise(outcome: OnceOutcome): string {
  const parts = [
    `${plural(outcome.converted, 'file')} converted (${plural(outcome.rows, 'row')})`,
    `${outcome.duplicates} known already`,
    `${outcome.failed} failed`,
    `${plural(outcome.loaded, 'file')} loaded (${plural(outcome.rowsLoaded, 'row')})`,
  ];
  if (outcome.refused > 0) parts.push(`${outcome.refused} Parquet files could not be loaded`);
  if (outcome.notLoaded > 0) parts.push(`${outcome.notLoaded} wait for the database`);
  if (outcome.leftBehind.length > 0)
    parts.push(`${outcome.leftBehind.length} still being written, left for the next run`);
  return parts.join(', ');
}

function exitCode(outcome: OnceOutcome): number {
  if (outcome.failed > 0 || outcome.refused > 0) return EXIT.filesFailed;
  return outcome.notLoaded > 0 ? EXIT.database : EXIT.done;
}
