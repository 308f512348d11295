import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../base/version.js';

/** `GET /healthz`: the process answers. */
export function healthRoutes(app: FastifyInstance): void {
  app.get('/healthz', () => ({ status: 'ok', version: VERSION }));
}
