import { afterEach, describe, expect, it } from 'vitest';
import type { FailedUpload } from '../../src/server/api/upload.js';
import { FaultyDisk } from '../base/faulty-disk.js';
import { bearer, makeAccounts } from './auth/accounts.js';
import { type LocalServer, openLocalServer } from './auth/local-server.js';

const CONFIG = {
  'schema.yaml':
    'people: { files: "p*", columns: { name: TEXT, salary: { type: INTEGER, private: true } } }\n',
  'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: salary, type: INTEGER }]\n',
};

let server: LocalServer;
let url: string;
afterEach(() => server.close());

async function open(options: { server?: string } = {}): Promise<void> {
  server = await openLocalServer({ ...options, config: CONFIG });
  url = await server.app.listen({ host: '127.0.0.1', port: 0 });
}

function put(path: string, { headers = {}, body = 'name,salary\nann,5\n' } = {}): Promise<Response> {
  return fetch(url + path, { method: 'PUT', headers, body });
}

describe('with users', () => {
  it('analysts may upload, viewers and strangers may not, and the log says who did', async () => {
    const { yaml, tokens } = await makeAccounts();
    await open({ server: yaml });
    expect((await put('/input/p1.csv')).status).toBe(401);
    expect((await put('/input/p1.csv', { headers: bearer(tokens.viewer) })).status).toBe(403);
    expect(server.site.list('input_csv')).toEqual(['archived', 'output_failed']);
    expect((await put('/input/p1.csv', { headers: bearer(tokens.analyst) })).status).toBe(202);
    await server.site.logged('analyst-token (analyst) from 127.0.0.1 uploaded p1.csv, 18 B');
  });

  it('only admins are told values of files with private columns', async () => {
    const { yaml, tokens } = await makeAccounts();
    await open({ server: yaml });
    const body = 'name,salary\nann,secret\n';
    const told = async (token: string, name: string) =>
      (await (await put(`/input/${name}?wait=1`, { headers: bearer(token), body })).json()) as FailedUpload;
    const analyst = await told(tokens.analyst, 'p1.csv');
    expect(analyst).toMatchObject({ status: 422, code: 'wrong_type', violations_total: 1 });
    expect(analyst.violations[0]).toMatchObject({ line: 2, column: 'salary', value: '(hidden)' });
    expect(JSON.stringify(analyst)).not.toContain('secret');
    const admin = await told(tokens.admin, 'p2.csv');
    expect(admin.violations[0].value).toBe('secret');
    expect(admin.detail).toContain('secret');
  });
});

describe('on a full disk', () => {
  it('an upload is answered with 507 and leaves nothing', async () => {
    await open();
    const disk = new FaultyDisk({ failAt: 'handle.writeFile' });
    const answer = await put('/input/p1.csv').finally(() => disk.restore());
    expect(disk.hasFailed).toBe(true);
    expect(answer.status).toBe(507);
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'upload_disk_full', title: 'Disk full' });
    expect(server.site.list('input_csv')).toEqual(['archived', 'output_failed']);
  });
});
