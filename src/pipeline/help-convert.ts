import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import type { SpilledRows } from '../clean/row-spill.js';
import { FileSource, sameFile } from '../read/file-source.js';
import type { ConvertContext } from './convert-context.js';
import { failureOf, type HelperMessage, type HelperOrder } from './convert-parallel.js';
import { convertParts, type PartResult } from './convert-part.js';
import { PartsAborted } from './part-state.js';

/** A thread that helps another one with a large file. */
export interface HelpTask {
  /** Leads to the thread that holds the file. */
  port: MessagePort;
  /** One Int32: not 0 once this thread is wanted for other files. */
  demand: SharedArrayBuffer;
}

/** Helps until there is nothing left to help with, or the thread is wanted elsewhere. */
export async function help({ port, demand }: HelpTask, context: ConvertContext): Promise<void> {
  const wanted = new Int32Array(demand);
  const mayGoOn = () => Atomics.load(wanted, 0) === 0;
  try {
    const order = await Promise.race([once(port, 'message'), once(port, 'close').then(() => undefined)]);
    if (order) await work({ order: order[0] as HelperOrder, port, context, mayGoOn });
  } finally {
    port.close();
  }
}

interface Help {
  order: HelperOrder;
  port: MessagePort;
  context: ConvertContext;
  mayGoOn(): boolean;
}

async function work({ order, port, context, mayGoOn }: Help): Promise<void> {
  const tell = (message: HelperMessage, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  let source: FileSource | undefined;
  let spilled: SpilledRows | undefined;
  try {
    source = new FileSource(order.job.path);
    if (!sameFile(source.fingerprint, order.job.fingerprint)) throw new RangeError('the file was replaced');
    if (order.hashes) tell({ kind: 'sha256', sha256: source.sha256() });
    const deliver = (result: PartResult) => tell({ kind: 'part', result }, buffersOf(result));
    spilled = await convertParts({ job: order.job, source, context, deliver, mayGoOn });
  } catch (error) {
    if (!(error instanceof PartsAborted)) tell(failureOf(error));
  } finally {
    source?.close();
    tell({ kind: 'done', spilled });
  }
}

function buffersOf({ groups }: PartResult): ArrayBuffer[] {
  return groups.map(({ bytes }) => bytes.buffer);
}
