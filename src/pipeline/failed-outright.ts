import type { DropgateError } from '../base/errors.js';
import type { FileFingerprint } from '../read/file-source.js';
import { type DialectReport, emptyCounts, makeReport, type Report, ViolationList } from './report.js';

/** The verdict on a file that goes to the failed folder. */
export interface FailedResult {
  status: 'failed';
  name: string;
  sha256: string;
  report: Report;
  fingerprint?: FileFingerprint;
  bytesIn: number;
}

/** The verdict on a file of which no row was looked at, and what is known of it all the same. */
export function failedOutright(failure: {
  name: string;
  error: DropgateError;
  sha256?: string;
  /** Name of its dataset. */
  dataset?: string;
  dialect?: DialectReport;
  fingerprint?: FileFingerprint;
  bytesIn?: number;
}): FailedResult {
  const { name, error, sha256 = '', dataset = null, dialect = null, fingerprint, bytesIn = 0 } = failure;
  const report = makeReport({
    file: name,
    sha256,
    dataset,
    dialect,
    counts: emptyCounts(),
    verdict: 'failed',
    code: error.code,
    message: error.message,
    hint: error.hint,
    violations: new ViolationList(),
  });
  return { status: 'failed', name, sha256, report, fingerprint, bytesIn };
}
