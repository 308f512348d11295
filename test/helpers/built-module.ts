import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';
import { repositoryRoot } from './real-data.js';

/**
 * Builds a module of `src/`, with those that it imports, for a process of its own, as Node 20 does not run TypeScript.
 * @param source path below the repository: `src/base/heap.ts`
 * @returns the URL of what can be imported
 */
export async function builtModule(source: string, plugins: Plugin[] = []): Promise<string> {
  const outDir = path.join(repositoryRoot, '.cache/modules');
  await build({
    configFile: false,
    plugins,
    root: repositoryRoot,
    logLevel: 'silent',
    build: { ssr: source, outDir, emptyOutDir: false, copyPublicDir: false },
  });
  return pathToFileURL(path.join(outDir, `${path.basename(source, '.ts')}.js`)).href;
}
