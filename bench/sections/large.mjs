import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { orders, students } from '../lib/datasets.mjs';
import { totalBytes, writeLargeFile } from '../lib/inputs.mjs';
import { formatMb, ratioOf, timeLine } from '../lib/report.mjs';
import { alternate } from '../lib/rounds.mjs';
import { verifyEqual } from '../lib/verify.mjs';

/** How many times the speed of DuckDB with cleaning is asked for. */
const INPUTS = [
  { dataset: students, least: 3, what: '33 columns that repeat their values' },
  { dataset: orders, least: 1.5, what: '8 columns, mostly of values that never repeat' },
];
const OURS = 'dropgate';
const OURS_DROPPING = 'dropgate, repeated rows dropped as well';
const CLEANING = 'DuckDB, cleaning and typing';
const PLAIN = 'DuckDB, plain conversion';

/** One large file of each kind. */
export async function large(options) {
  const bytes = options.quick ? 50e6 : 1e9;
  const lines = [];
  const times = {};
  for (const input of INPUTS) {
    const file = path.join(options.work, `${input.dataset.name}-${bytes / 1e6}.csv`);
    writeLargeFile(file, input.dataset, bytes);
    const results = await measure({ ...options, ...input, file });
    lines.push(...linesOf(input, { results, bytes: totalBytes([file]) }));
    times[input.dataset.name] = Object.fromEntries(results);
  }
  return {
    title: `large: one file of ${formatMb(bytes)}, two threads each, medians of ${options.rounds} rounds`,
    lines,
    notes: ['Our outputs and those of DuckDB with cleaning are equal cell by cell.'],
    times,
  };
}

async function measure({ work, dist, peers, rounds, dataset, file }) {
  const duckdb = peers.get('duckdb.mjs');
  const root = path.join(work, `large-${dataset.name}`);
  const keeping = await Daemon.start({ dist, root: `${root}-keep`, dataset, rules: 'duplicates: keep' });
  const dropping = await Daemon.start({ dist, root: `${root}-drop`, dataset });
  const folderOf = (round) => path.join(`${root}-duckdb`, String(round));
  try {
    const results = await alternate(
      [
        { name: OURS, run: (round) => convertOurs({ daemon: keeping, file, round }) },
        { name: OURS_DROPPING, run: (round) => convertOurs({ daemon: dropping, file, round }) },
        {
          name: CLEANING,
          run: (round) => {
            mkdirSync(folderOf(round), { recursive: true });
            return duckdb.run('convertEach', { files: [file], folder: folderOf(round), dataset });
          },
        },
        {
          name: PLAIN,
          run: (round) =>
            duckdb.run('convertPlainly', { file, target: path.join(folderOf(round), 'plain.parquet') }),
        },
      ],
      rounds,
    );
    for (const daemon of [keeping, dropping]) {
      await verifyEqual(duckdb, {
        ours: daemon.path('output_parquet', '*.parquet'),
        theirs: path.join(folderOf(rounds - 1), `${path.basename(file, '.csv')}.parquet`),
        dataset,
        isOneFile: true,
      });
    }
    return results;
  } finally {
    await Promise.all([keeping.stop(), dropping.stop()]);
  }
}

function convertOurs({ daemon, file, round }) {
  if (round > 0) daemon.putAside(round - 1);
  return daemon.convert(arrange(daemon, [file], round));
}

function linesOf({ dataset, least, what }, { results, bytes }) {
  const own = results.get(OURS).ms;
  const line = (name, wanted) => {
    const time = results.get(name);
    const speed = `${name} (${Math.round(bytes / 1e3 / time.ms)} MB/s)`;
    return { ...timeLine(speed, time), ...(name === OURS ? {} : ratioOf(time.ms / own, wanted)) };
  };
  return [
    { name: `${dataset.name}: ${what}`, value: '' },
    line(OURS),
    line(CLEANING, least),
    line(PLAIN, 1),
    line(OURS_DROPPING),
  ];
}
