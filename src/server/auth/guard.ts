import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuthSettings } from '../../config/settings.js';
import { isPagePath } from '../page.js';
import { RequestProblem } from '../problem.js';
import { may, notSignedIn } from '../user.js';
import { refuseOtherSites, refuseStrangeHosts } from './fence.js';
import { identifyLocal, makeIdentifier } from './identify.js';
import { Sessions } from './sessions.js';

/**
 * Stands before every route, found or not: finds out who asks, refuses other sites, strangers and roles that are too
 * low. Answers the sessions, which exist with `auth` only.
 */
export function guardRoutes(app: FastifyInstance, auth: AuthSettings | undefined): Sessions | undefined {
  const sessions = auth && new Sessions(auth);
  const identify = auth ? makeIdentifier(auth, sessions!) : identifyLocal;
  app.decorateRequest('identity');
  app.decorateRequest('user', {
    getter() {
      if (!this.identity) throw notSignedIn();
      return this.identity.user;
    },
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!auth) refuseStrangeHosts(request);
    request.identity = identify(request, reply);
    refuseOtherSites(request, request.identity?.means);
    if (isPublic(request)) return;
    if (!request.identity) {
      reply.header('WWW-Authenticate', 'Bearer realm="dropgate"');
      throw notSignedIn();
    }
    const { role = 'viewer' } = request.routeOptions.config;
    if (!may(request.user, role))
      throw new RequestProblem(
        403,
        `This is for the role ${role} and those above; yours is ${request.user.role}`,
        'Ask whoever keeps dropgate.yaml.',
      );
  });
  app.addHook('onClose', async () => sessions?.close());
  return sessions;
}

/** The page itself holds no data, and the form to sign in is part of it. */
function isPublic(request: FastifyRequest): boolean {
  return request.is404 ? isPagePath(request) : request.routeOptions.config.public === true;
}
