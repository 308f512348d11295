import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { expectAccessible, hasBrowser, openPage, type TestPage } from '../helpers/browser.js';

const HOSTILE = '<img src=x onerror=alert(1)>"\'.csv';

let site: Site;
afterEach(() => site.close());

function siteAt(port: number): Site {
  return new Site({
    'dropgate.yaml': `server: { port: ${port} }\nsettle_ms: 20\n`,
    'schema.yaml': 'people: { files: "*", columns: { name: TEXT, age: INTEGER } }\n',
    'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
    'db_creds.yaml': 'database: { engine: none }\n',
  });
}

async function start(): Promise<string> {
  site = siteAt(0);
  await site.start();
  return site.pagesUrl();
}

describe.skipIf(!hasBrowser)('the page of files', () => {
  it('shows a file that is dropped while it is open, and its story', async () => {
    const page = await openPage(await start());
    await page.getByText('No files yet').waitFor();
    await expectAccessible(page);
    site.drop(HOSTILE, 'name,age\nann,3\n,4\n');
    const link = page.getByRole('link', { name: HOSTILE, exact: true });
    await link.waitFor();
    await page.locator('.tile', { hasText: 'Loading is off' }).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await page.locator('.chart-box canvas').waitFor();
    await expectAccessible(page);

    await link.click();
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    expect(await page.locator('.sum').textContent()).toMatch(
      /Rows out\s*1[\s\S]*missing\s*\+ 1[\s\S]*Rows in\s*= 2/,
    );
    await page.getByRole('link', { name: 'Download rejected rows' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: '← All files' }).click();
    await link.waitFor();
    await page.close();
  });

  it('shows why a file failed beside its lines, and sends it back', async () => {
    const page = await openPage(await start(), { width: 390, colorScheme: 'dark' });
    site.drop('bad.csv', 'name,age\nann,3\n"bob, the second",four\n');
    await page.getByRole('link', { name: 'bad.csv' }).click();
    const row = page.getByRole('row', { name: /age "four" is not a number/ });
    expect(await row.locator('mark').textContent()).toBe('four');
    expect(await row.locator('code').textContent()).toBe('"bob, the second",four');
    await page.getByText('Correct the value, or the type of the column').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('Sent back as bad.csv').waitFor();
    await page.getByRole('heading', { name: 'Other deliveries of this name' }).waitFor();
    await page.close();
  });

  it('keeps what the list is narrowed to in the address', async () => {
    const url = await start();
    for (const name of ['a1.csv', 'a2.csv', 'b1.csv']) site.drop(name, `name,age\n${name},3\n`);
    site.drop('a3.csv', 'name,age\nann,x\n');
    await site.logged('Failed input_csv/a3.csv');
    const page = await openPage(`${url}/?name=a&sort=name&order=asc`);
    const names = () => page.locator('tbody .file-name').allInnerTexts();
    await page.getByText('3 files found').waitFor();
    expect(await names()).toEqual(['a1.csv', 'a2.csv', 'a3.csv']);
    await page.getByRole('button', { name: 'File', exact: true }).press('Enter');
    await page.waitForURL(/order=desc/);
    await page.getByRole('combobox', { name: 'State' }).selectOption('failed');
    await page.getByText('1 file found').waitFor();
    expect(await names()).toEqual(['a3.csv']);
    await page.reload();
    await page.getByText('1 file found').waitFor();
    await page.getByRole('searchbox').fill('nothing');
    await page.getByText('No file is like that').waitFor();
    await page.getByRole('link', { name: 'Show all files' }).click();
    await page.getByText('4 files', { exact: true }).waitFor();
    await page.close();
  });

  it('says that the daemon has ended, and goes on when it is there again', async () => {
    site = siteAt(0);
    const daemon = await site.start();
    const url = await site.pagesUrl();
    const page = await openPage(url);
    await page.getByText('No files yet').waitFor();
    await daemon.end();
    await page.getByText('Dropgate does not answer since').waitFor();
    const successor = siteAt(Number(new URL(url).port));
    try {
      successor.drop('new.csv', 'name,age\nann,3\n');
      await successor.start();
      await page.getByRole('link', { name: 'new.csv' }).waitFor();
      await page.getByText('Dropgate does not answer since').waitFor({ state: 'detached' });
      await takeLostConnections(page);
      await page.close();
    } finally {
      await successor.close();
    }
  });
});

/** The browser complains of each attempt to reach a daemon that has ended. */
async function takeLostConnections(page: TestPage): Promise<void> {
  for (;;) {
    try {
      return page.expectClean();
    } catch {
      await page.takeFault(/net::ERR_/);
    }
  }
}
