import fs from 'node:fs';
import path from 'node:path';
import { crashPoint } from '../base/crash-point.js';
import { DropgateError, messageOf } from '../base/errors.js';
import {
  candidateNames,
  cutBytes,
  fileOps,
  fingerprintText,
  isAbsent,
  moveNoOverwrite,
  pathFrom,
  removeFile,
  sha256Of,
  syncFolder,
  writeFileAtomic,
} from '../base/files.js';
import type { Folders } from '../config/settings.js';
import type { FileDetails, FileRecord, Ledger, NewFileRecord } from '../ledger/ledger.js';
import type { ReadyFile } from '../watch/types.js';
import type { ConvertedFile, ConvertResult } from './convert-file.js';
import { MAX_STEM_BYTES, type OriginalRead, type Originals, readReport } from './originals.js';
import { type CountedDelivery, countDeliveries } from './quality/delivery-counts.js';
import { type Report, reportPathOf, stemOf } from './report.js';

export { localDate } from './originals.js';
export { reportPathOf } from './report.js';

export interface PublishOptions {
  folders: Folders;
  originals: Originals;
  identity: 'name_and_content' | 'content';
  /** Converted files are loaded; then one whose Parquet vanished before it was loaded counts as not seen. */
  isLoading: boolean;
  ledger: Ledger;
  /** Hears of deliveries whose originals are where they belong, to look at them for a while. */
  onPutAway?(recordIds: readonly number[]): void;
}

/** A result together with the file it speaks of. */
export interface Judged<R extends ConvertResult = ConvertResult> {
  file: ReadyFile;
  result: R;
}

/** Hears of a file that cannot be published for now. */
export type Postpone = (judged: Judged<ConvertedFile | FailedFile>, error: unknown) => void;

function rethrow(_judged: Judged, error: unknown): never {
  throw error;
}

type FailedFile = Extract<ConvertResult, { status: 'failed' }>;

/** What became of a file, for the log and for the loader. Paths are absolute. */
export type Published = (
  | { kind: 'converted'; result: ConvertedFile; parquet: string; rejects?: string; original?: string }
  | { kind: 'duplicate'; result: ConvertedFile; earlier: FileRecord; original?: string }
  | { kind: 'failed'; result: FailedFile; failed?: string; isStuck?: boolean }
) & {
  file: ReadyFile;
  /** Its delivery in the ledger. */
  recordId?: number;
  /** Why the marker of the file could not be removed, when it could not. */
  markerFault?: string;
};

/** A file on its way through `publish`. */
interface InHand {
  file: ReadyFile;
  result: ConvertedFile | FailedFile;
  verdict?: Published;
  /** Its delivery in the ledger, when that is there already. */
  recordId?: number;
  /** Where the original is to go. */
  target?: string;
  error?: unknown;
}

/** A file that has its verdict, and for whose original there is a place. */
type Placed = InHand & Required<Pick<InHand, 'verdict' | 'target'>>;

function isPlaced(one: InHand): one is Placed {
  return one.verdict !== undefined && one.target !== undefined && one.error === undefined;
}

/** The files that are published together, and what the ledger knows of them. */
interface Group {
  /** Those that come before a file in it have their verdicts. */
  hand: readonly InHand[];
  isAnyOnItsWay: boolean;
  /** Contents that were delivered before. */
  seen: ReadonlySet<string>;
}

/**
 * Gives converted files their names and puts originals away, in this order, so that a crash between any two steps is
 * mended by simply doing it all again: rejects and report, Parquet, folder sync, ledger, original. The ledger says
 * where the original is going before it goes. The Parquet file says from which content it was made; found in place at
 * the second try, it is adopted.
 */
export class Publisher {
  readonly #options: PublishOptions;
  /** Where the search for a free Parquet name begins, by stem. */
  readonly #takenNames = new Map<string, number>();
  /** Parquet files that have their names while `publish` has not come to its end. */
  readonly #named = new Set<string>();

  constructor(options: PublishOptions) {
    this.#options = options;
  }

  /** Is this the name of a Parquet file of which `publish` is about to tell? */
  isNaming(name: string): boolean {
    return this.#named.has(name);
  }

  /**
   * Publishes the converted and the failed files of one task; they are to be confirmed once they are told.
   * @param postpone hears of files that cannot be published for now: they are to be tried again, and what was done for
   *   them is found then
   * @throws when none of them can be published
   */
  async publish(judged: readonly Judged[], postpone: Postpone = rethrow): Promise<Published[]> {
    try {
      return await this.#publishAll(judged, postpone);
    } finally {
      this.#named.clear();
    }
  }

  async #publishAll(judged: readonly Judged[], postpone: Postpone): Promise<Published[]> {
    const hand = judged.flatMap(({ file, result }): InHand[] =>
      result.status === 'converted' || result.status === 'failed' ? [{ file, result }] : [],
    );
    // 1. New names for new files.
    const group = this.#groupOf(hand);
    for (const one of hand) await attempt(one, () => this.#name(one, group));
    // 2. The new names are durable before any original goes.
    await this.#syncTargets(hand);
    crashPoint('folders-synced');
    // 3. The record of it, and where the originals are going.
    await this.#planPlaces(hand);
    this.#record(hand);
    crashPoint('delivery-recorded');
    // 4. Originals.
    for (const one of hand) await attempt(one, () => this.#putAway(one));
    crashPoint('originals-moved');
    return hand.flatMap((one) => {
      const { file, result, verdict, error, recordId } = one;
      if (error === undefined && verdict) return [{ ...verdict, recordId }];
      postpone({ file, result }, error);
      return [];
    });
  }

  /** The verdicts have been told: nothing is left to be done for these files. */
  confirm(published: readonly Published[]): void {
    const { ledger, onPutAway } = this.#options;
    const isThere = (one: Published) => placeOf(one) !== undefined;
    const there = published.filter(isThere).map(({ recordId }) => recordId!);
    ledger.inTransaction(() => {
      ledger.putAwayAsPlanned(there);
      for (const { recordId } of published.filter((one) => !isThere(one))) {
        ledger.putAway(recordId!, null);
        ledger.forgetOriginals([recordId!]);
      }
    });
    onPutAway?.(there);
  }

  /** Finishes the delivery of a file that is no longer in the input folder, should there be one. */
  async finishVanished(name: string): Promise<void> {
    const one = this.#options.ledger.onItsWay(name);
    if (one) await this.#options.originals.finish(one);
  }

  /** Deletes the temporary files of results that were not published. */
  async discard(results: readonly ConvertResult[]): Promise<void> {
    for (const result of results) {
      if (result.status === 'converted') await this.#removeTemps(result).catch(() => undefined);
    }
  }

  /** Asks the ledger once for all of them what, for most files, it has nothing to tell of. */
  #groupOf(hand: readonly InHand[]): Group {
    const { ledger } = this.#options;
    return {
      hand,
      isAnyOnItsWay: ledger.isAnyOnItsWay(),
      seen: ledger.seenAmong(hand.map(({ result }) => result.sha256)),
    };
  }

  async #name(one: InHand, group: Group): Promise<void> {
    const { file, result } = one;
    const unfinished = group.isAnyOnItsWay ? await this.#unfinished(one) : undefined;
    if (result.status === 'failed') {
      if (unfinished?.state === 'failed') one.recordId = unfinished.id;
      one.verdict = { kind: 'failed', file, result };
      return;
    }
    const earlier =
      unfinished && isConverted(unfinished) ? undefined : await this.#findEarlier(result, group);
    const own = unfinished ?? earlier;
    if (own && (await this.#isOwnParquet(own, { result, isUnfinished: own === unfinished }))) {
      // A run that was interrupted, or the loader that found its Parquet file, wrote this delivery down already.
      one.recordId = own.id;
      await this.#verdictConverted(one, path.join(this.#options.folders.output, own.parquet ?? ''));
      return;
    }
    if (earlier) {
      if (unfinished?.state === 'duplicate') one.recordId = unfinished.id;
      one.verdict = { kind: 'duplicate', file, result, earlier };
      await this.#removeTemps(result);
      return;
    }
    await this.#verdictConverted(one);
  }

  /** The record of this same delivery, made by a try that did not come to its end. */
  async #unfinished({ file, result }: InHand): Promise<FileRecord | undefined> {
    const { ledger, originals } = this.#options;
    const onItsWay = ledger.onItsWay(file.name);
    if (!onItsWay) return undefined;
    // What was moved is found; what was not, and has another content by now, has been replaced by its sender.
    await originals.finish(onItsWay);
    const still = ledger.onItsWay(file.name);
    return still?.file.sha256 === result.sha256 ? still.file : undefined;
  }

  /** Does this record of the same content and name speak of the Parquet file that was to be made now? */
  async #isOwnParquet(
    record: FileRecord,
    { result, isUnfinished }: { result: ConvertedFile; isUnfinished: boolean },
  ): Promise<boolean> {
    if (!isConverted(record) || record.name !== result.name) return false;
    const isLoaders = record.convertMs === null;
    if (!isUnfinished && !isLoaders) return false;
    const isThere = !(await isAbsent(path.join(this.#options.folders.output, record.parquet ?? '')));
    return isThere || (isUnfinished && record.state !== 'converted');
  }

  async #verdictConverted(one: InHand, existing?: string): Promise<void> {
    const result = one.result as ConvertedFile;
    const rejects = result.rejectsTemp && (await this.#publishRejects(result));
    crashPoint('rejects-named');
    const parquet = existing ?? (await this.#publishParquet(result));
    if (existing) await this.#removeTemps(result);
    crashPoint('parquet-named');
    one.verdict = { kind: 'converted', file: one.file, result, parquet, rejects };
  }

  /** The earlier delivery of the same content, if it is (or will be) in the table. */
  async #findEarlier(result: ConvertedFile, { hand, seen: known }: Group): Promise<FileRecord | undefined> {
    const { identity, ledger, folders, isLoading } = this.#options;
    const name = identity === 'content' ? undefined : result.name;
    const sibling = hand.find(
      (one) =>
        one.verdict?.kind === 'converted' &&
        one.result.sha256 === result.sha256 &&
        (!name || one.result.name === name),
    );
    if (sibling?.verdict) return recordOf(sibling.verdict) as FileRecord;
    if (!known.has(result.sha256)) return undefined;
    const seen = ledger.findSeen({ sha256: result.sha256, name });
    if (!seen || seen.state === 'loaded' || !isLoading) return seen;
    const isGone = await isAbsent(path.join(folders.output, seen.parquet ?? ''));
    return isGone ? undefined : seen;
  }

  async #publishRejects(result: ConvertedFile): Promise<string> {
    const { failed } = this.#options.folders;
    for (const name of candidateNames(cutBytes(stemOf(result.name), MAX_STEM_BYTES), '.rejected.csv')) {
      const target = path.join(failed, name);
      if (!(await isAbsent(target)) && !(await isOwnRejects(target, result))) continue;
      // The folder is synced for all of them: see #syncTargets.
      await this.#writeReport(target, result.report!, { isNameDurable: false });
      crashPoint('rejects-reported');
      await fileOps.rename(result.rejectsTemp!, target);
      return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  async #publishParquet(result: ConvertedFile): Promise<string> {
    const { output } = this.#options.folders;
    const stem = stemOf(result.name);
    let tried = 0;
    const skip = this.#takenNames.get(stem) ?? 0;
    for (const name of candidateNames(stem, '.parquet')) {
      if (tried++ < skip) continue;
      const target = path.join(output, name);
      const isNew = await moveNoOverwrite(result.parquetTemp!, target);
      if (!isNew && !(await isMadeOf(target, result))) continue;
      if (!isNew) await removeFile(result.parquetTemp!);
      if (tried > 1) this.#takenNames.set(stem, tried - 1);
      this.#named.add(name);
      return target;
    }
    throw new Error('unreachable: candidate names are endless');
  }

  async #removeTemps(result: ConvertedFile): Promise<void> {
    result.text?.release();
    if (result.parquetTemp) await removeFile(result.parquetTemp);
    if (result.rejectsTemp) await removeFile(result.rejectsTemp);
  }

  async #syncTargets(hand: readonly InHand[]): Promise<void> {
    const { output, failed } = this.#options.folders;
    const converted = hand.flatMap(({ verdict }) => (verdict?.kind === 'converted' ? [verdict] : []));
    if (converted.length > 0) await syncFolder(output);
    if (converted.some(({ rejects }) => rejects)) await syncFolder(failed);
  }

  async #planPlaces(hand: readonly InHand[]): Promise<void> {
    const { originals } = this.#options;
    const planned = new Set<string>();
    for (const one of hand) {
      await attempt(one, async () => {
        const { result, verdict } = one;
        one.target =
          result.status === 'failed'
            ? await originals.placeInFailed(readOf(verdict!), { report: result.report, planned })
            : await originals.placeInArchive(one.file.name, planned);
        planned.add(one.target);
      });
    }
  }

  #record(hand: readonly InHand[]): void {
    const { ledger, folders } = this.#options;
    const placed = hand.filter(isPlaced);
    if (placed.length === 0) return;
    ledger.inTransaction(() => {
      const { ids, counted } = this.#recordDeliveries(placed);
      ledger.describe(placed.map(({ verdict }, i) => ({ recordId: ids[i], ...detailsOf(verdict) })));
      for (const [i, { verdict }] of placed.entries()) {
        if (verdict.kind !== 'converted' || !verdict.result.columnStats) continue;
        const { dataset, columnStats: stats } = verdict.result;
        ledger.quality.addStats({ recordId: ids[i], dataset, stats });
      }
      ledger.planMoves(
        placed.map(({ verdict, target }, i) => ({
          recordId: ids[i],
          target: pathFrom(folders.input, target),
          fingerprint: readOf(verdict).fingerprint,
        })),
      );
      ledger.quality.count(countDeliveries(counted));
    });
  }

  /** The deliveries themselves. Answers their ids, and which of them were not written down by an earlier try. */
  #recordDeliveries(placed: readonly Placed[]): { ids: number[]; counted: CountedDelivery[] } {
    const { ledger } = this.#options;
    const records = placed.map(({ verdict }) => recordOf(verdict));
    const counted: CountedDelivery[] = [];
    for (const [i, { verdict, recordId }] of placed.entries()) {
      const leftOutBy = verdict.kind === 'converted' ? verdict.result.leftOutBy : undefined;
      if (recordId === undefined) counted.push({ record: records[i], leftOutBy });
    }
    this.#findLoadersRecords(placed, records);
    for (const [i, { recordId }] of placed.entries())
      if (recordId !== undefined) ledger.amend(recordId, records[i]);
    const isNew = ({ recordId }: InHand) => recordId === undefined;
    const ids = ledger.addAll(records.filter((_, i) => isNew(placed[i])));
    for (const [i, one] of placed.filter(isNew).entries()) one.recordId = ids[i];
    return { ids: placed.map(({ recordId }) => recordId!), counted };
  }

  /** The loader may have found Parquet files before they were written down here. */
  #findLoadersRecords(placed: readonly Placed[], records: readonly NewFileRecord[]): void {
    if (!this.#options.isLoading) return;
    const known = this.#options.ledger.parquetAmong(records.flatMap(({ parquet }) => parquet ?? []));
    for (const [i, { parquet, sha256, name }] of records.entries()) {
      const found = parquet === null ? undefined : known.get(parquet);
      const isSame = found?.sha256 === sha256 && found.name === name && found.convertMs === null;
      if (isSame) placed[i].recordId ??= found.id;
    }
  }

  async #putAway(one: InHand): Promise<void> {
    const { originals } = this.#options;
    const { file, result, target } = one;
    const verdict = one.verdict!;
    if (result.status === 'failed') {
      await this.#writeReport(target!, result.report);
      crashPoint('failure-reported');
    }
    const end = await originals.putAway(readOf(verdict), target!);
    const isThere = end === 'there';
    if (end === 'stuck' && verdict.kind === 'failed') verdict.isStuck = true;
    if (isThere && verdict.kind === 'failed') verdict.failed = target;
    else if (isThere && verdict.kind !== 'failed') verdict.original = target;
    if (file.marker === undefined) return;
    // The file is where it belongs whatever happens to its marker.
    await removeFile(file.marker).catch((error: unknown) => {
      verdict.markerFault = messageOf(error);
    });
    crashPoint('marker-removed');
  }

  async #writeReport(target: string, report: Report, options?: { isNameDurable: boolean }): Promise<void> {
    await fileOps.mkdir(path.dirname(target), { recursive: true });
    await writeFileAtomic(reportPathOf(target), `${JSON.stringify(report, null, 2)}\n`, options);
  }
}

/** Does one step for one file; a file that failed a step takes no further ones. */
async function attempt(one: InHand, step: () => Promise<void>): Promise<void> {
  if (one.error !== undefined) return;
  try {
    await step();
  } catch (error) {
    one.error = error ?? new Error('unknown');
  }
}

function isConverted({ state }: FileRecord): boolean {
  return state === 'converted' || state === 'loaded' || state === 'load_failed';
}

function placeOf(one: Published): string | undefined {
  return one.kind === 'failed' ? one.failed : one.original;
}

function readOf({ file, result }: Published): OriginalRead {
  const { fingerprint, sha256 } = result;
  return { path: file.path, fingerprint: fingerprint ? fingerprintText(fingerprint) : '', sha256 };
}

/** Were these rows set aside from this very delivery, by a run that was killed before it went on? */
async function isOwnRejects(target: string, { name, sha256, rejectsTemp }: ConvertedFile): Promise<boolean> {
  const report = await readReport(target);
  if (report?.sha256 !== sha256 || report.file !== name) return false;
  const stats = await fs.promises.lstat(target);
  return stats.isFile() && (await sha256Of(target)) === (await sha256Of(rejectsTemp!));
}

/** Was the Parquet file in place made from this very content, by a run that was killed before it wrote it down? */
async function isMadeOf(target: string, { name, sha256, dataset }: ConvertedFile): Promise<boolean> {
  // Read when it is needed, which is seldom: the main thread does without the modules that know Parquet.
  const { readParquetInfo } = await import('../load/parquet-source.js');
  const { metadata } = await readParquetInfo(target).catch(foreign);
  return (
    metadata['dropgate.sha256'] === sha256 &&
    metadata['dropgate.source'] === name &&
    metadata['dropgate.dataset'] === dataset
  );
}

/** A file that is no Parquet file is somebody else's; a disk that has trouble says nothing. */
function foreign(error: unknown): { metadata: Record<string, string> } {
  if (error instanceof DropgateError) return { metadata: {} };
  throw error;
}

const STATES = { converted: 'converted', duplicate: 'duplicate', failed: 'failed' } as const;

/** The delivery as the ledger keeps it; where the original lies is added when it does. */
function recordOf(one: Published): NewFileRecord {
  const { file, result } = one;
  const counts = one.kind === 'failed' ? one.result.report.counts : one.result.counts;
  return {
    name: file.name,
    sha256: result.sha256,
    dataset: one.kind === 'failed' ? one.result.report.dataset : one.result.dataset,
    state: STATES[one.kind],
    code: one.kind === 'failed' ? one.result.report.code : null,
    message: one.kind === 'failed' ? one.result.report.message : null,
    bytesIn: result.bytesIn,
    bytesOut: one.kind === 'converted' ? one.result.bytesOut : 0,
    rowsIn: counts.rows_in,
    rowsOut: counts.rows_out,
    droppedMissing: counts.dropped_missing,
    droppedDuplicate: counts.dropped_duplicate,
    setAside: counts.set_aside,
    parquet: one.kind === 'converted' ? path.basename(one.parquet) : null,
    original: null,
    convertMs: one.kind === 'failed' ? null : one.result.durationMs,
    arrivedAt: new Date(file.arrivedAtMs).toISOString(),
    judgedAt: new Date().toISOString(),
  };
}

/** What the story of the delivery tells beside that. */
function detailsOf(one: Published): FileDetails {
  if (one.kind === 'failed') {
    const { dialect, violations_by_code, notes, notes_not_listed } = one.result.report;
    const total = notes.length + notes_not_listed;
    return asDetails({ dialect, violations: violations_by_code, notes: { listed: notes, total } });
  }
  const { dialect, violationsByCode, notes } = one.result;
  const rejects = one.kind === 'converted' && one.rejects ? path.basename(one.rejects) : undefined;
  return asDetails({ dialect, violations: violationsByCode, notes, rejects });
}

function asDetails(parts: {
  dialect: Report['dialect'];
  violations: Report['violations_by_code'];
  notes: ConvertedFile['notes'];
  rejects?: string;
}): FileDetails {
  const { dialect, violations, notes, rejects } = parts;
  return {
    dialect: dialect ? JSON.stringify(dialect) : undefined,
    violations: Object.keys(violations).length > 0 ? JSON.stringify(violations) : undefined,
    notes: notes.total > 0 ? JSON.stringify(notes) : undefined,
    rejects,
  };
}
