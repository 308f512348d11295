import { EXIT } from '../base/errors.js';
import { pathFrom } from '../base/files.js';
import { openLog } from '../base/log.js';
import { systemdNotifier } from '../base/notify-systemd.js';
import { startDaemon } from '../pipeline/daemon.js';
import type { Command, CommandContext } from './command.js';
import { servePages } from './serve.js';

/** `dropgate run`: the daemon. */
export const runCommand: Command = {
  name: 'run',
  argumentsText: '',
  summary: 'the daemon: takes files as they arrive, until SIGTERM or SIGINT',
  details: 'SIGTERM and SIGINT finish the files in hand and exit 0. SIGHUP opens the log file anew.',
  options: {},
  run,
};

async function run(context: CommandContext): Promise<number> {
  // 1. Configuration: nothing is touched before it is right.
  const settings = context.settings();
  const log = openLog({ file: settings.folders.logFile, ...settings.log, echo: context.say });
  for (const warning of settings.warnings) log.warning(warning);
  // 2. The daemon.
  const stopRequest = waitForStop();
  process.on('SIGHUP', () => log.reopen());
  const systemd = systemdNotifier({ onFault: (text) => log.warning(text) });
  try {
    const daemon = await startDaemon({ settings, log });
    await systemd.ready();
    invite(context, settings.folders.input);
    // 3. The pages.
    const pages = settings.server.enabled ? servePages(daemon, log) : undefined;
    // 4. Until somebody ends it.
    const signal = await stopRequest;
    log.info(`Stopping on ${signal}: finishing the files in hand`);
    await systemd.stopping();
    await pages?.close();
    await daemon.stop();
    return EXIT.done;
  } finally {
    systemd.close();
    log.close();
  }
}

function waitForStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

/** Tells a newcomer what to do next. */
function invite(context: CommandContext, input: string): void {
  const shown = pathFrom(process.cwd(), input);
  context.say(`Drop CSV files into ${shown}/, for example: cp samples/student-sample.csv ${shown}/`);
}
