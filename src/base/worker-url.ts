/**
 * URL of a worker's compiled file. Worker threads of Node 20 cannot run TypeScript, so when the program itself runs from
 * source (under vitest) the path points into `dist/`, which the test command builds first.
 * @param relativeJs path of the worker relative to the caller, as compiled: `./embedded-worker.js`
 * @param importMetaUrl the caller's `import.meta.url`
 */
export function workerUrl(relativeJs: string, importMetaUrl: string): URL {
  const url = new URL(relativeJs, importMetaUrl);
  if (!importMetaUrl.endsWith('.ts')) return url;
  // The last one: the folder that holds the repository may be named src as well.
  const at = url.pathname.lastIndexOf('/src/');
  if (at >= 0) url.pathname = `${url.pathname.slice(0, at)}/dist/${url.pathname.slice(at + '/src/'.length)}`;
  return url;
}
