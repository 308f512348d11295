import fs from 'node:fs';
import { createTempFile, fileOps, removeFile, type TempFile, writeAll } from '../base/files.js';
import type { OverflowingRow, RowOverflow } from './duplicates.js';
import { HASH_WORDS } from './row-hash.js';
import { RowPlaces } from './row-places.js';

/** Rows are spilled by their hashes into so many partitions, of which one at a time is looked at. */
const PARTITIONS = 256;
/** A record: the hash of a row, the part of the file that it is in, and its number in that part. */
const RECORD_WORDS = HASH_WORDS + 2;
const RECORD_BYTES = RECORD_WORDS * Int32Array.BYTES_PER_ELEMENT;
/** Records of one partition that are written together. */
const CHUNK_RECORDS = 256;

/** Rows that one thread has spilled. Plain data, fit to be sent to another thread. */
export interface SpilledRows {
  /** A temporary file, to be deleted by whoever reads it. */
  path: string;
  /** Chunks in their order in the file: of each the number of records times PARTITIONS, plus the partition. */
  chunks: number[];
}

/**
 * Hashes of rows for which there is no room in memory, in a temporary file: 24 bytes a row on the disk, 1.5 MB in memory.
 * The file comes into being when the first chunk is full.
 */
export class RowSpill implements RowOverflow {
  readonly #folder: string;
  readonly #chunks: SpilledRows['chunks'] = [];
  readonly #buffers: (Int32Array | undefined)[] = [];
  readonly #counts = new Int32Array(PARTITIONS);
  #temp: TempFile | undefined;

  /** @param folder where the temporary file is made */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Spills a row, which is taken for a new one: whether it is shows at the end of the file. */
  isNew({ hashes, at, part, row }: OverflowingRow): true {
    const partition = hashes[at] & (PARTITIONS - 1);
    this.#buffers[partition] ??= new Int32Array(CHUNK_RECORDS * RECORD_WORDS);
    const buffer = this.#buffers[partition];
    const to = this.#counts[partition] * RECORD_WORDS;
    for (let i = 0; i < HASH_WORDS; i++) buffer[to + i] = hashes[at + i];
    buffer[to + HASH_WORDS] = part;
    buffer[to + HASH_WORDS + 1] = row;
    if (++this.#counts[partition] === CHUNK_RECORDS) this.#flush(partition);
    return true;
  }

  /** Completes and closes the file. Undefined when no row was spilled. */
  finish(): SpilledRows | undefined {
    if (this.#buffers.length === 0) return undefined;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (this.#counts[partition] > 0) this.#flush(partition);
    }
    const path = this.#temp?.path;
    this.#close();
    return path === undefined ? undefined : { path, chunks: this.#chunks };
  }

  /** Closes and deletes the file: nobody will read it. */
  async abandon(): Promise<void> {
    const path = this.#temp?.path;
    this.#close();
    if (path !== undefined) await removeFile(path);
  }

  #flush(partition: number): void {
    const records = this.#counts[partition];
    this.#counts[partition] = 0;
    this.#temp ??= createTempFile(this.#folder);
    const { buffer } = this.#buffers[partition]!;
    writeAll(this.#temp.fd, new Uint8Array(buffer, 0, records * RECORD_BYTES));
    this.#chunks.push(records * PARTITIONS + partition);
  }

  #close(): void {
    if (this.#temp) fileOps.closeSync(this.#temp.fd);
    this.#temp = undefined;
  }
}

/** Which spilled rows repeat another one that comes before them in the file. Reads one partition after the other. */
export function findRepeats(spills: readonly SpilledRows[]): RowPlaces {
  const repeats = new RowPlaces();
  const files = spills.map(({ path, chunks }) => ({
    fd: fs.openSync(path, 'r'),
    index: new ChunkIndex(chunks),
  }));
  const most = Math.max(0, ...sizesOf(files));
  // One after the other in the same memory: what is thrown away is not free at once.
  const memory = { bytes: new Uint8Array(most), slots: new Int32Array(slotsFor(most / RECORD_BYTES)) };
  try {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const bytes = readPartition(files, { partition, target: memory.bytes });
      const slots = memory.slots.subarray(0, slotsFor(bytes / RECORD_BYTES)).fill(0);
      findRepeatsAmong(new Int32Array(memory.bytes.buffer, 0, bytes / Int32Array.BYTES_PER_ELEMENT), {
        slots,
        repeats,
      });
    }
  } finally {
    for (const { fd } of files) fs.closeSync(fd);
  }
  return repeats;
}

interface SpillFile {
  fd: number;
  index: ChunkIndex;
}

/** Where the chunks of each partition lie in a file. Columns: a file of 5 GB has more than 100,000 of them. */
class ChunkIndex {
  /** Chunks of partition p begin at place `firsts[p]` of the columns and end before `firsts[p + 1]`. */
  readonly #firsts = new Uint32Array(PARTITIONS + 1);
  readonly #starts: Float64Array;
  readonly #bytes: Uint32Array;

  constructor(chunks: SpilledRows['chunks']) {
    this.#starts = new Float64Array(chunks.length);
    this.#bytes = new Uint32Array(chunks.length);
    for (const chunk of chunks) this.#firsts[(chunk % PARTITIONS) + 1]++;
    for (let p = 0; p < PARTITIONS; p++) this.#firsts[p + 1] += this.#firsts[p];
    const next = this.#firsts.slice();
    let start = 0;
    for (const chunk of chunks) {
      const place = next[chunk % PARTITIONS]++;
      this.#starts[place] = start;
      this.#bytes[place] = Math.floor(chunk / PARTITIONS) * RECORD_BYTES;
      start += this.#bytes[place];
    }
  }

  /** The chunks of a partition: their first byte in the file, and how many they have. */
  *of(partition: number): Generator<{ start: number; bytes: number }, void> {
    for (let place = this.#firsts[partition]; place < this.#firsts[partition + 1]; place++) {
      yield { start: this.#starts[place], bytes: this.#bytes[place] };
    }
  }
}

/** Bytes of each partition. */
function sizesOf(files: readonly SpillFile[]): number[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    let sum = 0;
    for (const { index } of files) for (const { bytes } of index.of(partition)) sum += bytes;
    return sum;
  });
}

/** A power of two, so many that at most half of them are taken. */
function slotsFor(records: number): number {
  return 2 ** Math.ceil(Math.log2(records * 2 + 1));
}

/** Answers how many bytes. */
function readPartition(
  files: readonly SpillFile[],
  { partition, target }: { partition: number; target: Uint8Array },
): number {
  let filled = 0;
  for (const { fd, index } of files) {
    for (const { start, bytes } of index.of(partition)) {
      for (let done = 0; done < bytes; ) {
        const count = fs.readSync(fd, target, filled + done, bytes - done, start + done);
        if (count === 0) throw new Error('a temporary file with hashes of rows ends too early');
        done += count;
      }
      filled += bytes;
    }
  }
  return filled;
}

/** Open addressing over the records themselves: a slot holds the number of a record, counted from 1; 0 is a free one. */
function findRepeatsAmong(
  records: Int32Array,
  { slots, repeats }: { slots: Int32Array; repeats: RowPlaces },
): void {
  const mask = slots.length - 1;
  for (let at = 0, record = 1; at < records.length; at += RECORD_WORDS, record++) {
    let slot = records[at + 1] & mask;
    while (slots[slot] !== 0 && !isSameHash(records, at, (slots[slot] - 1) * RECORD_WORDS))
      slot = (slot + 1) & mask;
    const known = (slots[slot] - 1) * RECORD_WORDS;
    const isFirst = slots[slot] === 0 || comesBefore(records, at, known);
    if (slots[slot] !== 0) addPlace(records, isFirst ? known : at, repeats);
    if (isFirst) slots[slot] = record;
  }
}

function isSameHash(records: Int32Array, a: number, b: number): boolean {
  for (let i = 0; i < HASH_WORDS; i++) if (records[a + i] !== records[b + i]) return false;
  return true;
}

/** Threads spill in the order in which they take parts, which is not that of the file. */
function comesBefore(records: Int32Array, a: number, b: number): boolean {
  const [partA, partB] = [records[a + HASH_WORDS], records[b + HASH_WORDS]];
  return partA < partB || (partA === partB && records[a + HASH_WORDS + 1] < records[b + HASH_WORDS + 1]);
}

function addPlace(records: Int32Array, at: number, repeats: RowPlaces): void {
  repeats.add(records[at + HASH_WORDS], records[at + HASH_WORDS + 1]);
}
