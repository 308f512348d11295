import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { arrange } from '../lib/arrange.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { orders, students } from '../lib/datasets.mjs';
import { REAL_FILE, writeLargeFile, writeSmallFiles } from '../lib/inputs.mjs';
import { atMost, formatMb } from '../lib/report.mjs';
import { verifyEqual } from '../lib/verify.mjs';

const CODECS = ['snappy', 'zstd', 'gzip'];

/** Bytes of Parquet, against DuckDB with the same cleaning, types and codec. */
export async function size(options) {
  const { work, peers, quick } = options;
  const bytes = options.bytes ?? (quick ? 50e6 : 1e9);
  const duckdb = peers.get('duckdb.mjs');
  const lines = [];
  const times = {};
  for (const input of inputsOf({ work, bytes })) {
    lines.push({ name: `${input.name}, ${kilobytes(statSync(input.file).size)} of CSV`, value: '' });
    for (const codec of CODECS) {
      const found = await compare({ ...options, ...input, codec, duckdb });
      lines.push(...linesOf(codec, found));
      times[`${input.name}, ${codec}`] = found;
    }
  }
  return {
    title: 'size: bytes of Parquet, zstd and gzip by `parquet: { codec: … }`',
    lines,
    notes: ['Our files and those of DuckDB are equal cell by cell.'],
    times,
  };
}

function inputsOf({ work, bytes }) {
  const hasRealFile = existsSync(REAL_FILE);
  if (!hasRealFile) console.log(`Not measured, as it is not there: the real student file, ${REAL_FILE}`);
  const [generated] = writeSmallFiles(path.join(work, 'small-1'), 1);
  return [
    {
      name: hasRealFile ? 'the real student file' : 'a generated student file',
      file: generated,
      dataset: students,
    },
    ...[students, orders].map((dataset) => {
      const file = path.join(work, `${dataset.name}-${bytes / 1e6}.csv`);
      writeLargeFile(file, dataset, bytes);
      return { name: `${dataset.name} of ${formatMb(bytes)}`, file, dataset };
    }),
  ];
}

async function compare({ work, dist, duckdb, file, dataset, codec }) {
  const root = path.join(work, 'size-root');
  const folder = path.join(work, 'size-duckdb');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const program = `parquet: { codec: ${codec} }\n`;
  const daemon = await Daemon.start({ dist, root, dataset, program, rules: 'duplicates: keep' });
  try {
    await daemon.take({ files: arrange(daemon, [file], 0), folder: 'input_csv', event: 'Converted' });
    await duckdb.run('convertEach', { files: [file], folder, dataset, codec });
    const sides = [daemon.path('output_parquet'), folder].map((one) => path.join(one, parquetIn(one)));
    await verifyEqual(duckdb, { ours: sides[0], theirs: sides[1], dataset, isOneFile: true });
    process.stderr.write(`  ${path.basename(file)}, ${codec}\n`);
    const [ours, theirs] = sides.map((side) => statSync(side).size);
    return { ours, theirs };
  } finally {
    await daemon.stop();
    rmSync(root, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

function parquetIn(folder) {
  return readdirSync(folder).find((name) => name.endsWith('.parquet'));
}

function linesOf(codec, { ours, theirs }) {
  const ratio = ours / theirs;
  const asked = codec === 'snappy' ? atMost(ratio, 1, 'x') : {};
  return [
    { name: `  dropgate, ${codec}`, value: kilobytes(ours), ratio: `${ratio.toFixed(2)} x`, ...asked },
    { name: `  DuckDB, ${codec}`, value: kilobytes(theirs) },
  ];
}

function kilobytes(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(2)} KB` : formatMb(bytes);
}
