import picomatch from 'picomatch';
import type { Dataset } from './settings.js';

/** What decides which files a dataset claims. */
export type Claim = Pick<Dataset, 'name' | 'files'>;

/** Compiled once for each dataset; a dataset is frozen, so its pattern cannot change under us. */
const matchers = new WeakMap<Claim, (name: string) => boolean>();

/** Whether a pattern claims every file. */
export function isCatchAll(pattern: string): boolean {
  return /^\*+$/.test(pattern);
}

/**
 * Compiles a pattern on file names; letter case does not count.
 * @throws Error when the pattern makes no sense.
 */
export function compilePattern(pattern: string): (name: string) => boolean {
  return picomatch(pattern, { nocase: true, dot: true, debug: true });
}

/**
 * The dataset that claims a file: the first whose pattern matches the file's name, as it is or without a trailing
 * `.gz`. `alsoClaimedBy` names the others that match, save a catch-all `"*"`, which is there to take what is left.
 */
export function datasetFor<T extends Claim>(
  datasets: readonly T[],
  fileName: string,
): { dataset?: T; alsoClaimedBy: string[] } {
  const [dataset, ...others] = datasets.filter((candidate) => claims(candidate, fileName));
  const alsoClaimedBy = others.filter(({ files }) => !isCatchAll(files)).map(({ name }) => name);
  return { dataset, alsoClaimedBy };
}

function claims(dataset: Claim, fileName: string): boolean {
  let matches = matchers.get(dataset);
  if (!matches) {
    matches = compilePattern(dataset.files);
    matchers.set(dataset, matches);
  }
  return matches(fileName) || (/.\.gz$/i.test(fileName) && matches(fileName.slice(0, -'.gz'.length)));
}
