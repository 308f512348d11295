import { cpSync } from 'node:fs';
import path from 'node:path';
import { openEngine } from '../../../src/load/open-engine.js';
import { tempDir } from '../../helpers/temp-dir.js';

let template: Promise<string> | undefined;

/** Makes an embedded database in `dataDir`, which must not exist, from a copy: initdb takes seconds, copying does not. */
export async function makeEmbeddedData(dataDir: string): Promise<void> {
  template ??= makeTemplate();
  cpSync(await template, dataDir, { recursive: true });
}

async function makeTemplate(): Promise<string> {
  const folder = tempDir();
  const place = { dataDir: path.join(folder, 'data'), socketDir: path.join(folder, 'socket') };
  const engine = openEngine({ engine: 'embedded', mode: 'own', ...place });
  await engine.connect();
  await engine.close();
  return place.dataDir;
}
