import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { students } from '../lib/datasets.mjs';
import { totalBytes, writeSmallFiles } from '../lib/inputs.mjs';
import { convertedInputs } from '../lib/parquet-inputs.mjs';
import { atMost, formatMb, timeLine } from '../lib/report.mjs';
import { alternate, roundsText } from '../lib/rounds.mjs';

/** How much longer both steps together may take than the slower of the two. */
const MOST = 1.2;
const CONVERT = 'converting alone';
const LOAD = 'loading alone';
const BOTH = 'from drop to committed rows';

/** Small files from drop to committed rows in Postgres, against each of the two steps alone. */
export async function endToEnd(options) {
  const { work, dist, peers, servers, quick } = options;
  const count = options.files ?? (quick ? 199 : 999);
  const rounds = options.rounds ?? (quick ? 1 : 5);
  const csv = writeSmallFiles(path.join(work, `small-${count}`), count);
  const title = `end-to-end: ${count} files of 56 KB (${formatMb(totalBytes(csv))} together) into Postgres, ${roundsText(rounds)}`;
  const server = await servers.get('postgres');
  if (!server) return { title, lines: [] };
  const folder = path.join(work, `load-${count}-files`);
  const { parquet } = await convertedInputs({ csv, folder, dist, duckdb: peers.get('duckdb.mjs') });
  // Each daemon has a folder of its own, and none is removed before the end: ext4 without a journal passes by every inode that
  // was deleted in the last minutes whenever a file is created.
  const roots = mkdtempSync(path.join(work, 'end-to-end-'));
  const measure = (work) => measureOnce({ ...options, ...work, server, roots });
  const times = await alternate(
    [
      {
        name: CONVERT,
        run: (round) =>
          measure({ files: csv, round, folder: 'input_csv', event: 'Converted', isLoading: false }),
      },
      {
        name: LOAD,
        run: (round) =>
          measure({ files: parquet, round, folder: 'output_parquet', event: 'Loaded', isLoading: true }),
      },
      {
        name: BOTH,
        run: (round) => measure({ files: csv, round, folder: 'input_csv', event: 'Loaded', isLoading: true }),
      },
    ],
    rounds,
  ).finally(() => rmSync(roots, { recursive: true }));
  const ratio = times.get(BOTH).ms / Math.max(times.get(CONVERT).ms, times.get(LOAD).ms);
  return {
    title,
    lines: [
      timeLine(CONVERT, times.get(CONVERT)),
      timeLine(LOAD, times.get(LOAD)),
      {
        ...timeLine(BOTH, times.get(BOTH)),
        ratio: `${ratio.toFixed(2)} x the slower`,
        ...atMost(ratio, MOST, 'x'),
      },
    ],
    notes: ['The settle_ms of 200 is included in each. Row counts of loading alone and of both are equal.'],
    times: Object.fromEntries(times),
  };
}

/** Rows in the table after loading, which must always be the same. */
let rowsExpected;

async function measureOnce({ roots, dist, server, files, round, folder, event, isLoading }) {
  const database = isLoading && (await server.newDatabase('end_to_end'));
  const daemon = await Daemon.start({
    dist,
    root: mkdtempSync(path.join(roots, 'root-')),
    dataset: students,
    ...(database && { database: database.credentials }),
  });
  try {
    await database?.settle?.();
    const time = await daemon.take({ files: arrange(daemon, files, round), folder, event });
    if (database) await checkRows(database);
    return time;
  } finally {
    await daemon.stop();
    if (database) await database.drop();
  }
}

async function checkRows(database) {
  const { rows } = await database.contentOf(students.name);
  rowsExpected ??= rows;
  if (rows !== rowsExpected) throw new Error(`${rows} rows in the table instead of ${rowsExpected}`);
}
