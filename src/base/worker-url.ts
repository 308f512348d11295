/**
 * URL of a worker's built file. Worker threads of Node 20 cannot run TypeScript, so when the program itself runs from
 * source (under vitest) it is the one in `dist/program/`, which the test command builds first.
 * @param relativeJs path of the worker relative to the caller: `./embedded-worker.js`. Built, the two lie in one folder.
 * @param importMetaUrl the caller's `import.meta.url`
 */
export function workerUrl(relativeJs: string, importMetaUrl: string): URL {
  const url = new URL(relativeJs, importMetaUrl);
  if (!importMetaUrl.endsWith('.ts')) return url;
  // The last one: the folder that holds the repository may be named src as well.
  const at = url.pathname.lastIndexOf('/src/');
  const name = url.pathname.slice(url.pathname.lastIndexOf('/'));
  if (at >= 0) url.pathname = `${url.pathname.slice(0, at)}/dist/program${name}`;
  return url;
}
