import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { students } from '../lib/datasets.mjs';
import { writeSmallFiles } from '../lib/inputs.mjs';
import { Random } from '../lib/random.mjs';
import { atMost, formatMs } from '../lib/report.mjs';
import { quantile } from '../lib/statistics.mjs';

const SETTLE_MS = 200;
const MOST_P50_MS = SETTLE_MS + 60;
const MOST_P99_MS = SETTLE_MS + 150;
/** What the other converting thread may have in hand, when the last file comes to its own: one task. */
const MOST_OUT_OF_TURN = 32;
/** Between two questions whether the rows are there. */
const POLL_MS = 1;
/** The daemon is left idle for this long before the next file, at least, and for at most twice as long. */
const IDLE_MS = 100;
const SEED = 4;
const VISIBLE_TIMEOUT_MS = 60_000;

/** From the close of a file to its rows being visible to another connection of Postgres. */
export async function latency(options) {
  const { work, dist, servers, quick } = options;
  const samples = options.rounds ?? (quick ? 10 : 200);
  const queued = options.files ?? (quick ? 100 : 1000);
  const title = `latency: files of 56 KB into Postgres, settle_ms ${SETTLE_MS}`;
  const server = await servers.get('postgres');
  if (!server) return { title, lines: [] };
  const files = writeSmallFiles(path.join(work, `small-${queued}`), queued);
  const database = await server.newDatabase('latency');
  const daemon = await Daemon.start({
    dist,
    root: path.join(work, 'latency-root'),
    dataset: students,
    database: database.credentials,
  });
  try {
    await daemon.until(() => daemon.logged('Created') > 0);
    const idleMs = await measureIdle({ daemon, database, files, samples });
    const turn = await measureTurn({ daemon, database, files });
    return { title, ...report({ idleMs, turn, samples, queued }), times: { idleMs, turn } };
  } finally {
    await daemon.stop();
    await database.drop();
  }
}

async function measureIdle({ daemon, database, files, samples }) {
  const random = new Random(SEED);
  const times = [];
  // The first file makes the tables and warms up what every later one uses.
  for (let i = -1; i < samples; i++) {
    await pause(IDLE_MS + random.below(IDLE_MS));
    const bytes = readFileSync(files[(i + files.length) % files.length]);
    const name = `single-${i + 1}.csv`;
    const closedAt = writeFile(daemon.path('input_csv', name), bytes);
    await untilVisible(database, name);
    if (i >= 0) times.push(performance.now() - closedAt);
  }
  return times;
}

/** A file that comes while many others wait must be loaded behind them, and as soon as they are. */
async function measureTurn({ daemon, database, files }) {
  const name = 'the-last.csv';
  const bytes = readFileSync(files[0]);
  const wanted = daemon.logged('Loaded') + files.length + 1;
  const queue = arrange(daemon, files, 'queue');
  const startedAt = performance.now();
  for (const { from, name } of queue) renameSync(from, daemon.path('input_csv', name));
  const closedAt = writeFile(daemon.path('input_csv', name), bytes);
  await untilVisible(database, name);
  const waitedMs = performance.now() - closedAt;
  await daemon.until(() => daemon.logged('Loaded') >= wanted);
  const loaded = [...daemon.log.matchAll(LOADED_LINE)].filter(([, file]) => /-rqueue$|^the-last$/.test(file));
  const at = loaded.findIndex(([, file]) => file === 'the-last');
  return {
    waitedMs,
    totalMs: performance.now() - startedAt,
    ahead: at,
    outOfTurn: files.length - at,
  };
}

const LOADED_LINE = /Loaded output_parquet\/(\S+)\.parquet into/g;

/** @returns when it was closed */
function writeFile(file, bytes) {
  const out = openSync(file, 'w');
  writeSync(out, bytes);
  closeSync(out);
  return performance.now();
}

/** Its row of the load ledger is committed together with its rows. */
async function untilVisible(database, name) {
  const deadline = performance.now() + VISIBLE_TIMEOUT_MS;
  while ((await database.query('SELECT 1 FROM dropgate_loads WHERE file = $1', [name])).length === 0) {
    if (performance.now() > deadline)
      throw new Error(`${name} is not loaded after ${formatMs(VISIBLE_TIMEOUT_MS)}`);
    await pause(POLL_MS);
  }
}

function report({ idleMs, turn, samples, queued }) {
  const p50 = quantile(idleMs, 0.5);
  const p99 = quantile(idleMs, 0.99);
  return {
    lines: [
      {
        name: `one file into an idle daemon, ${samples} times: p50`,
        value: formatMs(p50),
        ...atMost(p50, MOST_P50_MS, 'ms'),
      },
      { name: 'p99', value: formatMs(p99), ...atMost(p99, MOST_P99_MS, 'ms') },
      { name: 'longest', value: formatMs(Math.max(...idleMs)) },
      { name: `a file behind ${queued} others`, value: formatMs(turn.waitedMs) },
      { name: 'all of them', value: formatMs(turn.totalMs) },
      {
        name: 'files loaded out of turn',
        value: String(turn.outOfTurn),
        ...atMost(turn.outOfTurn, MOST_OUT_OF_TURN, 'files'),
      },
    ],
    notes: ['From the close of the file until a connection that asks every millisecond sees it committed.'],
  };
}
