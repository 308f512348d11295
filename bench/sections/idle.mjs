import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { headerOf, students } from '../lib/datasets.mjs';
import { cpuTimeMs, peakBytes, residentBytes } from '../lib/process-tree.mjs';
import { Random } from '../lib/random.mjs';
import { atMost, formatMb, formatMs } from '../lib/report.mjs';
import { median } from '../lib/statistics.mjs';

const MOST_CPU_PERCENT = 0.5;
const MOST_BYTES = 120e6;
const MOST_START_MS = 500;
const SEED = 9;
/** A folder in which nothing happens is listed once in that time. */
const WATCHED_MS = 300_000;
/** What was begun by the work is over then, idle worker threads have ended, and the heap has been collected. */
const AFTER_WORK = { restMs: 330_000, watchedMs: WATCHED_MS };
/** The folders have been listed three times; from then on that is done every five minutes. */
const AFTER_START = { restMs: 70_000, watchedMs: WATCHED_MS };
const QUICK = { restMs: 1000, watchedMs: 2000 };

/**
 * What a daemon costs that has nothing to do, after it has taken many files from drop to committed rows in Postgres. With 100,000
 * files it takes about twenty minutes, of which two or three are work.
 */
export async function idle(options) {
  const { work, dist, servers, quick } = options;
  const count = options.files ?? (quick ? 1000 : 100_000);
  const starts = options.rounds ?? (quick ? 2 : 5);
  const title = `idle: ${count} files archived, converted and loaded into Postgres; nothing to do`;
  const server = await servers.get('postgres');
  if (!server) return { title, lines: [] };
  const database = await server.newDatabase('idle');
  const root = path.join(work, 'idle-root');
  const daemon = await Daemon.start({ dist, root, dataset: students, database: database.credentials });
  try {
    const emptyStartMs = await startTimes(daemon, starts);
    const { ms } = await daemon.take({
      files: tinyFiles(daemon, count),
      folder: 'input_csv',
      event: 'Loaded',
    });
    process.stderr.write(`  ${count} files converted and loaded: ${Math.round(ms)} ms\n`);
    const after = await watch(daemon, quick ? QUICK : AFTER_WORK);
    const fullStartMs = await startTimes(daemon, starts);
    const anew = await watch(daemon, quick ? QUICK : AFTER_START);
    return {
      title,
      lines: linesOf({ emptyStartMs, fullStartMs, after, anew, count, starts }),
      notes: [
        'Every file is still in archived/ and in output_parquet/, with its rows in the table. Peak: since the last start.',
      ],
      times: { emptyStartMs, fullStartMs, after, anew },
    };
  } finally {
    await daemon.stop();
    await database.drop();
  }
}

async function startTimes(daemon, starts) {
  const times = [];
  for (let i = 0; i < starts; i++) {
    await daemon.restart();
    times.push(daemon.startMs);
  }
  return median(times);
}

async function watch(daemon, { restMs, watchedMs }) {
  await pause(restMs);
  const cpuBefore = cpuTimeMs(daemon.pid);
  const startedAt = performance.now();
  await pause(watchedMs);
  const cpuPercent = ((cpuTimeMs(daemon.pid) - cpuBefore) / (performance.now() - startedAt)) * 100;
  return { cpuPercent, bytes: residentBytes(daemon.pid), peak: peakBytes(daemon.pid) };
}

/** Files of one row each, no two alike. */
function tinyFiles(daemon, count) {
  const folder = daemon.path('staging');
  mkdirSync(folder);
  const random = new Random(SEED);
  return Array.from({ length: count }, (_, i) => {
    const name = `tiny-${String(i + 1).padStart(6, '0')}.csv`;
    writeFileSync(path.join(folder, name), headerOf(students) + students.row(random));
    return { from: path.join(folder, name), name };
  });
}

function linesOf({ emptyStartMs, fullStartMs, after, anew, count, starts }) {
  const start = (what, ms) => ({
    name: `start to ready ${what}, median of ${starts}`,
    value: formatMs(ms),
    ...atMost(ms, MOST_START_MS, 'ms'),
  });
  const rest = (what, { cpuPercent, bytes, peak }) => [
    {
      name: `CPU of one core ${what}`,
      value: `${cpuPercent.toFixed(2)} %`,
      ...atMost(cpuPercent, MOST_CPU_PERCENT, '%'),
    },
    {
      name: `resident memory ${what}`,
      value: formatMb(bytes),
      ...atMost(bytes / 1e6, MOST_BYTES / 1e6, 'MB'),
    },
    { name: `peak memory ${what}`, value: formatMb(peak) },
  ];
  return [
    start('in empty folders', emptyStartMs),
    start(`with ${count} files behind it`, fullStartMs),
    ...rest('after the work', after),
    ...rest('after a new start', anew),
  ];
}
