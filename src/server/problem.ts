import { DropgateError, messageOf, type ReasonCode } from '../base/errors.js';

/** An answer that says what went wrong. Source: RFC 9457. */
export interface Problem {
  /** `about:blank`: the code says more than a page could. */
  type: string;
  title: string;
  status: number;
  /** What happened, in a sentence. */
  detail: string;
  /** What to do about it. */
  hint?: string;
  /** Reason code of the table in docs/errors.md, where there is one. */
  code?: string;
}

/** A request that cannot be answered as it was meant. */
export class RequestProblem extends Error {
  readonly status: number;
  readonly hint: string | undefined;

  constructor(status: number, detail: string, hint?: string) {
    super(detail);
    this.status = status;
    this.hint = hint;
  }
}

/** HTTP status of errors that the pipeline throws; all others are our own fault. */
const STATUS_OF: Partial<Record<ReasonCode, number>> = {
  usage: 400,
  query_refused: 422,
  database_unreachable: 503,
  locked: 503,
  config_invalid: 409,
  upload_name: 400,
  upload_name_taken: 409,
  upload_too_large: 413,
  upload_broken_off: 400,
  upload_disk_full: 507,
  upload_unwritable: 503,
};

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  411: 'Length required',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Cannot be done',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available at the moment',
  507: 'Disk full',
};

/** Describes an error that ended a request. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DropgateError) {
    return problem(STATUS_OF[error.code] ?? 500, error.message, { hint: error.hint, code: error.code });
  }
  if (error instanceof RequestProblem) return problem(error.status, error.message, { hint: error.hint });
  const status = (error as { statusCode?: unknown }).statusCode;
  // Of the framework: a body that is no JSON, a parameter against its schema.
  if (typeof status === 'number' && status >= 400 && status < 500) return problem(status, messageOf(error));
  return problem(500, 'The server failed to answer; the log says more');
}

function problem(
  status: number,
  detail: string,
  { hint, code }: { hint?: string; code?: string } = {},
): Problem {
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Failed',
    status,
    detail,
    ...(hint ? { hint } : {}),
    ...(code ? { code } : {}),
  };
}
