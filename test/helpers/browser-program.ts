import { installFirst, mayInstall } from './apt.js';
import { findProgram } from './programs.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Absolute path of an installed Chromium or Chrome. */
export function findBrowser(): string | undefined {
  return NAMES.map(findProgram).find(Boolean);
}

/** Installs Debian's Chromium where there is no browser and that is possible. Tests can do without: they are skipped. */
export async function installMissingBrowser(): Promise<void> {
  if (findBrowser() || !mayInstall()) return;
  console.log('Tests: no browser found; installing chromium with apt-get, once.');
  await installFirst([['chromium', 'fonts-liberation'], ['chromium']]).catch((error: Error) =>
    console.warn(error.message),
  );
}
