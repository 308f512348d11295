import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../e2e/site.js';
import { expectAccessible, hasBrowser, openPage, type TestPage } from '../helpers/browser.js';
import { repositoryRoot } from '../helpers/real-data.js';

const SAMPLE = readFileSync(`${repositoryRoot}/samples/student-sample.csv`, 'utf8');

/** Charts are drawn on a canvas once their figures and ECharts have come. */
const DRAWN = '.chart-box canvas';

describe.skipIf(!hasBrowser)('the pages of the data', () => {
  let site: Site;
  let url: string;
  beforeAll(async () => {
    site = new Site({
      'dropgate.yaml': 'server: { port: 0 }\n',
      'dashboards/broken.yaml': 'title: Broken\npanels:\n  - { chart: { table: student_data, kind: pie } }\n',
    });
    await site.start();
    url = await site.pagesUrl();
    site.drop('students.csv', SAMPLE);
    await site.logged(/Loaded .*students\.parquet/);
  });
  afterAll(() => site.close());

  /** The page in one theme. */
  const open = async (path: string, { theme = 'light', width = 1280 } = {}): Promise<TestPage> => {
    const page = await openPage(url, { width });
    await page.evaluate(`localStorage.setItem('theme', '${theme}')`);
    await page.goto(url + path);
    return page;
  };

  it.each(['light', 'dark'])(
    'show tables, profiles and rows to everybody, in the %s theme',
    async (theme) => {
      const page = await open('/data', { theme });
      await page.getByRole('link', { name: 'student_data' }).click();
      await page.getByRole('heading', { name: 'g3' }).waitFor();
      await page.getByRole('cell').first().waitFor();
      expect(await page.locator('.profile-card').count()).toBe(33);
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText('26 – 50').waitFor();
      await page.close();
    },
  );

  it.each(['light', 'dark'])('draw every panel of the dashboard, in the %s theme', async (theme) => {
    const page = await open('/dashboards/student', { theme });
    await page.locator('.panel').last().locator(DRAWN).waitFor();
    await expectDrawn(page, 15);
    expect(await page.locator('.big-number-value').allTextContents()).toEqual(bigNumbers());
    await expectAccessible(page);
    await page.close();
  });

  it('fit a narrow window', async () => {
    for (const path of ['/data', '/data/student_data', '/data/student_data/chart', '/dashboards/student']) {
      const page = await open(path, { width: 390 });
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
      await page.close();
    }
  });

  it('make a chart by keyboard alone, and keep it in the address', async () => {
    const page = await open('/data/student_data/chart');
    await page.locator(DRAWN).waitFor();
    await page.getByRole('radio', { name: 'Bar' }).focus();
    for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', { name: 'g3 of student_data' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('studytime');
    await page.getByRole('heading', { name: 'g3 by studytime' }).waitFor();
    expect(new URL(page.url()).search).toBe('?kind=box&x=studytime');
    // Whoever gets the address sees the same chart.
    const shared = await openPage(page.url());
    await shared.getByRole('img', { name: /g3 by studytime.*Box plot/ }).waitFor();
    await shared.locator(DRAWN).waitFor();
    await expectAccessible(shared);
    await shared.close();
    await page.close();
  });

  it('filter, give the figures as a table, and hand out PNG, SVG and CSV', async () => {
    const page = await open('/data/student_data/chart?kind=bar&x=school');
    await page.getByRole('button', { name: 'Add a filter' }).click();
    await page.getByLabel('Filter 1: column').selectOption('sex');
    await page.getByLabel('Filter 1: comparison').selectOption('eq');
    await page.getByLabel('Filter 1: value').fill('f');
    await page.getByLabel('Filter 1: value').press('Tab');
    await page.waitForURL(/%22value%22%3A%22f%22/);
    await page.getByText('Figures').click();
    await page.waitForLoadState('networkidle');
    const figures = await page.locator('.plot-table tbody tr').allTextContents();
    const header = SAMPLE.split('\n')[0];
    expect(header.startsWith('school;sex;')).toBe(true);
    expect(figures).toHaveLength(2);
    const contents = new Map<string, Buffer>();
    for (const type of ['PNG', 'SVG', 'CSV']) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: type }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(`rows-by-school.${type.toLowerCase()}`);
      contents.set(type, readFileSync(await download.path()));
    }
    expect(contents.get('PNG')!.subarray(1, 4).toString()).toBe('PNG');
    expect(contents.get('SVG')!.toString()).toContain('Rows by school');
    expect(contents.get('CSV')!.toString().split('\r\n')[0]).toBe('school,Rows');
    await page.close();
  });

  it('tell what is wrong with a dashboard, and show the others all the same', async () => {
    const page = await open('/dashboards');
    await page.getByText('has a mistake').waitFor();
    await page.getByRole('link', { name: 'broken' }).click();
    await page.getByText('config/dashboards/broken.yaml:3: panels[0].chart.kind: found "pie"').waitFor();
    await expectAccessible(page);
    await page.close();
  });
});

/** Students, mean of g3, passed, median of absences: of the rows that are kept. */
function bigNumbers(): string[] {
  const [header, ...lines] = SAMPLE.trim().toLowerCase().replaceAll('"', '').split('\n');
  const names = header.split(';');
  const cells = lines.map((line) => line.split(';').map((cell) => cell.trim()));
  const whole = cells.filter((row) =>
    row.every((cell) => !['', 'na', 'n/a', 'nan', 'null', 'none'].includes(cell)),
  );
  const kept = [...new Set(whole.map((row) => row.join(';')))].map((row) => row.split(';'));
  const numbers = (name: string) => kept.map((row) => Number(row[names.indexOf(name)])).sort((a, b) => a - b);
  const grades = numbers('g3');
  const absences = numbers('absences');
  const [below, above] = [Math.floor, Math.ceil].map((round) => absences[round((absences.length - 1) / 2)]);
  return [
    String(kept.length),
    (grades.reduce((sum, grade) => sum + grade, 0) / grades.length).toFixed(1),
    String(grades.filter((grade) => grade >= 10).length),
    ((below + above) / 2).toFixed(1),
  ];
}

/** Every chart has a canvas on which something was drawn. */
async function expectDrawn(page: TestPage, count: number): Promise<void> {
  const drawn = `[...document.querySelectorAll('.chart-box')].map((box) => [...box.querySelectorAll('canvas')]
    .some((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)))`;
  await page.waitForFunction(`${drawn}.filter(Boolean).length >= ${count}`);
  expect(await page.evaluate(drawn)).toEqual(Array(count).fill(true));
}
