import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const PIECE_BYTES = 1 << 20;

/** Counts lines of a growing log by what they say, reading only what is new: looking again and again costs nothing. */
export class LogTail {
  #file;
  #at = 0;
  #rest = '';
  #counts = new Map();
  /** The first line that tells of an error. */
  firstError;

  /** @param {string} file it may come into being later */
  constructor(file) {
    this.#file = file;
  }

  /** How many lines so far say `event`, such as `Converted` or `Loaded`. */
  count(event) {
    this.#readOn();
    return this.#counts.get(event) ?? 0;
  }

  #readOn() {
    if (!existsSync(this.#file)) return;
    const file = openSync(this.#file, 'r');
    try {
      // Asked once: a buffer for nothing would be filled for ever with what was written a moment later.
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(PIECE_BYTES, size - this.#at));
      while (this.#at < size) {
        const length = readSync(file, bytes, 0, bytes.length, this.#at);
        this.#at += length;
        this.#take(bytes.toString('latin1', 0, length));
      }
    } finally {
      closeSync(file);
    }
  }

  #take(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      const [, level, event] = / - (INFO|WARNING|ERROR) - (\w+)/.exec(line) ?? [];
      this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
      if (level === 'ERROR') this.firstError ??= line;
    }
  }
}
