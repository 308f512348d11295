import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Accounts, bearer, makeAccounts, PASSWORD } from './accounts.js';
import { type LocalServer, openLocalServer } from './local-server.js';

let accounts: Accounts;
let server: LocalServer;
beforeAll(async () => {
  accounts = await makeAccounts(
    'trusted_proxies: [10.9.0.0/16], proxy_header: { name: X-User, role_header: X-Role }',
  );
  server = await openLocalServer({ server: accounts.yaml });
});
afterAll(() => server.close());

interface Attempt {
  name: string;
  password?: string;
  address?: string;
  headers?: Record<string, string>;
}

function signIn({ name, password = PASSWORD, address = '192.0.2.1', headers = {} }: Attempt) {
  return server.app.inject({
    ...{ method: 'POST', url: '/api/session', remoteAddress: address },
    ...{ headers: { 'X-Dropgate': '1', ...headers }, payload: { name, password } },
  });
}

function whoIs(headers: Record<string, string>, remoteAddress = '192.0.2.1') {
  return server.app.inject({ url: '/api/session', headers, remoteAddress });
}

describe('signing in', () => {
  it('gives a cookie that scripts and other sites cannot use, and signing out ends it', async () => {
    const answer = await signIn({ name: 'analyst' });
    expect(answer.json()).toEqual({ name: 'analyst', role: 'analyst', can_sign_out: true });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/^dropgate_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    const Cookie = cookie.split(';')[0];
    expect((await whoIs({ Cookie })).json()).toMatchObject({ name: 'analyst' });

    const again = await signIn({ name: 'viewer', headers: { Cookie } });
    expect((await whoIs({ Cookie })).statusCode).toBe(401);
    const newCookie = String(again.headers['set-cookie']).split(';')[0];
    const out = await server.app.inject({
      ...{ method: 'DELETE', url: '/api/session', headers: { Cookie: newCookie, 'X-Dropgate': '1' } },
    });
    expect(out.statusCode).toBe(204);
    expect((await whoIs({ Cookie: newCookie })).statusCode).toBe(401);
    expect(server.site.log()).toMatch(
      /analyst \(analyst\) from 192\.0\.2\.1 signed in[\s\S]*viewer \(viewer\) .* signed out/,
    );
  });

  it('sends the cookie over TLS only where a proxy says that there is TLS', async () => {
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' };
    const trusted = await signIn({ name: 'viewer', address: '10.9.1.1', headers });
    expect(trusted.headers['set-cookie']).toContain('; Secure');
    expect(server.site.log()).toContain('viewer (viewer) from 203.0.113.7 signed in');
    const stranger = await signIn({ name: 'viewer', headers });
    expect(stranger.headers['set-cookie']).not.toContain('; Secure');
  });

  it('refuses wrong passwords alike whether the name exists or not, and writes down no unknown name', async () => {
    const wrong = await signIn({ name: 'admin', password: 'wrong', address: '192.0.2.2' });
    const unknown = await signIn({ name: 'hunter2\nINFO', password: 'wrong', address: '192.0.2.2' });
    expect(wrong.statusCode).toBe(401);
    expect(unknown.json()).toEqual(wrong.json());
    expect(server.site.log()).toContain('Somebody from 192.0.2.2 could not sign in as admin');
    expect(server.site.log()).not.toMatch(/hunter2|wrong/);
  });

  it('waits after five wrong passwords for a name from an address, not elsewhere', async () => {
    const tries = Array.from({ length: 7 }, () =>
      signIn({ name: 'admin', password: 'no', address: '192.0.2.3' }),
    );
    const codes = (await Promise.all(tries)).map(({ statusCode }) => statusCode).sort();
    expect(codes).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const late = await signIn({ name: 'admin', address: '192.0.2.3' });
    expect(late.statusCode).toBe(429);
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(800);
    expect((await signIn({ name: 'viewer', address: '192.0.2.3' })).statusCode).toBe(200);
    expect((await signIn({ name: 'admin', address: '192.0.2.4' })).statusCode).toBe(200);
  });

  it('refuses what is no name and password', async () => {
    for (const payload of [{}, { name: '', password: 'x' }, { name: 'a'.repeat(5000), password: '' }]) {
      const answer = await server.app.inject({
        method: 'POST',
        url: '/api/session',
        payload,
        headers: { 'X-Dropgate': '1' },
      });
      expect([400, 413]).toContain(answer.statusCode);
      expect(answer.json()).toMatchObject({ type: 'about:blank' });
    }
  });
});

describe('a bearer token', () => {
  it('is known by its hash; a wrong one is not made up for by a cookie', async () => {
    expect((await whoIs(bearer(accounts.tokens.analyst))).json()).toEqual({
      ...{ name: 'analyst-token', role: 'analyst', can_sign_out: false },
    });
    const Cookie = String(
      (await signIn({ name: 'admin', address: '192.0.2.5' })).headers['set-cookie'],
    ).split(';')[0];
    expect((await whoIs({ Cookie, ...bearer('dg_wrong') })).statusCode).toBe(401);
  });
});

describe('the header of a proxy', () => {
  it('counts from the proxy only, and only with a role that exists', async () => {
    const headers = { 'X-User': 'eve', 'X-Role': 'admin' };
    expect((await whoIs(headers, '10.9.0.7')).json()).toEqual({
      name: 'eve',
      role: 'admin',
      can_sign_out: false,
    });
    expect((await whoIs(headers, '10.8.0.7')).statusCode).toBe(401);
    expect((await whoIs({ ...headers, 'X-Forwarded-For': '10.9.0.7' }, '192.0.2.9')).statusCode).toBe(401);
    expect((await whoIs({ 'X-User': 'eve', 'X-Role': 'root' }, '10.9.0.7')).statusCode).toBe(401);
    expect((await whoIs({ 'X-User': 'eve' }, '10.9.0.7')).statusCode).toBe(401);
  });
});
