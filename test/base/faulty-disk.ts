import type { FileHandle } from 'node:fs/promises';
import { fileOps } from '../../src/base/files.js';

export interface FaultPlan {
  /**
   * The operation that fails: counted from 1, Infinity for none; or the first of that name, where others use the disk at the
   * same time (a daemon that renews its lock).
   */
  failAt: number | string;
  /** All operations behind it fail as well, as if the process had been killed there. Default: only that one fails. */
  isCrash?: boolean;
  /** Default ENOSPC. */
  errno?: string;
}

const realOps = { ...fileOps };

/** What the program thinks of a disk that fails: installed by its construction, until `restore`. */
export class FaultyDisk {
  /** Names of the operations so far: `rename`, `open`, `handle.sync`, … */
  readonly calls: string[] = [];
  readonly #plan: FaultPlan;

  constructor(plan: FaultPlan) {
    this.#plan = plan;
    for (const name of Object.keys(realOps) as (keyof typeof fileOps)[]) {
      (fileOps as Record<string, unknown>)[name] = this.#wrap(name);
    }
  }

  /** Has the planned failure happened? */
  get hasFailed(): boolean {
    return this.#failure() !== -1;
  }

  restore(): void {
    Object.assign(fileOps, realOps);
  }

  /** Index of the operation that failed first, -1 before. */
  #failure(): number {
    const { failAt } = this.#plan;
    if (typeof failAt === 'string') return this.calls.indexOf(failAt);
    return failAt <= this.calls.length ? failAt - 1 : -1;
  }

  #wrap(name: keyof typeof fileOps): unknown {
    const real = realOps[name] as (...args: unknown[]) => unknown;
    if (name.endsWith('Sync')) {
      return (...args: unknown[]) => {
        this.#count(name, () => failingly(name, real, args));
        return real(...args);
      };
    }
    return async (...args: unknown[]) => {
      this.#count(name);
      const result = await real(...args);
      return name === 'open' ? this.#wrapHandle(result as FileHandle) : result;
    };
  }

  #wrapHandle(handle: FileHandle): FileHandle {
    const counted = new Set(['writeFile', 'sync', 'close']);
    return new Proxy(handle, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (!counted.has(String(key))) return value.bind(target);
        return async (...args: unknown[]) => {
          // The system closes what a dead process had open.
          const closing = key === 'close' ? value.apply(target, args) : undefined;
          this.#count(`handle.${String(key)}`);
          return closing ?? value.apply(target, args);
        };
      },
    });
  }

  #count(name: string, beforeFailing: () => void = () => undefined): void {
    this.calls.push(name);
    const { isCrash = false, errno = 'ENOSPC' } = this.#plan;
    const failure = this.#failure();
    if (failure === -1 || !(isCrash || failure === this.calls.length - 1)) return;
    beforeFailing();
    throw Object.assign(new Error(`${errno}: the disk fails, ${name}`), { code: errno });
  }
}

/** A write that fails has written a part; a close that fails has closed. */
function failingly(name: string, real: (...args: unknown[]) => unknown, args: unknown[]): void {
  if (name === 'closeSync') real(...args);
  if (name !== 'writeSync') return;
  const [fd, bytes, offset, length] = args as [number, Uint8Array, number, number];
  if (length > 1) real(fd, bytes, offset, length >> 1);
}
