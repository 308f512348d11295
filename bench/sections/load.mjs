import { rmSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { openSocket } from '../lib/databases.mjs';
import { students } from '../lib/datasets.mjs';
import { writeLargeFileOfRows, writeSmallFiles } from '../lib/inputs.mjs';
import { convertedInputs } from '../lib/parquet-inputs.mjs';
import { ratioOf, timeLine } from '../lib/report.mjs';
import { alternate, roundsText } from '../lib/rounds.mjs';

/** How close to the server's own client we want to be. */
const LEAST = 0.9;
const SETTLE_MS = 200;
const LARGE_ROUNDS = 3;
const OURS = 'dropgate';
const TABLE = students.name;
const PEER_TABLE = `${TABLE}_peer`;
const CLIENTS = { postgres: 'psql \\copy', mariadb: 'mysql LOAD DATA LOCAL', embedded: "PGlite's COPY" };

/** Parquet files on their way into three databases, against each one's own client with an equivalent clean CSV. */
export async function load(options) {
  const { work, dist, peers, quick } = options;
  const files = options.files ?? (quick ? 100 : 1000);
  const rows = options.rows ?? (quick ? 50_000 : 5_000_000);
  const duckdb = peers.get('duckdb.mjs');
  const small = writeSmallFiles(path.join(work, `small-${files}`), files);
  const large = path.join(work, `students-${rows}-rows.csv`);
  writeLargeFileOfRows(large, students, rows);
  const inputs = [
    {
      name: `${files} files`,
      rounds: options.rounds ?? (quick ? 1 : 5),
      ...(await convertedInputs({
        csv: small,
        folder: path.join(work, `load-${files}-files`),
        dist,
        duckdb,
      })),
    },
    {
      name: `one file of ${rows} rows`,
      rounds: options.rounds ?? (quick ? 1 : LARGE_ROUNDS),
      ...(await convertedInputs({
        csv: [large],
        folder: path.join(work, `load-${rows}-rows`),
        dist,
        duckdb,
      })),
    },
  ];
  const lines = [];
  const times = {};
  for (const engine of options.engines ?? Object.keys(CLIENTS)) {
    const contest = await contestOf({ ...options, engine });
    if (!contest) continue;
    for (const input of inputs) {
      const measured = await contest(input);
      lines.push(...linesOf({ engine, input, ...measured }));
      times[`${engine}, ${input.name}`] = { ...Object.fromEntries(measured.times), rows: measured.rows };
    }
  }
  return {
    title: `load: Parquet files into a table of 33 columns, exactly-once ledger included`,
    lines,
    notes: [
      `Ours runs from the first rename to the last commit, settle_ms of ${SETTLE_MS} included.`,
      'Row counts and checksums of both tables are equal, in every round.',
    ],
    times,
  };
}

/** @returns a function that measures one input in one engine; undefined when the engine is missing */
async function contestOf({ engine, work, dist, peers, servers }) {
  if (engine === 'embedded')
    return (input) => contestEmbedded({ input, work, dist, pglite: peers.get('pglite.mjs') });
  const server = await servers.get(engine);
  return server && ((input) => contestServer({ input, engine, work, dist, server }));
}

async function contestServer({ input, engine, work, dist, server }) {
  const database = await server.newDatabase(`load_${engine}`);
  const daemon = await startLoader({ work, dist, database: database.credentials });
  let rows = 0;
  const ours = async (round) => {
    await database.query(`TRUNCATE ${TABLE}`);
    await database.query('TRUNCATE dropgate_loads');
    await database.settle();
    return takeParquet(daemon, input, round);
  };
  const theirs = (csv) => async () => {
    await database.copyTable(TABLE, PEER_TABLE);
    await database.settle();
    const time = database.loadCsv(PEER_TABLE, csv);
    rows = sameContent(await database.contentOf(TABLE), await database.contentOf(PEER_TABLE));
    await database.query(`DROP TABLE ${PEER_TABLE}`);
    return time;
  };
  const contestants = [
    { name: OURS, run: ours },
    { name: CLIENTS[engine], run: theirs(input.csvTogether) },
  ];
  if (input.csvFiles.length > 0)
    contestants.push({ name: `${CLIENTS[engine]}, one command a file`, run: theirs(input.csvFiles) });
  try {
    return { times: await alternate(contestants, input.rounds), rows };
  } finally {
    await daemon.stop();
    await database.drop();
  }
}

async function contestEmbedded({ input, work, dist, pglite }) {
  const daemon = await startLoader({ work, dist, database: 'database: { engine: embedded }' });
  const database = await openSocket(daemon.path('state', 'run'));
  let rows = 0;
  const ours = async (round) => {
    await database.query(`TRUNCATE ${TABLE}, dropgate_loads`);
    return takeParquet(daemon, input, round);
  };
  const theirs = async () => {
    const folder = path.join(work, 'load-pglite');
    await pglite.run('prepare', { folder, dataset: students });
    const time = await pglite.run('copyCsv', { csv: input.csvTogether, dataset: students });
    const { result } = await pglite.run('contentOf', { table: TABLE });
    rows = sameContent(await database.contentOf(TABLE), result);
    await pglite.run('close', {});
    rmSync(folder, { recursive: true, force: true });
    return time;
  };
  try {
    const contestants = [
      { name: OURS, run: ours },
      { name: CLIENTS.embedded, run: theirs },
    ];
    return { times: await alternate(contestants, input.rounds), rows };
  } finally {
    await database.close();
    await daemon.stop();
  }
}

/** A daemon that has made its tables. */
async function startLoader({ work, dist, database }) {
  const root = path.join(work, 'load-root');
  const daemon = await Daemon.start({ dist, root, dataset: students, database });
  await daemon.until(() => daemon.logged('Created') > 0);
  return daemon;
}

function takeParquet(daemon, { parquet }, round) {
  return daemon.take({ files: arrange(daemon, parquet, round), folder: 'output_parquet', event: 'Loaded' });
}

function sameContent(ours, theirs) {
  if (ours.rows !== theirs.rows || ours.checksum !== theirs.checksum) {
    throw new Error(
      `the tables differ: ${JSON.stringify(ours)} of ours, ${JSON.stringify(theirs)} of theirs`,
    );
  }
  return ours.rows;
}

function linesOf({ engine, input, times, rows }) {
  const own = times.get(OURS);
  const [, client, ...others] = [...times.keys()];
  const speed = Math.round(rows / own.ms);
  return [
    { name: `${engine}: ${input.name} (${rows} rows), ${roundsText(input.rounds)}`, value: '' },
    timeLine(`  dropgate (${speed},000 rows/s)`, own),
    {
      ...timeLine(`  ${client}, one CSV`, times.get(client)),
      ...ratioOf(times.get(client).ms / own.ms, LEAST),
    },
    ...others.map((name) => ({
      ...timeLine(`  ${name}`, times.get(name)),
      ...ratioOf(times.get(name).ms / own.ms),
    })),
  ];
}
