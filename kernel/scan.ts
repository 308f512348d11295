/**
 * The inner loops of the scanner, compiled to WebAssembly (AssemblyScript). They take records that follow the rules from a chunk
 * of text, in two steps: find where cells end, 64 bytes at a time; then read the cells, column by column. The first record that
 * does not follow the rules ends it: `src/read/fast-scanner.ts` takes that one.
 *
 * A cell of a column in dictionary mode becomes the number that the column's table here has for its bytes. The table is a cache:
 * numbers come from the dictionary outside, which is asked for each value that is not in it. A cell of a column in plain mode
 * becomes the place where it stands.
 *
 * Memory; nothing is given back but by `forget`:
 *   masks of short values, the header line, the chunk, the places where cells end, the columns, the rows, the cells of the
 *   columns (two arrays each), and the heap of tables and long values.
 */

/** The number of a value that the cache has not. `start` and `stop` are places in the window. */
@external("scanner", "numberOf")
declare function numberOf(column: i32, start: i32, stop: i32): u32;

/** Takes a cell with doubled quotes: answers its number, or (plain mode) its number among the cells that are set aside. */
@external("scanner", "takeDoubled")
declare function takeDoubled(column: i32, start: i32, stop: i32): u32;

const LF: u32 = 10;
const CR: u32 = 13;
const BOM_BYTES: i32 = 3;
const FIRST_OF_BOM: u32 = 0xef;
/** No byte. */
const NONE: u32 = 256;

const MASKS: usize = 0;
const HEADER: usize = 256;
const HEADER_BYTES: usize = 8192 - 256;
const CHUNK: usize = HEADER + HEADER_BYTES;
const CHUNK_BYTES: usize = 1 << 16;
/** Blocks and words are read that reach beyond the text. */
const SLACK_BYTES: usize = 128;
/** The places where the cells of the chunk end; a few more are written than there are. Before the first one stands that before the text. */
const PLACES: usize = CHUNK + CHUNK_BYTES + SLACK_BYTES;
/** By record of the chunk: where in that list its places end. */
const RECORDS: usize = PLACES + ((CHUNK_BYTES + 64) << 2);
const COLUMNS: usize = RECORDS + (CHUNK_BYTES << 2);

const BLOCK_BYTES: usize = 64;
/** Rows whose cells are read column by column: their text stays in the nearest cache. */
const BLOCK_ROWS: i32 = 64;

/** Fields of a column: where its numbers, or the starts of its cells, go (0 for a column that nobody wants), */
const TARGET: usize = 0;
/** where the ends of its cells go (0 in dictionary mode), */
const STOPS: usize = 4;
/** its table (0 when there is none yet), by how much a hash is shifted to give a slot, how many values it has. */
const TABLE: usize = 8;
const SHIFT: usize = 12;
const COUNT: usize = 16;
const COLUMN_BYTES: usize = 32;

/**
 * Fields of a slot: a key, the number of the value, its length. The key of a value of eight bytes is its bytes; of a shorter one
 * its bytes, filled with zeros, and SHORT_TAG plus its length as the eighth; of a longer one a hash with LONG_TAG as the eighth: then
 * in place of the number is where the number and the bytes are. No text ends with one of these tags, since it is UTF-8.
 */
const KEY: usize = 0;
const NUMBER: usize = 8;
const LENGTH: usize = 12;
const SLOT_BITS: usize = 4;
const SLOT_BYTES: usize = 1 << SLOT_BITS;
const SHORT_BYTES: usize = 8;
const SHORT_TAG: u64 = 0xf8;
const LONG_TAG: u64 = 0xf5;
const FREE: u64 = 0xffffffffffffffff;
const FIRST_TABLE_BITS: u32 = 4;
const MAX_TABLE_BITS: u32 = 16;
/** Tables and long values of all columns together; past that, values that are not known are asked for. */
const MAX_HEAP_BYTES: usize = 16 << 20;
/** Longer values are always asked for. */
const MAX_VALUE_BYTES: usize = 1024;
const FACTOR: u64 = 0x9e3779b97f4a7c15;

/** Arrays begin at different places of their pages: their first rows would push each other out of the processor's cache otherwise. */
const STAGGER_BYTES: usize = 192;
const PAGE_BITS: i32 = 16;
const GROWTH_PAGES: i32 = 4;

let delimiter: u32;
let quote: u32;
let width: i32;
let maxRows: i32;
let rowStarts: usize;
let rowEnds: usize;
let breakPairs: usize;
let cells: usize;
let heapStart: usize;
let heap: usize;

let headerLength: i32;
let surplus: i32;
let row: i32;
let breakCount: i32;
let isOdd: bool;

/** What the text that was looked at has inside of quotes: line feeds, doubled quotes. */
let hasInner: bool;
let hasDoubled: bool;

export function chunkAt(): usize { return CHUNK; }
export function chunkBytes(): usize { return CHUNK_BYTES; }
export function headerAt(): usize { return HEADER; }
export function headerBytes(): usize { return HEADER_BYTES; }
export function rowStartsAt(): usize { return rowStarts; }
export function rowEndsAt(): usize { return rowEnds; }
/** Where pairs of numbers are: a row, and how many line breaks are inside of it. */
export function breakPairsAt(): usize { return breakPairs; }
/** Where the numbers of a column, or the starts of its cells, are. */
export function targetAt(column: i32): usize { return cells + (<usize>column << 1) * arrayBytes(); }
/** Where the ends of its cells are. */
export function stopsAt(column: i32): usize { return targetAt(column) + arrayBytes(); }
/** Rows of the batch after the last scan. */
export function rowCount(): i32 { return row; }
/** Rows with line breaks inside of them that the last scan took. */
export function breakPairCount(): i32 { return breakCount; }
/** Did the last scan end at a record that it cannot take, and not for want of text or room? */
export function isStopped(): bool { return isOdd; }

/** Lays all out anew: for text written so, 256 standing for no delimiter or no quote, and for so many rows. Columns are to be set then. */
export function open(delimiterByte: u32, quoteByte: u32, columnCount: i32, rows: i32): void {
  delimiter = delimiterByte;
  quote = quoteByte;
  width = columnCount;
  maxRows = rows;
  for (let length: usize = 0; length < SHORT_BYTES; length++) {
    store<u64>(MASKS + (length << 4), ~(<u64>-1 << (length << 3)));
    store<u64>(MASKS + (length << 4), (SHORT_TAG + <u64>length) << 56, 8);
  }
  store<u64>(MASKS + (SHORT_BYTES << 4), <u64>-1);
  rowStarts = aligned(COLUMNS + <usize>width * COLUMN_BYTES);
  rowEnds = rowStarts + arrayBytes();
  breakPairs = rowEnds + arrayBytes();
  cells = breakPairs + (arrayBytes() << 1);
  heapStart = targetAt(width);
  // With the first table of each column, for which there must be room.
  if (!reserve(heapStart + <usize>width * (SLOT_BYTES << FIRST_TABLE_BITS))) unreachable();
  forget();
}

/** Forgets the values of all columns. */
export function forget(): void {
  heap = heapStart;
  for (let column = 0; column < width; column++) {
    store<u32>(columnAt(column), 0, TABLE);
    if (load<u32>(columnAt(column), TARGET) != 0 && load<u32>(columnAt(column), STOPS) == 0) setColumn(column, 1);
  }
}

/** Says how a column is scanned from now on: into numbers (1), or into places (2). One that is never set is passed over. */
export function setColumn(column: i32, mode: i32): void {
  const at = columnAt(column);
  store<u32>(at, <u32>targetAt(column), TARGET);
  store<u32>(at, mode == 2 ? <u32>stopsAt(column) : 0, STOPS);
  // Without the values that it is full of, the heap has room for a first table of each column.
  if (mode == 1 && load<u32>(at, TABLE) == 0 && !makeTable(at, FIRST_TABLE_BITS)) forget();
}

/** Begins a batch. A line equal to the header (its length, or -1) is no row; records may end with `trailing` empty cells. */
export function begin(header: i32, trailing: i32): void {
  headerLength = header;
  surplus = trailing;
}

/**
 * Takes regular records of the first `length` bytes of the chunk, as rows from `firstRow` on, until the batch has `rowLimit` rows
 * or a record is not regular. The chunk's text is that of the window from `windowStart` on.
 * @returns how many bytes were taken
 */
export function scan(length: i32, windowStart: i32, firstRow: i32, rowLimit: i32): i32 {
  const shift = windowStart - <i32>CHUNK;
  row = firstRow;
  breakCount = 0;
  // 1. Where do cells and records end?
  const recordsEnd = findEnds(CHUNK, CHUNK + <usize>length);
  // 2. Read the cells of records that have as many as they should, some rows at a time.
  let places = PLACES;
  for (let record = RECORDS; record < recordsEnd && row < rowLimit; ) {
    const stride = <usize>load<u32>(record) - places;
    const rows = min(<usize>min(BLOCK_ROWS, rowLimit - row), (recordsEnd - record) >>> 2);
    const taken = takeRows(places, record, stride, <i32>rows, shift);
    for (let column = 0; column < width; column++) takeColumn(places, stride, column, taken, shift);
    row += taken;
    record += <usize>taken << 2;
    places += <usize>taken * stride;
    if (taken == 0) {
      isOdd = true;
      break;
    }
  }
  return <i32>(<usize>load<u32>(places - 4) + 1 - CHUNK);
}

/**
 * Finds all delimiters and line feeds outside of quotes, up to where the rules of quoting are broken, which is told in `isOdd`.
 * Answers where the list of records ends.
 */
function findEnds(from: usize, end: usize): usize {
  const delimiters = i8x16.splat(<i8>(delimiter == NONE ? LF : delimiter));
  const lineFeeds = i8x16.splat(<i8>LF);
  const quotes = i8x16.splat(<i8>quote);
  const hasQuotes = quote != NONE;
  let out = PLACES;
  let record = RECORDS;
  /** All ones inside of quotes. */
  let inside: u64 = 0;
  /** Bit 0: what stands before the block ends a cell; closes a quoted cell. */
  let endsBefore: u64 = 1;
  let closesBefore: u64 = 0;
  let inner: u64 = 0;
  let doubled: u64 = 0;
  isOdd = false;
  store<u32>(PLACES - 4, <u32>from - 1);
  for (let block = from; block < end && !isOdd; block += BLOCK_BYTES) {
    const a = v128.load(block);
    const b = v128.load(block, 16);
    const c = v128.load(block, 32);
    const d = v128.load(block, 48);
    let valid = <u64>-1;
    if (end - block < BLOCK_BYTES) valid = ~(<u64>-1 << (end - block));
    let breaks = equalBits(a, b, c, d, lineFeeds) & valid;
    let ends = (equalBits(a, b, c, d, delimiters) & valid) | breaks;
    if (hasQuotes) {
      const quoteBits = equalBits(a, b, c, d, quotes) & valid;
      if ((quoteBits | inside | closesBefore) != 0) {
        // Bit i: behind byte i we are inside of quotes.
        let within = quoteBits ^ (quoteBits << 1);
        within ^= within << 2;
        within ^= within << 4;
        within ^= within << 8;
        within ^= within << 16;
        within ^= within << 32;
        within ^= inside;
        const opening = quoteBits & within;
        const closing = quoteBits & ~within;
        const closed = (closing << 1) | closesBefore;
        inner |= breaks & within;
        ends &= ~within;
        breaks &= ~within;
        doubled |= opening & closed;
        // A quote opens at the start of a cell or right behind a closing one, as its double; behind a closing one a cell ends.
        let odd = (opening & ~((ends << 1) | endsBefore | closed)) | (closed & ~(ends | opening) & valid);
        if (odd != 0) odd = withoutLineEnds(odd, closed, block, end);
        if (odd != 0) {
          const before = (odd & -odd) - 1;
          ends &= before;
          breaks &= before;
          isOdd = true;
        }
        inside = <u64>(<i64>within >> 63);
        closesBefore = closing >>> 63;
      }
      endsBefore = ends >>> 63;
    }
    for (; breaks != 0; breaks &= breaks - 1) {
      const before = ends & ((breaks & -breaks) - 1);
      store<u32>(record, <u32>(out + ((<usize>popcnt(before) + 1) << 2)));
      record += 4;
    }
    out = writePlaces(out, block, ends);
  }
  hasInner = inner != 0;
  hasDoubled = doubled != 0;
  return record;
}

/** Of bits that break the rules of quoting, those that are not carriage returns of line ends behind a quoted cell. */
function withoutLineEnds(odd: u64, closed: u64, block: usize, end: usize): u64 {
  for (let bits = odd & closed; bits != 0; bits &= bits - 1) {
    const place = block + <usize>ctz(bits);
    if (place + 1 < end && <u32>load<u8>(place) == CR && <u32>load<u8>(place + 1) == LF) odd ^= bits & -bits;
  }
  return odd;
}

/** Appends the places of the bits that are set. Eight are written whatever their number: that is faster than to ask for each. */
@inline
function writePlaces(out: usize, block: usize, bits: u64): usize {
  const last = out + (<usize>popcnt(bits) << 2);
  while (out < last) {
    for (let i = 0; i < 8; i++) {
      store<u32>(out + (<usize>i << 2), <u32>(block + <usize>ctz(bits)));
      bits &= bits - 1;
    }
    out += 32;
  }
  return last;
}

/** A bit for each of 64 bytes: does it equal the wanted one? */
@inline
function equalBits(a: v128, b: v128, c: v128, d: v128, wanted: v128): u64 {
  return bitsOf(i8x16.eq(a, wanted)) | (bitsOf(i8x16.eq(b, wanted)) << 16) | (bitsOf(i8x16.eq(c, wanted)) << 32) | (bitsOf(i8x16.eq(d, wanted)) << 48);
}

@inline
function bitsOf(bytes: v128): u64 {
  return <u64><u32>i8x16.bitmask(bytes);
}

/**
 * Notes where rows begin and end. `stride` is the size of the places of one row. Answers how many records, from the first one on,
 * have as many cells as the first one and may be rows.
 */
function takeRows(places: usize, records: usize, stride: usize, rows: i32, shift: i32): i32 {
  const empty = <i32>(stride >>> 2) - width;
  if (empty < 0 || empty > surplus) return 0;
  for (let i = 0; i < rows; i++) {
    if (<usize>load<u32>(records + (<usize>i << 2)) != places + stride) return i;
    const start = <usize>load<u32>(places - 4) + 1;
    const lineFeed = <usize>load<u32>(places + stride - 4);
    const stop = lineFeed - <usize>endsWithCr(start, lineFeed);
    // What is beyond the table's columns must be empty.
    if (empty > 0 && stop - <usize>load<u32>(places + (<usize>(width - 1) << 2)) != <usize>empty) return i;
    if (isHeader(start, stop)) return i;
    const at = <usize>(row + i) << 2;
    store<u32>(rowStarts + at, <u32>(<i32>start + shift));
    store<u32>(rowEnds + at, <u32>(<i32>stop + shift));
    if (hasInner) noteBreaks(row + i, start, stop);
    places += stride;
  }
  return rows;
}

/** Does a carriage return stand before the line feed at `lineFeed`, in a record that begins at `from`? */
@inline
function endsWithCr(from: usize, lineFeed: usize): bool {
  return lineFeed > from && <u32>load<u8>(lineFeed - 1) == CR;
}

function noteBreaks(row: i32, from: usize, stop: usize): void {
  let breaks = 0;
  for (let place = from; place < stop; place += 16) {
    const bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(place), i8x16.splat(<i8>LF)));
    breaks += popcnt(stop - place >= 16 ? bits : bits & ~(<u32>-1 << <u32>(stop - place)));
  }
  if (breaks == 0) return;
  const at = breakPairs + (<usize>breakCount << 3);
  store<i32>(at, row);
  store<i32>(at, breaks, 4);
  breakCount++;
}

/** Reads the cells of a column in `rows` rows. */
function takeColumn(places: usize, stride: usize, column: i32, rows: i32, shift: i32): void {
  const at = columnAt(column);
  const target = <usize>load<u32>(at, TARGET);
  if (target == 0) return;
  const stops = <usize>load<u32>(at, STOPS);
  const isLast = (<usize>column << 2) == stride - 4;
  const quoteByte = quote;
  const checksDoubled = hasDoubled;
  let table = <usize>load<u32>(at, TABLE);
  let tableShift = <u64>load<u32>(at, SHIFT);
  let place = places + (<usize>column << 2);
  let out = <usize>row << 2;
  for (const outEnd = out + (<usize>rows << 2); out < outEnd; out += 4, place += stride) {
    let start = <usize>load<u32>(place - 4) + 1;
    let stop = <usize>load<u32>(place);
    if (isLast) stop -= <usize>endsWithCr(start, stop);
    const isQuoted = <usize>(<u32>load<u8>(start) == quoteByte);
    start += isQuoted;
    stop -= isQuoted;
    if (checksDoubled && isQuoted && hasQuote(start, stop)) {
      store<u32>(target + out, takeDoubled(column, <i32>start + shift, <i32>stop + shift));
      if (stops != 0) store<u32>(stops + out, 0);
      continue;
    }
    if (stops != 0) {
      store<u32>(target + out, <u32>(<i32>start + shift));
      store<u32>(stops + out, <u32>(<i32>stop + shift));
      continue;
    }
    const length = stop - start;
    if (length <= SHORT_BYTES) {
      const mask = MASKS + (length << 4);
      const key = (load<u64>(start) & load<u64>(mask)) | load<u64>(mask, 8);
      const slot = table + (<usize>((key * FACTOR) >>> tableShift) << SLOT_BITS);
      if (load<u64>(slot, KEY) == key) {
        store<u32>(target + out, load<u32>(slot, NUMBER));
        continue;
      }
      store<u32>(target + out, searchShort(at, start, stop, shift, key));
    } else store<u32>(target + out, findLong(at, start, stop, shift));
    // The table may have grown.
    table = <usize>load<u32>(at, TABLE);
    tableShift = <u64>load<u32>(at, SHIFT);
  }
}

function hasQuote(from: usize, stop: usize): bool {
  for (let place = from; place < stop; place++) if (<u32>load<u8>(place) == quote) return true;
  return false;
}

function searchShort(at: usize, start: usize, stop: usize, shift: i32, key: u64): u32 {
  let slot = slotOf(at, key);
  for (let known = load<u64>(slot, KEY); known != FREE; known = load<u64>(slot, KEY)) {
    if (known == key) return load<u32>(slot, NUMBER);
    slot = nextSlot(at, slot);
  }
  const number = numberOf(columnOf(at), <i32>start + shift, <i32>stop + shift);
  if (hasRoom(at)) fill(at, slot, key, 0, number);
  return number;
}

function findLong(at: usize, start: usize, stop: usize, shift: i32): u32 {
  const length = stop - start;
  if (length > MAX_VALUE_BYTES) return numberOf(columnOf(at), <i32>start + shift, <i32>stop + shift);
  let hash = load<u64>(stop - 8) * FACTOR;
  for (let place = start; place < stop - 8; place += 8) hash = (hash ^ (hash >>> 29) ^ load<u64>(place)) * FACTOR;
  const key = (hash >>> 8) | (LONG_TAG << 56);
  let slot = slotOf(at, key);
  for (let known = load<u64>(slot, KEY); known != FREE; known = load<u64>(slot, KEY)) {
    if (known == key && load<u32>(slot, LENGTH) == <u32>length) {
      const value = <usize>load<u32>(slot, NUMBER);
      if (areEqual(value + 4, start, length)) return load<u32>(value);
    }
    slot = nextSlot(at, slot);
  }
  const number = numberOf(columnOf(at), <i32>start + shift, <i32>stop + shift);
  const value = hasRoom(at) ? take(4 + length) : 0;
  if (value == 0) return number;
  store<u32>(value, number);
  memory.copy(value + 4, start, length);
  fill(at, slot, key, <u32>length, <u32>value);
  return number;
}

/** Are two strings of more than eight bytes equal? */
@inline
function areEqual(left: usize, right: usize, length: usize): bool {
  const last = length - 8;
  for (let place: usize = 0; place < last; place += 8)
    if (load<u64>(left + place) != load<u64>(right + place)) return false;
  return load<u64>(left + last) == load<u64>(right + last);
}

@inline
function slotOf(at: usize, key: u64): usize {
  return <usize>load<u32>(at, TABLE) + (<usize>((key * FACTOR) >>> <u64>load<u32>(at, SHIFT)) << SLOT_BITS);
}

@inline
function nextSlot(at: usize, slot: usize): usize {
  const table = <usize>load<u32>(at, TABLE);
  const next = slot + SLOT_BYTES;
  return next == table + (SLOT_BYTES << (64 - load<u32>(at, SHIFT))) ? table : next;
}

/** May the table of a column have one more value? Half of it stays free, or it grows. */
@inline
function hasRoom(at: usize): bool {
  return load<u32>(at, COUNT) < <u32>1 << (63 - load<u32>(at, SHIFT));
}

/** Fills a free slot. */
function fill(at: usize, slot: usize, key: u64, length: u32, number: u32): void {
  store<u64>(slot, key, KEY);
  store<u32>(slot, number, NUMBER);
  store<u32>(slot, length, LENGTH);
  store<u32>(at, load<u32>(at, COUNT) + 1, COUNT);
  if (!hasRoom(at)) growTable(at);
}

/** Doubles a table, unless it or the heap is as large as it may be. */
function growTable(at: usize): void {
  const bits: u32 = 64 - load<u32>(at, SHIFT);
  let old = <usize>load<u32>(at, TABLE);
  const oldEnd = old + (SLOT_BYTES << bits);
  const count = load<u32>(at, COUNT);
  if (bits >= MAX_TABLE_BITS || !makeTable(at, bits + 1)) return;
  store<u32>(at, count, COUNT);
  for (; old < oldEnd; old += SLOT_BYTES) {
    if (load<u64>(old, KEY) == FREE) continue;
    let slot = slotOf(at, load<u64>(old, KEY));
    while (load<u64>(slot, KEY) != FREE) slot = nextSlot(at, slot);
    v128.store(slot, v128.load(old));
  }
}

/** Gives a column an empty table; false when there is no memory for it. */
function makeTable(at: usize, bits: u32): bool {
  const size = SLOT_BYTES << bits;
  const table = take(size);
  if (table == 0) return false;
  // All of it is FREE.
  memory.fill(table, 0xff, size);
  store<u32>(at, <u32>table, TABLE);
  store<u32>(at, 64 - bits, SHIFT);
  store<u32>(at, 0, COUNT);
  return true;
}

function isHeader(start: usize, stop: usize): bool {
  if (headerLength < 0) return false;
  const length = <i32>(stop - start);
  // With a byte order mark before it, perhaps: whoever takes it looks.
  if (length == headerLength + BOM_BYTES && <u32>load<u8>(start) == FIRST_OF_BOM) return true;
  return length == headerLength && memory.compare(start, HEADER, <usize>length) == 0;
}

@inline
function columnOf(at: usize): i32 {
  return <i32>((at - COLUMNS) / COLUMN_BYTES);
}

@inline
function columnAt(column: i32): usize {
  return COLUMNS + <usize>column * COLUMN_BYTES;
}

function arrayBytes(): usize {
  return aligned(<usize>maxRows << 2) + STAGGER_BYTES;
}

@inline
function aligned(size: usize): usize {
  return (size + 63) & ~63;
}

/** Memory of the heap, aligned for slots; 0 when there is no more. */
function take(size: usize): usize {
  const at = heap;
  const end = (heap + size + 15) & ~15;
  if (end - heapStart > MAX_HEAP_BYTES + <usize>width * (SLOT_BYTES << FIRST_TABLE_BITS) || !reserve(end)) return 0;
  heap = end;
  return at;
}

/** Makes sure that there is memory up to `end`, and room for a word behind it; false when the system gives none. */
function reserve(end: usize): bool {
  const pages = <i32>((end + 64 + 0xffff) >>> PAGE_BITS) - memory.size();
  // In steps, since each makes the views of the memory outside be made anew.
  return pages <= 0 || memory.grow(max(pages, GROWTH_PAGES)) >= 0;
}
