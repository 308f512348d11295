import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../base/version.js';
import { SESSION_COOKIE } from './auth/identify.js';

/** Collects the schemas of all routes that are registered from now on. Source: https://spec.openapis.org/oas/v3.1.1.html */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    transform: ({ schema, url }) => describeRoute(schema as RouteSchema, url),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dropgate',
        version: VERSION,
        description: 'Errors are problem details (RFC 9457); their codes are in docs/errors.md.',
      },
      // Without users (server.auth) neither is needed.
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
        },
      },
      security: [{ token: [] }, { session: [] }, {}],
      tags: [
        { name: 'session', description: 'Who asks' },
        { name: 'files', description: 'What became of every file' },
        { name: 'quality', description: 'How good the files were, and alerts' },
        { name: 'operations', description: 'Health and metrics' },
        { name: 'sql', description: 'Statements that only read, and saved queries' },
        { name: 'upload', description: 'Delivering files' },
        { name: 'data', description: 'The loaded tables, named queries and dashboards' },
      ],
    },
  });
}

type RouteSchema = Record<string, unknown> & {
  params?: { properties: Record<string, object> };
  response?: object;
};

/** Any route may answer with a problem. */
const PROBLEM = {
  description: 'Why not, as problem details',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string', description: 'What happened' },
          hint: { type: 'string', description: 'What to do about it' },
          code: { type: 'string', description: 'Reason code, see docs/errors.md' },
        },
      },
    },
  },
};

function describeRoute(route: RouteSchema, url: string): { schema: RouteSchema; url: string } {
  // Some answers are streams, which have no schema.
  const response = route.response ?? { 200: { description: 'The answer' } };
  const schema = { ...route, response: { ...response, default: PROBLEM } };
  if (!url.endsWith('/*') || !route.params) return { schema, url };
  // A wildcard of our routes is a name; OpenAPI knows named parameters only.
  const params = { type: 'object', properties: { name: route.params.properties['*'] } };
  return { schema: { ...schema, params }, url: url.replace(/\*$/, ':name') };
}

/** A description of the API: the parts of OpenAPI 3.1 that are shown on its page. */
export interface ApiDescription {
  openapi: string;
  info: { title: string; version: string; description?: string };
  paths?: Record<string, Record<string, ApiOperation>>;
}

interface ApiOperation {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string }[];
  responses?: Record<string, { description?: string }>;
}

/** The description as a page to read: no script, and style only from a file. */
export function apiPage({ info, paths = {} }: ApiDescription): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationHtml(method, path, operation)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · ${escapeHtml(info.title)}</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<link rel="stylesheet" href="/api.css">
</head>
<body>
<main>
<h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}: API</h1>
<p>${escapeHtml(info.description ?? '')} For programs: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). <a href="/">To the pages</a></p>
${operations.join('\n')}
</main>
</body>
</html>
`;
}

function operationHtml(method: string, path: string, operation: ApiOperation): string {
  const { summary = '', description = '', parameters = [], responses = {} } = operation;
  return `<section>
<h2><code><b>${escapeHtml(method.toUpperCase())}</b> ${escapeHtml(path)}</code></h2>
<p>${escapeHtml(summary)}${description === '' ? '' : `. ${escapeHtml(description)}`}</p>
${listHtml(
  'Parameters',
  parameters.map((one) => [
    one.name,
    `${one.in}${one.required ? ', required' : ''}${one.description ? `: ${one.description}` : ''}`,
  ]),
)}${listHtml(
  'Answers',
  Object.entries(responses).map(([status, { description: text = '' }]) => [status, text]),
)}</section>`;
}

function listHtml(title: string, entries: [string, string][]): string {
  if (entries.length === 0) return '';
  const items = entries.map(
    ([term, text]) => `<dt><code>${escapeHtml(term)}</code></dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<h3>${title}</h3>\n<dl>${items.join('')}</dl>\n`;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]);
}
