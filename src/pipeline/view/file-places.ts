import fs from 'node:fs';
import path from 'node:path';
import { candidateNames, splitDataName } from '../../base/files.js';
import type { Folders } from '../../config/settings.js';
import type { FileDetails, FileRecord } from '../../ledger/ledger.js';
import { type Report, reportPathOf } from '../report.js';

/** What can be downloaded of a delivery. */
export const DOWNLOADS = ['original', 'rejected', 'report', 'parquet'] as const;
export type Download = (typeof DOWNLOADS)[number];

/** What lies in the folders of a delivery. Paths are absolute, and come from the ledger and the known folders alone. */
export interface FilePlaces {
  original?: string;
  /** The rows that were left out of a file that passed. */
  rejected?: string;
  report?: string;
  parquet?: string;
  /** The content of `report`. */
  content?: Report;
}

/** Larger ones are none of ours. */
const MAX_REPORT_BYTES = 16 << 20;
/** So many names of parked Parquet files are tried. */
const MAX_CANDIDATES = 20;

/** Finds what is (still) there of a delivery. What lies under its name but is another file's is passed over. */
export function findPlaces(record: FileRecord, details: FileDetails, folders: Folders): FilePlaces {
  switch (record.state) {
    case 'failed':
      return ofFailed(record, folders);
    case 'load_failed':
      return { ...ofConverted(record, details, folders), parquet: undefined, ...ofParked(record, folders) };
    case 'duplicate':
      return { original: originalOf(record, folders) };
    default:
      return ofConverted(record, details, folders);
  }
}

/** A file in the failed folder is known by the report beside it: the name may have been given to another one since. */
function ofFailed(record: FileRecord, folders: Folders): FilePlaces {
  const original = originalOf(record, folders);
  if (original === undefined) return {};
  const content = readReport(reportPathOf(original));
  if (content?.sha256 !== record.sha256 || content.file !== record.name) return {};
  return { original, report: reportPathOf(original), content };
}

function ofConverted(record: FileRecord, details: FileDetails, folders: Folders): FilePlaces {
  const parquet = record.parquet === null ? undefined : path.join(folders.output, record.parquet);
  return {
    original: originalOf(record, folders),
    parquet: existing(parquet, folders.output),
    ...ofRejected(record, details, folders),
  };
}

function ofRejected(
  { name, sha256 }: FileRecord,
  { rejects }: FileDetails,
  folders: Folders,
): Pick<FilePlaces, 'rejected' | 'report' | 'content'> {
  const rejected = rejects && existing(path.join(folders.failed, rejects), folders.failed);
  if (!rejected) return {};
  const content = readReport(reportPathOf(rejected));
  if (content?.sha256 !== sha256 || content.file !== name) return {};
  return { rejected, report: reportPathOf(rejected), content };
}

/** A Parquet file that was put aside may have got a suffix; its report says under which name it was loaded. */
function ofParked(
  { parquet }: FileRecord,
  folders: Folders,
): Pick<FilePlaces, 'parquet' | 'report' | 'content'> {
  if (parquet === null) return {};
  const { name: stem, ext } = path.parse(parquet);
  let tried = 0;
  for (const name of candidateNames(stem, ext)) {
    const file = existing(path.join(folders.outputFailed, name), folders.outputFailed);
    const content = file === undefined ? undefined : readReport(reportPathOf(file));
    if (file && content?.file === parquet) return { parquet: file, report: reportPathOf(file), content };
    if (++tried === MAX_CANDIDATES) break;
  }
  return {};
}

function originalOf({ original }: FileRecord, { input }: Folders): string | undefined {
  return original === null ? undefined : existing(path.join(input, original), input);
}

/** A regular file within its folder. */
function existing(file: string | undefined, folder: string): string | undefined {
  if (!file?.startsWith(folder + path.sep)) return undefined;
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

function readReport(file: string): Report | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stats = fs.fstatSync(fd);
    if (!stats.isFile() || stats.size > MAX_REPORT_BYTES) return undefined;
    const content: unknown = JSON.parse(fs.readFileSync(fd, 'utf8'));
    return typeof content === 'object' && content !== null ? (content as Report) : undefined;
  } catch {
    // Deleted or edited by somebody.
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The name under which a browser is to save it. */
export function downloadName(
  what: Download,
  { name, parquet }: Pick<FileRecord, 'name' | 'parquet'>,
): string {
  const { stem } = splitDataName(name);
  if (what === 'rejected') return `${stem}.rejected.csv`;
  if (what === 'report') return `${name}.report.json`;
  return what === 'parquet' ? (parquet ?? `${stem}.parquet`) : name;
}
