/** What is kept of a file that is held back. */
export interface HeldFile {
  name: string;
  /** Bytes, when it was first seen. */
  size: number;
  /** When it was first seen, milliseconds since the epoch. */
  arrivedAtMs: number;
}

const MIN_CAPACITY = 1024;
const MIN_NAME_BYTES = 32 * MIN_CAPACITY;
/** In place of the size of a file that is not held any more. */
const GONE = -1;

/**
 * Files that wait to be followed: first in, first out, each name once. 100,000 of them take 6 MB, all of it outside of the heap:
 * names as bytes one behind the other, the rest as columns, and a hash table of places.
 */
export class HeldBack {
  /** UTF-8. */
  #names = Buffer.alloc(0);
  /** Where the name of each file ends among them. */
  #nameEnds = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  #sizes = new Float64Array(0);
  #arrivedAtMs = new Float64Array(0);
  /** Open addressing: the place of a file + 1, or 0. At least half of it is empty. */
  #table = new Int32Array(0);
  /** Place of the first file that may still be held. */
  #first = 0;
  /** Place behind the last file. */
  #end = 0;
  #count = 0;

  get size(): number {
    return this.#count;
  }

  has(name: string): boolean {
    return this.#placeOf(name) !== undefined;
  }

  /** Puts a file behind the others. Its name must not be among them. */
  push({ name, size, arrivedAtMs }: HeldFile): void {
    const nameBytes = Buffer.byteLength(name);
    const start = this.#nameStart(this.#end);
    if (this.#end === this.#sizes.length || start + nameBytes > this.#names.length) {
      this.#moveInto({ files: 2 * this.#count, nameBytes: 2 * (this.#heldNameBytes() + nameBytes) });
    }
    const place = this.#end++;
    this.#names.write(name, this.#nameStart(place));
    this.#nameEnds[place] = this.#nameStart(place) + nameBytes;
    this.#sizes[place] = size;
    this.#arrivedAtMs[place] = arrivedAtMs;
    this.#enter(place, hashOf(name));
    this.#count++;
  }

  /** Takes the first files out, at most `limit`. */
  take(limit: number): HeldFile[] {
    const taken: HeldFile[] = [];
    for (; this.#first < this.#end && taken.length < limit; this.#first++) {
      if (this.#sizes[this.#first] === GONE) continue;
      taken.push(this.#fileAt(this.#first));
      this.#remove(this.#first);
    }
    this.#shedWhenEmpty();
    return taken;
  }

  /** Lets go of the files that are not among these. */
  keepOnly(names: ReadonlySet<string>): void {
    for (let place = this.#first; place < this.#end; place++) {
      if (this.#sizes[place] !== GONE && !names.has(this.#nameAt(place))) this.#remove(place);
    }
    this.#shedWhenEmpty();
  }

  /** In their order. Only as long as nothing is put in or taken out. */
  *[Symbol.iterator](): Generator<HeldFile, void> {
    for (let place = this.#first; place < this.#end; place++) {
      if (this.#sizes[place] !== GONE) yield this.#fileAt(place);
    }
  }

  #fileAt(place: number): HeldFile {
    return {
      name: this.#nameAt(place),
      size: this.#sizes[place],
      arrivedAtMs: this.#arrivedAtMs[place],
    };
  }

  #nameStart(place: number): number {
    return place === 0 ? 0 : this.#nameEnds[place - 1];
  }

  #nameAt(place: number): string {
    return this.#names.toString('utf8', this.#nameStart(place), this.#nameEnds[place]);
  }

  #heldNameBytes(): number {
    return this.#nameStart(this.#end) - this.#nameStart(this.#first);
  }

  #placeOf(name: string): number | undefined {
    if (this.#count === 0) return undefined;
    const hash = hashOf(name);
    const mask = this.#table.length - 1;
    for (let at = hash & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const place = this.#table[at] - 1;
      const isHeld = this.#hashes[place] === hash && this.#sizes[place] !== GONE;
      if (isHeld && this.#nameAt(place) === name) return place;
    }
    return undefined;
  }

  #enter(place: number, hash: number): void {
    this.#hashes[place] = hash;
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = place + 1;
  }

  /** It stays in the table until that is made anew. */
  #remove(place: number): void {
    this.#sizes[place] = GONE;
    this.#count--;
  }

  #shedWhenEmpty(): void {
    if (this.#count === 0 && this.#end > 0) this.#moveInto({ files: 0, nameBytes: 0 });
  }

  /** Moves what is held into new columns that have room for so many files and bytes of names. */
  #moveInto({ files, nameBytes }: { files: number; nameBytes: number }): void {
    const from = {
      names: this.#names,
      nameEnds: this.#nameEnds,
      hashes: this.#hashes,
      sizes: this.#sizes,
      arrivedAtMs: this.#arrivedAtMs,
    };
    const [first, end] = [this.#first, this.#end];
    const capacity = Math.max(MIN_CAPACITY, files);
    this.#names = Buffer.alloc(Math.max(MIN_NAME_BYTES, nameBytes));
    this.#nameEnds = new Uint32Array(capacity);
    this.#hashes = new Uint32Array(capacity);
    this.#sizes = new Float64Array(capacity);
    this.#arrivedAtMs = new Float64Array(capacity);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * capacity)));
    this.#first = 0;
    this.#end = 0;
    for (let place = first; place < end; place++) {
      if (from.sizes[place] === GONE) continue;
      const to = this.#end++;
      const nameStart = place === 0 ? 0 : from.nameEnds[place - 1];
      const newStart = this.#nameStart(to);
      from.names.copy(this.#names, newStart, nameStart, from.nameEnds[place]);
      this.#nameEnds[to] = newStart + from.nameEnds[place] - nameStart;
      this.#sizes[to] = from.sizes[place];
      this.#arrivedAtMs[to] = from.arrivedAtMs[place];
      this.#enter(to, from.hashes[place]);
    }
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
