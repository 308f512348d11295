import { NameTable } from './name-table.js';

/** What is kept of a file that is held back. */
export interface HeldFile {
  name: string;
  /** Bytes, when it was first seen. */
  size: number;
  /** When it was first seen, milliseconds since the epoch. */
  arrivedAtMs: number;
}

const SIZE = 0;
const ARRIVED_AT_MS = 1;

/** Files that wait to be followed: first in, first out, each name once. There may be 100,000 of them. */
export class HeldBack {
  readonly #files = new NameTable(2);

  get size(): number {
    return this.#files.size;
  }

  has(name: string): boolean {
    return this.#files.placeOf(name) !== undefined;
  }

  /** Puts a file behind the others. Its name must not be among them. */
  push({ name, size, arrivedAtMs }: HeldFile): void {
    this.#files.add(name, [size, arrivedAtMs]);
  }

  /** Takes the first files out, at most `limit`. */
  take(limit: number): HeldFile[] {
    const taken: HeldFile[] = [];
    for (const place of this.#files.places()) {
      if (taken.length === limit) break;
      taken.push(this.#fileAt(place));
      this.#files.remove(place);
    }
    return taken;
  }

  /** Lets go of the files that are not among these. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const place of this.#files.places())
      if (!names.has(this.#files.nameAt(place))) this.#files.remove(place);
  }

  /** In their order. Only as long as nothing is put in. */
  *[Symbol.iterator](): Generator<HeldFile, void> {
    for (const place of this.#files.places()) yield this.#fileAt(place);
  }

  #fileAt(place: number): HeldFile {
    return {
      name: this.#files.nameAt(place),
      size: this.#files.numberAt(place, SIZE),
      arrivedAtMs: this.#files.numberAt(place, ARRIVED_AT_MS),
    };
  }
}
