import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthSettings } from '../../config/settings.js';
import type { SessionInfo, SignIn } from '../api/session.js';
import { audit } from '../auth/audit.js';
import { SESSION_COOKIE } from '../auth/identify.js';
import { LoginLimit } from '../auth/login-limit.js';
import { Passwords } from '../auth/passwords.js';
import type { Sessions } from '../auth/sessions.js';
import { RequestProblem } from '../problem.js';
import type { Identity } from '../user.js';

const MAX_BODY_BYTES = 4096;
const MAX_NAME_LENGTH = 200;
const MAX_PASSWORD_LENGTH = 1000;

const sessionInfo = {
  type: 'object',
  required: ['name', 'role', 'can_sign_out'],
  properties: {
    name: { type: 'string' },
    role: { type: 'string' },
    can_sign_out: { type: 'boolean' },
  },
};
const signIn = {
  type: 'object',
  required: ['name', 'password'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH },
    password: { type: 'string', maxLength: MAX_PASSWORD_LENGTH },
  },
};

/** What the routes of sessions need. */
export interface SessionOptions {
  auth: AuthSettings | undefined;
  sessions: Sessions | undefined;
}

/** `/api/session`: who asks, signing in and out. */
export function sessionRoutes(app: FastifyInstance, { auth, sessions }: SessionOptions): void {
  const who = { summary: 'Who asks', tags: ['session'], response: { 200: sessionInfo } };
  app.get('/api/session', { schema: who }, (request): SessionInfo => infoOf(request.identity!));
  if (!auth || !sessions) return;
  signInRoute(app, { auth, sessions });
  const signOut = { summary: 'Signs out', tags: ['session'] };
  app.delete('/api/session', { schema: signOut }, (request, reply) => {
    const id = request.cookies[SESSION_COOKIE];
    if (id !== undefined) sessions.end(id, reply.raw);
    audit(request, 'signed out');
    return reply.clearCookie(SESSION_COOKIE, { path: '/' }).code(204).send();
  });
}

function signInRoute(
  app: FastifyInstance,
  { auth, sessions }: { auth: AuthSettings; sessions: Sessions },
): void {
  const passwords = new Passwords(auth.users);
  const limit = new LoginLimit();
  const schema = { summary: 'Signs in', tags: ['session'], body: signIn, response: { 200: sessionInfo } };
  const options = { config: { public: true }, bodyLimit: MAX_BODY_BYTES, schema };
  app.post<{ Body: SignIn }>('/api/session', options, async (request, reply) => {
    const { name, password } = request.body;
    // 1. Not too often.
    const attempt = { address: request.ip, name };
    const waitMs = limit.begin(attempt);
    if (waitMs > 0) throw tooOften(request, { reply, waitMs });
    // 2. The password.
    const user = await passwords.check(name, password);
    if (!user) throw wrongPassword(request, passwords.has(name) ? name : undefined);
    limit.succeed(attempt);
    // 3. A new session; the one that the browser had, which somebody may have planted there, ends.
    const last = request.cookies[SESSION_COOKIE];
    if (last !== undefined) sessions.end(last);
    request.identity = { user, means: 'session' };
    reply.setCookie(SESSION_COOKIE, sessions.start(user), {
      ...{ path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' },
      maxAge: Math.floor(auth.sessionMs / 1000),
    });
    audit(request, 'signed in');
    return infoOf(request.identity);
  });
}

function infoOf({ user, means }: Identity): SessionInfo {
  return { ...user, can_sign_out: means === 'session' };
}

function tooOften(
  request: FastifyRequest,
  { reply, waitMs }: { reply: FastifyReply; waitMs: number },
): RequestProblem {
  const seconds = Math.ceil(waitMs / 1000);
  reply.header('Retry-After', seconds);
  audit(request, 'tried too often to sign in');
  return new RequestProblem(429, `Too many wrong passwords; wait ${Math.ceil(seconds / 60)} min`);
}

/** A name that nobody has may be a password in the wrong field: it is not written down. */
function wrongPassword(request: FastifyRequest, known: string | undefined): RequestProblem {
  audit(request, `could not sign in as ${known ?? 'somebody unknown'}`);
  return new RequestProblem(401, 'Name or password is wrong');
}
