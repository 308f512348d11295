import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { expectAccessible, hasBrowser, openPage, type TestPage } from '../helpers/browser.js';
import { makeAccounts, PASSWORD } from './auth/accounts.js';

let site: Site;
afterEach(() => site.close());

async function start(server = ''): Promise<string> {
  site = new Site({
    'dropgate.yaml': `server: { port: 0${server && `, ${server}`} }\nsettle_ms: 20\n`,
    'schema.yaml': 'people: { files: "p*.csv", columns: { name: TEXT, age: INTEGER } }\n',
    'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
    'db_creds.yaml': 'database: { engine: embedded }\n',
  });
  await site.start();
  return site.pagesUrl();
}

/** What the browser says of an answer that is no success. */
const UNAUTHORIZED = /401/;

async function signIn(page: TestPage, { name, password }: { name: string; password: string }): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe.skipIf(!hasBrowser)('signing in', () => {
  it('stands before every page, takes the right password only, and ends with signing out', async () => {
    const url = await start((await makeAccounts()).yaml);
    const page = await openPage(`${url}/sql?query=mothers-jobs`, { colorScheme: 'dark' });
    await page.takeFault(UNAUTHORIZED);
    await expectAccessible(page);

    await signIn(page, { name: 'analyst', password: 'wrong' });
    await page.getByText('Name or password is wrong').waitFor();
    await page.takeFault(UNAUTHORIZED);

    await signIn(page, { name: 'analyst', password: PASSWORD });
    // The page that was asked for.
    await page.getByRole('heading', { name: 'SQL' }).waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Dropgate' }).waitFor();

    await signIn(page, { name: 'viewer', password: PASSWORD });
    await page.getByRole('link', { name: 'Files' }).waitFor();
    expect(await page.getByRole('link', { name: 'SQL' }).count()).toBe(0);
    await page.takeFault(/403/);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)('the SQL page', () => {
  it('asks the database, shows whatever is in it as text, and says where a statement is wrong', async () => {
    const url = await start();
    const evil = '<img src=x onerror=alert(1)>';
    site.drop('p.csv', `name,age\n${evil},30\nbob,4\n`);
    await site.logged('Loaded output_parquet/p.parquet');
    const page = await openPage(`${url}/sql`);
    const editor = page.getByLabel('SQL statement');

    // 1. Columns are completed.
    await editor.click();
    await page.keyboard.type('SELECT name, age FROM people ORDER BY ag');
    await page.getByRole('option', { name: 'age', exact: true }).click();
    await page.keyboard.press('Control+Enter');
    await page.getByText('2 rows').waitFor();
    await page.getByRole('cell', { name: evil }).waitFor();
    await expectAccessible(page);

    // 2. A plot, a file.
    await page.getByRole('button', { name: 'Plot' }).click();
    await page.getByRole('img', { name: /age by name/ }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download Parquet' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('result.parquet');

    // 3. A mistake.
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('SELECT name,\nnothing FROM people ');
    await page.keyboard.press('Control+Enter');
    await page.getByText('column "nothing" does not exist (line 2, column 1)').waitFor();
    await page.takeFault(/422/);

    // 4. Kept as a file.
    await page.getByRole('button', { name: 'Save as…' }).click();
    await page.getByLabel('Name of the query').fill('people-2');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'people-2' }).waitFor();
    expect(site.list('sql/postgres')).toContain('people-2.sql');

    // 5. Cancelled.
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(
      `SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b `,
    );
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The statement was cancelled.').waitFor();
    await page.close();
  });
});
