import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { students } from '../lib/datasets.mjs';
import { totalBytes, writeSmallFiles } from '../lib/inputs.mjs';
import { comparedLines, formatMb } from '../lib/report.mjs';
import { alternate } from '../lib/rounds.mjs';
import { verifyEqual } from '../lib/verify.mjs';

const OURS = 'dropgate, its settle_ms of 200 included';
const PEERS = [
  { name: 'DuckDB, file by file', module: 'duckdb.mjs', run: 'convertEach', folder: 'each', least: 20 },
  {
    name: 'DuckDB, file by file, told all columns',
    module: 'duckdb.mjs',
    run: 'convertEachTold',
    folder: 'told',
  },
  { name: 'DuckDB, one query', module: 'duckdb.mjs', run: 'convertAll', folder: 'all', least: 3 },
  {
    name: 'csv-parse + parquetjs-lite',
    module: 'javascript.mjs',
    run: 'convertWithParquetjs',
    folder: 'parquetjs',
    least: 40,
  },
  {
    name: 'csv-parse + hyparquet-writer',
    module: 'javascript.mjs',
    run: 'convertWithHyparquet',
    folder: 'hyparquet',
  },
];

/** Many small files, from lying in the folder to their Parquet files being durable and the originals archived. */
export async function small({ work, dist, peers, rounds, quick }) {
  const count = quick ? 199 : 999;
  const files = writeSmallFiles(path.join(work, `small-${count}`), count);
  const daemon = await Daemon.start({ dist, root: path.join(work, 'small-root'), dataset: students });
  const folderOf = ({ folder }) => path.join(work, 'small-peers', folder);
  try {
    const times = await alternate(
      [
        { name: OURS, run: (round) => convertOurs({ daemon, files, round }) },
        ...PEERS.map((peer) => ({
          name: peer.name,
          run: (round) => {
            const folder = path.join(folderOf(peer), String(round));
            return convertTheirs({ peer: peers.get(peer.module), run: peer.run, files, folder });
          },
        })),
      ],
      rounds,
    );
    const rows = await verify({ daemon, duckdb: peers.get('duckdb.mjs'), folderOf, round: rounds - 1 });
    return {
      title: `small: ${count} files of 56 KB (395 rows x 33 columns, ${formatMb(totalBytes(files))} together), medians of ${rounds} rounds`,
      lines: comparedLines({ ours: OURS, peers: PEERS, times }),
      notes: [`All outputs are equal cell by cell, ${rows} rows each.`],
      times: Object.fromEntries(times),
    };
  } finally {
    await daemon.stop();
  }
}

function convertOurs({ daemon, files, round }) {
  if (round > 0) daemon.putAside(round - 1);
  return daemon.convert(arrange(daemon, files, round));
}

async function convertTheirs({ peer, run, files, folder }) {
  mkdirSync(folder, { recursive: true });
  return peer.run(run, {
    files,
    glob: path.join(path.dirname(files[0]), '*.csv'),
    folder,
    dataset: students,
  });
}

/** Compares what all of them made in one round. */
async function verify({ daemon, duckdb, folderOf, round }) {
  let rows = 0;
  for (const peer of PEERS) {
    const partitioned = peer.run === 'convertAll';
    rows = await verifyEqual(duckdb, {
      ours: daemon.path('output_parquet', '*.parquet'),
      theirs: path.join(folderOf(peer), String(round), partitioned ? '*/*.parquet' : '*.parquet'),
      dataset: students,
      partitioned,
    });
  }
  return rows;
}
