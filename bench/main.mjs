/**
 * Measures this program and its peers side by side, on inputs of a fixed seed, and verifies that their outputs are equal.
 *
 * Usage: npm run bench [-- SECTION...] [--quick] [--rounds N] [--work DIR] [--dist DIR]
 *
 *   SECTION    small large memory load end-to-end latency scale idle size; all of them by default
 *   --quick    small inputs and two rounds: shows that it works, the figures mean little
 *   --rounds   rounds of which medians are taken (5)
 *   --work     where inputs and outputs go; kept and used again, while a temporary folder (the default) is removed
 *   --dist     the built program (dist/ of this repository)
 *
 * A table goes to stdout, progress to stderr, and everything measured to .cache/bench/<time>.json.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Peer } from './lib/peer.mjs';
import { printSection } from './lib/report.mjs';
import { large } from './sections/large.mjs';
import { small } from './sections/small.mjs';

const SECTIONS = { small, large };
const PEER_MODULES = ['duckdb.mjs', 'javascript.mjs'];
const root = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
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
const peers = await startPeers();
try {
  const results = await runSections();
  saveResults(results);
} finally {
  for (const peer of peers.values()) peer.stop();
  if (!values.work) rmSync(work, { recursive: true, force: true });
}

/** Peers by module. One that is not installed is named, and its lines are missing. */
async function startPeers() {
  const started = new Map();
  for (const module of PEER_MODULES) {
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
      quick: values.quick,
      rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
    });
    printSection(results[name]);
  }
  return results;
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
