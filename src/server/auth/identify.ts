import { BlockList, isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hashToken } from '../../base/secret-hash.js';
import { type AuthSettings, ROLES } from '../../config/settings.js';
import type { Identity, User } from '../user.js';
import type { Sessions } from './sessions.js';

/** The cookie that holds the id of a session. */
export const SESSION_COOKIE = 'dropgate_session';

/** Finds out who asks; the answer ends with the session that it belongs to. */
export type Identifier = (request: FastifyRequest, reply: FastifyReply) => Identity | undefined;

/** Everybody who reaches a server without `auth`, which listens to this machine only. */
const LOCAL: Identity = { user: { name: 'local', role: 'admin' }, means: 'local' };

/** Without `auth`. */
export const identifyLocal: Identifier = () => LOCAL;

/** By bearer token, else by the header of a proxy, else by session. */
export function makeIdentifier(auth: AuthSettings, sessions: Sessions): Identifier {
  const tokens = new Map(auth.tokens.map(({ name, role, tokenHash }) => [tokenHash, { name, role }]));
  const isTrusted = trustedBy(auth.trustedProxies);
  return (request, reply) => {
    // 1. A token that is wrong is not made up for by a cookie.
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined) return as('token', tokens.get(hashToken(token)));
    // 2. The proxy's word, straight from its address.
    if (auth.proxyHeader && isTrusted(request.socket.remoteAddress ?? '')) {
      const user = userOfProxy(request, auth.proxyHeader);
      if (user) return as('proxy', user);
    }
    // 3. The cookie.
    const id = request.cookies[SESSION_COOKIE];
    const identity = id === undefined ? undefined : as('session', sessions.use(id));
    if (identity) sessions.bind(id!, reply.raw);
    return identity;
  };
}

/** Whether an address belongs to one of these addresses and networks. */
export function trustedBy(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/');
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    // An IPv4 client of a server that listens to both.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return list.check(plain, familyOf(plain));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function as(means: Identity['means'], user: User | undefined): Identity | undefined {
  return user && { user, means };
}

function userOfProxy(
  { headers }: FastifyRequest,
  { name: header, role, roleHeader }: NonNullable<AuthSettings['proxyHeader']>,
): User | undefined {
  const name = headers[header];
  if (typeof name !== 'string' || name === '') return undefined;
  if (roleHeader === undefined) return { name, role };
  // A role that the proxy does not name, or that nobody knows, lets nobody in.
  const named = ROLES.find((one) => one === headers[roleHeader]);
  return named && { name, role: named };
}
