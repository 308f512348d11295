import fs from 'node:fs';
import path from 'node:path';
import { sweepTempFiles } from '../base/files.js';
import { keepHeapsSmall } from '../base/heap.js';
import type { Log } from '../base/log.js';
import { optimizeLittleAtFirst } from '../base/optimizer.js';
import { plural } from '../base/text.js';
import { openThreadPool, wake } from '../base/thread-pool.js';
import { VERSION } from '../base/version.js';
import type { Settings } from '../config/settings.js';
import { Ledger } from '../ledger/ledger.js';
import { FolderLock } from '../ledger/lock.js';
import type { Engine } from '../load/engine.js';
import { openEngine } from '../load/open-engine.js';
import type { RowTarget } from '../load/row-text.js';
import type { ConvertWorkerData } from './convert-worker.js';
import { CopyStream, looksInto } from './copy-stream.js';
import { GrowthWatch } from './growth-watch.js';
import { Intake } from './intake.js';
import { LoadQueue } from './load-queue.js';
import { Observers } from './observer.js';
import { Originals } from './originals.js';
import { Publisher } from './publish.js';
import { Quality } from './quality/quality.js';
import { TextRooms } from './rows-text.js';
import { Tally } from './tally.js';

/** How the parts hear that a file is done with, or is to be offered again. */
export interface Releases {
  input(name: string, retryInMs?: number): void;
  output(name: string, retryInMs?: number): void;
}

/** The parts that `run` and `once` share, joined and ready; whoever opens them closes them. */
export interface Pipeline {
  settings: Settings;
  ledger: Ledger;
  intake: Intake;
  /** Absent when the engine is `none`. */
  loads: LoadQueue | undefined;
  engine: Engine | undefined;
  originals: Originals;
  growth: GrowthWatch;
  observers: Observers;
  /** Counts since the start. */
  tally: Tally;
  quality: Quality;
  /** Starts a thread that the next file needs, while it settles. */
  wake(): void;
  /** Finishes what is in hand, within `shutdownMs`, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Takes the lock, makes the folders, sweeps what a killed run left, and joins the stages.
 * Errors: `locked`; system errors when a folder cannot be made.
 */
export async function openPipeline(options: {
  settings: Settings;
  log: Log;
  releases: Releases;
}): Promise<Pipeline> {
  const { settings, log, releases } = options;
  const { folders } = settings;
  keepHeapsSmall();
  optimizeLittleAtFirst();
  // 1. Alone on these folders.
  const lock = FolderLock.acquire(folders.state);
  try {
    // 2. Folders, without leftovers of a killed run. Others had them removed when they ended.
    makeFolders(settings);
    if (!lock.isInOrder) await sweep(settings, log);
    // 3. The stages.
    const ledger = Ledger.open(
      path.join(folders.state, 'ledger.db'),
      (reason) =>
        log.warning(
          `The local ledger was begun anew (${reason}); what is loaded is known from dropgate_loads`,
        ),
      { isKnownSound: lock.isInOrder },
    );
    const pipeline = assemble({ settings, log, releases, ledger, lock });
    // 4. What a killed run had begun, and what was written to after it.
    await pipeline.originals.recover();
    await pipeline.growth.start();
    return pipeline;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function assemble(parts: {
  settings: Settings;
  log: Log;
  releases: Releases;
  ledger: Ledger;
  lock: FolderLock;
}): Pipeline {
  const { settings, log, releases, ledger, lock } = parts;
  const { folders, intake: intakeSettings } = settings;
  const engine = engineOf(settings, log);
  const convertPool = openThreadPool({
    worker: './convert-worker.js',
    caller: import.meta.url,
    minThreads: 0,
    maxThreads: intakeSettings.workers,
    idleTimeout: IDLE_WORKER_MS,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    workerData: workerDataOf(settings, engine),
  });
  const copyPool = openThreadPool({
    worker: './copy-worker.js',
    caller: import.meta.url,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_WORKER_MS,
    concurrentTasksPerWorker: COPY_TASKS,
  });
  const tally = new Tally(settings.datasets.map(({ name }) => name));
  const observers = new Observers();
  observers.add(tally);
  const { root } = settings;
  const originals = new Originals({
    folders,
    keep: intakeSettings.originals,
    hasMarkers: settings.watch.ready === 'marker',
    ledger,
    log,
    root,
  });
  const growth = new GrowthWatch({ folders, ledger, log, root });
  const publisher = new Publisher({
    folders,
    originals,
    identity: intakeSettings.identity,
    isLoading: engine !== undefined,
    ledger,
    onPutAway: (recordIds) => growth.follow(recordIds),
  });
  const loads =
    engine &&
    new LoadQueue({
      engine,
      tables: settings.tables,
      datasets: settings.datasets,
      identity: intakeSettings.identity,
      folders,
      ledger,
      log,
      observers,
      root,
      copyTextOf: (paths, table) =>
        new CopyStream(copyPool, {
          paths,
          columns: table.columns,
          dialect: engine.dialect,
          isReturning: engine.isDoneWithChunks,
        }),
      areMoreComing: () => intake.isBringing,
      isNaming: (name) => publisher.isNaming(name),
      lookInto: (paths) => looksInto(copyPool, paths),
      release: releases.output,
    });
  const intake = new Intake({
    pool: convertPool,
    workers: intakeSettings.workers,
    publisher,
    log,
    observers,
    textRooms: loads && new TextRooms(),
    root,
    release: releases.input,
    onConverted: (files) => loads?.offerConverted(files),
    onAllBrought: () => loads?.noMoreAreComing(),
  });
  const quality = new Quality({
    settings,
    ledger,
    log,
    database: () => engine && loads && { address: engine.address, condition: loads.condition },
    isBusy: () => intake.isBusy,
  });
  observers.add(quality);
  return {
    settings,
    ledger,
    intake,
    loads,
    engine,
    originals,
    growth,
    observers,
    tally,
    quality,
    wake: () => wake(convertPool),
    close: async () => {
      // 1. What is in hand is finished, or abandoned: the next start does it again.
      const deadlineMs = performance.now() + intakeSettings.shutdownMs;
      const isDone = await within(intakeSettings.shutdownMs, Promise.all([intake.stop(), loads?.stop()]));
      intake.abandon();
      loads?.abandon();
      // 2. The parts, in little time.
      await growth.stop();
      await Promise.all([convertPool.destroy(), copyPool.destroy()]);
      const leftMs = Math.max(MIN_CLOSE_MS, deadlineMs - performance.now());
      await Promise.all([within(leftMs, engine?.close()), quality.close()]);
      // 3. What the next start would have to look at while somebody waits for it.
      const isInOrder = isDone && ledger.isSound() && (await isSwept(settings, log));
      ledger.close();
      // An abandoned step may still be under way: then the lock ends with the process.
      if (isDone) lock.release({ isInOrder });
    },
  };
}

/** Converting makes little that lives long; with node's own 48 MB for it each thread's memory grows without being faster. */
const YOUNG_MB = 16;

/**
 * Idle worker threads end after this, to give memory back: 15 MB each. The next ones start while a new file settles, but have
 * everything to compile again, and take twice as long for the first thousand files; a sender who delivers every few minutes finds
 * them still there.
 */
const IDLE_WORKER_MS = 300_000;

/** The text of a group that the database takes, that of the next group, and a look into files that were found. */
const COPY_TASKS = 3;

/** What closing a database gets at least, when the work in hand has used up the time. */
const MIN_CLOSE_MS = 1000;

function workerDataOf(settings: Settings, engine: Engine | undefined): ConvertWorkerData {
  return {
    rowTargets: engine && rowTargetsOf(settings, engine),
    datasets: settings.datasets,
    overlappingDatasets: settings.intake.overlappingDatasets,
    outputFolder: settings.folders.output,
    failedFolder: settings.folders.failed,
    scratchFolder: settings.folders.state,
    parquet: settings.parquet,
    limits: settings.limits,
    version: VERSION,
  };
}

function rowTargetsOf({ tables }: Settings, { dialect }: Engine): Record<string, RowTarget> {
  return Object.fromEntries(
    Object.entries(tables).map(([dataset, { columns }]) => [dataset, { columns, dialect }]),
  );
}

function engineOf(settings: Settings, log: Log): Engine | undefined {
  const { database } = settings;
  if (database.engine === 'none') return undefined;
  const onNotice = (text: string) => log.warning(text);
  return openEngine(
    database.engine === 'embedded' ? { ...database, mode: 'own', onNotice } : { ...database, onNotice },
  );
}

function makeFolders({ folders }: Settings): void {
  const { input, archive, failed, output, outputFailed } = folders;
  for (const folder of [input, archive, failed, output, outputFailed])
    fs.mkdirSync(folder, { recursive: true });
}

async function sweep({ folders }: Settings, log: Log): Promise<void> {
  const swept = await Promise.all(
    [folders.input, folders.archive, folders.failed, folders.output, folders.outputFailed, folders.state].map(
      sweepTempFiles,
    ),
  );
  const count = swept.reduce((sum, one) => sum + one, 0);
  if (count > 0) log.info(`Removed ${plural(count, 'unfinished temporary file')}`);
}

/** The same at the end. False when it could not be done. */
async function isSwept(settings: Settings, log: Log): Promise<boolean> {
  try {
    await sweep(settings, log);
    return true;
  } catch {
    return false;
  }
}

/** Waits for `work`, at most so long; false when it is not done then. */
async function within(milliseconds: number, work: Promise<unknown> | undefined): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const isDone = await Promise.race([Promise.resolve(work).then(() => true), timeout]);
  clearTimeout(timer);
  return isDone;
}
