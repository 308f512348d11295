// Reads every .csv and .tsv file below a folder and compares delimiter and table with csv-parse, which is told the dialect;
// then again with the tables rewritten in other dialects:
//
//   npm run corpus -- FOLDER
//
// A file dialects.json in the folder names, by relative path, what is not written with commas (tabs in .tsv) and double
// quotes: { "prices.csv": { "delimiter": ";" }, "notes.csv": { "quote": "'" }, "broken.csv": null }. null leaves a file out.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: npm run corpus -- FOLDER');
  process.exit(2);
}
const env = { ...process.env, CORPUS: path.resolve(folder) };
const { status } = spawnSync('npx', ['vitest', 'run', 'test/properties/read-corpus.test.ts'], {
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
