import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cacheControlOf } from './headers.js';
import { RequestProblem } from './problem.js';

/** Where the build puts the page; the same for the program as built and from source. */
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** Paths that are no pages. */
const NO_PAGE = /^\/(?:api|input|assets|metrics|healthz|readyz)(?:[/?]|$)/;

/** Serves the files of the page to everybody: they hold no data, and the form to sign in is among them. */
export async function servePage(app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, public: true };
    });
    scope.addHook('onSend', async ({ url }, reply) => {
      if (reply.statusCode < 400) reply.header('Cache-Control', cacheControlOf(url));
    });
    await scope.register(fastifyStatic, { root: PAGE_FOLDER, wildcard: false, cacheControl: false });
    scope.setNotFoundHandler(sendPage);
  });
}

/** Whether an address that no route has is one of the page's own, which finds out itself what to show. */
export function isPagePath({ method, url }: FastifyRequest): boolean {
  return method === 'GET' && !NO_PAGE.test(url);
}

function sendPage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isPagePath(request))
    throw new RequestProblem(404, `There is nothing at ${request.method} ${request.url}`);
  return reply.sendFile('index.html');
}
