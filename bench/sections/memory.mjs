import { rmSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { orders, students } from '../lib/datasets.mjs';
import { writeLargeFile } from '../lib/inputs.mjs';
import { forgetPeak, peakBytes } from '../lib/process-tree.mjs';
import { atMost, formatMb } from '../lib/report.mjs';

const MOST_BYTES = 350e6;
/** Two peaks within this count as equal. */
const EQUAL_TIMES = 1.15;
const SIZES = [1e9, 5e9];
const CASES = [
  { dataset: students, rules: 'duplicates: drop' },
  { dataset: students, rules: 'duplicates: keep' },
  { dataset: orders, rules: 'duplicates: drop' },
  { dataset: orders, rules: 'duplicates: keep' },
];

/** Peak memory of the whole process tree while one large file is converted. */
export async function memory(options) {
  const largest = options.bytes ?? (options.quick ? 100e6 : SIZES.at(-1));
  const sizes = largest === SIZES.at(-1) ? SIZES : [largest / 5, largest];
  const lines = [];
  const times = {};
  for (const one of CASES) {
    const peaks = [];
    for (const bytes of sizes) peaks.push(await measure({ ...options, ...one, bytes }));
    lines.push(...linesOf({ ...one, sizes, peaks }));
    times[`${one.dataset.name}, ${one.rules}`] = Object.fromEntries(
      sizes.map((bytes, i) => [bytes, peaks[i]]),
    );
  }
  return {
    title: `memory: peak resident size of the process tree, files of ${sizes.map(formatMb).join(' and ')}, one round only`,
    lines,
    notes: ['The peaks of each process, added up; pages of the program that processes share count in each.'],
    times,
  };
}

async function measure({ work, dist, dataset, rules, bytes }) {
  const file = path.join(work, `${dataset.name}-${bytes / 1e6}.csv`);
  writeLargeFile(file, dataset, bytes);
  const root = path.join(work, 'memory-root');
  const daemon = await Daemon.start({ dist, root, dataset, rules });
  try {
    forgetPeak(daemon.pid);
    const { ms } = await daemon.take({
      files: arrange(daemon, [file], 0),
      folder: 'input_csv',
      event: 'Converted',
    });
    const peak = peakBytes(daemon.pid);
    process.stderr.write(
      `  ${dataset.name}, ${rules}, ${formatMb(bytes)}: ${formatMb(peak)}, ${Math.round(ms)} ms\n`,
    );
    return peak;
  } finally {
    await daemon.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

function linesOf({ dataset, rules, sizes, peaks }) {
  const ratio = peaks[1] / peaks[0];
  return [
    ...sizes.map((bytes, i) => ({
      name: `${dataset.name}, ${rules}, ${formatMb(bytes)}`,
      value: formatMb(peaks[i]),
      ...atMost(peaks[i] / 1e6, MOST_BYTES / 1e6, 'MB'),
    })),
    {
      name: '  the larger against the smaller',
      value: '',
      ratio: `${ratio.toFixed(2)} x`,
      ...atMost(ratio, EQUAL_TIMES, 'x'),
    },
  ];
}
