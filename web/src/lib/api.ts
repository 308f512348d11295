/** An answer of the server that says what went wrong (RFC 9457). */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  hint?: string;
  code?: string;
}

/** A request that failed, in words for whoever reads the page. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Nobody answers. */
export const AWAY: Problem = {
  title: 'No connection',
  status: 0,
  detail: 'Dropgate does not answer.',
  hint: 'Is the daemon running? The page tries again when you reload it.',
};

/** Asks the server for JSON. Tells the window by the event `signedout` that nobody is signed in. @throws ApiError */
export async function api<T>(path: string, init: RequestInit & { json?: unknown } = {}): Promise<T> {
  const { json, ...rest } = init;
  const headers = new Headers(rest.headers);
  // A form on another site cannot send this header.
  headers.set('X-Dropgate', '1');
  if (json !== undefined) {
    headers.set('Content-Type', 'application/json');
    rest.body = JSON.stringify(json);
  }
  const response = await fetch(path, { ...rest, headers }).catch((error: unknown) => {
    if (rest.signal?.aborted) throw error;
    throw new ApiError(AWAY);
  });
  if (response.status === 401) window.dispatchEvent(new Event('signedout'));
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** What an answer that failed says. */
export async function problemOf(response: Response): Promise<Problem> {
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
  if (isProblem) return (await response.json()) as Problem;
  return {
    title: response.statusText,
    status: response.status,
    detail: `The server answered ${response.status}.`,
  };
}
