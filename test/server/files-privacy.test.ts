import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FileList, FileStory } from '../../src/server/api/files.js';
import { waitFor } from '../helpers/wait-for.js';
import { type Accounts, bearer, makeAccounts } from './auth/accounts.js';
import { type LocalServer, openLocalServer } from './auth/local-server.js';

const SECRET = 'zzsecretzz';

let accounts: Accounts;
let server: LocalServer;
beforeAll(async () => {
  accounts = await makeAccounts();
  server = await openLocalServer({
    server: `port: 0, ${accounts.yaml}`,
    config: {
      'schema.yaml':
        'people: { files: "p*", columns: { name: { type: TEXT, case: keep }, age: INTEGER, pay: { type: INTEGER, private: true } } }\n',
      'schema_sql.yaml':
        'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }, { name: pay, type: INTEGER }]\n',
    },
  });
  server.site.drop('p1.csv', `name,age,pay\nann,1,${SECRET}\nbob,x,2\nbob\n`);
  server.site.drop('p2.csv', `name,age,pay\nann,1,\nann,1,7\n`);
  await waitFor('both files', async () => (await get<FileList>('/api/files', 'admin')).total === 2, {
    timeoutMs: 30_000,
  });
});
afterAll(() => server.close());

async function ask(url: string, role: keyof Accounts['tokens'], method: 'GET' | 'POST' = 'GET') {
  return server.app.inject({ method, url, headers: bearer(accounts.tokens[role]) });
}

async function get<T>(url: string, role: keyof Accounts['tokens']): Promise<T> {
  return (await ask(url, role)).json() as T;
}

it('private values are in nothing that viewers and analysts get', async () => {
  const { files } = await get<FileList>('/api/files', 'admin');
  const bad = files.find(({ name }) => name === 'p1.csv')!;
  expect(bad.message).toContain(SECRET);
  for (const role of ['viewer', 'analyst'] as const) {
    expect((await ask('/api/files', role)).body).not.toContain(SECRET);
    for (const { id, name } of files) {
      const { body } = await ask(`/api/files/${id}`, role);
      expect(body).not.toContain(SECRET);
      const story = JSON.parse(body) as FileStory;
      expect(story).toMatchObject({ name, is_hidden: true, downloads: [] });
      expect(story.violations.length).toBeGreaterThan(0);
      expect(story.violations.filter(({ source }) => source !== null)).toEqual([]);
      for (const what of ['original', 'report', 'rejected', 'parquet'])
        expect((await ask(`/api/files/${id}/${what}`, role)).statusCode).toBe(403);
    }
  }
  const { violations } = await get<FileStory>(`/api/files/${bad.id}`, 'viewer');
  // Other columns are told; a whole row has the private one too.
  expect(violations.map(({ column, value }) => [column, value])).toEqual([
    ['pay', '(hidden)'],
    ['age', 'x'],
    ['', '(hidden)'],
  ]);
});

it('administrators get them', async () => {
  const { files } = await get<FileList>('/api/files?name=p1', 'admin');
  const story = await get<FileStory>(`/api/files/${files[0].id}`, 'admin');
  expect(story).toMatchObject({ is_hidden: false, downloads: ['original', 'report'] });
  expect(story.violations[0].source).toMatchObject({ cell: SECRET });
  expect((await ask(`/api/files/${files[0].id}/original`, 'admin')).body).toContain(SECRET);
});

it('a retry is for analysts, and leaves a line in the log', async () => {
  const { files } = await get<FileList>('/api/files?name=p1', 'admin');
  const address = `/api/files/${files[0].id}/retry`;
  expect((await ask(address, 'viewer', 'POST')).statusCode).toBe(403);
  expect((await ask(address, 'analyst', 'POST')).statusCode).toBe(200);
  await server.site.logged(/analyst-token \(analyst\) from \S+ sent p1\.csv back to be tried again/);
});
