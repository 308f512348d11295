import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { students } from '../lib/datasets.mjs';
import { totalBytes, writeLargeFile } from '../lib/inputs.mjs';
import { alternate, roundsText } from '../lib/rounds.mjs';

const COPIED_BYTES = 64 << 20;
const COPIES = 32;

/** What the machine can do with the same bytes, one thread each: the upper bounds of everything else. */
export async function limits(options) {
  const { work, quick } = options;
  const rounds = options.rounds ?? 5;
  const bytes = options.bytes ?? (quick ? 50e6 : 1e9);
  const file = path.join(work, `${students.name}-${bytes / 1e6}.csv`);
  writeLargeFile(file, students, bytes);
  const copy = path.join(work, 'limits-copy');
  const length = totalBytes([file]);
  const sample = readFileSync(file).subarray(0, COPIED_BYTES);
  const target = Buffer.alloc(sample.length, 1);
  const contestants = [
    {
      name: 'memory: copy from buffer to buffer',
      bytes: sample.length * COPIES,
      work: () => copies(sample, target),
    },
    {
      name: 'read: cat FILE > /dev/null, from the page cache',
      bytes: length,
      work: () => shell('cat "$0" > /dev/null', file),
    },
    {
      name: 'hash: SHA-256 of the bytes',
      bytes: sample.length,
      work: () => createHash('sha256').update(sample).digest(),
    },
    {
      name: 'write: a copy of the file, flushed to the disk',
      bytes: length,
      work: () => shell('cat "$0" > "$1" && sync "$1"', file, copy),
    },
  ];
  const times = await alternate(
    contestants.map(({ name, work }) => ({ name, run: async () => timed(work) })),
    rounds,
  );
  rmSync(copy, { force: true });
  return {
    title: `limits: what the machine does with bytes, one thread each, ${roundsText(rounds)}`,
    lines: contestants.map(({ name, bytes }) => ({
      name,
      value: `${Math.round(bytes / 1e3 / times.get(name).ms)} MB/s`,
    })),
    times: Object.fromEntries(times),
  };
}

function copies(from, to) {
  for (let i = 0; i < COPIES; i++) from.copy(to);
}

function shell(script, ...args) {
  execFileSync('sh', ['-c', script, ...args]);
}

function timed(work) {
  const startedAt = performance.now();
  work();
  return { ms: performance.now() - startedAt };
}
