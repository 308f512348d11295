/**
 * Measures this program and its peers side by side, on inputs of a fixed seed, and verifies that their outputs are equal.
 *
 * Usage: npm run bench [-- SECTION...] [--quick] [--rounds N] [--files N] [--rows N] [--bytes N] [--engine NAME]
 *                                    [--markdown] [--work DIR] [--dist DIR]
 *
 *   SECTION    small large memory load end-to-end latency scale idle size limits; all of them by default
 *   --quick    small inputs and few rounds: shows that it works, the figures mean little
 *   --rounds   rounds of which medians are taken (5, or fewer where one takes long)
 *   --files    how many files load, latency, scale, idle and end-to-end work with
 *   --rows     rows of the large file of load
 *   --bytes    size of the large files of memory, size and limits
 *   --engine   of load: postgres, mariadb or embedded instead of all
 *   --markdown tables for docs/performance.md
 *   --work     where inputs and outputs go; kept and used again, while a temporary folder (the default) is removed
 *   --dist     the built program (dist/ of this repository)
 *
 * A table goes to stdout, progress to stderr, and everything measured to .cache/bench/<time>.json.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Servers } from './lib/databases.mjs';
import { Peer } from './lib/peer.mjs';
import { printMarkdown, printSection } from './lib/report.mjs';
import { endToEnd } from './sections/end-to-end.mjs';
import { idle } from './sections/idle.mjs';
import { large } from './sections/large.mjs';
import { latency } from './sections/latency.mjs';
import { limits } from './sections/limits.mjs';
import { load } from './sections/load.mjs';
import { memory } from './sections/memory.mjs';
import { scale } from './sections/scale.mjs';
import { size } from './sections/size.mjs';
import { small } from './sections/small.mjs';

const SECTIONS = { small, large, memory, load, 'end-to-end': endToEnd, latency, scale, idle, size, limits };
/** Sections that choose their number of rounds themselves unless it is given. */
const OWN_ROUNDS = new Set(['memory', 'load', 'end-to-end', 'latency', 'scale', 'idle', 'size', 'limits']);
const PEERS = {
  small: ['duckdb.mjs', 'javascript.mjs'],
  large: ['duckdb.mjs'],
  load: ['duckdb.mjs', 'pglite.mjs'],
  'end-to-end': ['duckdb.mjs'],
  size: ['duckdb.mjs'],
};
const root = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    files: { type: 'string' },
    rows: { type: 'string' },
    bytes: { type: 'string' },
    engine: { type: 'string', multiple: true },
    markdown: { type: 'boolean', default: false },
    work: { type: 'string' },
    dist: { type: 'string', default: path.join(root, 'dist') },
  },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}; there are ${Object.keys(SECTIONS).join(', ')}`);
  process.exit(2);
}
const work = values.work ? path.resolve(values.work) : mkdtempSync(path.join(os.tmpdir(), 'dropgate-bench-'));
mkdirSync(work, { recursive: true });
// Servers are started under users of their own when we are root, and must get to their folders below.
if (!values.work) chmodSync(work, 0o711);
const peers = await startPeers();
const servers = new Servers(work);
try {
  const results = await runSections();
  saveResults(results);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const peer of peers.values()) peer.stop();
  await servers.stop();
  if (!values.work) rmSync(work, { recursive: true, force: true });
}
// After an error connections may be left that would keep the process alive.
process.exit();

/** Peers by module. One that is not installed is named, and its lines are missing. */
async function startPeers() {
  const started = new Map();
  for (const module of new Set(wanted.flatMap((name) => PEERS[name] ?? []))) {
    const { peer, missing } = await Peer.start(module);
    if (missing) console.log(`Not measured, as it cannot be loaded: ${module}: ${missing.split('\n')[0]}`);
    else started.set(module, peer);
  }
  return started;
}

async function runSections() {
  const results = {};
  for (const name of wanted) {
    process.stderr.write(`${name}\n`);
    results[name] = await SECTIONS[name]({
      work,
      dist: path.resolve(values.dist),
      peers,
      servers,
      quick: values.quick,
      rounds: numberOf(values.rounds) ?? (OWN_ROUNDS.has(name) ? undefined : values.quick ? 2 : 5),
      files: numberOf(values.files),
      rows: numberOf(values.rows),
      bytes: numberOf(values.bytes),
      engines: values.engine,
    });
    (values.markdown ? printMarkdown : printSection)(results[name]);
  }
  return results;
}

function numberOf(text) {
  return text === undefined ? undefined : Number(text);
}

function saveResults(results) {
  const folder = path.join(root, '.cache', 'bench');
  mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString();
  const machine = {
    cpus: os.cpus().length,
    model: os.cpus()[0]?.model,
    memory: os.totalmem(),
    node: process.version,
  };
  const file = path.join(folder, `${time.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ time, machine, quick: values.quick, results }, null, 2)}\n`);
  console.log(`\n${path.relative(process.cwd(), file)}`);
}
