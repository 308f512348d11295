import { existsSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { FileList, FileStory, LiveState, Overview, Throughput } from '../../src/server/api/files.js';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { waitFor } from '../helpers/wait-for.js';

const PEOPLE = {
  'dropgate.yaml': 'server: { port: 0 }\nsettle_ms: 20\n',
  'schema.yaml': 'people: { files: "*", columns: { name: TEXT, age: INTEGER } }\n',
  'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
  'db_creds.yaml': 'database: { engine: none }\n',
};
const GOOD = 'name,age\nann,3\nbob,4\nbob,4\n,5\n';
const BAD = 'name,age\nann,3\n"bob, the second",four\n';
/** The machine may have much else to do. */
const SLOWLY = { timeoutMs: 30_000 };

let site: Site;
afterEach(() => site.close());

async function start(config: Record<string, string> = {}): Promise<string> {
  site = new Site({ ...PEOPLE, ...config });
  await site.start();
  return site.pagesUrl();
}

async function get<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  expect({ url, status: answer.status }).toEqual({ url, status: 200 });
  return (await answer.json()) as T;
}

function post(url: string): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'X-Dropgate': '1' } });
}

/** The list, once it says what is waited for. */
async function listed(url: string, until: (list: FileList) => boolean): Promise<FileList> {
  let list: FileList | undefined;
  await waitFor(
    'the list of files',
    async () => {
      list = await get<FileList>(`${url}/api/files`);
      return until(list);
    },
    SLOWLY,
  );
  return list!;
}

/** The story of a file, once its original is where it belongs. */
async function toldStory(address: string): Promise<FileStory> {
  let story: FileStory | undefined;
  await waitFor(
    `the original of ${address} to be put away`,
    async () => {
      story = await get<FileStory>(address);
      return story.original !== null;
    },
    SLOWLY,
  );
  return story!;
}

describe('the story of a file', () => {
  it.each(['postgres', 'embedded'])('is told from its arrival to its table: %s', async (engine) => {
    const target = await TARGETS[engine]();
    onTestFinished(() => target.drop());
    const url = await start({ 'db_creds.yaml': target.config });
    site.drop('good.csv', GOOD);
    const { files } = await listed(url, (list) => list.files[0]?.state === 'loaded');
    expect(files).toHaveLength(1);
    const story = await toldStory(`${url}/api/files/${files[0].id}`);
    expect(story).toMatchObject({
      name: 'good.csv',
      dataset: 'people',
      ...{ rows_in: 4, rows_out: 2, dropped_missing: 1, dropped_duplicate: 1, set_aside: 0 },
      dialect: { delimiter: { value: ',', origin: 'detected' }, encoding: { value: 'utf-8' } },
      violations_by_code: { missing_value: 1, duplicate_row: 1 },
      downloads: ['original', 'rejected', 'report', 'parquet'],
      can_retry: false,
    });
    expect([story.arrived_at, story.judged_at, story.loaded_at].sort()).toEqual([
      story.arrived_at,
      story.judged_at,
      story.loaded_at,
    ]);
    expect(story.violations.map(({ source }) => source)).toEqual([
      { before: '', cell: '', after: 'bob,4', is_cut_left: false, is_cut_right: false },
      { before: '', cell: '', after: ',5', is_cut_left: false, is_cut_right: false },
    ]);
    const overview = await get<Overview>(`${url}/api/overview`);
    expect(overview.loaded).toEqual({ files: 1, rows: 2 });
    expect(overview.live.database).toMatchObject({ engine, state: 'working', message: null });
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    expect((await get<Overview>(`${url}/api/overview?day_start=${tomorrow}`)).loaded.files).toBe(0);
    const series = await get<Throughput>(`${url}/api/throughput?range=hour`);
    expect([series.files, series.rows, series.bytes].map(sum)).toEqual([1, 2, GOOD.length]);
    expect(series.files).toHaveLength(60);
  });

  it('says why a file failed, beside the line, and sends it back once', async () => {
    const url = await start();
    site.drop('bad.csv', BAD);
    const { files } = await listed(url, (list) => list.total === 1);
    const address = `${url}/api/files/${files[0].id}`;
    const story = await toldStory(address);
    expect(story).toMatchObject({
      state: 'failed',
      code: 'wrong_type',
      hint: 'Correct the value, or the type of the column in schema.yaml.',
      can_retry: true,
      downloads: ['original', 'report'],
    });
    expect(story.violations).toMatchObject([
      {
        line: 3,
        column: 'age',
        value: 'four',
        source: { before: '"bob, the second",', cell: 'four', after: '' },
      },
    ]);
    expect((await get<Overview>(`${url}/api/overview`)).failed.files).toBe(1);

    const retried = await post(`${address}/retry`);
    expect([retried.status, await retried.json()]).toEqual([200, { name: 'bad.csv' }]);
    const again = await listed(url, (list) => list.total === 2);
    expect(again.files.map(({ state }) => state)).toEqual(['failed', 'failed']);
    const second = await toldStory(`${url}/api/files/${again.files[0].id}`);
    expect(second.same_name.map(({ id }) => id)).toEqual([files[0].id]);

    unlinkSync(site.path('input_csv/output_failed/bad.csv'));
    const gone = await get<FileStory>(address);
    expect(gone).toMatchObject({ code: 'wrong_type', can_retry: false, downloads: [], violations: [] });
    const refused = await post(`${address}/retry`);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ detail: 'bad.csv is no longer in the failed folder' });
  });
});

describe('downloads', () => {
  it('give what lies there, and nothing that a link leads to', async () => {
    const url = await start();
    site.drop('good.csv', GOOD);
    const { files } = await listed(url, (list) => list.total === 1);
    const address = `${url}/api/files/${files[0].id}`;
    await toldStory(address);
    const original = await fetch(`${address}/original`);
    expect(await original.text()).toBe(GOOD);
    expect(original.headers.get('Content-Disposition')).toMatch(/^attachment; filename="good.csv"/);
    expect(await (await fetch(`${address}/rejected`)).text()).toBe('name,age\nbob,4\n,5\n');
    const parquet = Buffer.from(await (await fetch(`${address}/parquet`)).arrayBuffer());
    expect(parquet).toEqual(readFileSync(site.path('output_parquet/good.parquet')));
    expect(await get(`${address}/report`)).toMatchObject({ file: 'good.csv', verdict: 'converted' });

    unlinkSync(site.path('output_parquet/good.parquet'));
    symlinkSync('/etc/passwd', site.path('output_parquet/good.parquet'));
    expect((await fetch(`${address}/parquet`)).status).toBe(404);
  });

  const REFUSED: [string, number][] = [
    ['/api/files/1/%2e%2e%2f%2e%2e%2fconfig', 400],
    ['/api/files/1/config', 400],
    ['/api/files/one', 400],
    ['/api/files/-1', 400],
    ['/api/files/99', 404],
    ['/api/files/99/original', 404],
    ['/api/files?sort=id;drop%20table', 400],
    ['/api/files?limit=100000', 400],
    ['/api/files?state=gone', 400],
    ['/api/throughput?range=year', 400],
  ];

  it('and the other routes refuse what leads elsewhere', async () => {
    const url = await start();
    for (const [address, status] of REFUSED) {
      const answer = await fetch(url + address);
      expect([address, answer.status]).toEqual([address, status]);
      expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    }
  });

  it('and the list take any name that a file may have', async () => {
    const names = [
      '<img src=x onerror=alert(1)>.csv',
      'a"b\'c.csv',
      'x\ny\r\tz.csv',
      '漢字 🎓 100%.csv',
      'semi;colon, and.comma.csv',
    ];
    const url = await start();
    for (const name of names) site.drop(name, GOOD);
    const { files } = await listed(url, (list) => list.total === names.length);
    expect(files.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const { id, name } of files) {
      await toldStory(`${url}/api/files/${id}`);
      const found = await get<FileList>(`${url}/api/files?name=${encodeURIComponent(name)}`);
      expect(found.files).toMatchObject([{ id, name }]);
      const { headers } = await fetch(`${url}/api/files/${id}/original`);
      const disposition = headers.get('Content-Disposition')!;
      expect(disposition).toMatch(/^attachment; filename="[^"\\]+"; filename\*=UTF-8''[\w.%~!-]+$/);
      expect(decodeURIComponent(disposition.split("''")[1])).toBe(name);
    }
  });
});

describe('the events', () => {
  /** The states that a listener hears, until it has what it waits for. */
  async function hear(url: string, until: (state: LiveState) => boolean): Promise<LiveState[]> {
    const aborter = new AbortController();
    const answer = await fetch(`${url}/api/events`, { signal: aborter.signal });
    expect(answer.headers.get('Content-Type')).toContain('text/event-stream');
    const heard: LiveState[] = [];
    let text = '';
    for await (const chunk of answer.body!) {
      text += Buffer.from(chunk).toString('utf8');
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) if (event.startsWith('data: ')) heard.push(JSON.parse(event.slice(6)));
      if (until(heard.at(-1)!)) break;
    }
    aborter.abort();
    return heard;
  }

  it('tell every listener of a new file', async () => {
    const url = await start();
    const { revision } = (await get<Overview>(`${url}/api/overview`)).live;
    const listeners = [1, 2].map(() => hear(url, (state) => state.revision > revision));
    site.drop('good.csv', GOOD);
    for (const heard of await Promise.all(listeners))
      expect(heard.at(-1)!.revision).toBeGreaterThan(revision);
  });

  it('end with the daemon, which does not wait for those who listen', async () => {
    site = new Site({ ...PEOPLE });
    const daemon = await site.start();
    const url = await site.pagesUrl();
    const answer = await fetch(`${url}/api/events`);
    const reading = answer.text();
    expect((await daemon.end()).code).toBe(0);
    expect(await reading).toMatch(/^retry: \d+\n\ndata: /);
  });
});

it('a database that is away is told, with since when', async () => {
  const config = 'database: { engine: postgres, host: 127.0.0.1, port: 1, user: u, database: d }\n';
  const url = await start({ 'db_creds.yaml': config });
  site.drop('good.csv', GOOD);
  await listed(url, (list) => list.total === 1);
  await site.logged('cannot be used');
  const { live, pending } = await get<Overview>(`${url}/api/overview`);
  expect(live.database).toMatchObject({ state: 'away', message: expect.stringContaining('127.0.0.1') });
  expect(Date.parse(live.database.since!)).toBeLessThanOrEqual(Date.now());
  expect(pending).toMatchObject([{ name: 'good.parquet', state: 'waiting_to_load', rows: 2 }]);
  expect(existsSync(site.path('output_parquet/good.parquet'))).toBe(true);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
