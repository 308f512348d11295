import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { fileOps } from '../../../src/base/files.js';

/** Operations that can be made to fail: those of `fileOps`, of the handles that its `open` gives, and of reading. */
export const OPERATIONS = [
  ...(Object.keys(fileOps) as (keyof typeof fileOps)[]),
  'handle.sync',
  'handle.writeFile',
  'handle.close',
  'read.openSync',
  'read.readSync',
  'read.fstatSync',
  'read.lstatSync',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export interface TroublePlan {
  operation: Operation;
  errno: string;
  /** Which call of the operation fails first, counted from 1. */
  from: number;
  /** All calls behind it fail as well, until the trouble is over. */
  forGood: boolean;
}

const READING = ['openSync', 'readSync', 'fstatSync', 'lstatSync'] as const;
type AnyCall = (...args: unknown[]) => unknown;

/** Makes one operation of the disk fail, for the code in this process, until `end`. */
export class DiskTrouble {
  /** How often each operation was called. */
  readonly calls = new Map<Operation, number>();
  /** How often the planned one failed. */
  failures = 0;
  /** The test itself uses the disk. */
  isPaused = false;
  readonly #plan: TroublePlan | undefined;
  readonly #realOps = { ...fileOps };
  readonly #realReading = Object.fromEntries(READING.map((name) => [name, fs[name]]));

  /** Without a plan it only counts. */
  constructor(plan?: TroublePlan) {
    this.#plan = plan;
    for (const name of Object.keys(fileOps) as (keyof typeof fileOps)[]) {
      const real = this.#realOps[name] as AnyCall;
      const isSync = name.endsWith('Sync');
      Object.assign(fileOps, { [name]: isSync ? this.#sync(name, real) : this.#async(name, real) });
    }
    // fileOps holds its own references, so that these are the calls that only read.
    for (const name of READING)
      Object.assign(fs, { [name]: this.#sync(`read.${name}`, this.#realReading[name] as AnyCall) });
  }

  end(): void {
    Object.assign(fileOps, this.#realOps);
    Object.assign(fs, this.#realReading);
  }

  #sync(name: Operation, real: AnyCall): AnyCall {
    return (...args) => {
      const fails = this.#failsNow(name);
      // Whatever close(2) answers, the descriptor is gone.
      if (!fails || name === 'closeSync') {
        const result = real.apply(fs, args);
        if (!fails) return result;
      }
      throw this.#error(name);
    };
  }

  #async(name: Operation, real: AnyCall): AnyCall {
    return async (...args) => {
      if (this.#failsNow(name)) throw this.#error(name);
      const result = await real(...args);
      return name === 'open' ? this.#handle(result as FileHandle) : result;
    };
  }

  #handle(handle: FileHandle): FileHandle {
    return new Proxy(handle, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        const name = `handle.${String(key)}` as Operation;
        if (!OPERATIONS.includes(name)) return value.bind(target);
        return async (...args: unknown[]) => {
          const fails = this.#failsNow(name);
          if (!fails || key === 'close') await value.apply(target, args);
          if (fails) throw this.#error(name);
        };
      },
    });
  }

  #failsNow(name: Operation): boolean {
    if (this.isPaused) return false;
    const count = (this.calls.get(name) ?? 0) + 1;
    this.calls.set(name, count);
    const plan = this.#plan;
    if (plan?.operation !== name) return false;
    const fails = plan.forGood ? count >= plan.from : count === plan.from;
    if (fails) this.failures++;
    return fails;
  }

  #error(name: string): Error {
    const { errno } = this.#plan!;
    return Object.assign(new Error(`${errno}: made to fail, ${name}`), { code: errno });
  }
}
