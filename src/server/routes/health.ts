import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../base/version.js';
import type { Condition, OperationsView } from '../../pipeline/view/operations-view.js';
import type { Health, Readiness } from '../api/operations.js';

const HEALTH_SCHEMA = {
  summary: 'Whether the process answers',
  tags: ['operations'],
  response: {
    200: {
      description: 'It does',
      type: 'object',
      required: ['status'],
      properties: { status: { type: 'string', enum: ['ok'] }, version: { type: 'string' } },
    },
  },
} as const;

const READINESS = {
  type: 'object',
  required: ['status', 'reasons', 'notices', 'database'],
  properties: {
    status: { type: 'string', enum: ['ready', 'not_ready'] },
    reasons: { type: 'array', items: { type: 'string' }, description: 'Why no file is taken' },
    notices: { type: 'array', items: { type: 'string' }, description: 'Trouble that the work goes on with' },
    database: {
      type: 'string',
      enum: ['up', 'away', 'none'],
      description: 'While it is away files are converted and wait to be loaded; none: nothing is loaded',
    },
  },
} as const;

const READINESS_SCHEMA = {
  summary: 'Whether files are taken',
  description: 'A database that is away does not make Dropgate unready: files are converted and wait for it.',
  tags: ['operations'],
  response: {
    200: { ...READINESS, description: 'They are' },
    503: { ...READINESS, description: 'They are not, for the reasons given' },
  },
} as const;

const PUBLIC = { public: true };

/** `GET /healthz`: the process answers. `GET /readyz`: it takes files. Strangers hear that and no more. */
export function healthRoutes(app: FastifyInstance, operations: OperationsView): void {
  app.get(
    '/healthz',
    { schema: HEALTH_SCHEMA, config: PUBLIC },
    ({ identity }): Health => ({ status: 'ok', ...(identity && { version: VERSION }) }),
  );
  app.get('/readyz', { schema: READINESS_SCHEMA, config: PUBLIC }, ({ identity }, reply): Readiness => {
    const readiness = readinessOf(operations.condition());
    if (readiness.status === 'not_ready') reply.code(503);
    return identity ? readiness : { ...readiness, reasons: [], notices: [] };
  });
}

function readinessOf({ folders, database }: Condition): Readiness {
  const trouble = folders.flatMap((folder) => folder.trouble);
  const reasons = trouble.filter(({ isBlocking }) => isBlocking).map(sentence);
  const notices = trouble.filter(({ isBlocking }) => !isBlocking).map(sentence);
  if (database?.isAway) {
    notices.push(`The database ${database.address} is away; files are converted and wait to be loaded.`);
  }
  return {
    status: reasons.length === 0 ? 'ready' : 'not_ready',
    reasons,
    notices,
    database: database ? (database.isAway ? 'away' : 'up') : 'none',
  };
}

function sentence({ message, hint }: { message: string; hint: string }): string {
  return `${message} ${hint}`;
}
