import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableProfile, TableRows, Tables } from '../../src/server/api/data.js';
import { waitFor } from '../helpers/wait-for.js';
import { type Accounts, bearer, makeAccounts } from './auth/accounts.js';
import { type LocalServer, openLocalServer } from './auth/local-server.js';

const SECRET = 987_654;

describe('private columns of the tables', () => {
  let accounts: Accounts;
  let server: LocalServer;
  const ask = (url: string, role: keyof Accounts['tokens']) =>
    server.app.inject({ url, headers: bearer(accounts.tokens[role]) });

  beforeAll(async () => {
    accounts = await makeAccounts();
    server = await openLocalServer({
      server: `port: 0, ${accounts.yaml}`,
      config: {
        'schema.yaml':
          'people: { files: "p*", columns: { name: TEXT, pay: { type: INTEGER, private: true } } }\n',
        'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: pay, type: INTEGER }]\n',
        'db_creds.yaml': 'database: { engine: embedded }\n',
      },
    });
    server.site.drop('p.csv', `name,pay\nann,${SECRET}\nbob,${SECRET + 1}\n`);
    const loads = async () => (await ask('/api/tables', 'admin')).json<Tables>().tables[0].loads;
    await waitFor('the load', async () => (await loads()) === 1, { timeoutMs: 30_000 });
  });
  afterAll(() => server.close());

  it('are named, but none of their values is told below admin', async () => {
    for (const role of ['viewer', 'analyst'] as const) {
      const profile = await ask('/api/tables/people/profile', role);
      expect(profile.body).not.toContain('98765');
      const pay = profile.json<TableProfile>().columns[1];
      expect(pay).toMatchObject({
        name: 'pay',
        is_hidden: true,
        nulls: 0,
        mean: null,
        top: [],
        histogram: [],
      });
      expect((await ask('/api/tables/people/rows', role)).json<TableRows>()).toMatchObject({
        ...{ columns: ['name'], rows: [['ann'], ['bob']] },
      });
    }
    expect((await ask('/api/tables/people/rows', 'admin')).body).toContain(String(SECRET));
  });

  it.each([
    'kind=bar&x=pay',
    'kind=bar&x=name&y=pay&aggregate=max',
    'kind=histogram&x=pay',
    'kind=bar&x=name&colour=pay',
    'kind=number&y=pay&aggregate=sum',
    `kind=number&filters=${encodeURIComponent(`[{"column":"pay","op":"gt","value":"${SECRET}"}]`)}`,
  ])('are in no chart of a viewer: %s', async (query) => {
    const answer = await ask(`/api/chart?table=people&${query}`, 'viewer');
    expect(answer.statusCode).toBe(403);
    expect((await ask(`/api/chart?table=people&${query}`, 'admin')).statusCode).toBe(200);
  });

  it('leave named queries to administrators', async () => {
    for (const url of ['/api/queries', '/api/queries/fathers-jobs/result'])
      expect((await ask(url, 'analyst')).statusCode).toBe(403);
    expect((await ask('/api/queries', 'admin')).statusCode).toBe(200);
  });
});
