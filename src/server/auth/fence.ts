import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../base/loopback.js';
import { RequestProblem } from '../problem.js';
import type { Means } from '../user.js';

/** Methods that only look. Source: RFC 9110, section 9.2.1 */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const OWN_SITES = new Set(['same-origin', 'none']);
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'via'];

/**
 * Without `auth` everybody on this machine is an administrator. A page of a stranger that gives its own name the address
 * 127.0.0.1 (DNS rebinding) is not on this machine, nor is who comes through a proxy.
 * @throws RequestProblem 403
 */
export function refuseStrangeHosts(request: FastifyRequest): void {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!isLoopback(name))
    throw new RequestProblem(
      403,
      'Without server.auth the pages are served to this machine only, under the name localhost',
      'Open http://localhost with the port, or set server.auth in dropgate.yaml.',
    );
  if (FORWARDING_HEADERS.some((header) => request.headers[header] !== undefined))
    throw new RequestProblem(
      403,
      'This request came through a proxy, and without server.auth everybody behind it would be an administrator',
      'Set server.auth in dropgate.yaml.',
    );
}

/**
 * Other sites may link to the pages, and nothing else: browsers say in Sec-Fetch-* and Origin where a request comes from.
 * What changes something also needs a header that a form cannot send, unless no browser is involved.
 * @throws RequestProblem 403
 */
export function refuseOtherSites(request: FastifyRequest, means: Means | undefined): void {
  // A token is sent by a program, never by a browser on its own.
  if (means === 'token') return;
  const { headers, method } = request;
  const site = headers['sec-fetch-site'] as string | undefined;
  const isSafe = SAFE_METHODS.has(method);
  const isLink = isSafe && headers['sec-fetch-mode'] === 'navigate';
  const isForeign = (site !== undefined && !OWN_SITES.has(site)) || isOtherOrigin(request);
  if (isForeign && !isLink)
    throw new RequestProblem(
      403,
      'This request comes from another site',
      'Use the pages of Dropgate itself.',
    );
  if (isSafe) return;
  const isBrowser = site !== undefined || headers.origin !== undefined || means === 'session';
  if (isBrowser && headers['x-dropgate'] !== '1')
    throw new RequestProblem(
      403,
      'What changes something needs the header X-Dropgate: 1',
      'A form on another site cannot send it.',
    );
}

function isOtherOrigin({ headers: { origin, host } }: FastifyRequest): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}
