import type { FastifyInstance } from 'fastify';

/** What a client gets to send its headers. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** How often connections that are late with their headers are looked for. */
export const LATENESS_CHECK_MS = 5000;
/** What a client gets to send a body that is no upload. */
const BODY_TIMEOUT_MS = 30_000;
/** How long an upload may stand still. */
const UPLOAD_IDLE_MS = 60_000;
const MAX_CONNECTIONS = 1024;

/** Ends connections that send so slowly that they only hold a place. */
export function limitSlowness(app: FastifyInstance): void {
  app.server.maxConnections = MAX_CONNECTIONS;
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
