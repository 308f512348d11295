import type { AheadFile, ReadyFile } from '../watch/types.js';
import type { ConvertResult } from './convert-file.js';

/** A file that is to be converted, or was converted ahead and is not complete for sure yet. */
export interface Candidate {
  file: ReadyFile;
  /**
   * - `waiting`: for a thread
   * - `in_hand`: in a thread
   * - `held`: converted ahead, waits to be settled
   * - `unread`: could not be read ahead; waits to be settled
   */
  state: 'waiting' | 'in_hand' | 'held' | 'unread';
  /** It was offered: what comes of it counts. */
  isSettled: boolean;
  /** It stirred while it was read ahead: what comes of it is thrown away. */
  isLost: boolean;
  /** When it is held. */
  result?: ConvertResult;
}

/** What may lie converted, or be in hand, without being settled. */
const MAX_AHEAD_FILES = 1024;
const MAX_AHEAD_BYTES = 2 ** 31;

/** What one task carries, or is published together: at most this many files, and about this many bytes. */
export const MAX_TASK_FILES = 32;
export const MAX_TASK_BYTES = 8 << 20;
/** So many groups are to be published when all files that are held settle at once. */
export const MAX_HELD_GROUPS = MAX_AHEAD_FILES / MAX_TASK_FILES;
/** Fewer files are not split further: what is published together shares the waits for the disk. */
const SMALL_TASK_FILES = 8;

/** The files that wait for threads: those that are settled in order of arrival, and behind them those that may be read ahead. */
export class ConvertQueue {
  readonly #settled = new Line<Candidate>();
  readonly #early = new Line<Candidate>();
  /** Candidates that are not settled, by ticket. */
  readonly #byTicket = new Map<number, Candidate>();
  #aheadFiles = 0;
  #aheadBytes = 0;

  /** Settled files that wait. */
  get waiting(): number {
    return this.#settled.length;
  }

  /** Is there something to do for a thread? */
  get hasNext(): boolean {
    return this.#next() !== undefined;
  }

  /** Files that may be read ahead. */
  addAhead(files: readonly AheadFile[]): void {
    for (const file of files) {
      const candidate: Candidate = { file, state: 'waiting', isSettled: false, isLost: false };
      this.#byTicket.set(file.ticket, candidate);
      this.#early.push(candidate);
    }
  }

  /**
   * Files that are settled.
   * @returns those that were converted ahead
   */
  add(files: readonly ReadyFile[]): Candidate[] {
    const held: Candidate[] = [];
    for (const file of files) {
      const candidate = this.#settle(file);
      if (candidate.state === 'held') held.push(candidate);
      else if (candidate.state !== 'in_hand') this.#settled.push(candidate);
    }
    this.#dropSettled();
    return held;
  }

  /**
   * Forgets files at which something stirred.
   * @returns those that were converted ahead, in vain
   */
  lose(tickets: readonly number[]): Candidate[] {
    const lost = tickets.flatMap((ticket) => this.#leave(ticket) ?? []);
    for (const candidate of lost) candidate.isLost = true;
    return lost.filter(({ state }) => state === 'held');
  }

  /**
   * Takes the next files for one thread.
   * @param options isAlone: must the file travel alone?
   */
  take({ workers, isAlone }: { workers: number; isAlone(file: ReadyFile): boolean }): Candidate[] {
    const share = Math.ceil((this.#settled.length + this.#early.length) / workers);
    // The last tasks are small ones, so that all threads are done at about the same time.
    const most = Math.min(MAX_TASK_FILES, share, Math.max(SMALL_TASK_FILES, Math.ceil(share / 2)));
    const task: Candidate[] = [];
    let bytes = 0;
    for (let next = this.#next(); next && task.length < most; next = this.#next()) {
      const { file } = next;
      bytes += file.size;
      if (task.length > 0 && (isAlone(file) || bytes > MAX_TASK_BYTES)) break;
      task.push(this.#takeOne(next));
      if (isAlone(file)) break;
    }
    return task;
  }

  /** A file that was read ahead is converted. */
  hold(candidate: Candidate, result: ConvertResult): void {
    candidate.state = 'held';
    candidate.result = result;
  }

  /** A file could not be read ahead; it has its turn when it is settled. */
  giveUp(candidate: Candidate): void {
    candidate.state = 'unread';
    if (!candidate.isLost) this.#count(candidate, -1);
  }

  /**
   * Forgets all files.
   * @returns those that were converted ahead
   */
  clear(): Candidate[] {
    this.#settled.clear();
    this.#early.clear();
    return this.lose([...this.#byTicket.keys()]);
  }

  #settle(file: ReadyFile): Candidate {
    const known = file.ticket === undefined ? undefined : this.#leave(file.ticket);
    if (!known) return { file, state: 'waiting', isSettled: true, isLost: false };
    known.file = file;
    known.isSettled = true;
    return known;
  }

  /** The candidate is not ahead any more. */
  #leave(ticket: number): Candidate | undefined {
    const candidate = this.#byTicket.get(ticket);
    if (!candidate) return undefined;
    this.#byTicket.delete(ticket);
    if (isCounted(candidate)) this.#count(candidate, -1);
    return candidate;
  }

  #next(): Candidate | undefined {
    return this.#settled.first ?? this.#nextEarly();
  }

  #nextEarly(): Candidate | undefined {
    this.#dropSettled();
    const isFull = this.#aheadFiles >= MAX_AHEAD_FILES || this.#aheadBytes >= MAX_AHEAD_BYTES;
    return isFull ? undefined : this.#early.first;
  }

  /** What is settled or lost is early no more; mostly it lies at the head. */
  #dropSettled(): void {
    while (this.#early.first && (this.#early.first.isSettled || this.#early.first.isLost))
      this.#early.shift();
  }

  #takeOne(candidate: Candidate): Candidate {
    if (candidate.isSettled) this.#settled.shift();
    else {
      this.#early.shift();
      this.#count(candidate, 1);
    }
    candidate.state = 'in_hand';
    return candidate;
  }

  #count({ file }: Candidate, sign: 1 | -1): void {
    this.#aheadFiles += sign;
    this.#aheadBytes += sign * file.size;
  }
}

function isCounted({ state }: Candidate): boolean {
  return state === 'in_hand' || state === 'held';
}

/** First in, first out, without moving all that is in it each time. */
class Line<T> {
  readonly #items: (T | undefined)[] = [];
  #next = 0;

  get length(): number {
    return this.#items.length - this.#next;
  }

  get first(): T | undefined {
    return this.#items[this.#next];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): void {
    // Lets go of it: until the array is moved there may be very many.
    this.#items[this.#next++] = undefined;
    if (this.#next <= 1024 || this.#next * 2 <= this.#items.length) return;
    this.#items.splice(0, this.#next);
    this.#next = 0;
  }

  clear(): void {
    this.#items.length = 0;
    this.#next = 0;
  }
}
