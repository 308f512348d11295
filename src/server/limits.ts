import type { ServerOptions } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** What a client gets to send its headers. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often connections that are late with their headers are looked for. */
const LATENESS_CHECK_MS = 5000;
/** How long a connection stays open for another request: longer than proxies keep theirs. */
const KEEP_ALIVE_MS = 72_000;
/** What a client gets to send a body that is no upload. */
const BODY_TIMEOUT_MS = 30_000;
/** How long an upload may stand still. */
const UPLOAD_IDLE_MS = 60_000;
/** At a time. */
export const MAX_CONNECTIONS = 1024;

/** Limits of the server that listens. Uploads take long; the time of everything else is bounded by `limitSlowness`. */
export const HTTP_LIMITS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: 0,
  connectionsCheckingInterval: LATENESS_CHECK_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
};

/** Ends connections that send so slowly that they only hold a place. */
export function limitSlowness(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    const { socket, headers } = raw;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (!hasBody) return;
    const end = () => socket.destroy();
    if (routeOptions.config.isUpload) {
      socket.setTimeout(UPLOAD_IDLE_MS, end);
      raw.once('end', () => socket.setTimeout(0, end));
      return;
    }
    const timer = setTimeout(end, BODY_TIMEOUT_MS);
    raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}
