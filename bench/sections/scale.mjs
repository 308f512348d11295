import { constants, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Daemon } from '../lib/daemon.mjs';
import { students } from '../lib/datasets.mjs';
import { writeSmallFiles } from '../lib/inputs.mjs';
import { forgetPeak, peakBytes } from '../lib/process-tree.mjs';
import { atMost, formatMb, formatMs } from '../lib/report.mjs';
import { roundsText } from '../lib/rounds.mjs';
import { median } from '../lib/statistics.mjs';

/** How much more the time a file, and the memory, may be with a hundred times the files. */
const MOST_TIMES = 1.15;
const COUNTS = [999, 9_990, 99_900];
const DISTINCT_FILES = 999;

/** Ten and a hundred times as many files in the folder, converted only. */
export async function scale(options) {
  const { quick } = options;
  const most = options.files ?? (quick ? 1998 : COUNTS.at(-1));
  const counts = quick ? [most / 10, most].map(Math.floor) : COUNTS.filter((count) => count <= most);
  const rounds = options.rounds ?? 1;
  const results = [];
  for (const count of counts) {
    const measured = [];
    for (let round = 0; round < rounds; round++) measured.push(await measure({ ...options, count }));
    results.push({
      count,
      ms: median(measured.map(({ ms }) => ms)),
      peak: Math.max(...measured.map(({ peak }) => peak)),
    });
  }
  return {
    title: `scale: files of 56 KB in the folder, converted only, ${roundsText(rounds)}`,
    lines: results.flatMap((result) => linesOf(result, results[0])),
    times: results,
  };
}

async function measure({ work, dist, count }) {
  const root = path.join(work, 'scale-root');
  const originals = writeSmallFiles(path.join(work, `small-${DISTINCT_FILES}`), DISTINCT_FILES);
  const daemon = await Daemon.start({ dist, root, dataset: students });
  try {
    const files = copies(originals, { count, folder: daemon.path('staging') });
    forgetPeak(daemon.pid);
    const { ms } = await daemon.take({ files, folder: 'input_csv', event: 'Converted' });
    process.stderr.write(`  ${count} files: ${Math.round(ms)} ms\n`);
    return { ms, peak: peakBytes(daemon.pid) };
  } finally {
    await daemon.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Files of their own, as links to one file would share its times. */
function copies(originals, { count, folder }) {
  mkdirSync(folder);
  return Array.from({ length: count }, (_, i) => {
    const name = `students-${String(i + 1).padStart(6, '0')}.csv`;
    const from = path.join(folder, name);
    copyFileSync(originals[i % originals.length], from, constants.COPYFILE_FICLONE);
    return { from, name };
  });
}

function linesOf({ count, ms, peak }, first) {
  const perFile = ms / count;
  const timeRatio = perFile / (first.ms / first.count);
  const peakRatio = peak / first.peak;
  const compared = (ratio) =>
    count === first.count ? {} : { ratio: `${ratio.toFixed(2)} x`, ...atMost(ratio, MOST_TIMES, 'x') };
  return [
    { name: `${count} files, time a file`, value: formatMs(perFile), ...compared(timeRatio) },
    { name: `${count} files, peak memory`, value: formatMb(peak), ...compared(peakRatio) },
  ];
}
