import { formatDuration } from '../base/text.js';
import type { FaultKind, WatchFault, WatchRecovery } from './types.js';

interface FaultListener {
  onFault(fault: WatchFault): void;
  onRecovered(recovery: WatchRecovery): void;
}

/** Tells each kind of trouble once, again only if its errno changes, and once more when it is over. */
export class FaultBook {
  readonly #listener: FaultListener;
  readonly #active = new Map<FaultKind, { fault: WatchFault; sinceMs: number }>();

  constructor(listener: FaultListener) {
    this.#listener = listener;
  }

  /** Trouble that lasts. */
  get active(): WatchFault[] {
    return [...this.#active.values()].map(({ fault }) => fault);
  }

  /** Notes trouble of a kind that lasts until `clear`. */
  raise(fault: WatchFault): void {
    const known = this.#active.get(fault.kind);
    if (known?.fault.code === fault.code) return;
    this.#active.set(fault.kind, { fault, sinceMs: known?.sinceMs ?? performance.now() });
    this.#listener.onFault(fault);
  }

  /** Notes that it works; tells so if it did not before. `subject` begins the sentence: `The folder /in`. */
  clear(kind: FaultKind, { path, subject }: { path: string; subject: string }): void {
    const known = this.#active.get(kind);
    if (!known) return;
    this.#active.delete(kind);
    const afterMs = performance.now() - known.sinceMs;
    const message = `${subject} works again after ${formatDuration(afterMs)}.`;
    this.#listener.onRecovered({ kind, path, message, afterMs });
  }
}
