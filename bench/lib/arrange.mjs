import { linkSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Lays files ready to be renamed into a daemon's input folder, under names that tell the round; content that came before
 * under the same name would be recognised. They are links, so that nothing is copied.
 * @returns {{ from: string, name: string }[]} in the form that `Daemon.convert` takes
 */
export function arrange(daemon, files, round) {
  const staging = daemon.path('staging', String(round));
  mkdirSync(staging, { recursive: true });
  return files.map((file) => {
    const extension = path.extname(file);
    const name = `${path.basename(file, extension)}-r${round}${extension}`;
    linkSync(file, path.join(staging, name));
    return { from: path.join(staging, name), name };
  });
}
