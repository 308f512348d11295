import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SYSTEM_DIRS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Absolute path of an installed program: on the PATH or in the system's folders. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));
}

/** The folders that programs are looked for in. */
export function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM_DIRS];
}
