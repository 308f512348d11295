import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach } from 'vitest';
import { findBrowser } from './browser-program.js';
import { tempDir } from './temp-dir.js';

/** A page whose faults are collected: console errors, uncaught errors, failed requests, what the CSP forbade. */
export interface TestPage extends Page {
  /** Fails when there were faults that the test did not take. */
  expectClean(): void;
  /** Takes a fault that the test meant to cause out of the list, once it is there; fails when it does not come. */
  takeFault(pattern: RegExp): Promise<string>;
  /** Closes the page and its cookies, then fails as `expectClean` does. */
  close(): Promise<void>;
}

/** Size, theme and whatever else a context of Playwright takes. */
export interface PageOptions extends BrowserContextOptions {
  /** Pixels; default 1280 by 800. */
  width?: number;
  height?: number;
}

/**
 * Whether there is a browser: `describe.skipIf(!hasBrowser)(…)`. On Debian as root the run installs one before its tests.
 */
export const hasBrowser: boolean = findBrowser() !== undefined;
if (!hasBrowser) {
  console.warn(
    'Tests in the browser are skipped: no Chromium is installed (Debian: apt-get install chromium)',
  );
}

/** Chromium's sandbox refuses root; the rest keeps it from talking to anybody but the page under test. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const FAULT_TIMEOUT_MS = 10_000;
const AXE_SOURCE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Promise<Browser> | undefined;
const open = new Set<TestPage>();

/**
 * Opens a page with cookies of its own, in the one browser of the test file. Close it in the test, before the server ends:
 * that says whether it was clean.
 */
export async function openPage(
  url: string,
  { width = 1280, height = 800, ...options }: PageOptions = {},
): Promise<TestPage> {
  browser ??= launchBrowser();
  const context = await (await browser).newContext({ viewport: { width, height }, ...options });
  const page = watchFaults(await context.newPage());
  open.add(page);
  await page.goto(url);
  return page;
}

/**
 * Starts a headless Chromium. It is at the other end of a pipe, so it ends with this process, however that ends; its
 * profile is among the temporary files of the tests, which are swept.
 */
async function launchBrowser(): Promise<Browser> {
  const { TMPDIR } = process.env;
  const own = tempDir();
  try {
    process.env.TMPDIR = own;
    const env = { ...process.env } as Record<string, string>;
    return await chromium.launch({ executablePath: findBrowser(), args: ARGS, env });
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}

/**
 * Checks the page against the rules of axe-core (WCAG 2 A and AA).
 * @throws Error that lists the serious and critical violations
 */
export async function expectAccessible(page: Page): Promise<void> {
  // Through the inspector, which no Content-Security-Policy holds up.
  const inspector = await page.context().newCDPSession(page);
  try {
    await evaluate(inspector, readFileSync(AXE_SOURCE, 'utf8'));
    const violations = (await evaluate(
      inspector,
      `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, impact, help, nodes }) =>
        ({ id, impact, help, nodes: nodes.map(({ target, failureSummary }) => target.join(' ') + ': ' + failureSummary) })))`,
    )) as Violation[];
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    if (grave.length > 0)
      throw new Error(`Not accessible at ${page.url()}:\n${grave.map(describe).join('\n')}`);
  } finally {
    await inspector.detach();
  }
}

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: string[];
}

function describe({ id, impact, help, nodes }: Violation): string {
  return `${impact} ${id}: ${help}\n  ${nodes.slice(0, 5).join('\n  ').replaceAll('\n', '\n  ')}`;
}

type Inspector = Awaited<ReturnType<ReturnType<Page['context']>['newCDPSession']>>;

async function evaluate(inspector: Inspector, expression: string): Promise<unknown> {
  const answer = await inspector.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  if (answer.exceptionDetails)
    throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
  return answer.result.value;
}

function watchFaults(page: Page): TestPage {
  const faults: string[] = [];
  // What the CSP forbids and answers of 400 and above are console errors too.
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.stack ?? error}`));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'failed';
    // The page gave it up itself, or was left.
    if (reason !== 'net::ERR_ABORTED')
      faults.push(`request: ${request.method()} ${request.url()}: ${reason}`);
  });
  const expectClean = () => {
    if (faults.length > 0) throw new Error(`The page is not clean:\n${faults.join('\n')}`);
  };
  return Object.assign(page, {
    expectClean,
    takeFault: async (pattern: RegExp) => {
      const deadline = performance.now() + FAULT_TIMEOUT_MS;
      for (;;) {
        const at = faults.findIndex((fault) => pattern.test(fault));
        if (at >= 0) return faults.splice(at, 1)[0];
        if (performance.now() > deadline)
          throw new Error(`No fault ${pattern} came; there are:\n${faults.join('\n')}`);
        await page.waitForTimeout(20);
      }
    },
    close: async () => {
      open.delete(page as TestPage);
      await page.context().close();
      expectClean();
    },
  }) as TestPage;
}

afterEach(async ({ task }) => {
  const forgotten = [...open];
  open.clear();
  await Promise.all(forgotten.map((page) => page.context().close()));
  if (forgotten.length > 0 && task.result?.state !== 'fail')
    throw new Error('The test left a page open, unchecked: end it with `await page.close()`');
});

afterAll(async () => {
  await (await browser)?.close();
});
