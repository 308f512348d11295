import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';

const SCHEMA = {
  summary: 'Metrics in the text format of Prometheus',
  tags: ['operations'],
  response: {
    200: { description: 'The metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
  },
} as const;

/** `GET /metrics`: what Prometheus reads. */
export function metricsRoutes(app: FastifyInstance, registry: Registry): void {
  app.get('/metrics', { schema: SCHEMA }, async (_request, reply) => {
    reply.type(Registry.PROMETHEUS_CONTENT_TYPE);
    return registry.metrics();
  });
}
