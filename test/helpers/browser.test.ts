import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, hasBrowser, openPage } from './browser.js';
import { findBrowser } from './browser-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const STRICT = "default-src 'self'; script-src 'self'; style-src 'self'";
const BODIES: Record<string, string> = {
  '/clean': '<main><h1>Fine</h1></main>',
  '/inline': '<main><h1>Inline</h1></main><script>document.title = "ran"</script>',
  '/error': '<main><h1>Error</h1></main><script src="/throws.js"></script>',
  '/missing': '<main><h1>Missing</h1><img alt="none" src="/nothing.png"></main>',
  '/refused': '<main><h1>Refused</h1></main><script src="/fetches.js"></script>',
  '/unlabelled': '<main><h1>Form</h1><input></main>',
};
const SCRIPTS: Record<string, string> = {
  '/throws.js': 'throw new Error("on purpose")',
  '/fetches.js': 'fetch("/gone").catch(() => {})',
};

describe.skipIf(!hasBrowser)('the browser of the tests', () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url!;
      if (path === '/gone') return request.socket.destroy();
      if (SCRIPTS[path]) return response.setHeader('Content-Type', 'text/javascript').end(SCRIPTS[path]);
      if (path === '/favicon.ico') return response.writeHead(204).end();
      if (!BODIES[path]) return response.writeHead(404).end();
      response.setHeader('Content-Type', 'text/html').setHeader('Content-Security-Policy', STRICT);
      return response.end(
        `<!doctype html><html lang="en"><title>t</title><body>${BODIES[path]}</body></html>`,
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('finds nothing on a clean page, also where the policy is strict', async () => {
    const page = await openPage(`${url}/clean`, { width: 390 });
    expect(await page.locator('h1').textContent()).toBe('Fine');
    expect(await page.evaluate('innerWidth')).toBe(390);
    await expectAccessible(page);
    await page.close();
  });

  it.each([
    ['/inline', /violates the following Content Security Policy/],
    ['/error', /uncaught: Error: on purpose/],
    ['/missing', /404.*nothing\.png/],
    ['/refused', /request: GET .*gone: net::ERR_EMPTY_RESPONSE/],
  ])('fails on %s', async (path, fault) => {
    const page = await openPage(url + path);
    await waitFor('the fault', () => {
      expect(() => page.expectClean()).toThrow(fault);
      return true;
    });
    await expect(page.close()).rejects.toThrow(fault);
  });

  it('lets a test take the faults that it caused', async () => {
    const page = await openPage(`${url}/missing`);
    expect(await page.takeFault(/404/)).toContain('nothing.png');
    await page.close();
  });

  it('says what is not accessible', async () => {
    const page = await openPage(`${url}/unlabelled`);
    await expect(expectAccessible(page)).rejects.toThrow(/critical label: .*\n.*input/);
    await page.close();
  });

  it.skipIf(!existsSync('/proc/self'))(
    'ends with the process that started it, also when that is killed',
    async () => {
      const folder = tempDir();
      const parent = spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import { chromium } from ${JSON.stringify(import.meta.resolve('playwright-core'))};
         await chromium.launch({ executablePath: ${JSON.stringify(findBrowser())}, args: ['--no-sandbox'] });
         console.log('up')`,
        ],
        { env: { ...process.env, TMPDIR: folder } },
      );
      await once(parent.stdout, 'data');
      expect(browsersOf(folder)).not.toEqual([]);
      parent.kill('SIGKILL');
      await waitFor('the browser to end', () => browsersOf(folder).length === 0);
    },
  );
});

/** Command lines of the processes that have their profile in a folder. */
function browsersOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(`user-data-dir=${folder}`));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // Ended meanwhile.
  }
}
