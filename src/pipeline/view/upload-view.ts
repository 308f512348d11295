import { messageOf, type ReasonCode } from '../../base/errors.js';
import { pause } from '../../base/retry.js';
import type { Daemon } from '../daemon.js';
import { Deliveries, type Delivery } from '../deliveries.js';
import type { Counts, Report } from '../report.js';
import {
  admitUpload,
  type ReceivedFile,
  receiveUpload,
  type UploadOffer,
  type UploadPlace,
} from '../upload.js';

/** Delivering files over the network. */
export interface UploadView {
  /** Refuses what cannot be taken before its content is sent. @throws DropgateError, see `admitUpload` */
  admit(offer: UploadOffer): Promise<void>;
  /**
   * Puts the file into the input folder, then waits for what becomes of it.
   * @throws DropgateError, see `receiveUpload`
   */
  receive(
    offer: UploadOffer & { content: AsyncIterable<Uint8Array> },
    patience: Patience,
  ): Promise<{ file: ReceivedFile; verdict: UploadVerdict }>;
}

/** How long somebody waits. */
export interface Patience {
  /** 0: not at all. */
  timeoutMs: number;
  /** Aborts when nobody waits any more. */
  signal: AbortSignal;
  /** Hears of the file when it is there. */
  onReceived(file: ReceivedFile): void;
}

/**
 * What became of a file so far.
 * - `waiting`: it is not judged yet
 * - `converted`: it waits to be loaded, unless nothing is loaded (`isFinal`)
 * - `loaded`, `load_failed`: what the database said; `duplicate`: delivered before; `failed`: see the report
 */
export type UploadVerdict =
  | { state: 'waiting' }
  | ({ state: 'converted'; isFinal: boolean } & Judged)
  | ({ state: 'loaded'; rowsLoaded: number } & Judged)
  | ({ state: 'duplicate'; earlier: { name: string; judgedAt: string } } & Judged)
  | ({ state: 'load_failed'; code: ReasonCode; message: string; hint: string } & Judged)
  | { state: 'failed'; fileId: number | undefined; report: Report };

interface Judged {
  /** Of the delivery in the ledger. */
  fileId: number | undefined;
  dataset: string;
  counts: Counts;
}

/** How often somebody who waits looks whether the database went away. */
const LOOK_MS = 500;

/** The view on a running daemon. */
export function openUploadView({ pipeline }: Daemon): UploadView {
  const { settings, observers, loads } = pipeline;
  const place: UploadPlace = {
    folder: settings.folders.input,
    maxBytes: settings.server.maxUploadBytes,
    hasMarkers: settings.watch.ready === 'marker',
  };
  const deliveries = new Deliveries();
  observers.add(deliveries);
  const isLoaded = (dataset: string) => loads !== undefined && Object.hasOwn(settings.tables, dataset);
  // Who waits for a database that is away might wait for days.
  const isHopeless = () => loads?.condition.state === 'away';
  return {
    admit: (offer) => admitUpload(offer, place),
    receive: async (offer, patience) => {
      let delivery: Delivery | undefined;
      const beforeNaming = (fingerprint: string) => {
        delivery = deliveries.expect(fingerprint);
      };
      try {
        const file = await receiveUpload(offer, { place, beforeNaming });
        patience.onReceived(file);
        return { file, verdict: await wait(delivery!, { ...patience, isLoaded, isHopeless }) };
      } finally {
        delivery?.close();
      }
    },
  };
}

async function wait(
  delivery: Delivery,
  options: Patience & { isLoaded(dataset: string): boolean; isHopeless(): boolean },
): Promise<UploadVerdict> {
  const { timeoutMs, signal, isLoaded, isHopeless } = options;
  const ended = new AbortController();
  const patience = pause(timeoutMs, AbortSignal.any([signal, ended.signal])).then(() => ended.abort());
  try {
    for (;;) {
      const verdict = verdictOf(delivery, isLoaded);
      const isFinal = verdict.state !== 'waiting' && !(verdict.state === 'converted' && !verdict.isFinal);
      if (isFinal || ended.signal.aborted || (verdict.state === 'converted' && isHopeless())) return verdict;
      await Promise.race([delivery.step(), patience, pause(LOOK_MS, ended.signal)]);
    }
  } finally {
    ended.abort();
  }
}

function verdictOf({ progress }: Delivery, isLoaded: (dataset: string) => boolean): UploadVerdict {
  const { judged, loaded, refused } = progress;
  if (!judged) return { state: 'waiting' };
  if (judged.kind === 'failed')
    return { state: 'failed', fileId: judged.recordId, report: judged.result.report };
  const { dataset, counts } = judged.result;
  const common = { fileId: judged.recordId, dataset, counts };
  if (judged.kind === 'duplicate') {
    const { name, judgedAt } = judged.earlier;
    return { state: 'duplicate', ...common, earlier: { name, judgedAt } };
  }
  if (loaded) return { state: 'loaded', ...common, rowsLoaded: loaded.isRepeated ? 0 : loaded.rows };
  if (refused) {
    const { code, hint } = refused.error;
    return { state: 'load_failed', ...common, code, message: messageOf(refused.error), hint };
  }
  return { state: 'converted', ...common, isFinal: !isLoaded(dataset) };
}
