import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNED_FOLDER = /^dropgate-test-(\d+)-/;
const PID_FILES = ['data/postmaster.pid', 'data/server.pid'];
const OLD_MS = 3_600_000;

/**
 * Removes what a crashed run left behind: folders of tests in the system's folder for temporary files whose owning
 * process (its id is part of the name) is gone and that are an hour old, and servers that still run in them.
 */
export function sweepLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = OWNED_FOLDER.exec(name)?.[1];
    if (owner && !isAlive(Number(owner))) sweep(join(tmpdir(), name));
  }
}

function sweep(folder: string): void {
  try {
    if (Date.now() - statSync(folder).mtimeMs < OLD_MS) return;
    for (const file of PID_FILES) endServer(folder, file);
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Another user's leftovers, or another run sweeping at the same time: they disturb nobody.
  }
}

function endServer(folder: string, pidFile: string): void {
  const path = join(folder, pidFile);
  if (!existsSync(path)) return;
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  // The id may belong to somebody else by now; the server of this folder names it in its arguments.
  if (isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder))
    process.kill(pid, 'SIGQUIT');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
