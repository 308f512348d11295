import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { expectAccessible, hasBrowser, openPage } from '../helpers/browser.js';
import { waitFor } from '../helpers/wait-for.js';
import { dropOddFiles } from './odd-files.js';

let site: Site;
afterEach(() => site.close());

describe.skipIf(!hasBrowser)('the quality page', () => {
  it('shows what is unusual, late and failed, and leads to the files', async () => {
    site = new Site({
      'dropgate.yaml': 'server: { port: 0 }\nsettle_ms: 20\nalerts: { gather_ms: 100 }\n',
      'schema.yaml': `points:
  files: "p*.csv"
  columns: { x: INTEGER, y: VARCHAR(10) }
  duplicates: keep
  invalid: set_aside
  max_set_aside: 90%
others: { files: "o*.csv", columns: any, expect: { every: 1s } }
`,
      'schema_sql.yaml': 'points: [{ name: x, type: INTEGER }, { name: y, type: VARCHAR(10) }]\n',
      'db_creds.yaml': 'database: { engine: none }\n',
    });
    await site.start();
    const url = await site.pagesUrl();
    // 1. Before the first file.
    await site.logged('others is late');
    const page = await openPage(`${url}/quality`, { width: 390 });
    await page.getByText('Late', { exact: true }).first().waitFor();
    // 2. Files, one of them odd, one broken.
    await dropOddFiles(site);
    const findings = page.getByRole('region', { name: 'Unusual values' });
    await waitFor('the findings', async () => {
      await page.reload();
      await page.getByRole('heading', { name: 'Alerts' }).waitFor();
      return (await findings.getByText('podd.csv').count()) > 0;
    });
    // 3. By dataset and time, which the address keeps.
    await page.getByRole('combobox', { name: /^Dataset/ }).selectOption('points');
    await page.getByRole('combobox', { name: /^Time/ }).selectOption('1d');
    await waitFor('the address', () => page.url().endsWith('?dataset=points&time=1d'));
    const row = findings.getByRole('row', { name: /mean/ });
    expect(await row.textContent()).toMatch(/90\d[\s\S]+ to /);
    await page
      .getByRole('region', { name: 'Rows left out by reason and column' })
      .getByText('wrong type')
      .waitFor();
    await page.getByRole('region', { name: 'Alerts' }).getByText('pbroken.csv has failed').waitFor();
    // 4. A column over the last files; the file itself.
    await row.getByRole('button', { name: 'x' }).click();
    await page.getByRole('img', { name: /x: mean of the last files.* 9 rows/ }).waitFor();
    await expectAccessible(page);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(390);
    await row.getByRole('link', { name: 'podd.csv' }).click();
    await page.getByRole('heading', { name: 'podd.csv' }).waitFor();
    await page.close();
  });
});
