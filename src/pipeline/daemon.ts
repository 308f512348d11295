import path from 'node:path';
import { ClockWatch } from '../base/clock-watch.js';
import type { Log } from '../base/log.js';
import { formatDuration } from '../base/text.js';
import { VERSION } from '../base/version.js';
import type { Settings } from '../config/settings.js';
import { FolderWatcher } from '../watch/folder-watcher.js';
import { isDelimitedName, isParquetName } from '../watch/names.js';
import type { WatchFault } from '../watch/types.js';
import { openPipeline, type Pipeline } from './app.js';
import { removeOldArchives } from './archive.js';

/** A running daemon. */
export interface Daemon {
  pipeline: Pipeline;
  /** Of the input folder. */
  input: FolderWatcher;
  /** Of the output folder; undefined when nothing is loaded. */
  output: FolderWatcher | undefined;
  /** Finishes the files in hand and lets go of everything. */
  stop(): Promise<void>;
}

/** How often old archive folders are looked for. */
const HOUSEKEEPING_MS = 3_600_000;
/** After a jump of the clock originals are left in the archive for this long: a wrong date would be the end of them. */
const TRUST_AFTER_MS = 86_400_000;

/** Starts the daemon: resolves when the files that were there have been seen. Errors: `locked`. */
export async function startDaemon({ settings, log }: { settings: Settings; log: Log }): Promise<Daemon> {
  const watchers: { input?: FolderWatcher; output?: FolderWatcher } = {};
  const pipeline = await openPipeline({
    settings,
    log,
    releases: {
      input: (name, retryInMs) => watchers.input?.release(name, { retryInMs }),
      output: (name, retryInMs) => watchers.output?.release(name, { retryInMs }),
    },
  });
  const { folders } = settings;
  const { intake, loads, quality } = pipeline;
  const input = new FolderWatcher({
    ...commonOptions(settings, log),
    folder: folders.input,
    ready: settings.watch.ready,
    accepts: isDelimitedName,
    onReady: (files) => intake.offer(files),
  });
  watchers.input = input;
  if (loads) {
    watchers.output = new FolderWatcher({
      ...commonOptions(settings, log),
      folder: folders.output,
      ready: 'settle',
      accepts: isParquetName,
      onReady: (files) => loads.offerFound(files),
    });
  }
  log.info(startMessage(settings, pipeline));
  loads?.open();
  await Promise.all([input.start(), watchers.output?.start()]);
  quality.start();
  const stopHousekeeping = keepHouse(settings, log);
  return {
    pipeline,
    input,
    output: watchers.output,
    stop: async () => {
      stopHousekeeping();
      await Promise.all([input.stop(), watchers.output?.stop()]);
      await pipeline.close();
      log.info('Stopped');
    },
  };
}

function commonOptions(settings: Settings, log: Log) {
  const { settleMs, polling, rescanMs } = settings.watch;
  return {
    settleMs,
    polling,
    rescanMs,
    ensureFolder: true,
    onFault: ({ message, hint, code }: WatchFault) => log.error(`${message} [${code}] ${hint}`),
    onRecovered: ({ message }: { message: string }) => log.info(message),
  };
}

function startMessage({ folders, root }: Settings, { engine }: Pipeline): string {
  const input = path.relative(root, folders.input);
  const target = engine ? `, loading into ${engine.address}` : ', converting only';
  return `Dropgate ${VERSION} (pid ${process.pid}) watches ${input}${target}`;
}

function keepHouse(settings: Settings, log: Log): () => void {
  const clock = new ClockWatch();
  const work = () => {
    const { archive } = settings.folders;
    const jumpMs = clock.look();
    if (jumpMs !== 0) {
      const way = jumpMs > 0 ? 'forwards' : 'backwards';
      log.warning(
        `The clock of this machine has jumped ${way} by ${formatDuration(Math.abs(jumpMs))}; nothing is removed from the archive for a day`,
      );
    }
    if (clock.sinceJumpMs < TRUST_AFTER_MS) return;
    removeOldArchives(archive, settings.intake.archiveDays).then(
      (count) =>
        count > 0 &&
        log.info(`Removed ${count} archive folders older than ${settings.intake.archiveDays} days`),
      (error: unknown) => log.warning(`Old archive folders cannot be removed: ${error}`),
    );
  };
  work();
  const timer = setInterval(work, HOUSEKEEPING_MS);
  timer.unref();
  return () => clearInterval(timer);
}
