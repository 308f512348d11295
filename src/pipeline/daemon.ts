import path from 'node:path';
import { collectAtRest } from '../base/heap.js';
import type { Log } from '../base/log.js';
import { VERSION } from '../base/version.js';
import type { Settings } from '../config/settings.js';
import { FolderWatcher } from '../watch/folder-watcher.js';
import { isDelimitedName, isParquetName } from '../watch/names.js';
import type { WatchFault } from '../watch/types.js';
import { openPipeline, type Pipeline } from './app.js';
import { ArchiveKeeper } from './archive.js';

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
/** Of what waits to be converted, so much is kept at hand: work for a second or two, and 2 MB. */
const MAX_FOLLOWED_FILES = 2000;

/**
 * Starts the daemon: resolves when the files that lay in the input folder have been seen. There may be many more in the output
 * folder. Errors: `locked`.
 */
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
    maxFollowed: MAX_FOLLOWED_FILES,
    onStirring: () => pipeline.wake(),
    onReady: (files) => intake.offer(files),
    ahead: {
      onAhead: (files) => intake.readAhead(files),
      onLost: (tickets) => intake.loseAhead(tickets),
    },
  });
  watchers.input = input;
  if (loads) {
    watchers.output = new FolderWatcher({
      ...commonOptions(settings, log),
      folder: folders.output,
      ready: 'settle',
      accepts: isParquetName,
      ahead: {
        onAhead: (files) => loads.offerAhead(files),
        onLost: (tickets) => loads.loseAhead(tickets),
      },
      onReady: (files) => loads.offerFound(files),
      doneBefore: (names) => loads.settledAmong(names),
      isInHand: (name) => loads.isToLoad(name),
    });
  }
  log.info(startMessage(settings, pipeline));
  // What an earlier run left comes before what is converted from now on, so that tables grow in order.
  let isLooking = true;
  const inputSeen = input.start();
  const firstLook = inputSeen
    .then(() => watchers.output?.start())
    .finally(() => {
      isLooking = false;
    });
  loads?.offerAfter(firstLook);
  await inputSeen;
  // Reading the driver of the database takes as long as a tenth of the start.
  setImmediate(() => loads?.open());
  quality.start();
  const stopHousekeeping = keepHouse(settings, log);
  const stopCollecting = collectAtRest({
    isBusy: () => isLooking || intake.isBusy || (loads?.waiting ?? 0) > 0 || input.counts().settling > 0,
  });
  return {
    pipeline,
    input,
    output: watchers.output,
    stop: async () => {
      stopCollecting();
      await Promise.all([stopHousekeeping(), input.stop(), watchers.output?.stop()]);
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

/** Removes old originals from time to time. The answer ends that. */
function keepHouse(settings: Settings, log: Log): () => Promise<void> {
  const { archive, state } = settings.folders;
  const { archiveDays } = settings.intake;
  const keeper = new ArchiveKeeper({ archive, archiveDays, stateFolder: state, log });
  let sweeping = keeper.sweep();
  const timer = setInterval(() => {
    sweeping = keeper.sweep();
  }, HOUSEKEEPING_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return sweeping;
  };
}
