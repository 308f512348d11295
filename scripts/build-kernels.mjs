// Compiles each file of kernel/ to WebAssembly beside the program.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import asc from 'assemblyscript/asc';

const config = 'kernel/asconfig.json';
for (const file of readdirSync('kernel').filter((name) => name.endsWith('.ts'))) {
  const outFile = `dist/program/${path.basename(file, '.ts')}-kernel.wasm`;
  const { error, stderr } = await asc.main([`kernel/${file}`, '--config', config, '--outFile', outFile]);
  if (!error) continue;
  process.stderr.write(stderr.toString());
  throw error;
}
