import { REASONS, type ReasonCode } from '../../base/errors.js';
import type { Dataset, Folders, Limits } from '../../config/settings.js';
import type { FileSearch } from '../../ledger/file-search.js';
import type { FileRecord } from '../../ledger/ledger.js';
import type { DialectReport, Report, ReportedNote, ReportedViolation } from '../report.js';
import { DOWNLOADS, type Download, type FilePlaces, findPlaces } from './file-places.js';
import type { SourceLine } from './source-lines.js';

/** Everything that is known of a delivery. */
export interface Story {
  record: FileRecord;
  /** What to do about it; undefined when it did not fail. */
  hint?: string;
  dialect?: DialectReport;
  /** Number of violations by code. */
  violationsByCode: Partial<Record<ReasonCode, number>>;
  /** Those that the report lists, with the records that they speak of. */
  violations: (ReportedViolation & { source?: SourceLine })[];
  violationsNotListed: number;
  notes: { listed: ReportedNote[]; total: number };
  /** What there is to download. */
  downloads: Download[];
  /** It lies in a failed folder and can be sent back. */
  canRetry: boolean;
  /** When loading was given up, ISO 8601 in UTC. */
  loadFailedAt?: string;
  /** Other deliveries of the same name, the newest first. */
  sameName: FileRecord[];
  /** The delivery that this one repeats. */
  repeats?: FileRecord;
}

/** What a story is told from. */
export interface StorySources {
  search: FileSearch;
  folders: Folders;
  datasets: readonly Dataset[];
  limits: Limits;
}

const MAX_SAME_NAME = 20;
const NOTHING = { listed: [], total: 0 };

/** Tells the story of a delivery; undefined when there is none of this id. */
export async function tellStory(id: number, sources: StorySources): Promise<Story | undefined> {
  const { search } = sources;
  // 1. What the ledger knows.
  const record = search.file(id);
  if (!record) return undefined;
  const details = search.details(id);
  // 2. What lies in the folders.
  const places = findPlaces(record, details, sources.folders);
  const { content } = places;
  const dialect = content?.dialect ?? parsed<DialectReport>(details.dialect);
  return {
    record,
    hint: hintOf(record, content),
    dialect,
    violationsByCode:
      content?.violations_by_code ?? parsed<Report['violations_by_code']>(details.violations) ?? {},
    violations: await violationsOf(places, { record, dialect, sources }),
    violationsNotListed: content?.violations_not_listed ?? 0,
    notes: parsed<Story['notes']>(details.notes) ?? NOTHING,
    downloads: DOWNLOADS.filter((what) => places[what] !== undefined),
    canRetry: retryPlace(record, places) !== undefined,
    loadFailedAt: record.state === 'load_failed' ? content?.reported_at : undefined,
    sameName: search.ofSameName(record, MAX_SAME_NAME),
    repeats: record.state === 'duplicate' ? search.ofSameContent(record) : undefined,
  };
}

/** The file of a delivery that a retry sends back: the original, or the Parquet file that could not be loaded. */
export function retryPlace(
  record: FileRecord,
  { original, parquet, content }: FilePlaces,
): string | undefined {
  if (record.state === 'failed') return original;
  return record.state === 'load_failed' && content ? parquet : undefined;
}

function hintOf({ code }: FileRecord, content: Report | undefined): string | undefined {
  if (content?.hint) return content.hint;
  return code !== null && Object.hasOwn(REASONS, code) ? REASONS[code as ReasonCode].hint : undefined;
}

async function violationsOf(
  { content, original }: FilePlaces,
  story: { record: FileRecord; dialect: DialectReport | undefined; sources: StorySources },
): Promise<Story['violations']> {
  const { record, dialect, sources } = story;
  const violations = content?.violations ?? [];
  if (!original || !dialect || violations.length === 0) return violations;
  const dataset = sources.datasets.find(({ name }) => name === record.dataset);
  // Reading files brings much with it, which the list of files does not need.
  const { readSourceLines } = await import('./source-lines.js');
  const lines = await readSourceLines({
    file: original,
    dialect,
    dataset,
    limits: sources.limits,
    violations,
  });
  return violations.map((violation, i) => ({ ...violation, source: lines[i] }));
}

/** The ledger's own JSON. */
function parsed<T>(json: string | undefined): T | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as T);
}
