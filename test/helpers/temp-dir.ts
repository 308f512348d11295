import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Start of the name of everything the tests create in the system's folder for temporary files; a process id follows. */
export const TEMP_PREFIX = 'dropgate-test-';

const created: string[] = [];

/**
 * Creates an empty folder of its own under the system's folder for temporary files, and returns its real absolute
 * path. It is removed with all it holds when the test file ends, also what a test made unreadable.
 */
export function tempDir(): string {
  const path = mkdtempSync(join(realpathSync(tmpdir()), `${TEMP_PREFIX}${process.pid}-`));
  created.push(path);
  return path;
}

// Hooks run last registered first, so this one, registered on import, follows all hooks of the test file.
afterAll(removeAll);
// A worker that ends before its hooks (an interrupted run) cleans up as well.
process.on('exit', removeAll);

function removeAll(): void {
  for (const path of created.splice(0)) remove(path);
}

function remove(path: string): void {
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };
  try {
    rmSync(path, options);
  } catch {
    openFolders(path);
    rmSync(path, options);
  }
}

function openFolders(path: string): void {
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(path, entry.name));
  }
}
