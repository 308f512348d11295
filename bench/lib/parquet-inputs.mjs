import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { arrange } from './arrange.mjs';
import { Daemon } from './daemon.mjs';
import { students } from './datasets.mjs';

/**
 * Has the daemon convert students' files, and DuckDB write the Parquet files as clean CSV: each one, and all in one. What is
 * there from an earlier run is taken as it is.
 * @param {{ csv: string[], folder: string, dist: string, duckdb: import('./peer.mjs').Peer }} options
 * @returns {Promise<{ parquet: string[], csvFiles: string[], csvTogether: string[] }>} paths
 */
export async function convertedInputs({ csv, folder, dist, duckdb }) {
  if (!existsSync(folder)) await convert({ csv, folder, dist, duckdb });
  const parquet = pathsIn(path.join(folder, 'parquet'));
  return {
    parquet,
    csvFiles: pathsIn(path.join(folder, 'csv')),
    csvTogether: [path.join(folder, 'all.csv')],
  };
}

async function convert({ csv, folder, dist, duckdb }) {
  const unfinished = `${folder}.unfinished`;
  const daemon = await Daemon.start({ dist, root: path.join(unfinished, 'root'), dataset: students });
  try {
    await daemon.take({ files: arrange(daemon, csv, 0), folder: 'input_csv', event: 'Converted' });
  } finally {
    await daemon.stop();
  }
  const parquet = path.join(unfinished, 'parquet');
  renameSync(daemon.path('output_parquet'), parquet);
  mkdirSync(path.join(unfinished, 'csv'));
  const all = pathsIn(parquet);
  if (all.length > 1) {
    for (const file of all) {
      const target = path.join(unfinished, 'csv', `${path.basename(file, '.parquet')}.csv`);
      await duckdb.run('exportCsv', { source: file, target });
    }
  }
  await duckdb.run('exportCsv', { source: `${parquet}/*.parquet`, target: path.join(unfinished, 'all.csv') });
  renameSync(unfinished, folder);
}

function pathsIn(folder) {
  return readdirSync(folder)
    .filter((name) => /\.(csv|parquet)$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}
