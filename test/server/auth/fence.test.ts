import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Accounts, bearer, makeAccounts, PASSWORD } from './accounts.js';
import { type LocalServer, openLocalServer } from './local-server.js';

let accounts: Accounts;
let open: LocalServer;
let guarded: LocalServer;
beforeAll(async () => {
  accounts = await makeAccounts();
  [open, guarded] = await Promise.all([openLocalServer(), openLocalServer({ server: accounts.yaml })]);
});
afterAll(() => Promise.all([open.close(), guarded.close()]));

async function statusOf({ app }: LocalServer, options: InjectOptions): Promise<number> {
  return (await app.inject(options)).statusCode;
}

describe('without auth', () => {
  it.each([
    ['localhost:8420', 200],
    ['127.0.0.1:8420', 200],
    ['[::1]:8420', 200],
    ['dropgate.localhost', 200],
    ['evil.example:8420', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example', 403],
    ['192.168.1.5:8420', 403],
  ])('a request for the host %j gets %i', async (host, expected) => {
    expect(await statusOf(open, { url: '/api/session', headers: { host } })).toBe(expected);
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'Via'])(
    'a request with %s came through a proxy',
    async (header) => {
      expect(
        await statusOf(open, { url: '/api/session', headers: { host: 'localhost', [header]: 'x' } }),
      ).toBe(403);
    },
  );
});

describe('another site', () => {
  const host = 'localhost:8420';
  const CHANGE = { method: 'DELETE', url: '/api/session' } as const;

  it.each<[string, Record<string, string>]>([
    ['with a form', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['with a form of an older browser', { origin: 'https://evil.example' }],
    ['with fetch from a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['with fetch and our header', { origin: 'https://evil.example', 'x-dropgate': '1' }],
    [
      'on another port',
      { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site', 'x-dropgate': '1' },
    ],
    ['that is ours, without the header', { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }],
  ])('%s changes nothing', async (_, headers) => {
    for (const server of [open, guarded])
      expect(await statusOf(server, { ...CHANGE, headers: { host, ...headers } })).toBe(403);
  });

  it('cannot read either, but may link to a page', async () => {
    const foreign = { host, 'sec-fetch-site': 'cross-site' };
    expect(
      await statusOf(open, { url: '/api/session', headers: { ...foreign, 'sec-fetch-mode': 'no-cors' } }),
    ).toBe(403);
    expect(await statusOf(open, { url: '/sql', headers: { ...foreign, 'sec-fetch-mode': 'navigate' } })).toBe(
      200,
    );
  });

  it('is not what the page itself is, nor a program without a browser', async () => {
    const own = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin', 'x-dropgate': '1' };
    // Nobody can sign out where nobody signs in: there is no such route.
    expect(await statusOf(open, { ...CHANGE, headers: own })).toBe(404);
    expect(await statusOf(open, { ...CHANGE, headers: { host } })).toBe(404);
    expect(await statusOf(guarded, { ...CHANGE, headers: { host, ...bearer(accounts.tokens.viewer) } })).toBe(
      204,
    );
  });

  it('cannot use a session without our header', async () => {
    const { headers } = await guarded.app.inject({
      ...{ method: 'POST', url: '/api/session', headers: { host } },
      payload: { name: 'viewer', password: PASSWORD },
    });
    const Cookie = String(headers['set-cookie']).split(';')[0];
    expect(await statusOf(guarded, { ...CHANGE, headers: { host, Cookie } })).toBe(403);
    expect(await statusOf(guarded, { ...CHANGE, headers: { host, Cookie, 'X-Dropgate': '1' } })).toBe(204);
  });

  it('does not change the method by a header or a parameter', async () => {
    const headers = { host, ...bearer(accounts.tokens.viewer), 'X-HTTP-Method-Override': 'DELETE' };
    const answer = await guarded.app.inject({ url: '/api/session?_method=DELETE', headers });
    expect(answer.json()).toMatchObject({ name: 'viewer-token' });
  });
});
