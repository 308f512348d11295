import type { MessagePort } from 'node:worker_threads';
import { DropgateError, errnoOf } from '../base/errors.js';
import { newSalt } from '../clean/duplicates.js';
import { RowSet, shareRows } from '../clean/row-set.js';
import type { SpilledRows } from '../clean/row-spill.js';
import type { Dataset } from '../config/settings.js';
import { BrokenPart, NotUtf8 } from '../read/batch-reader.js';
import type { FileSource } from '../read/file-source.js';
import type { OpenTable } from '../read/open-table.js';
import type { ConvertContext } from './convert-context.js';
import { convertParts, type PartResult, type PartsJob } from './convert-part.js';
import type { ConvertPlan } from './convert-plan.js';
import type { RowsOutlet } from './convert-rows.js';
import { PART_SIZES } from './part-sizes.js';
import { PartState, PartsAborted } from './part-state.js';
import { type PartsPlan, planParts } from './plan-parts.js';
import { deleteSpills, judgeSpills, type KnownRepeats } from './repeats.js';
import { emptyCounts, NoteList, type RowsTally, ViolationList } from './report.js';

/** What a thread that helps says to the one that leads. */
export type HelperMessage =
  | { kind: 'sha256'; sha256: string }
  | { kind: 'part'; result: PartResult }
  /** It gave up. With `redo`, the file has to be converted as a whole. */
  | { kind: 'failed'; redo: boolean; message: string; errno?: string }
  /** It has told everything, and goes. */
  | { kind: 'done'; spilled?: SpilledRows };

/** What it is told first. */
export interface HelperOrder {
  job: PartsJob;
  /** Is it to find out the SHA-256 of the file as well? */
  hashes: boolean;
}

export interface ParallelWork {
  source: FileSource;
  table: OpenTable;
  plan: ConvertPlan;
  dataset: Dataset;
  context: ConvertContext;
  outlet: RowsOutlet;
  /** What an earlier pass over the file has found. */
  repeats?: KnownRepeats;
}

/**
 * Converts the rows of a large file part by part, together with the threads that the context's desk sends. The outcome is
 * that of converting it as a whole. Undefined when the file is not one for this, as it may turn out in the middle; what the
 * outlet got is then void, and the table is as it was, but for the dictionaries of the plan.
 * @throws RepeatsFound when there is to be another pass; system errors
 */
export async function convertInParallel(
  work: ParallelWork,
): Promise<{ tally: RowsTally; sha256?: string } | undefined> {
  const { source, table, plan, context } = work;
  if (!context.helpers || context.dryRun || table.rows.isVoid) return undefined;
  const { window, rowGroupRows, partSizes: sizes = PART_SIZES } = context;
  const parts = planParts({ source, window, table, plan, rowGroupRows, sizes });
  if (!parts) return undefined;
  const lead = new Lead(work, parts);
  context.helpers.open((port) => lead.admit(port));
  try {
    await lead.untilHelped();
    return await lead.run();
  } catch (error) {
    if (lead.mustRedo(error)) return undefined;
    throw lead.causeOf(error);
  } finally {
    context.helpers.close();
    lead.end();
  }
}

/** Idle threads come within a millisecond or two. While this one converts a part, it would not hear of them. */
const MAX_WAIT_FOR_HELP_MS = 5;
/** Rows are estimated from the first block; the set of rows has room for so many times that, within its bounds. */
const ROWS_MARGIN = 1.3;

/** The thread that holds the file: divides the work, takes its share of it, and puts the parts together in order. */
class Lead {
  readonly #work: ParallelWork;
  readonly #job: PartsJob;
  readonly #state = new PartState();
  readonly #tally: RowsTally = {
    counts: emptyCounts(),
    failures: new ViolationList(),
    leftOut: new ViolationList(),
    notes: new NoteList(),
  };
  /** Threads that help and have not said that they are done. */
  readonly #ports = new Set<MessagePort>();
  /** Results of parts whose turn has not come. */
  readonly #pending = new Map<number, PartResult>();
  /** Rows for which the set had no room. */
  readonly #spills: SpilledRows[] = [];
  /** The next part to be merged, and the line of its first record. */
  #next = 0;
  #line: number;
  #sha256: string | undefined;
  /** Who is finding it out. */
  #hasher: MessagePort | undefined;
  #failure: unknown;
  #settle: () => void = () => undefined;
  #welcome: () => void = () => undefined;

  constructor(work: ParallelWork, { bounds, plainColumns, rows }: PartsPlan) {
    const { source, table, dataset, context, repeats } = work;
    const { rows: reader, ...rest } = table;
    this.#work = work;
    this.#line = reader.place(0, context.window.from).line;
    for (const { line, text } of rest.findings.preamble) {
      this.#tally.notes.add(() => ({ line, kind: 'preamble', text: text.slice(0, MAX_SHOWN_BYTES) }));
    }
    this.#job = {
      path: source.path,
      fingerprint: source.fingerprint,
      dataset: dataset.name,
      // The lines above the table have been told.
      table: { ...rest, findings: { ...rest.findings, preamble: [] } },
      rules: reader.rules,
      bounds,
      plainColumns,
      state: this.#state.buffer,
      salt: newSalt(),
      rows: dataset.duplicates === 'keep' ? undefined : shareRows(rows * ROWS_MARGIN, context.rowSetSlots),
      repeats: repeats?.parts === bounds.length - 1 ? repeats.places.parts : undefined,
    };
  }

  /** Another thread wants to help. */
  admit(port: MessagePort): void {
    this.#ports.add(port);
    port.on('message', (message: HelperMessage) => this.#hear(message, port));
    port.on('close', () => {
      // It died with a part in hand, perhaps, for which all others would wait.
      if (this.#ports.delete(port)) this.#fail(new Redo('a thread that helped has ended'));
      this.#look();
    });
    const hashes = this.#hasher === undefined && this.#sha256 === undefined;
    if (hashes) this.#hasher = port;
    port.postMessage({ job: this.#job, hashes } satisfies HelperOrder);
    this.#welcome();
  }

  /** Resolves when there is a thread that helps, or when none came. */
  async untilHelped(): Promise<void> {
    if (this.#ports.size > 0) return;
    await new Promise<void>((resolve) => {
      this.#welcome = resolve;
      setTimeout(resolve, MAX_WAIT_FOR_HELP_MS);
    });
  }

  async run(): Promise<{ tally: RowsTally; sha256?: string }> {
    const { source, context } = this.#work;
    const spilled = await convertParts({
      job: this.#job,
      source,
      context,
      deliver: (result) => this.#merge(result),
      mayGoOn: () => !this.#state.isAborted,
    });
    if (spilled) this.#spills.push(spilled);
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#look();
    });
    if (this.#failure !== undefined) throw this.#failure;
    const spills = this.#spills.splice(0);
    if (spills.length > 0) await judgeSpills(spills, this.#job.bounds.length - 1);
    return { tally: this.#tally, sha256: this.#sha256 };
  }

  /** Is this a file that has to be converted as a whole, after all? */
  mustRedo(error: unknown): boolean {
    const cause = this.causeOf(error);
    return cause instanceof Redo || isForOneThread(cause);
  }

  /** What made the thread give up that gave up first. */
  causeOf(error: unknown): unknown {
    return error instanceof PartsAborted ? this.#failure : error;
  }

  /** Sends the helpers away. */
  end(): void {
    void deleteSpills(this.#spills);
    this.#state.abort();
    const ports = [...this.#ports];
    this.#ports.clear();
    for (const port of ports) port.close();
  }

  get #isDone(): boolean {
    return this.#next === this.#job.bounds.length - 1;
  }

  #hear(message: HelperMessage, port: MessagePort): void {
    switch (message.kind) {
      case 'part':
        this.#merge(message.result);
        break;
      case 'sha256':
        this.#sha256 = message.sha256;
        this.#hasher = undefined;
        break;
      case 'failed':
        this.#fail(message.redo ? new Redo(message.message) : faultOf(message));
        break;
      case 'done':
        if (message.spilled) this.#spills.push(message.spilled);
        this.#ports.delete(port);
        if (this.#hasher === port) this.#hasher = undefined;
    }
    this.#look();
  }

  #merge(result: PartResult): void {
    this.#pending.set(result.part, result);
    try {
      for (let one = this.#pending.get(this.#next); one; one = this.#pending.get(this.#next)) {
        this.#pending.delete(this.#next);
        this.#take(one);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #take({ part, lines, counts, failures, leftOut, notes, groups, rejects }: PartResult): void {
    const { outlet, context } = this.#work;
    const total = this.#tally.counts;
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += counts[key];
    this.#tally.failures.addPart(failures, this.#line);
    this.#tally.leftOut.addPart(leftOut, this.#line);
    this.#tally.notes.addPart(notes, this.#line);
    this.#line += lines;
    for (const record of rejects) outlet.reject(record);
    if (this.#tally.failures.total === 0) for (const group of groups) outlet.append(group);
    this.#next++;
    this.#state.merged();
    context.onProgress?.(this.#job.bounds[part + 1], total.rows_in);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#state.abort();
  }

  /** Is there nothing left to wait for? */
  #look(): void {
    if (this.#failure !== undefined || (this.#isDone && !this.#isAnswerMissing)) this.#settle();
  }

  /** What a helper has found out beside its parts comes when it is done. */
  get #isAnswerMissing(): boolean {
    const mayHaveSpilled = this.#job.rows !== undefined && new RowSet(this.#job.rows).isFull;
    return this.#hasher !== undefined || (mayHaveSpilled && this.#ports.size > 0);
  }
}

/** Longest stretch of a line above the table that a report shows. */
const MAX_SHOWN_BYTES = 1000;

/** A helper found that the file has to be converted as a whole. */
class Redo extends Error {}

/** Says that of errors in the conversion of a part: the whole file shows what is the matter, or that nothing is. */
function isForOneThread(error: unknown): boolean {
  return (
    error instanceof BrokenPart ||
    error instanceof NotUtf8 ||
    error instanceof RangeError ||
    error instanceof DropgateError
  );
}

function faultOf({ message, errno }: { message: string; errno?: string }): Error {
  return Object.assign(new Error(message), errno === undefined ? {} : { code: errno });
}

/** The message that tells the leading thread of an error. */
export function failureOf(error: unknown): HelperMessage {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', redo: isForOneThread(error), message, errno: errnoOf(error) };
}
