import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { expectAccessible, hasBrowser, openPage } from '../helpers/browser.js';

let site: Site;
afterEach(() => site.close());

async function open(program = 'settle_ms: 20\n'): Promise<string> {
  site = new Site({
    'dropgate.yaml': `server: { port: 0, max_upload_bytes: 1000 }\n${program}`,
    'schema.yaml': 'people: { files: "p*", columns: { name: TEXT, age: INTEGER } }\n',
    'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
    'db_creds.yaml': 'database: { engine: none }\n',
  });
  await site.start();
  return site.pagesUrl();
}

describe.skipIf(!hasBrowser)('uploading on the page', () => {
  it('takes dropped and chosen files and says what became of each', async () => {
    const page = await openPage(await open(), { width: 390 });
    await page.getByText('Drop CSV files anywhere').waitFor();
    // 1. Dropped on the page.
    const dropped = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(['name,age\\nann,3\\n'], 'p1.csv'));
      data.items.add(new File(['name,age\\nann,x\\n'], 'p2.csv'));
      return data;
    })()`);
    await page.dispatchEvent('h1', 'dragover', { dataTransfer: dropped });
    expect(await page.locator('.dropzone.over').count()).toBe(1);
    await page.dispatchEvent('h1', 'drop', { dataTransfer: dropped });
    const row = (name: string) => page.locator('.upload', { hasText: name });
    await row('p1.csv').getByText('1 row converted to Parquet').waitFor();
    await row('p2.csv').getByText('Line 2, column age: "x" is not a number').waitFor();
    expect(await row('p2.csv').getByRole('link').getAttribute('href')).toMatch(/^\/files\/\d+$/);
    await page.takeFault(/422/);
    // 2. Chosen; what would be refused is not sent.
    const folder = site.path('.');
    writeFileSync(`${folder}/p3.csv`, `name,age\n${'ann,3\n'.repeat(500)}`);
    writeFileSync(`${folder}/p4.xlsx`, 'no');
    writeFileSync(`${folder}/p5.csv`, 'name,age\nann,3\n');
    await page.setInputFiles(
      'input[type=file]',
      ['p3.csv', 'p4.xlsx', 'p5.csv'].map((name) => `${folder}/${name}`),
    );
    await row('p3.csv').getByText('Files of more than 1 KB are not taken here').waitFor();
    await row('p4.xlsx').getByText('This is no file of delimited text').waitFor();
    await row('p5.csv').getByText('1 row converted to Parquet').waitFor();
    expect(site.log()).not.toContain('was refused');
    await expectAccessible(page);
    // 3. The list can be cleared.
    await page.getByRole('button', { name: 'Dismiss p1.csv' }).click();
    await page.getByRole('button', { name: 'Clear the list' }).click();
    expect(await page.locator('.upload').count()).toBe(0);
    await page.close();
  });

  it('takes a corrected file in the place of the one that failed', async () => {
    const url = await open();
    site.drop('p1.csv', 'name,age\nann,x\n');
    await site.logged('Failed input_csv/p1.csv');
    const page = await openPage(`${url}/files/1`);
    await page.setInputFiles('input[type=file]', {
      name: 'mended (2).csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('name,age\nann,3\n'),
    });
    await page.locator('.upload', { hasText: 'p1.csv' }).getByText('1 row converted to Parquet').waitFor();
    await page.getByRole('link', { name: 'See the file' }).click();
    await page.waitForURL(/\/files\/2$/);
    await page.close();
  });

  it('shows that a file is being checked, and need not be waited for', async () => {
    const page = await openPage(await open('settle_ms: 600000\n'));
    await page.setInputFiles('input[type=file]', {
      name: 'p1.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('name,age\nann,3\n'),
    });
    await page.getByText('being checked').waitFor();
    expect(await page.getByRole('progressbar', { name: 'Checking p1.csv' }).count()).toBe(1);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Dismiss p1.csv' }).click();
    expect(await page.locator('.upload').count()).toBe(0);
    expect(site.list('input_csv')).toContain('p1.csv');
    await page.close();
  });
});
