import type { MessagePort } from 'node:worker_threads';
import { workerData } from 'piscina';
import { crashPoint } from '../base/crash-point.js';
import { errnoOf, messageOf } from '../base/errors.js';
import { removeFile, syncFile } from '../base/files.js';
import type { Dataset, Limits, ParquetSettings } from '../config/settings.js';
import type { RowTarget } from '../load/row-text.js';
import { TextWindow } from '../read/batch-reader.js';
import { openCodec } from '../write/codec.js';
import type { ConvertContext, HelperDesk } from './convert-context.js';
import { type ConvertInput, type ConvertResult, convertFile } from './convert-file.js';
import { type HelpTask, help } from './help-convert.js';
import { PROGRESS } from './task-progress.js';

/** What every worker is told once. */
export interface ConvertWorkerData {
  datasets: readonly Dataset[];
  overlappingDatasets: 'first' | 'fail_file';
  outputFolder: string;
  failedFolder: string;
  /** For temporary files that nobody else sees. */
  scratchFolder: string;
  parquet: ParquetSettings;
  limits: Limits;
  version: string;
  /** The tables that files are loaded into, by dataset; absent where none are. */
  rowTargets?: Readonly<Record<string, RowTarget>>;
}

/** Several small files travel in one task, so that they share the wait for the disk. */
export interface ConvertTask {
  files: ConvertInput[];
  /** Shared counters of decoded bytes and rows: see {@link PROGRESS}. */
  progress?: SharedArrayBuffer;
  /** Takes `true` when help is wanted and `false` when it no longer is; brings a port to each thread that comes. */
  helpers?: MessagePort;
  /** For the rows of its files as COPY text. */
  textRoom?: SharedArrayBuffer;
}

const FIRST_WINDOW_BYTES = 1 << 17;

/** Everything that lives from task to task in this thread. */
export async function openContext(data: ConvertWorkerData, dryRun: boolean): Promise<ConvertContext> {
  return {
    ...data,
    rowGroupRows: data.parquet.rowGroupRows,
    codec: await openCodec(data.parquet.codec),
    dryRun,
    window: new TextWindow(FIRST_WINDOW_BYTES),
    partWindow: new TextWindow(0),
    plans: new Map(),
    wishes: new Map(),
  };
}

let context: Promise<ConvertContext> | undefined;

/** Converts files, or helps another thread to convert one; `undefined` only wakes the thread. */
export default async function runTask(task: ConvertTask | HelpTask | undefined): Promise<ConvertResult[]> {
  context ??= openContext(workerData as ConvertWorkerData, false);
  if (task === undefined) return [];
  if ('files' in task) return convertTask(task, await context);
  await help(task, await context);
  return [];
}

/** Files that are flushed together. Each flush by itself wakes threads that hold up those which convert: 7 % of the processor time. */
const FLUSH_FILES = 16;

/** Converts the files of a task one after the other. Some that are converted go to the disk while the next ones are. */
async function convertTask(task: ConvertTask, context: ConvertContext): Promise<ConvertResult[]> {
  const { helpers, progress, textRoom } = task;
  const thread: ConvertContext = {
    ...context,
    onProgress: reporter(progress),
    helpers: helpers && deskOf(helpers),
    textRoom: textRoom && { bytes: new Uint8Array(textRoom), at: 0 },
  };
  const converted: ConvertResult[] = [];
  const flushes: Promise<ConvertResult>[] = [];
  for (const file of task.files) {
    if (converted.length === FLUSH_FILES) flushes.push(...converted.splice(0).map(makeDurable));
    converted.push(await convertFile(file, thread));
  }
  flushes.push(...converted.map(makeDurable));
  helpers?.close();
  crashPoint('temp-files-written');
  const results = await Promise.all(flushes);
  crashPoint('temp-files-synced');
  return results;
}

/** Flushes the temporary files of one file to the disk. A file whose disk refuses that is to be tried again. */
export async function makeDurable(result: ConvertResult): Promise<ConvertResult> {
  const temps = tempsOf(result);
  try {
    for (const temp of temps) await syncFile(temp);
    return result;
  } catch (error) {
    await Promise.allSettled(temps.map(removeFile));
    return { status: 'fault', name: result.name, errno: errnoOf(error) ?? '', message: messageOf(error) };
  }
}

function tempsOf(result: ConvertResult): string[] {
  if (result.status !== 'converted') return [];
  return [result.parquetTemp, result.rejectsTemp].filter((file) => file !== undefined);
}

function deskOf(port: MessagePort): HelperDesk {
  return {
    open: (admit) => {
      port.on('message', admit);
      port.postMessage(true);
    },
    close: () => {
      port.postMessage(false);
      port.removeAllListeners('message');
    },
  };
}

function reporter(progress: SharedArrayBuffer | undefined): ConvertContext['onProgress'] {
  if (!progress) return undefined;
  const counters = new Float64Array(progress);
  return (bytesRead, rows) => {
    counters[PROGRESS.bytes] = bytesRead;
    counters[PROGRESS.rows] = rows;
  };
}
