import { renameSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.js';
import { Site } from '../e2e/site.js';
import { TARGETS } from '../e2e/targets.js';
import { waitFor } from '../helpers/wait-for.js';

const PEOPLE = {
  'dropgate.yaml': 'server: { port: 0 }\nsettle_ms: 20\n',
  'schema.yaml':
    'people: { files: "p*.csv", columns: { name: TEXT, age: INTEGER }, invalid: set_aside, max_set_aside: 50% }\n',
  'schema_sql.yaml': 'people: [{ name: name, type: TEXT }, { name: age, type: INTEGER }]\n',
};
const NO_DATABASE = { 'db_creds.yaml': 'database: { engine: none }\n' };
/** Nobody listens there. */
const AWAY = {
  'db_creds.yaml': 'database: { engine: postgres, host: 127.0.0.1, port: 1, user: u, database: d }\n',
};

let site: Site;
afterEach(() => site.close());

async function start(config: Record<string, string>): Promise<string> {
  site = new Site({ ...PEOPLE, ...config });
  await site.start();
  return site.pagesUrl();
}

/** The values of a metric, by their labels as they are written. */
async function metric(url: string, name: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(name.length, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('/metrics', () => {
  it('counts what the ledger counts, also of files that were there before anybody could ask', async () => {
    const target = await TARGETS.postgres();
    onTestFinished(() => target.drop());
    site = new Site({ ...PEOPLE, 'db_creds.yaml': target.config });
    site.drop('p1.csv', 'name,age\nann,3\nbob,4\nbob,4\n,5\neve,x\n');
    site.drop('q.csv', 'name,age\nann,3\n');
    await site.start();
    const url = await site.pagesUrl();
    await site.logged(/Loaded output_parquet\/p1\.parquet/);
    await site.logged('Failed input_csv/q.csv');
    site.drop('p1.csv', 'name,age\nann,3\nbob,4\nbob,4\n,5\neve,x\n');
    await site.logged('Skipped input_csv/p1.csv');

    const ledger = Ledger.openExisting(site.path('state/ledger.db'))!;
    const [loaded] = ledger.latest(10).filter(({ state }) => state === 'loaded');
    const { byState, rowsLoaded } = ledger.summary();
    ledger.close();
    expect(byState).toMatchObject({ loaded: 1, failed: 1, duplicate: 1 });
    expect(await metric(url, 'dropgate_files_total')).toEqual({
      '{state="converted",dataset="people"}': byState.loaded,
      '{state="failed",dataset="people"}': 0,
      '{state="failed",dataset=""}': byState.failed,
      '{state="duplicate",dataset="people"}': byState.duplicate,
      '{state="loaded",dataset="people"}': byState.loaded,
      '{state="already_loaded",dataset="people"}': 0,
      '{state="load_failed",dataset="people"}': 0,
    });
    const failures = await metric(url, 'dropgate_failures_total');
    expect(failures['{reason="no_dataset"}']).toBe(byState.failed);
    expect(failures['{reason="wrong_type"}']).toBe(0);
    const rows = await metric(url, 'dropgate_rows_total');
    // The duplicate was read as well.
    expect(rows['{kind="in",dataset="people"}']).toBe(2 * loaded.rowsIn);
    expect(rows['{kind="set_aside",dataset="people"}']).toBe(2 * loaded.setAside);
    expect(rows['{kind="dropped_missing",dataset="people"}']).toBe(2 * loaded.droppedMissing);
    expect(rows['{kind="loaded",dataset="people"}']).toBe(rowsLoaded);
    expect(await metric(url, 'dropgate_bytes_total')).toEqual({
      '{kind="in"}': loaded.bytesIn,
      '{kind="out"}': loaded.bytesOut,
    });
    const durations = await metric(url, 'dropgate_stage_duration_seconds_count');
    expect(durations['{stage="convert"}']).toBe(2);
    expect(durations['{stage="load"}']).toBe(1);
    const classes = await metric(url, 'dropgate_stage_duration_seconds_bucket');
    expect(classes['{le="+Inf",stage="convert"}']).toBe(2);
    expect(Object.values(await metric(url, 'dropgate_queue_files'))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await metric(url, 'dropgate_oldest_waiting_seconds')).toEqual({ '': 0 });
    expect(await metric(url, 'process_resident_memory_bytes')).not.toEqual({});
  });

  it('tells of files that wait, and of a database that is away', async () => {
    const url = await start({ ...AWAY, 'dropgate.yaml': 'server: { port: 0 }\nsettle_ms: 600000\n' });
    site.drop('p1.csv', 'name,age\nann,3\n');
    await waitFor('the waiting file', async () => {
      const { '{queue="settling"}': settling } = await metric(url, 'dropgate_queue_files');
      return settling === 1;
    });
    const { '': seconds } = await metric(url, 'dropgate_oldest_waiting_seconds');
    expect(seconds).toBeGreaterThan(0);
    await waitFor('the database to be away', async () => {
      const { '{engine="postgres"}': up } = await metric(url, 'dropgate_database_up');
      return up === 0;
    });
  });
});

describe('/healthz and /readyz', () => {
  it('are green while files are taken, also without the database', async () => {
    const url = await start(AWAY);
    await site.logged('cannot be used');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      reasons: [],
      notices: [expect.stringContaining('127.0.0.1:1')],
      database: 'away',
    });
  });

  it('say why no file is taken, and that it is over', async () => {
    const url = await start({
      ...NO_DATABASE,
      'dropgate.yaml': 'server: { port: 0 }\nwatch: { rescan_ms: 100 }\n',
    });
    const input = site.path('input_csv');
    renameSync(input, `${input}.away`);
    writeFileSync(input, 'no folder');
    const reasons = await waitFor('/readyz to be red', async () => {
      const answer = await fetch(`${url}/readyz`);
      const { reasons } = (await answer.json()) as { reasons: string[] };
      return answer.status === 503 ? reasons : undefined;
    });
    expect(reasons[0]).toMatch(/input_csv" cannot be listed .* move it away/);
    expect(await metric(url, 'dropgate_folder_up')).toEqual({ '{folder="input"}': 0 });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    renameSync(input, `${input}.file`);
    renameSync(`${input}.away`, input);
    await waitFor('/readyz to be green', async () => (await fetch(`${url}/readyz`)).status === 200);
  });
});
