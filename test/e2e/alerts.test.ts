import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.js';
import { credentials } from '../faults/support/targets.js';
import { freshPostgres } from '../helpers/databases.js';
import { Receiver } from '../helpers/receiver.js';
import { Relay } from '../helpers/relay.js';
import { waitFor } from '../helpers/wait-for.js';
import { Site } from './site.js';

let site: Site;
let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  await site.close();
  await receiver.down();
});

const DATASET =
  'points: { files: "p*.csv", columns: { x: INTEGER, y: { type: VARCHAR(10), private: true } }, duplicates: keep';

function siteOf({ alerts = '', dataset = '', gatherMs = 300 } = {}): Site {
  site = new Site({
    'db_creds.yaml': 'database: { engine: none }\n',
    'schema_sql.yaml': 'points: [{ name: x, type: INTEGER }, { name: y, type: VARCHAR(10) }]\n',
    'schema.yaml': `${DATASET}${dataset} }\n`,
    'dropgate.yaml': `settle_ms: 20
server: { port: 0 }
alerts: { webhook: "\${HOOK}", gather_ms: ${gatherMs}, interval_ms: 0${alerts} }
`,
  });
  return site;
}

const start = () => site.start({ HOOK: receiver.url });

/** All alerts that the receiver got, told once each. */
function received(kind: string) {
  const byId = new Map(receiver.messages.map((message) => [message.id, message]));
  return [...byId.values()].flatMap(({ alerts }) => alerts).filter((alert) => alert.kind === kind);
}

const until = (what: string, condition: () => boolean) => waitFor(what, condition, { timeoutMs: 30_000 });

describe('the webhook is told', () => {
  it('of many failed files in one message with their number, and nothing of private columns or of its own address', async () => {
    siteOf({ alerts: ', token: TOKEN' });
    for (let i = 0; i < 150; i++) site.drop(`p${i}.csv`, `x,y\n1,${'private'.repeat(3)}\n`);
    const daemon = await start();
    await until(
      'all failures',
      () => received('file_failed').reduce((sum, { count }) => sum + count, 0) === 150,
    );
    expect(receiver.messages.length).toBeLessThan(10);
    const [first] = receiver.messages;
    expect(first).toMatchObject({ version: 1, root: site.root });
    expect(first.alerts[0]).toMatchObject({ kind: 'file_failed', dataset: 'points', code: 'too_long' });
    expect(first.alerts[0].files.length).toBeGreaterThan(0);
    expect(first.text).toContain('points: p');
    expect(receiver.requests[0]).toMatchObject({
      path: '/hook/SECRET?key=SECRET',
      headers: { authorization: 'Bearer TOKEN', 'content-type': 'application/json' },
    });
    expect(JSON.stringify(receiver.messages)).not.toContain('private');
    await daemon.end();
    expect(site.log()).not.toMatch(/SECRET|TOKEN/);
  });

  it('in order, again and again, by a receiver that refuses, is slow, down, and back; the files do not wait', async () => {
    siteOf({ alerts: ', timeout_ms: 200' });
    receiver.answer = 503;
    await start();
    site.drop('p1.csv', 'x,y\nfirst,a\n');
    await site.logged('Alerts cannot be delivered to http://127.0.0.1');
    receiver.answer = () => undefined;
    site.drop('p2.csv', 'x,y\n2,b\n');
    await site.logged('Converted input_csv/p2.csv');
    await receiver.down();
    receiver.answer = 200;
    site.drop('p3.csv', 'z\n3\n');
    await site.logged('Failed input_csv/p3.csv');
    receiver.messages.length = 0;
    await receiver.up();
    await until('both alerts', () => received('file_failed').length === 2);
    expect(received('file_failed').map(({ files }) => files)).toEqual([['p1.csv'], ['p3.csv']]);
    await site.logged('Alerts are delivered to http://127.0.0.1');
    expect(site.log()).not.toContain('SECRET');
  });

  it('nothing when it redirects or refuses for good', async () => {
    siteOf();
    const elsewhere = await Receiver.open();
    receiver.answer = (response) => response.writeHead(302, { Location: elsewhere.url }).end();
    await start();
    site.drop('p1.csv', 'z\n1\n');
    await site.logged('redirects are not followed');
    receiver.answer = 410;
    site.drop('p2.csv', 'z\n1\n');
    await site.logged('it answered 410');
    receiver.answer = 200;
    site.drop('p3.csv', 'z\n1\n');
    await until('the third alert', () => receiver.messages.length === 3);
    expect(receiver.messages.map(({ alerts }) => alerts.map(({ files }) => files[0]))).toEqual([
      ['p1.csv'],
      ['p2.csv'],
      ['p3.csv'],
    ]);
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.down();
  });

  it('after the next start of what could not be delivered before the last one ended', async () => {
    siteOf();
    await receiver.down();
    const daemon = await start();
    site.drop('p1.csv', 'z\n1\n');
    await site.logged('Alerts cannot be delivered');
    const { code } = await daemon.end();
    expect(code).toBe(0);
    await receiver.up();
    await start();
    await until('the alert', () => received('file_failed').length === 1);
  });

  it('when the daemon ends, of what it had just gathered', async () => {
    siteOf({ gatherMs: 60_000 });
    const daemon = await start();
    site.drop('p1.csv', 'z\n1\n');
    await site.logged('Failed input_csv/p1.csv');
    await daemon.end();
    expect(received('file_failed')).toHaveLength(1);
  });

  it('of a database that is away, that it is back, and of a Parquet file that it cannot take', async () => {
    siteOf({ alerts: ', database_away_ms: 1000' });
    const database = await freshPostgres();
    const relay = await Relay.reserve(database);
    writeFileSync(
      site.path('config/db_creds.yaml'),
      credentials('postgres', { ...database, port: relay.port }),
    );
    await start();
    await until('the alert', () => received('database_away').length === 1);
    expect(received('database_away')[0]).toMatchObject({
      ...{ dataset: null, code: 'database_unreachable', count: 1 },
    });
    await relay.up();
    await until('the good news', () => received('database_back').length === 1);
    expect(received('database_back')[0]).toMatchObject({ dataset: null, code: null, count: 1 });
    writeFileSync(site.path('output_parquet/points.parquet'), 'PAR1');
    await until('the alert', () => received('load_failed').length === 1);
    expect(received('load_failed')[0]).toMatchObject({ files: ['points.parquet'], count: 1 });
    expect(received('database_away')).toHaveLength(1);
    await site.close();
    await relay.down();
    await database.drop();
  }, 60_000);
});

describe('a late file', () => {
  it('is told once, and once that it came, across a restart', async () => {
    siteOf({ dataset: ', expect: { every: 2s, grace: 1s }' });
    let daemon = await start();
    await site.logged('points is late: no file has come that was due');
    await daemon.end();
    daemon = await start();
    site.drop('p1.csv', 'x,y\n1,a\n');
    await site.logged('A late file of points has come: p1.csv has come');
    await until('both alerts', () => received('arrived').length === 1);
    await daemon.end();
    expect(received('late')).toHaveLength(1);
    expect(site.log().split('points is late').length).toBe(2);
    const ledger = Ledger.openExisting(site.path('state/ledger.db'))!;
    const alerts = ledger.quality.alerts({ since: '0000', until: '9999' }, 9);
    ledger.close();
    expect(alerts.map(({ kind, delivery }) => [kind, delivery])).toEqual([
      ['arrived', 'delivered'],
      ['late', 'delivered'],
    ]);
  });
});

describe('a file unlike the last ones', () => {
  it('is told with its usual range, but for private columns', async () => {
    siteOf();
    await start();
    const rows = (share: number, y: string) =>
      Array.from({ length: 60 }, (_, i) => `${i % 7},${i < share * 60 ? y : 'a'}\n`).join('');
    for (let i = 0; i < 8; i++) site.drop(`p${i}.csv`, `x,y\n${rows(i / 100, 'b')}`);
    await until('eight files', () => site.list('output_parquet').length === 9);
    const odd = Array.from({ length: 60 }, (_, i) => `${i % 7 === 0 ? 5000 : 3},v${i % 9}\n`).join('');
    site.drop('podd.csv', `x,y\n${odd}`);
    await until('the alert', () => received('drift').length > 0);
    const [alert] = received('drift');
    expect(alert).toMatchObject({ dataset: 'points', files: ['podd.csv'] });
    expect(alert.message).toMatch(/column x: the mean 75\d\.\d+ is outside of .* to .*/);
    expect(alert.message).toContain('column y: the number of distinct values left its usual range');
    expect(alert.message).not.toContain('column y: the number of distinct values 9');
    await site.logged('WARNING - input_csv/podd.csv is unlike the last files: column x: the ');
  });
});
