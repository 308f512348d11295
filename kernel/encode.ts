/**
 * The inner loops of the encoder, compiled to WebAssembly (AssemblyScript); `src/write/encode-kernel.ts` lays out the memory.
 */

const GROUP: u32 = 8;
/** Up to this width, a group fits a word of 64 bits. */
const MAX_NARROW_WIDTH: u32 = 8;

let used: u32 = 0;

/** Begins a numbering. */
export function beginNumbers(): void {
  used = 0;
}

/**
 * Numbers values anew, in order of first use. `numberOf` has the new number of each value plus one, or 0; new ones are added to
 * `usedValues`. Answers how many values are used so far.
 */
export function number(count: u32, ids: usize, numbers: usize, numberOf: usize, usedValues: usize): u32 {
  const stop = ids + (<usize>count << 2);
  let size = used;
  for (; ids < stop; ids += 4) {
    const value: usize = load<u32>(ids);
    let found = load<u32>(numberOf + (value << 2));
    if (found == 0) {
      store<u32>(usedValues + (<usize>size << 2), <u32>value);
      found = ++size;
      store<u32>(numberOf + (value << 2), found);
    }
    store<u32>(numbers, found - 1);
    numbers += 4;
  }
  used = size;
  return size;
}

/**
 * Writes values in Parquet's RLE / bit-packing hybrid, without a length in front. Answers where they end. Repetitions become a run
 * where that is smaller than packing them. Spec: Encodings.md, "RLE = 3".
 */
export function hybrid(count: u32, values: usize, bitWidth: u32, out: usize): usize {
  const shortest = shortestWorthwhileRun(bitWidth);
  let packedFrom: u32 = 0;
  let at: u32 = 0;
  while (at < count) {
    if (at + GROUP <= count && !isGroupEqual(values + (<usize>at << 2))) {
      // Spec: packed runs hold whole groups of eight, so the next look is eight values on.
      at += GROUP;
      continue;
    }
    const end = endOfRepetition(values, at, count);
    const isAll = at == 0 && end == count;
    if (end - at < shortest && !isAll) {
      at += GROUP;
      continue;
    }
    if (at > packedFrom) out = putPacked(values, packedFrom, at, bitWidth, out);
    out = putRepeated(load<u32>(values + (<usize>at << 2)), end - at, bitWidth, out);
    at = end;
    packedFrom = end;
  }
  return packedFrom < count ? putPacked(values, packedFrom, count, bitWidth, out) : out;
}

/** Below this length a repetition costs more as a run (its own header, its value, a new header after it) than packed. */
function shortestWorthwhileRun(bitWidth: u32): u32 {
  if (bitWidth == 0) return 1;
  const overheadBytes = 2 + ((bitWidth + 7) >> 3);
  return max(GROUP, (overheadBytes * 8) / bitWidth + 1);
}

/** Looks at all eight values at once: a branch for each would be guessed wrong about once a group. */
// @ts-ignore: decorator
@inline
function isGroupEqual(at: usize): bool {
  const value: u64 = load<u32>(at);
  const pair = value | (value << 32);
  const low = (load<u64>(at) ^ pair) | (load<u64>(at, 8) ^ pair);
  return (low | (load<u64>(at, 16) ^ pair) | (load<u64>(at, 24) ^ pair)) == 0;
}

function endOfRepetition(values: usize, at: u32, count: u32): u32 {
  const value = load<u32>(values + (<usize>at << 2));
  let end = at + 1;
  while (end < count && load<u32>(values + (<usize>end << 2)) == value) end++;
  return end;
}

function putVarint(value: u32, out: usize): usize {
  while (value > 0x7f) {
    store<u8>(out++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(out, <u8>value);
  return out + 1;
}

function putRepeated(value: u32, count: u32, bitWidth: u32, out: usize): usize {
  out = putVarint(count << 1, out);
  store<u32>(out, value);
  return out + ((bitWidth + 7) >> 3);
}

function putPacked(values: usize, from: u32, to: u32, bitWidth: u32, out: usize): usize {
  const groups = (to - from + GROUP - 1) / GROUP;
  out = putVarint((groups << 1) | 1, out);
  const end = out + groups * bitWidth;
  let at = values + (<usize>from << 2);
  const stop = values + (<usize>to << 2);
  if (bitWidth <= MAX_NARROW_WIDTH) {
    // A word may reach into the place of the next group.
    const wholeStop = stop - (((to - from) % GROUP) << 2);
    for (; at < wholeStop; at += GROUP << 2) {
      store<u64>(out, groupAt(at, bitWidth));
      out += bitWidth;
    }
  }
  putWords(at, stop, bitWidth, out, end);
  return end;
}

/** Eight values in a word. */
// @ts-ignore: decorator
@inline
function groupAt(at: usize, bitWidth: u64): u64 {
  const low = <u64>load<u32>(at) | (<u64>load<u32>(at, 4) << bitWidth);
  const second = <u64>load<u32>(at, 8) | (<u64>load<u32>(at, 12) << bitWidth);
  const third = <u64>load<u32>(at, 16) | (<u64>load<u32>(at, 20) << bitWidth);
  const high = <u64>load<u32>(at, 24) | (<u64>load<u32>(at, 28) << bitWidth);
  const two = bitWidth << 1;
  return low | (second << two) | ((third | (high << two)) << (two << 1));
}

/** Stores values of any width as a stream of words, and zeros behind them up to `end`. */
function putWords(at: usize, stop: usize, bitWidth: u32, out: usize, end: usize): void {
  let word: u64 = 0;
  let bits: u32 = 0;
  for (; at < stop; at += 4) {
    word |= <u64>load<u32>(at) << bits;
    bits += bitWidth;
    if (bits >= 32) {
      store<u32>(out, <u32>word);
      out += 4;
      word >>= 32;
      bits -= 32;
    }
  }
  while (out < end) {
    store<u32>(out, <u32>word);
    out += 4;
    word = 0;
  }
}
