import type { FastifyInstance } from 'fastify';

/** What somebody may do; each role may do all that those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
/**
 * - `viewer`: look
 * - `analyst`: also upload, retry, and ask in SQL
 * - `admin`: also see private columns
 */
export type Role = (typeof ROLES)[number];

/** Who asks. */
export interface User {
  name: string;
  role: Role;
}

declare module 'fastify' {
  interface FastifyRequest {
    user: User;
  }
  interface FastifyContextConfig {
    /** Least role that a route wants; `viewer` where it says nothing. */
    role?: Role;
  }
}

/** Everybody who reaches a server without `auth`, which listens to this machine only. */
const LOCAL_USER: User = { name: 'local', role: 'admin' };

/** Finds out who asks, before every route. */
export function identifyUsers(app: FastifyInstance): void {
  app.decorateRequest('user');
  app.addHook('onRequest', async (request) => {
    request.user = LOCAL_USER;
  });
}

/** May this user do what wants `role`? */
export function may(user: User, role: Role): boolean {
  return ROLES.indexOf(user.role) >= ROLES.indexOf(role);
}
