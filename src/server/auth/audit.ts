import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Log } from '../../base/log.js';

declare module 'fastify' {
  interface FastifyInstance {
    auditLog: Log;
  }
}

/** Gives {@link audit} its log. */
export function keepAudit(app: FastifyInstance, log: Log): void {
  app.decorate('auditLog', log);
}

/**
 * Writes down who did what, in one line of the log: `ada (analyst) from 10.0.0.5 uploaded scores.csv`. Never with a
 * secret. The log escapes control characters.
 */
export function audit(request: FastifyRequest, text: string): void {
  const { identity, ip } = request;
  const who = identity ? `${identity.user.name} (${identity.user.role})` : 'Somebody';
  request.server.auditLog.info(`${who} from ${ip} ${text}`, {
    ...{ event: 'audit', user: identity?.user.name, role: identity?.user.role, address: ip },
  });
}
