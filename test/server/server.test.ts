import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';

/** Any free port; the log tells which. */
const ANY_PORT = {
  'dropgate.yaml': 'server: { port: 0 }\n',
  'db_creds.yaml': 'database: { engine: none }\n',
};

let site: Site;
afterEach(() => site.close());

describe('the web server', () => {
  it('serves the page at every address of its own, and says what is not there', async () => {
    site = new Site(ANY_PORT);
    await site.start();
    const url = await site.pagesUrl();
    for (const address of ['/', '/files/7']) {
      const answer = await fetch(url + address);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<div id="app">');
    }
    const missing = await fetch(`${url}/api/nothing`);
    expect(missing.status).toBe(404);
    expect(missing.headers.get('Content-Type')).toContain('application/problem+json');
    expect(await missing.json()).toMatchObject({ status: 404, title: 'Not found' });
  });

  it('answers all that ask while the pages are being made', async () => {
    site = new Site(ANY_PORT);
    await site.start();
    const url = await site.pagesUrl();
    const asked = ['/healthz', '/', '/healthz', '/api/nothing'].map((address) => fetch(url + address));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 404]);
  });

  it('sends the security headers with every answer, and lets browsers keep only what never changes', async () => {
    site = new Site(ANY_PORT);
    await site.start();
    const url = await site.pagesUrl();
    const page = await fetch(url);
    const asset = /\/assets\/[^"]+\.js/.exec(await page.text())![0];
    const cached = {
      '/': 'no-cache',
      '/theme.js': 'no-cache',
      [asset]: 'public, max-age=31536000, immutable',
      '/healthz': 'no-store',
      '/api/nothing': 'no-store',
    };
    for (const [address, cacheControl] of Object.entries(cached)) {
      const { headers } = await fetch(url + address);
      expect(headers.get('Content-Security-Policy'), address).toMatch(
        /^default-src 'none'; script-src 'self';/,
      );
      expect(headers.get('X-Content-Type-Options'), address).toBe('nosniff');
      expect(headers.get('Cache-Control'), address).toBe(cacheControl);
    }
  });

  it('does not keep the daemon from its work when its port is taken, and comes up once it is free', async () => {
    site = new Site(ANY_PORT);
    const first = await site.start();
    const { port } = new URL(await site.pagesUrl());
    const second = new Site({ ...ANY_PORT, 'dropgate.yaml': `server: { port: ${port} }\n` });
    try {
      await second.start();
      await second.logged(`port ${port} is taken`);
      await first.end();
      expect(await second.pagesUrl()).toBe(`http://127.0.0.1:${port}`);
    } finally {
      await second.close();
    }
  });
});
