import path from 'node:path';
import { fingerprintText } from '../base/files.js';
import type { LoadedParquet, Observer, RefusedParquet } from './observer.js';
import type { Published } from './publish.js';

/** How far a delivery got. */
export interface Progress {
  /** Undefined while it is not judged. */
  judged?: Published;
  /** Of a converted file that is to be loaded. */
  loaded?: LoadedParquet;
  refused?: RefusedParquet;
}

/** A file that somebody waits for. */
export interface Delivery {
  readonly progress: Readonly<Progress>;
  /** Resolves at each step: when it is judged, then when it is loaded or refused. */
  step(): Promise<void>;
  /** Nobody waits any more. */
  close(): void;
}

/** Tells those who wait for a file what becomes of it. A file is known by its fingerprint, since its name may come again. */
export class Deliveries implements Observer {
  readonly #byFingerprint = new Map<string, Awaited>();
  readonly #byParquet = new Map<string, Awaited>();

  /** To be called before the file can be seen in the input folder. */
  expect(fingerprint: string): Delivery {
    const one = new Awaited();
    this.#byFingerprint.set(fingerprint, one);
    return {
      progress: one.progress,
      step: () => one.step(),
      close: () => {
        this.#byFingerprint.delete(fingerprint);
        for (const [parquet, other] of this.#byParquet) if (other === one) this.#byParquet.delete(parquet);
      },
    };
  }

  judged(judged: Published): void {
    if (this.#byFingerprint.size === 0) return;
    const one = this.#byFingerprint.get(fingerprintText(judged.file));
    if (!one) return;
    if (judged.kind === 'converted') this.#byParquet.set(path.basename(judged.parquet), one);
    one.note({ judged });
  }

  loaded(loaded: LoadedParquet): void {
    this.#byParquet.get(loaded.parquet)?.note({ loaded });
  }

  refused(refused: RefusedParquet): void {
    this.#byParquet.get(refused.parquet)?.note({ refused });
  }
}

class Awaited {
  readonly progress: Progress = {};
  #waiters: (() => void)[] = [];

  step(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  note(change: Progress): void {
    Object.assign(this.progress, change);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
