import { setImmediate as nextTurn } from 'node:timers/promises';
import { DuplicateFinder } from '../clean/duplicates.js';
import type { HashSalt } from '../clean/row-hash.js';
import { RowPlaces } from '../clean/row-places.js';
import { RowSet, type SharedRows } from '../clean/row-set.js';
import { RowSpill, type SpilledRows } from '../clean/row-spill.js';
import { BatchReader, type RecordRules, TextFeed } from '../read/batch-reader.js';
import type { FileFingerprint, FileSource } from '../read/file-source.js';
import type { OpenTable } from '../read/open-table.js';
import type { EncodedRowGroup } from '../write/row-group.js';
import type { ConvertContext } from './convert-context.js';
import { type ConvertPlan, planFor } from './convert-plan.js';
import { ConvertRows, type RowsOutlet } from './convert-rows.js';
import { PartState } from './part-state.js';
import type { NoteList, RowsTally, ViolationList } from './report.js';

/** A file that several threads convert part by part. Plain data, fit to be sent to them. */
export interface PartsJob {
  path: string;
  fingerprint: FileFingerprint;
  /** Name of the data set. */
  dataset: string;
  table: Omit<OpenTable, 'rows'>;
  rules: RecordRules;
  /** Offsets in the file at which parts begin, and its end. */
  bounds: number[];
  /** Columns of the file, by index, whose values hardly repeat. */
  plainColumns: number[];
  /** See PartState. */
  state: SharedArrayBuffer;
  salt: HashSalt;
  /** Absent where repeated rows are kept. */
  rows?: SharedRows;
  /** See RowPlaces: what an earlier pass over the file has found of rows for which the set has no room. */
  repeats?: RowPlaces['parts'];
}

/** What a part came to. Plain data. */
export interface PartResult {
  part: number;
  /** Line breaks in it. */
  lines: number;
  counts: RowsTally['counts'];
  /** Lines are counted from 0 for the first of the part. */
  failures: Pick<ViolationList, 'listed' | 'byCode' | 'byPlace'>;
  leftOut: Pick<ViolationList, 'listed' | 'byCode' | 'byPlace'>;
  notes: Pick<NoteList, 'listed' | 'total'>;
  groups: EncodedRowGroup[];
  /** Records that are left out, as they stand in the file. */
  rejects: Uint8Array[];
}

export interface PartsWork {
  job: PartsJob;
  source: FileSource;
  context: ConvertContext;
  deliver(result: PartResult): void;
  /** Asked before each part. */
  mayGoOn(): boolean;
}

/** Parts that may be converted and not yet merged, so that a thread that runs ahead does not fill the memory. */
const MAX_AHEAD = 6;

/**
 * Converts parts of a file that no other thread has taken, one after the other, until there are none. Answers the rows for
 * which the set had no room.
 * @throws PartsAborted when another thread gave up; BrokenPart, NotUtf8, RangeError, DropgateError when the file has to be
 *   converted as a whole; system errors
 */
export async function convertParts(work: PartsWork): Promise<SpilledRows | undefined> {
  const { job, context } = work;
  const spill = new RowSpill(context.scratchFolder);
  const overflow = job.repeats ? new RowPlaces(job.repeats) : spill;
  const duplicates = new DuplicateFinder({ salt: job.salt, seen: new RowSet(job.rows), overflow });
  try {
    await convertFreeParts({
      ...work,
      plan: planOf(job, context),
      duplicates,
      state: new PartState(job.state),
    });
    return spill.finish();
  } catch (error) {
    await spill.abandon();
    throw error;
  }
}

async function convertFreeParts(work: ThreadWork): Promise<void> {
  const { job, state, deliver, mayGoOn } = work;
  while (mayGoOn()) {
    const part = state.take();
    if (part >= job.bounds.length - 1) return;
    await state.untilMerged(part - MAX_AHEAD);
    deliver(await convertPart(work, part));
    // Results of other threads are merged in between.
    await nextTurn();
  }
}

function planOf(job: PartsJob, context: ConvertContext): ConvertPlan {
  const { findings, header, width } = job.table;
  const plan = planFor(context.plans, {
    dataset: datasetOf(job, context),
    dialect: findings.dialect,
    header,
    width,
    rowGroupRows: context.rowGroupRows,
  });
  if (Array.isArray(plan)) throw new TypeError('the header of the file suits its data set no longer');
  for (const { source, converter } of plan.columns) {
    if (!job.plainColumns.includes(source)) continue;
    plan.scanner.columns[source].becomePlain();
    converter.clear();
  }
  return plan;
}

function datasetOf(job: PartsJob, { datasets }: ConvertContext) {
  return datasets.find(({ name }) => name === job.dataset)!;
}

interface ThreadWork extends PartsWork {
  plan: ConvertPlan;
  duplicates: DuplicateFinder;
  state: PartState;
}

async function convertPart(work: ThreadWork, part: number): Promise<PartResult> {
  const { job, source, context, plan, duplicates, state } = work;
  const { partWindow: window } = context;
  const [start, end] = [job.bounds[part], job.bounds[part + 1]];
  const rows = new BatchReader({
    ...job.rules,
    feed: TextFeed.ofPart(source, window, { start, end }),
    maxRowBytes: context.limits.maxRowBytes,
    firstLine: 0,
    firstOffset: start,
    blockBytes: 0,
  });
  const outlet = new PartOutlet();
  const tally = await new ConvertRows({
    table: { ...job.table, rows },
    plan,
    dataset: datasetOf(job, context),
    context: { ...context, onProgress: undefined },
    outlet,
    duplicates,
    part,
    turn: { take: () => state.untilMarked(part), pass: () => state.marked() },
  }).run();
  const { counts, failures, leftOut, notes } = tally;
  return {
    part,
    lines: rows.place(0, window.from).line,
    counts,
    failures: partOf(failures),
    leftOut: partOf(leftOut),
    notes: { listed: notes.listed, total: notes.total },
    groups: outlet.groups,
    rejects: outlet.rejects,
  };
}

/** As plain data. */
function partOf({ listed, byCode, byPlace }: ViolationList): PartResult['leftOut'] {
  return { listed, byCode, byPlace };
}

class PartOutlet implements RowsOutlet {
  readonly isPart = true;
  readonly groups: EncodedRowGroup[] = [];
  readonly rejects: Uint8Array[] = [];

  append(group: EncodedRowGroup): void {
    this.groups.push(group);
  }

  reject(record: Uint8Array): void {
    this.rejects.push(record.slice());
  }
}
