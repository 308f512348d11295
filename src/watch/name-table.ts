const MIN_CAPACITY = 1024;
const MIN_NAME_BYTES = 32 * MIN_CAPACITY;

/**
 * Very many names in the order in which they came, each once, with some numbers for each. 100,000 take 5 or 6 MB, all of it outside
 * of the heap: names as bytes one behind the other, numbers as columns, and a hash table of places. A place is a name's position in that
 * order; it holds until a name is added.
 */
export class NameTable {
  /** UTF-8. */
  #names = Buffer.alloc(0);
  /** Where each name ends among them. */
  #nameEnds = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  /** The numbers. */
  #columns: Float64Array[];
  /** By place: 1 for a name that is not there any more. */
  #gone = new Uint8Array(0);
  /** Open addressing: a place + 1, or 0. At least half of it is empty. */
  #table = new Int32Array(0);
  /** The first name that may still be there. */
  #first = 0;
  /** Place behind the last name. */
  #end = 0;
  #count = 0;
  /** Where `nextInCircle` goes on. */
  #next = 0;

  /** @param numbers how many there are for each name */
  constructor(numbers: number) {
    this.#columns = Array.from({ length: numbers }, () => new Float64Array(0));
  }

  get size(): number {
    return this.#count;
  }

  /** Undefined when the name is not there. */
  placeOf(name: string): number | undefined {
    if (this.#count === 0) return undefined;
    const hash = hashOf(name);
    const mask = this.#table.length - 1;
    for (let at = hash & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const place = this.#table[at] - 1;
      const isAlike = this.#hashes[place] === hash && this.#gone[place] === 0;
      if (isAlike && this.nameAt(place) === name) return place;
    }
    return undefined;
  }

  nameAt(place: number): string {
    return this.#names.toString('utf8', this.#nameStart(place), this.#nameEnds[place]);
  }

  numberAt(place: number, column = 0): number {
    return this.#columns[column][place];
  }

  /** Puts a name, which must not be there, behind the others. */
  add(name: string, numbers: readonly number[]): void {
    const nameBytes = Buffer.byteLength(name);
    if (this.#end === this.#hashes.length || this.#nameStart(this.#end) + nameBytes > this.#names.length)
      this.#moveInto({ places: 2 * this.#count, nameBytes: 2 * (this.#nameBytes() + nameBytes) });
    const place = this.#end++;
    this.#nameEnds[place] = this.#nameStart(place) + this.#names.write(name, this.#nameStart(place));
    for (const [i, column] of this.#columns.entries()) column[place] = numbers[i];
    this.#enter(place, hashOf(name));
    this.#count++;
  }

  /** Lets go of the name at a place. The others keep theirs. */
  remove(place: number): void {
    this.#gone[place] = 1;
    this.#count--;
    while (this.#first < this.#end && this.#gone[this.#first] === 1) this.#first++;
    if (this.#count === 0) this.#moveInto({ places: 0, nameBytes: 0 });
  }

  /** The places of all names, in their order. Names may be removed meanwhile, but not added. */
  *places(from = 0): Generator<number, void> {
    for (let place = Math.max(from, this.#first); place < this.#end; place++)
      if (this.#gone[place] === 0) yield place;
  }

  /** Up to `limit` names: those behind the ones that were asked for last, and the first ones again behind the last. */
  nextInCircle(limit: number): string[] {
    const names: string[] = [];
    for (const from of [this.#next, 0]) {
      for (const place of this.places(from)) {
        if (names.length === Math.min(limit, this.#count)) return names;
        names.push(this.nameAt(place));
        this.#next = place + 1;
      }
    }
    return names;
  }

  #nameStart(place: number): number {
    return place === 0 ? 0 : this.#nameEnds[place - 1];
  }

  #nameBytes(): number {
    return this.#nameStart(this.#end) - this.#nameStart(this.#first);
  }

  #enter(place: number, hash: number): void {
    this.#hashes[place] = hash;
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = place + 1;
  }

  /** Moves what is there into new columns that have room for so many names and bytes of them. */
  #moveInto(room: { places: number; nameBytes: number }): void {
    const from = {
      names: this.#names,
      nameEnds: this.#nameEnds,
      hashes: this.#hashes,
      columns: this.#columns,
    };
    const kept = [...this.places()];
    const capacity = Math.max(MIN_CAPACITY, room.places);
    this.#names = Buffer.alloc(Math.max(MIN_NAME_BYTES, room.nameBytes));
    this.#nameEnds = new Uint32Array(capacity);
    this.#hashes = new Uint32Array(capacity);
    this.#columns = from.columns.map(() => new Float64Array(capacity));
    this.#gone = new Uint8Array(capacity);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * capacity)));
    this.#next = kept.findLastIndex((place) => place < this.#next) + 1;
    this.#first = 0;
    this.#end = kept.length;
    for (const [to, place] of kept.entries()) {
      const start = place === 0 ? 0 : from.nameEnds[place - 1];
      const newStart = this.#nameStart(to);
      this.#nameEnds[to] = newStart + from.names.copy(this.#names, newStart, start, from.nameEnds[place]);
      for (const [i, column] of from.columns.entries()) this.#columns[i][to] = column[place];
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
