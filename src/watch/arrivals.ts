import type { HeldFile } from './held-back.js';

interface Arrival {
  mtimeNs: bigint;
  name: string;
}

/** Order of arrival: by mtime, then name. */
export function byArrival(a: Arrival, b: Arrival): number {
  if (a.mtimeNs !== b.mtimeNs) return a.mtimeNs < b.mtimeNs ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Files as a first look showed them, brought into the order of arrival. Columns, as there may be 100,000. */
export class Arrivals {
  readonly #names: string[] = [];
  readonly #mtimesNs: BigInt64Array;
  readonly #sizes: Float64Array;
  readonly #arrivedAtMs = Date.now();

  /** @param capacity the most files that are added */
  constructor(capacity: number) {
    this.#mtimesNs = new BigInt64Array(capacity);
    this.#sizes = new Float64Array(capacity);
  }

  add({ name, mtimeNs, size }: { name: string; mtimeNs: bigint; size: number }): void {
    this.#mtimesNs[this.#names.length] = mtimeNs;
    this.#sizes[this.#names.length] = size;
    this.#names.push(name);
  }

  /** The files, those first that arrived first. */
  *inOrder(): Generator<HeldFile, void> {
    const order = Uint32Array.from(this.#names.keys());
    // To compare numbers makes no garbage; exact times decide where the numbers agree.
    const roughTimes = Float64Array.from(this.#mtimesNs, Number);
    order.sort((a, b) => roughTimes[a] - roughTimes[b] || byArrival(this.#at(a), this.#at(b)));
    for (const i of order) {
      yield { name: this.#names[i], size: this.#sizes[i], arrivedAtMs: this.#arrivedAtMs };
    }
  }

  #at(i: number): Arrival {
    return { mtimeNs: this.#mtimesNs[i], name: this.#names[i] };
  }
}
