import type { FastifyInstance } from 'fastify';
import { type ApiDescription, apiPage } from '../openapi.js';

/** `GET /api`: the description of the API for people; `GET /api/openapi.json`: for programs. */
export function openApiRoutes(app: FastifyInstance): void {
  const description = () => app.swagger() as ApiDescription;
  const json = {
    summary: 'This description',
    tags: ['operations'],
    response: {
      200: { type: 'object', additionalProperties: true, description: 'An OpenAPI 3.1 document' },
    },
  } as const;
  app.get('/api/openapi.json', { schema: json }, description);
  app.get('/api', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(apiPage(description())),
  );
}
