import { workerData } from 'piscina';
import { crashPoint } from '../base/crash-point.js';
import { errnoOf, messageOf } from '../base/errors.js';
import { removeFile, syncFile } from '../base/files.js';
import type { Dataset, Limits, ParquetSettings } from '../config/settings.js';
import { TextWindow } from '../read/batch-reader.js';
import { openCodec } from '../write/codec.js';
import type { ConvertContext } from './convert-context.js';
import { type ConvertInput, type ConvertResult, convertFile } from './convert-file.js';

/** What every worker is told once. */
export interface ConvertWorkerData {
  datasets: readonly Dataset[];
  overlappingDatasets: 'first' | 'fail_file';
  outputFolder: string;
  failedFolder: string;
  parquet: ParquetSettings;
  limits: Limits;
  version: string;
}

/** Several small files travel in one task, so that they share the wait for the disk. */
export interface ConvertTask {
  files: ConvertInput[];
  /** Shared counters of decoded bytes and rows: see {@link PROGRESS}. */
  progress?: SharedArrayBuffer;
}

/** Slots of the shared progress counters (Float64). */
export const PROGRESS = { bytes: 0, rows: 1, length: 2 } as const;

const FIRST_WINDOW_BYTES = 1 << 17;

/** Everything that lives from task to task in this thread. */
export async function openContext(data: ConvertWorkerData, dryRun: boolean): Promise<ConvertContext> {
  return {
    ...data,
    rowGroupRows: data.parquet.rowGroupRows,
    codec: await openCodec(data.parquet.codec),
    dryRun,
    window: new TextWindow(FIRST_WINDOW_BYTES),
    plans: new Map(),
  };
}

let context: Promise<ConvertContext> | undefined;

/** Converts the files of a task one after the other, then makes all their temporary files durable at once. */
export default async function convertTask(task: ConvertTask): Promise<ConvertResult[]> {
  context ??= openContext(workerData as ConvertWorkerData, false);
  const thread = { ...(await context), onProgress: reporter(task.progress) };
  const results: ConvertResult[] = [];
  for (const file of task.files) results.push(await convertFile(file, thread));
  crashPoint('temp-files-written');
  const durable = await makeDurable(results);
  crashPoint('temp-files-synced');
  return durable;
}

/** Flushes all temporary files of a task to the disk. A file whose disk refuses that is to be tried again. */
export function makeDurable(results: readonly ConvertResult[]): Promise<ConvertResult[]> {
  return Promise.all(
    results.map(async (result) => {
      const temps = tempsOf(result);
      try {
        await Promise.all(temps.map(syncFile));
        return result;
      } catch (error) {
        await Promise.allSettled(temps.map(removeFile));
        return { status: 'fault', name: result.name, errno: errnoOf(error) ?? '', message: messageOf(error) };
      }
    }),
  );
}

function tempsOf(result: ConvertResult): string[] {
  if (result.status !== 'converted') return [];
  return [result.parquetTemp, result.rejectsTemp].filter((file) => file !== undefined);
}

function reporter(progress: SharedArrayBuffer | undefined): ConvertContext['onProgress'] {
  if (!progress) return undefined;
  const counters = new Float64Array(progress);
  return (bytesRead, rows) => {
    counters[PROGRESS.bytes] = bytesRead;
    counters[PROGRESS.rows] = rows;
  };
}
