import { formatBytes, plural } from '../base/text.js';
import type { ReadyFile } from '../watch/types.js';

/** Slots of the shared progress counters (Float64). */
export const PROGRESS = { bytes: 0, rows: 1, length: 2 } as const;

/** How far a worker is with the file that it has in hand, read from counters that it shares. */
export class TaskProgress {
  readonly counters = new SharedArrayBuffer(PROGRESS.length * Float64Array.BYTES_PER_ELEMENT);
  readonly startedAtMs = performance.now();
  /** In the order in which they are converted. */
  readonly files: readonly ReadyFile[];
  readonly #view = new Float64Array(this.counters);

  constructor(files: readonly ReadyFile[]) {
    this.files = files;
  }

  /** Decoded bytes of the file in hand that were read. */
  get bytes(): number {
    return this.#view[PROGRESS.bytes];
  }

  /** Rows of the file in hand that were read. */
  get rows(): number {
    return this.#view[PROGRESS.rows];
  }

  /** `input_csv/big.csv: 1,200,000 rows, 350.0 MB of 1.0 GB so far`, or undefined for a task of many small files. */
  describe(shown: (file: string) => string): string | undefined {
    if (this.files.length !== 1) return undefined;
    const [{ path, size }] = this.files;
    const whole = /\.gz$/i.test(path) ? '' : ` of ${formatBytes(size)}`;
    return `${shown(path)}: ${plural(this.rows, 'row')}, ${formatBytes(this.bytes)}${whole} so far`;
  }
}
