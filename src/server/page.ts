import { fileURLToPath } from 'node:url';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestProblem } from './problem.js';

/** Where the build puts the page; the same for the program as built and from source. */
export const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** Paths that are no pages. */
const NO_PAGE = /^\/(?:api|input|assets|metrics|healthz|readyz)(?:[/?]|$)/;

/** Any other address is one of the page's own, which finds out itself what to show. */
export function sendPage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const wantsPage = request.method === 'GET' && !NO_PAGE.test(request.url);
  if (!wantsPage) throw new RequestProblem(404, `There is nothing at ${request.method} ${request.url}`);
  return reply.sendFile('index.html');
}
