import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeServer } from '../../src/server/listen.js';
import { Site } from '../e2e/site.js';
import { bearer, makeAccounts } from './auth/accounts.js';

let site: Site;
let url: URL;
let token: string;
beforeAll(async () => {
  const accounts = await makeAccounts();
  token = accounts.tokens.analyst;
  site = new Site({
    'dropgate.yaml': `server: { port: 0, ${accounts.yaml} }\n`,
    'db_creds.yaml': 'database: { engine: none }\n',
  });
  await site.start();
  url = new URL(await site.pagesUrl());
});
afterAll(() => site.close());

/** Sends bytes as they are, which no client library would, and answers all that comes back. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

function get(path: string, headers = ''): Promise<string> {
  return sendRaw(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n${headers}\r\n`);
}

describe('a forged path', () => {
  it.each([
    '/../../package.json',
    '/assets/../../../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/%2e%2e/package.json',
    '/assets/..%5c..%5cpackage.json',
    '/assets//etc/passwd',
    '/favicon.svg%00.html',
    '/config/dropgate.yaml',
    '/state/ledger.db',
  ])('%s shows nothing of the disk', async (path) => {
    for (const headers of ['', `Authorization: Bearer ${token}\r\n`]) {
      const answer = await get(path, headers);
      expect(answer).not.toMatch(/"dependencies"|root:|auth:|SQLite/);
      expect(answer).toMatch(/^HTTP\/1\.1 (?:200|400|401|404) /);
      if (answer.startsWith('HTTP/1.1 200')) expect(answer).toContain('<div id="app">');
    }
  });

  it('is no way to another site', async () => {
    for (const path of ['//evil.example/', '/\\evil.example', '//evil.example/%2e%2e'])
      expect(await get(path)).not.toMatch(/^location:/im);
  });
});

describe('too much', () => {
  it('of headers is refused before anything is looked at', async () => {
    expect(await get('/', `X-Much: ${'x'.repeat(20_000)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('of a body is refused', async () => {
    const send = (path: string, body: object) =>
      fetch(new URL(path, url), {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { 'Content-Type': 'application/json', ...bearer(token) },
      });
    expect((await send('/api/session', { name: 'x', password: 'x'.repeat(5000) })).status).toBe(413);
    const answer = await send('/api/sql/run', { sql: 'x'.repeat(2_000_000) });
    expect([answer.status, (await answer.json()) as object]).toMatchObject([413, { title: 'Too large' }]);
  });

  it('of smuggling and half a request gets no second answer', async () => {
    const both = await sendRaw(
      `POST /api/session HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n`,
    );
    expect(both).toMatch(/^HTTP\/1\.1 400 /);
    expect(both.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('of time is bounded: headers, and bodies that are no upload', async () => {
    const server = makeServer();
    expect(server.headersTimeout).toBe(10_000);
    expect(server.maxConnections).toBe(1024);
  });
});

describe('text of strangers', () => {
  it('comes back as JSON that no browser takes for a page', async () => {
    const answer = await fetch(new URL('/api/<script>alert(1)</script>', url), { headers: bearer(token) });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
  });

  it('makes no line of the log', async () => {
    const sql = 'SELECT 1\n2026-11-22 00:00:00,000 - ERROR - forged';
    await fetch(new URL('/api/sql/run', url), {
      ...{ method: 'POST', body: JSON.stringify({ sql }) },
      headers: { 'Content-Type': 'application/json', ...bearer(token) },
    });
    await site.logged('analyst-token (analyst) from 127.0.0.1 ran "SELECT 1\\n2026');
    expect(site.log()).not.toMatch(/^2026-11-22 00:00:00,000 - ERROR/m);
    expect(site.log()).not.toContain(token);
  });
});
