import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FailedUpload, UploadAnswer } from '../../src/server/api/upload.js';
import { Site } from '../e2e/site.js';
import { TARGETS, type Target } from '../e2e/targets.js';
import { findProgram } from '../helpers/programs.js';
import { waitFor } from '../helpers/wait-for.js';

const SCHEMA =
  'people: { files: "p*", columns: { name: TEXT, age: INTEGER }, invalid: set_aside, max_set_aside: 50% }\n';
const TABLES = 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n';
const GOOD = 'name,age\nann,3\nbob,4\n';
/** Nobody listens there. */
const AWAY = 'database: { engine: postgres, host: 127.0.0.1, port: 1, user: u, database: d }\n';

interface Answered {
  status: number;
  body: Omit<UploadAnswer, 'state'> & Omit<FailedUpload, 'state'> & { state: string };
}

/** A site with its pages. */
async function open(program: string, credentials: string): Promise<{ site: Site; url: string }> {
  const site = new Site({
    'dropgate.yaml': program,
    'schema.yaml': SCHEMA,
    'schema_sql.yaml': TABLES,
    'db_creds.yaml': credentials,
  });
  await site.start();
  return { site, url: await site.pagesUrl() };
}

/** Sends the path as it is, without tidying it up. */
async function put(
  url: string,
  path: string,
  options: { content?: string; headers?: http.OutgoingHttpHeaders } = {},
) {
  const { content = GOOD, headers = {} } = options;
  const { hostname, port } = new URL(url);
  const length = { 'Content-Length': Buffer.byteLength(content) };
  const request = http.request({ hostname, port, path, method: 'PUT', headers: { ...length, ...headers } });
  request.end(content);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode!, body: JSON.parse(await text(response)) } as Answered;
}

function leftovers(site: Site): string[] {
  return readdirSync(site.path('input_csv')).filter((name) => name.startsWith('.dropgate-'));
}

describe('PUT /input/NAME', () => {
  let target: Target;
  let site: Site;
  let url: string;

  beforeAll(async () => {
    target = await TARGETS.postgres();
    ({ site, url } = await open(
      'server: { port: 0, max_upload_bytes: 1000 }\nsettle_ms: 20\n',
      target.config,
    ));
    return async () => {
      await site.close();
      await target.drop();
    };
  });

  it('answers with the verdict of a file that is loaded, and writes down who sent it', async () => {
    const { status, body } = await put(url, '/input/p1.csv?wait=1', { content: `${GOOD},5\neve,x\n` });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'p1.csv',
      bytes: 30,
      state: 'loaded',
      dataset: 'people',
      rows: { in: 4, out: 2, dropped_missing: 1, dropped_duplicate: 0, set_aside: 1 },
      rows_loaded: 2,
      link: expect.stringMatching(/^\/files\/\d+$/),
    });
    expect(site.log()).toMatch(/local \(admin\) from 127\.0\.0\.1 uploaded p1\.csv, 30 B/);
  });

  it('tells of content that was delivered before', async () => {
    const { status, body } = await put(url, '/input/p1.csv?wait=1', { content: `${GOOD},5\neve,x\n` });
    expect([status, body.state]).toEqual([200, 'duplicate']);
    expect(body.message).toMatch(/^The same content was delivered as "p1\.csv"/);
  });

  it('answers with the reason, the remedy and the violations of a file that fails', async () => {
    const { status, body } = await put(url, '/input/p2.csv?wait=1', {
      content: 'name,age\nann,x\nbob,y\neve,3\n',
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      state: 'failed',
      code: 'too_many_set_aside',
      hint: expect.stringContaining('violations'),
      rows: { in: 3, out: 0 },
      violations: [
        { line: 2, column: 'age', code: 'wrong_type', value: 'x' },
        { line: 3, column: 'age', code: 'wrong_type', value: 'y' },
      ],
      violations_total: 2,
      link: expect.stringMatching(/^\/files\/\d+$/),
    });
  });

  it('does not wait when it is not asked to', async () => {
    const { status, body } = await put(url, '/input/p%20%C5%BE.csv');
    expect([status, body.state, body.name]).toEqual([202, 'waiting', 'p ž.csv']);
    await site.logged('Loaded output_parquet/p ž.parquet');
  });

  it.each([
    '/input/',
    '/input/..%2fp.csv',
    '/input/%2e%2e%2fp.csv',
    '/input/../../p.csv',
    '/input/%2fetc%2fp.csv',
    '/input//etc/p.csv',
    '/input/sub/p.csv',
    '/input/p%00.csv',
    '/input/p%0a.csv',
    '/input/-p.csv',
    '/input/.p.csv',
    '/input/p.csv.part',
    '/input/p.exe',
    '/input/%ff.csv',
    `/input/${'p'.repeat(252)}.csv`,
  ])('refuses %s', async (path) => {
    const { status, body } = await put(url, path);
    expect([status, body.status]).toEqual([400, 400]);
    expect(body.detail).not.toBe('');
  });

  it('refuses a part of a file and one that was packed on its way, which would be taken for the file', async () => {
    const { status, body } = await put(url, '/input/p.csv', {
      headers: { 'Content-Range': 'bytes 5-19/20' },
    });
    expect([status, body.detail]).toEqual([400, 'Parts of files are not taken']);
    expect((await put(url, '/input/p.csv', { headers: { 'Content-Encoding': 'gzip' } })).status).toBe(415);
  });

  it('refuses a name that is taken', async () => {
    // A file would be taken in the meantime.
    mkdirSync(site.path('input_csv/ptaken.csv'));
    const { status, body } = await put(url, '/input/ptaken.csv');
    expect([status, body.code]).toEqual([409, 'upload_name_taken']);
  });

  it('takes two files of one name that are sent at once as wholes, or one of them', async () => {
    const contents = ['left', 'right'].map((word) => `name,age\n${`${word},1\n`.repeat(50)}`);
    const answers = await Promise.all(
      contents.map((content) => put(url, '/input/psame.csv?wait=1', { content })),
    );
    for (const { status, body } of answers) {
      if (status === 409) expect(body.code).toBe('upload_name_taken');
      else expect([status, body.rows_loaded]).toEqual([200, 1]);
    }
    expect(answers.some(({ status }) => status === 200)).toBe(true);
  });

  it('refuses what is too long, before or while it is sent', async () => {
    const content = 'x'.repeat(1001);
    const announced = await put(url, '/input/p.csv', { content });
    expect([announced.status, announced.body.code]).toEqual([413, 'upload_too_large']);
    const { hostname, port } = new URL(url);
    const request = http.request({ hostname, port, path: '/input/p.csv', method: 'PUT' });
    request.on('error', () => undefined);
    // It never ends, so it is the limit that ends it.
    for (let i = 0; i < 11; i++) request.write('x'.repeat(100));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(413);
    request.destroy();
    expect(leftovers(site)).toEqual([]);
  });

  it('tells a sender who asks first whether to send', async () => {
    const { hostname, port } = new URL(url);
    const ask = (path: string, length: number) => {
      const headers = { Expect: '100-continue', 'Content-Length': length };
      const request = http.request({ hostname, port, path, method: 'PUT', headers });
      request.flushHeaders();
      return request;
    };
    const refused = ask('/input/p.csv', 2000);
    let isContinued = false;
    refused.on('continue', () => {
      isContinued = true;
    });
    const [no] = (await once(refused, 'response')) as [http.IncomingMessage];
    expect([no.statusCode, isContinued]).toEqual([413, false]);
    no.resume();
    const admitted = ask('/input/pasked.csv?wait=1', GOOD.length);
    await once(admitted, 'continue');
    admitted.end(GOOD);
    const [yes] = (await once(admitted, 'response')) as [http.IncomingMessage];
    expect([yes.statusCode, JSON.parse(await text(yes)).state]).toEqual([200, 'loaded']);
  });

  it('keeps nothing of an upload that is broken off', async () => {
    const { hostname, port } = new URL(url);
    const headers = { 'Content-Length': 900 };
    const request = http.request({ hostname, port, path: '/input/pgone.csv', method: 'PUT', headers });
    request.on('error', () => undefined);
    request.write('name,age\n');
    await waitFor('the part', () => leftovers(site).length === 1);
    request.destroy();
    await waitFor('the part to go', () => leftovers(site).length === 0);
    await site.logged(/was refused the upload of "pgone\.csv": the upload ended too early/);
    expect(site.log()).not.toContain('uploaded pgone.csv');
  });

  it.skipIf(!findProgram('curl'))('is what curl -T sends', async () => {
    const file = site.path('pcurl.csv');
    writeFileSync(file, 'name,age\ncurl,1\n');
    const { stdout } = await promisify(execFile)('curl', ['-sS', '-T', file, `${url}/input/?wait=1`]);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'pcurl.csv', state: 'loaded', rows_loaded: 1 });
  });
});

describe('an upload that cannot be judged or loaded at once', () => {
  it('is answered with what is known and a link', async () => {
    const { site, url } = await open('server: { port: 0 }\nready: marker\n', AWAY);
    try {
      await site.logged('cannot be used');
      // It has its marker, so it is taken.
      const { status, body } = await put(url, '/input/p1.csv?wait=1');
      expect([status, body.state]).toEqual([202, 'converted']);
      expect(body.message).toBe('2 rows converted to Parquet; they wait to be loaded');
      expect(body.link).toMatch(/^\/files\/\d+$/);
    } finally {
      await site.close();
    }
  });

  it('is not waited for longer than was asked', async () => {
    const { site, url } = await open('server: { port: 0 }\nsettle_ms: 600000\n', AWAY);
    try {
      const { status, body } = await put(url, '/input/p1.csv?wait=1&timeout_s=1');
      expect([status, body.state, body.link]).toEqual([202, 'waiting', '/?name=p1.csv']);
    } finally {
      await site.close();
    }
  });
});
