import { DropgateError, errnoOf, messageOf, type ReasonCode } from '../base/errors.js';
import { removeFile } from '../base/files.js';
import { quoteValue } from '../base/text.js';
import { RowSpill } from '../clean/row-spill.js';
import { datasetFor } from '../config/dataset-for.js';
import type { Dataset, Limits } from '../config/settings.js';
import { NotUtf8, type TextWindow } from '../read/batch-reader.js';
import { type FileFingerprint, FileSource } from '../read/file-source.js';
import { KnownHead } from '../read/known-head.js';
import { type Findings, type OpenTable, openTable } from '../read/open-table.js';
import { sourceLength } from '../read/transcode.js';
import type { PackedStats } from './column-stats.js';
import type { ConvertContext, ReadWishes } from './convert-context.js';
import { convertInParallel } from './convert-parallel.js';
import { type ConvertPlan, looksLikeData, planFor } from './convert-plan.js';
import { ConvertRows } from './convert-rows.js';
import { type FailedResult, failedOutright } from './failed-outright.js';
import { judgeSpills, type KnownRepeats, RepeatsFound } from './repeats.js';
import {
  type Counts,
  type DialectReport,
  emptyCounts,
  makeReport,
  type Report,
  type ReportedNote,
  type RowsTally,
  summarise,
  ViolationList,
} from './report.js';
import type { RowsText, TextRange } from './rows-text.js';
import { TableFiles } from './table-files.js';
import { judgeRows, type RowsVerdict } from './verdict.js';

export interface ConvertInput {
  /** Name in the input folder. */
  name: string;
  path: string;
}

/** What became of one file. Nothing is published yet: temporary files wait to be renamed into place. */
export type ConvertResult =
  | ConvertedFile
  | FailedResult
  /** Deleted, replaced or grown while it was read, or its end is missing: to be looked at again later. */
  | { status: 'gone' | 'changed' | 'incomplete'; name: string }
  /** The surroundings failed (disk full, no rights), not the file: to be tried again later. */
  | { status: 'fault'; name: string; errno: string; message: string };

export interface ConvertedFile {
  status: 'converted';
  name: string;
  dataset: string;
  sha256: string;
  fingerprint: FileFingerprint;
  /** Absent in a dry run. */
  parquetTemp?: string;
  rejectsTemp?: string;
  counts: Counts;
  dialect: DialectReport;
  /** Number of violations of rows that were left out, by code. */
  violationsByCode: ViolationList['byCode'];
  /** Present when rows were dropped or set aside, and in a dry run. */
  report?: Report;
  /** Lines that are no records of the table, and records that were mended: the first ones, and how many in all. */
  notes: { listed: ReportedNote[]; total: number };
  /** Names of other datasets that claim the file too. */
  alsoClaimedBy: string[];
  /** Absent in a dry run. */
  columnStats?: PackedStats;
  /** Number of violations that made rows be left out, see {@link ViolationList.byPlace}; absent when there are none. */
  leftOutBy?: ReadonlyMap<string, number>;
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  /** Of a small file, where its rows lie as COPY text in the room that its task had for them. */
  textRange?: TextRange;
  /** The same where it is at hand, in the main thread. */
  text?: RowsText;
}

/** A file that may end in the middle of a line is given this long after its last change, in milliseconds. */
const PATIENCE_MS = 5000;

/** Converts one file. Never throws: whatever happens is a {@link ConvertResult}. */
export async function convertFile(input: ConvertInput, context: ConvertContext): Promise<ConvertResult> {
  const { name } = input;
  let source: FileSource | undefined;
  try {
    source = new FileSource(input.path);
    if (isCutShort(source, context)) return { status: 'incomplete', name };
    const result = await convertSource(source, name, context);
    return result.status === 'failed' && mayGoOn(source, context) ? { status: 'incomplete', name } : result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && source === undefined) return { status: 'gone', name };
    if (error instanceof DropgateError)
      return failedBefore({ error, name, source, dataset: null, findings: null });
    const errno = errnoOf(error);
    if (errno !== undefined) return { status: 'fault', name, errno, message: messageOf(error) };
    const internal = new DropgateError('internal', `unexpected fault: ${messageOf(error)}`, { cause: error });
    return failedBefore({ error: internal, name, source, dataset: null, findings: null });
  } finally {
    source?.close();
  }
}

/**
 * The last line of a file that was just written may be the first half of one, and half a number is a number. Senders
 * who rename into place, or end the last line, are not kept waiting.
 */
function isCutShort(source: FileSource, { dryRun }: ConvertContext): boolean {
  if (dryRun || isGzip(source) || !isRecent(source)) return false;
  return source.size > 0 && source.endsMidLine() && source.wasLastWritten();
}

/** A bad file that was just written may not be all there: no verdict yet. */
function mayGoOn(source: FileSource, { dryRun }: ConvertContext): boolean {
  return !dryRun && isRecent(source) && (isGzip(source) || source.endsMidLine());
}

function isRecent({ fingerprint }: FileSource): boolean {
  return ageMs(fingerprint) < PATIENCE_MS;
}

function isGzip({ path: file }: FileSource): boolean {
  return /\.gz$/i.test(file);
}

async function convertSource(
  source: FileSource,
  name: string,
  context: ConvertContext,
): Promise<ConvertResult> {
  const startedAt = performance.now();
  const { window } = context;
  // 1. Whose file is it?
  const { dataset, alsoClaimedBy } = claim(name, context);
  let findings: Findings | null = null;
  try {
    let knowledge: Knowledge = { encoding: dataset.encoding };
    for (;;) {
      // 2. Encoding, dialect, header.
      const table = await open(source, { dataset, encoding: knowledge.encoding, context });
      findings = table.findings;
      // 3. Header against declaration.
      const plan = planOf(table, dataset, context);
      if (Array.isArray(plan)) return failedColumns({ source, name, dataset, table, window, problems: plan });
      // 4. Rows; a file that turns out to be another than it seemed is read once more.
      const { repeats } = knowledge;
      const outcome = await convertRows({ source, table, plan, dataset, context, repeats }).catch(
        (error: unknown) => {
          knowledge = learnt(error, { before: knowledge, dataset });
        },
      );
      // 5. Verdict.
      if (outcome)
        return await conclude({ source, name, dataset, alsoClaimedBy, table, outcome, context, startedAt });
      source.rewind();
    }
  } catch (error) {
    if (!(error instanceof DropgateError)) throw error;
    return failedBefore({ error, name, source, dataset, findings });
  }
}

function claim(name: string, context: ConvertContext): { dataset: Dataset; alsoClaimedBy: string[] } {
  const { dataset, alsoClaimedBy } = datasetFor(context.datasets, name);
  if (!dataset) {
    const patterns = context.datasets.map(({ files }) => files).join(', ');
    throw new DropgateError(
      'no_dataset',
      `no dataset claims ${quoteValue(name)}; the patterns are ${patterns}`,
    );
  }
  if (alsoClaimedBy.length > 0 && context.overlappingDatasets === 'fail_file') {
    const claimants = [dataset.name, ...alsoClaimedBy].join(', ');
    throw new DropgateError('ambiguous_dataset', `${quoteValue(name)} is claimed by ${claimants}`);
  }
  return { dataset, alsoClaimedBy };
}

interface Opening {
  dataset: Dataset;
  encoding: string;
  context: ConvertContext;
}

async function open(source: FileSource, { dataset, encoding, context }: Opening): Promise<OpenTable> {
  const wishes = context.wishes.get(dataset) ?? wishesOf(dataset, context.limits);
  context.wishes.set(dataset, wishes);
  try {
    return await openTable(source, context.window, { ...wishes, encoding });
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    throw notUtf8Error(error);
  }
}

/** How files of a dataset are read; the same for all of them. */
function wishesOf(dataset: Dataset, limits: Limits): ReadWishes {
  const declared = dataset.columns === 'any' ? [] : dataset.columns.map(({ name }) => name.toLowerCase());
  return {
    delimiter: dataset.delimiter,
    quote: dataset.quote,
    escape: dataset.escape,
    header: dataset.header,
    expectedNames: new Set(declared),
    looksLikeData: (cells) => looksLikeData(dataset, cells),
    mendHeader: dataset.ragged === 'rescue',
    keepEmpty: dataset.columns === 'any' && dataset.missing === 'keep',
    ...limits,
    knownHead: new KnownHead(),
  };
}

function notUtf8Error(error: NotUtf8): DropgateError {
  return new DropgateError('bad_encoding', `the byte at offset ${error.byteOffset} is not UTF-8`, {
    cause: error,
  });
}

/** What is known of a file before it is read, from an attempt before. */
interface Knowledge {
  encoding: string;
  repeats?: KnownRepeats;
}

/**
 * What an attempt has shown: a file that began as UTF-8 and is not has its encoding judged by the whole file, and rows
 * that repeat others are known by their places. Throws every other error on.
 */
function learnt(error: unknown, { before, dataset }: { before: Knowledge; dataset: Dataset }): Knowledge {
  if (error instanceof RepeatsFound) return { ...before, repeats: error.repeats };
  if (!(error instanceof NotUtf8) || before.encoding === 'survey') throw error;
  if (dataset.encoding !== 'auto') throw notUtf8Error(error);
  return { encoding: 'survey' };
}

function planOf(table: OpenTable, dataset: Dataset, context: ConvertContext): ReturnType<typeof planFor> {
  const { findings, header, width } = table;
  const { plans, rowGroupRows, rowSetSlots, rowTargets } = context;
  const target = rowTargets && Object.hasOwn(rowTargets, dataset.name) ? rowTargets[dataset.name] : undefined;
  const { dialect } = findings;
  return planFor(plans, { dataset, dialect, header, width, rowGroupRows, rowSetSlots, target });
}

/** What the rows of a file came to, and the temporary files that they went into. */
interface Outcome extends RowsVerdict {
  files: TableFiles;
  /** Where another thread has found it out. */
  sha256?: string;
}

interface RowsOfFile {
  repeats?: KnownRepeats;
  source: FileSource;
  table: OpenTable;
  plan: ConvertPlan;
  dataset: Dataset;
  context: ConvertContext;
}

/** Converts the rows with the help of other threads where that is possible, or else in this one. */
async function convertRows(work: RowsOfFile): Promise<Outcome> {
  const { table, dataset, context } = work;
  if (!context.helpers) return inThisThread(work);
  const together = await intoFiles(work, (outlet) => convertInParallel({ ...work, outlet }));
  // The attempt left its values in the dictionaries.
  return together ?? inThisThread({ ...work, plan: planOf(table, dataset, context) as ConvertPlan });
}

async function inThisThread(work: RowsOfFile): Promise<Outcome> {
  const alone = await intoFiles(work, (outlet) => convertAlone({ ...work, outlet }));
  return alone!;
}

/** Errors: RepeatsFound. */
async function convertAlone(work: RowsOfFile & { outlet: TableFiles }): Promise<{ tally: RowsTally }> {
  const { plan, repeats, context } = work;
  const spill = new RowSpill(context.scratchFolder);
  plan.duplicates.overflow = repeats?.parts === 1 ? repeats.places : spill;
  try {
    const tally = await new ConvertRows(work).run();
    const spilled = spill.finish();
    if (spilled) await judgeSpills([spilled], 1);
    return { tally };
  } finally {
    await spill.abandon();
  }
}

/** Has rows converted into temporary files, which are gone unless there is a tally. */
async function intoFiles(
  { table, plan, dataset, context }: RowsOfFile,
  convert: (files: TableFiles) => Promise<{ tally: RowsTally; sha256?: string } | undefined>,
): Promise<Outcome | undefined> {
  const files = new TableFiles({ table, plan, context });
  try {
    const done = await convert(files);
    if (done) return { ...judgeRows(done.tally, dataset), files, sha256: done.sha256 };
    await removeTemps(files);
    return undefined;
  } catch (error) {
    await removeTemps(files);
    throw error;
  }
}

interface Conclusion {
  source: FileSource;
  name: string;
  dataset: Dataset;
  alsoClaimedBy: string[];
  table: OpenTable;
  outcome: Outcome;
  context: ConvertContext;
  startedAt: number;
}

/** The result; when there is none, no temporary file is left behind. */
async function conclude(conclusion: Conclusion): Promise<ConvertResult> {
  try {
    return await resultOf(conclusion);
  } catch (error) {
    await removeTemps(conclusion.outcome.files);
    throw error;
  }
}

async function resultOf(conclusion: Conclusion): Promise<ConvertResult> {
  const { source, name, dataset, outcome, context, table } = conclusion;
  if (!source.isUnchanged()) return discard(outcome, { status: 'changed', name });
  const sha256 = outcome.sha256 ?? source.sha256();
  const dialect = describeDialect(table.findings);
  const base = { file: name, sha256, dataset: dataset.name, dialect, counts: outcome.counts };
  if (outcome.failure) {
    const report = makeReport({
      ...base,
      verdict: 'failed',
      ...outcome.failure,
      violations: outcome.violations,
      notes: outcome.notes,
    });
    const failed = { status: 'failed', name, sha256, report, fingerprint: source.fingerprint } as const;
    return discard(outcome, { ...failed, bytesIn: source.size });
  }
  const temps = await outcome.files.finish({
    'dropgate.source': name,
    'dropgate.sha256': sha256,
    'dropgate.dataset': dataset.name,
    ...Object.fromEntries(
      Object.entries(outcome.counts).map(([key, value]) => [`dropgate.${key}`, String(value)]),
    ),
    ...(outcome.notes.total > 0 && { 'dropgate.notes': JSON.stringify(outcome.notes.listed) }),
    'dropgate.version': context.version,
  });
  const wantsReport = context.dryRun || temps.rejectsTemp !== undefined;
  return {
    status: 'converted',
    name,
    dataset: dataset.name,
    sha256,
    fingerprint: source.fingerprint,
    ...temps,
    counts: outcome.counts,
    dialect,
    violationsByCode: outcome.violations.byCode,
    report: wantsReport
      ? makeReport({
          ...base,
          verdict: 'converted',
          code: null,
          ...convertedWording(outcome.violations),
          violations: outcome.violations,
          notes: outcome.notes,
        })
      : undefined,
    notes: { listed: outcome.notes.listed, total: outcome.notes.total },
    alsoClaimedBy: conclusion.alsoClaimedBy,
    columnStats: context.dryRun ? undefined : outcome.files.columnStats,
    leftOutBy: outcome.violations.total > 0 ? outcome.violations.byPlace : undefined,
    bytesIn: source.size,
    durationMs: performance.now() - conclusion.startedAt,
  };
}

function convertedWording(violations: ViolationList): { message: string; hint: string } {
  if (violations.total === 0) return { message: 'every row was taken', hint: '' };
  const { message } = summarise(violations);
  return {
    message: `rows were left out: ${message}`,
    hint: 'Mend the rows in the rejected file and drop it again.',
  };
}

async function discard({ files }: Outcome, result: ConvertResult): Promise<ConvertResult> {
  await removeTemps(files);
  return result;
}

/** What cannot be deleted now is swept at the next start. */
async function removeTemps(files: TableFiles): Promise<void> {
  await Promise.allSettled(files.abandon().map(removeFile));
}

function ageMs(fingerprint: FileFingerprint): number {
  const age = Date.now() - Number(fingerprint.mtimeNs / 1_000_000n);
  // A time stamp of the future says nothing; the watcher has seen the file stand still.
  return age < 0 ? Number.POSITIVE_INFINITY : age;
}

function failedColumns(failure: {
  source: FileSource;
  name: string;
  dataset: Dataset;
  table: OpenTable;
  window: TextWindow;
  problems: { code: ReasonCode; column: string; message: string }[];
}): ConvertResult {
  const { source, name, dataset, table, window, problems } = failure;
  const violations = new ViolationList();
  for (const { code, column, message } of problems) {
    violations.add(code, () => ({
      line: table.headerLine,
      byte_offset: headerOffset(table, window),
      column,
      rule: 'header',
      value: column,
      message,
    }));
  }
  const sha256 = source.sha256();
  const report = makeReport({
    file: name,
    sha256,
    dataset: dataset.name,
    dialect: describeDialect(table.findings),
    counts: emptyCounts(),
    verdict: 'failed',
    ...summarise(violations),
    violations,
  });
  return { status: 'failed', name, sha256, report, fingerprint: source.fingerprint, bytesIn: source.size };
}

/** Offset of the header in the file: no row has been scanned, so the window begins right behind it. */
function headerOffset({ rows, headerBytes, findings }: OpenTable, window: TextWindow): number {
  return rows.place(0, window.from).byteOffset - sourceLength(findings.encoding.label, headerBytes);
}

function failedBefore(failure: {
  error: DropgateError;
  name: string;
  source: FileSource | undefined;
  dataset: Dataset | null;
  findings: Findings | null;
}): ConvertResult {
  const { error, name, source, dataset, findings } = failure;
  return failedOutright({
    name,
    error,
    sha256: source && sha256OrNothing(source),
    dataset: dataset?.name,
    dialect: findings ? describeDialect(findings) : undefined,
    fingerprint: source?.fingerprint,
    bytesIn: source?.size,
  });
}

function sha256OrNothing(source: FileSource): string {
  try {
    return source.sha256();
  } catch {
    return '';
  }
}

function describeDialect(findings: Findings): DialectReport {
  const { encoding, dialect, score, runnerUp } = findings;
  return {
    encoding: { value: encoding.label, origin: encoding.origin },
    delimiter: { value: dialect.delimiter, origin: findings.delimiterOrigin },
    quote: { value: dialect.quote, origin: findings.quoteOrigin },
    ...(dialect.escape !== 'double' && { escape: dialect.escape }),
    header: { value: findings.header, origin: findings.headerOrigin },
    ...(findings.headerRecords > 1 && { header_records: findings.headerRecords }),
    ...(findings.trailingDelimiters > 0 && { trailing_delimiters: findings.trailingDelimiters }),
    ...(score !== undefined && { score }),
    ...(runnerUp !== undefined && { runner_up: runnerUp }),
  };
}
