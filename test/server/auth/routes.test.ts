import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '../../../src/config/settings.js';
import { type Accounts, bearer, makeAccounts } from './accounts.js';
import { type LocalServer, openLocalServer } from './local-server.js';

/** What strangers may reach, besides the files of the page. Think twice before a route joins them. */
const PUBLIC = ['GET /healthz', 'GET /readyz', 'POST /api/session'];

let accounts: Accounts;
let server: LocalServer;
beforeAll(async () => {
  accounts = await makeAccounts();
  server = await openLocalServer({ server: accounts.yaml });
});
afterAll(() => server.close());

/** A request to a route, with something in the place of each parameter. */
function request({ method, url }: { method: string; url: string }): InjectOptions {
  return { method: method as 'GET', url: url.replace(/:\w+/g, 'x').replace('*', 'x') };
}

function isOfPage(url: string): boolean {
  return /^\/(?:$|index\.html|assets\/|[\w-]+\.(?:svg|js|css)$)/.test(url);
}

describe('every route', () => {
  it('is closed to strangers, but for a few', async () => {
    const open: string[] = [];
    for (const route of server.routes.filter(({ url }) => !isOfPage(url))) {
      const { statusCode } = await server.app.inject(request(route));
      if (statusCode !== 401) open.push(`${route.method} ${route.url}`);
    }
    const expected = PUBLIC.flatMap((route) =>
      route.startsWith('GET ') ? [route, route.replace('GET', 'HEAD')] : route,
    );
    // Signing in without a body is a bad request, not a stranger's.
    expect(open.sort()).toEqual(expected.sort());
    expect(server.routes.length).toBeGreaterThan(10);
  });

  it('refuses a role that is too low', async () => {
    const guarded = server.routes.filter(({ config }) => config?.role !== undefined);
    for (const route of guarded) {
      const needed = (route.config as { role: Role }).role;
      for (const role of ROLES.slice(0, ROLES.indexOf(needed))) {
        const headers = bearer(accounts.tokens[role]);
        const { statusCode } = await server.app.inject({ ...request(route), headers });
        expect([route.method, route.url, role, statusCode]).toEqual([route.method, route.url, role, 403]);
      }
    }
  });

  it('that changes something is not for viewers', () => {
    const changing = server.routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method));
    const forViewers = changing.filter(({ config }) => (config?.role ?? 'viewer') === 'viewer');
    expect(forViewers.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'DELETE /api/session',
      'POST /api/session',
    ]);
  });

  it('says nothing to strangers about addresses that it does not have', async () => {
    for (const url of ['/api/nothing', '/input/x', '/metrics/x'])
      expect((await server.app.inject(url)).statusCode).toBe(401);
    expect((await server.app.inject('/sql')).body).toContain('<div id="app">');
  });
});
