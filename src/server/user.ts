import { ROLES, type Role } from '../config/settings.js';
import { RequestProblem } from './problem.js';

export type { Role };

/** Who asks. */
export interface User {
  name: string;
  role: Role;
}

/** By what somebody is known. */
export type Means = 'local' | 'session' | 'token' | 'proxy';

/** Who asks, and how that is known. */
export interface Identity {
  user: User;
  means: Means;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined for a stranger, whom only public routes answer. */
    identity: Identity | undefined;
    /** Who asks. On a public route a stranger has none: reading it then ends the request with 401. */
    readonly user: User;
  }
  interface FastifyContextConfig {
    /** Least role that a route wants; `viewer` where it says nothing. */
    role?: Role;
    /** Answers strangers too. */
    public?: boolean;
    /** Takes a body of any length, so that its whole time is not bounded. */
    isUpload?: boolean;
  }
}

/** May this user do what wants `role`? */
export function may(user: User, role: Role): boolean {
  return ROLES.indexOf(user.role) >= ROLES.indexOf(role);
}

/** What a stranger is told. */
export function notSignedIn(): RequestProblem {
  return new RequestProblem(401, 'You are not signed in', 'Sign in, or send a bearer token.');
}
