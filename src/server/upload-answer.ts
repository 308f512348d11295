import { REASONS } from '../base/errors.js';
import { plural, quoteValue } from '../base/text.js';
import type { Counts, Report } from '../pipeline/report.js';
import type { ReceivedFile } from '../pipeline/upload.js';
import type { UploadVerdict } from '../pipeline/view/upload-view.js';
import type { FailedUpload, UploadAnswer, UploadedRows } from './api/upload.js';
import { HIDDEN } from './privacy.js';

/** An answer to an upload. */
interface Answer {
  status: number;
  type: 'application/json' | 'application/problem+json';
  body: UploadAnswer | FailedUpload;
}

/** So many violations are told; the report has more. */
const MAX_VIOLATIONS = 20;

/** Whether the sender may see values of files of a dataset. */
type MaySee = (dataset: string | null) => boolean;

/** What the sender of a file is told: what became of it, or where to see that later. */
export function uploadAnswer(file: ReceivedFile, verdict: UploadVerdict, maySee: MaySee): Answer {
  switch (verdict.state) {
    case 'waiting':
      return good(202, file, { state: 'waiting', message: 'It is in the input folder', link: linkTo(file) });
    case 'converted': {
      const { isFinal, dataset, counts } = verdict;
      const where = isFinal ? 'nothing is to be loaded' : 'they wait to be loaded';
      const message = `${plural(counts.rows_out, 'row')} converted to Parquet; ${where}`;
      return good(isFinal ? 200 : 202, file, {
        ...told(file, verdict),
        state: 'converted',
        message,
        dataset,
      });
    }
    case 'loaded': {
      const { rowsLoaded, dataset } = verdict;
      const message = `${plural(rowsLoaded, 'row')} loaded into ${dataset}`;
      return good(200, file, {
        ...told(file, verdict),
        state: 'loaded',
        message,
        dataset,
        rows_loaded: rowsLoaded,
      });
    }
    case 'duplicate': {
      const { dataset } = verdict;
      const { name, judgedAt } = verdict.earlier;
      const earlier = { name, judged_at: judgedAt };
      const message = `The same content was delivered as ${quoteValue(name, 300)} and converted ${judgedAt}; it is not loaded again`;
      return good(200, file, { ...told(file, verdict), state: 'duplicate', message, dataset, earlier });
    }
    case 'failed': {
      const { report } = verdict;
      const isVisible = maySee(report.dataset);
      return failed(file, isVisible ? report : withoutValues(report), linkTo(file, verdict.fileId));
    }
    case 'load_failed': {
      const { code, message, hint, dataset, counts } = verdict;
      const detail = maySee(dataset) ? message : REASONS[code].meaning;
      const problem = {
        detail,
        hint,
        code,
        dataset,
        rows: rowsOf(counts),
        violations: [],
        violations_total: 0,
      };
      return bad({ ...problem, name: file.name, state: 'load_failed', link: linkTo(file, verdict.fileId) });
    }
  }
}

/** Messages quote values. */
function withoutValues(report: Report): Report {
  const { code, violations } = report;
  return {
    ...report,
    message: REASONS[code ?? 'internal'].meaning,
    violations: violations.map((one) => ({ ...one, value: HIDDEN, message: REASONS[one.code].meaning })),
  };
}

function good(
  status: 200 | 202,
  { name, bytes }: ReceivedFile,
  rest: Omit<UploadAnswer, 'name' | 'bytes'>,
): Answer {
  return { status, type: 'application/json', body: { name, bytes, ...rest } };
}

function failed({ name }: ReceivedFile, report: Report, link: string): Answer {
  const { code, message, hint, dataset, counts, violations, violations_not_listed } = report;
  return bad({
    detail: message,
    hint,
    code: code ?? 'internal',
    name,
    state: 'failed',
    link,
    dataset,
    rows: rowsOf(counts),
    violations: violations
      .slice(0, MAX_VIOLATIONS)
      .map(({ line, column, code, value, message }) => ({ line, column, code, value, message })),
    violations_total: violations.length + violations_not_listed,
  });
}

function bad(rest: Omit<FailedUpload, 'type' | 'title' | 'status'>): Answer {
  const body = { type: 'about:blank', title: 'The file failed', status: 422, ...rest } as const;
  return { status: 422, type: 'application/problem+json', body };
}

function told(
  file: ReceivedFile,
  { counts, fileId }: { counts: Counts; fileId: number | undefined },
): Pick<UploadAnswer, 'rows' | 'link'> {
  return { rows: rowsOf(counts), link: linkTo(file, fileId) };
}

function rowsOf({ rows_in, rows_out, ...left }: Counts): UploadedRows {
  return { in: rows_in, out: rows_out, ...left };
}

/** The page of the delivery, else the list where it is going to be. */
function linkTo({ name }: ReceivedFile, fileId?: number): string {
  return fileId === undefined ? `/?name=${encodeURIComponent(name)}` : `/files/${fileId}`;
}
