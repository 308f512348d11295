import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '../../helpers/temp-dir.js';

/** A small disk of its own, mounted on a new folder, that can be filled to the last byte. */
export class SmallDisk {
  readonly folder: string;
  #fillers = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Undefined where this process may not mount: not root, or a container without the right. */
  static mount(megabytes: number): SmallDisk | undefined {
    const folder = path.join(tempDir(), 'disk');
    mkdirSync(folder);
    try {
      const options = `size=${megabytes}m,mode=0755`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    // Servers run as users of their own, which must reach it.
    chmodSync(path.dirname(folder), 0o711);
    return new SmallDisk(folder);
  }

  /** Leaves no byte free. */
  fill(): void {
    const fd = openSync(this.#filler(++this.#fillers), 'w');
    try {
      for (const size of [1 << 20, 1 << 12, 1]) {
        const chunk = Buffer.alloc(size);
        try {
          while (writeSync(fd, chunk) === size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Makes room again. */
  empty(): void {
    for (; this.#fillers > 0; this.#fillers--) rmSync(this.#filler(this.#fillers));
  }

  /** Nothing can be written any more, or again. */
  makeReadOnly(isReadOnly: boolean): void {
    const how = isReadOnly ? 'ro' : 'rw';
    execFileSync('mount', ['-o', `remount,${how}`, this.folder], { stdio: 'ignore' });
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder], { stdio: 'ignore' });
  }

  #filler(number: number): string {
    return path.join(this.folder, `filler-${number}`);
  }
}
