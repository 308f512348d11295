/**
 * Hashes values and rows, compiled to WebAssembly (AssemblyScript); `src/clean/hash-kernel.ts` lays out the memory, and
 * `src/clean/row-hash.ts` says what the hashes are for. A hash has 128 bits, a sketch has 32.
 */

/** Odd, from xxHash. */
const FACTOR_A: u64 = 0x9e3779b185ebca87;
const FACTOR_B: u64 = 0xc2b2ae3d27d4eb4f;
const ROTATION_A: u64 = 29;
const ROTATION_B: u64 = 47;
const HASH_BITS: usize = 4;
const HASH_BYTES: usize = 1 << HASH_BITS;
const HALF: usize = 8;
const WORD: u32 = 8;

/** The finaliser of MurmurHash3: spreads every bit over the whole word. */
// @ts-ignore: decorator
@inline
function finished(word: u64): u64 {
  let x = word ^ (word >> 33);
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

let a: u64 = 0;
let b: u64 = 0;

/**
 * Two hashes of 64 bits side by side over words of the value. A difference that one of them lets through to the next word for sure
 * (the highest bit before the multiplication) is another bit in the other, since that rotates by another number.
 */
// @ts-ignore: decorator
@inline
function take(word: u64): void {
  a = rotl<u64>(a ^ word, ROTATION_A) * FACTOR_A;
  b = rotl<u64>(b ^ word, ROTATION_B) * FACTOR_B;
}

// @ts-ignore: decorator
@inline
function begin(seed: usize, length: u32): void {
  a = load<u64>(seed) ^ length;
  b = load<u64>(seed, HALF) ^ length;
}

// @ts-ignore: decorator
@inline
function end(out: usize): void {
  store<u64>(out, finished(a));
  store<u64>(out, finished(b), HALF);
}

/** Takes a text. What lies behind its end may be read. */
// @ts-ignore: decorator
@inline
function takeText(at: usize, length: u32): void {
  while (length >= WORD) {
    take(load<u64>(at));
    at += WORD;
    length -= WORD;
  }
  if (length > 0) take(load<u64>(at) & (((<u64>1) << (length << 3)) - 1));
}

/** Hashes texts: the first begins at `bytes`, and each at its offset less that of the first. */
export function hashTexts(count: u32, offsets: usize, bytes: usize, seed: usize, out: usize): void {
  const base = load<u32>(offsets);
  let start = base;
  for (let i: u32 = 0; i < count; i++) {
    offsets += 4;
    const stop = load<u32>(offsets);
    begin(seed, stop - start);
    takeText(bytes + (start - base), stop - start);
    end(out);
    out += HASH_BYTES;
    start = stop;
  }
}

/** Hashes values of one width. */
export function hashFixed(count: u32, width: u32, bytes: usize, seed: usize, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    begin(seed, width);
    takeText(bytes, width);
    end(out);
    bytes += width;
    out += HASH_BYTES;
  }
}

/** One text that is given in pieces; each but the last is a multiple of eight bytes. */
export function beginLong(seed: usize, length: u32): void {
  begin(seed, length);
}

export function takeLong(bytes: usize, length: u32): void {
  takeText(bytes, length);
}

export function endLong(out: usize): void {
  end(out);
}

/** The hash of NULL is that of what no value can be: a text of length -1. */
export function hashNull(seed: usize, out: usize): void {
  begin(seed, 0xffffffff);
  end(out);
}

/** Joins to the hash of each row that of its value: `table` has the hash of NULL and behind it those of the values. */
export function joinIds(rows: u32, ids: usize, table: usize, out: usize): void {
  const stop = ids + (<usize>rows << 2);
  for (; ids < stop; ids += 4) {
    // The id of NULL is the largest number there is, and wraps around to 0.
    const hash = table + (<usize>(load<u32>(ids) + 1) << HASH_BITS);
    store<u64>(out, load<u64>(out) ^ load<u64>(hash));
    store<u64>(out, load<u64>(out, HALF) ^ load<u64>(hash, HALF), HALF);
    out += HASH_BYTES;
  }
}

/** The same for hashes of which each row has its own; that of a NULL, of which `nulls` tells, stands at `none`. */
export function joinHashes(rows: u32, hashes: usize, nulls: usize, none: usize, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const hash = nulls != 0 && load<u8>(nulls + row) != 0 ? none : hashes;
    store<u64>(out, load<u64>(out) ^ load<u64>(hash));
    store<u64>(out, load<u64>(out, HALF) ^ load<u64>(hash, HALF), HALF);
    hashes += HASH_BYTES;
    out += HASH_BYTES;
  }
}

/** Joins ids to the sketches of their rows. */
export function sketchIds(rows: u32, ids: usize, sketches: usize): void {
  const stop = ids + (<usize>rows << 2);
  for (; ids < stop; ids += 4) {
    store<u32>(sketches, (rotl<u32>(load<u32>(sketches), 5) ^ load<u32>(ids)) * 0x85ebca6b);
    sketches += 4;
  }
}

/** Do all sketches differ? `slots` is a table of `1 << slotBits` words, all 0. */
export function areDistinct(rows: u32, sketches: usize, slots: usize, slotBits: u32): u32 {
  const mask: u32 = (1 << slotBits) - 1;
  for (let row: u32 = 0; row < rows; row++) {
    // 0 is a free slot. The highest bits of a word are its place.
    const word = load<u32>(sketches + (<usize>row << 2)) | 1;
    let slot = word >> (32 - slotBits);
    for (;;) {
      const found = load<u32>(slots + (<usize>slot << 2));
      if (found == 0) break;
      if (found == word) return 0;
      slot = (slot + 1) & mask;
    }
    store<u32>(slots + (<usize>slot << 2), word);
  }
  return 1;
}
