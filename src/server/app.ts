import fastifyCookie from '@fastify/cookie';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerFactory,
  type RouteOptions,
} from 'fastify';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { keepAudit } from './auth/audit.js';
import { guardRoutes } from './auth/guard.js';
import { trustedBy } from './auth/identify.js';
import type { ServerContext } from './context.js';
import { answerExpectations } from './expectations.js';
import { sendSecurityHeaders } from './headers.js';
import { limitSlowness } from './limits.js';
import { measureRequests, openRegistry } from './metrics.js';
import { describeApi } from './openapi.js';
import { servePage } from './page.js';
import { type Problem, problemOf } from './problem.js';
import { dashboardRoutes } from './routes/dashboards.js';
import { dataRoutes } from './routes/data.js';
import { fileRoutes } from './routes/files.js';
import { healthRoutes } from './routes/health.js';
import { metricsRoutes } from './routes/metrics.js';
import { openApiRoutes } from './routes/openapi.js';
import { qualityRoutes } from './routes/quality.js';
import { sessionRoutes } from './routes/session.js';
import { sqlRoutes } from './routes/sql.js';
import { uploadRoutes } from './routes/upload.js';

/** How the pages and their API are put together. */
export interface AppOptions {
  /** Hears of every route. */
  onRoute?(route: RouteOptions): void;
  /** Brings the server that listens; without it nothing does. */
  serverFactory?: FastifyServerFactory;
}

/** The pages and their API, not listening by themselves. */
export async function buildApp(
  context: ServerContext,
  { onRoute, serverFactory }: AppOptions = {},
): Promise<FastifyInstance> {
  const { auth } = context.settings;
  const app = Fastify({
    serverFactory,
    trustProxy: auth ? trustedBy(auth.trustedProxies) : false,
    // An address that cannot be decoded comes to no route.
    frameworkErrors: (error, _request, reply) => sendProblem(reply, problemOf(error)),
  });
  if (onRoute) app.addHook('onRoute', onRoute);
  // 1. What holds for every answer.
  sendSecurityHeaders(app);
  answerErrors(app, context.log);
  limitSlowness(app);
  answerExpectations(app);
  keepAudit(app, context.log);
  await app.register(fastifyCookie);
  const sessions = guardRoutes(app, auth);
  const registry = openRegistry(context.view);
  measureRequests(app, registry);
  // 2. The API.
  await describeApi(app);
  healthRoutes(app, context.view.operations);
  metricsRoutes(app, registry);
  uploadRoutes(app, context.view);
  dataRoutes(app, context.view);
  dashboardRoutes(app, context.view);
  qualityRoutes(app, context.view);
  openApiRoutes(app);
  sessionRoutes(app, { auth, sessions });
  fileRoutes(app, context);
  sqlRoutes(app, context);
  // 3. The page.
  await servePage(app);
  return app;
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status === 500)
      log.error(`${request.method} ${request.url} failed: ${messageOf(error)}`, { event: 'request_failed' });
    return sendProblem(reply, problem);
  });
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type('application/problem+json').send(problem);
}
