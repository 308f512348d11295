import { syncFile } from './files.js';

/** So much is written before it is worth a flush; it is also about what is left for the flush at the end. */
const STRETCH_BYTES = 32 << 20;

/**
 * Flushes a file to the disk while it is being written, so that little is left to wait for when it is complete. The system
 * tells of a write that was lost only once: who flushes early must look at what came of it.
 */
export class EarlyFlush {
  readonly #path: string;
  readonly #stretchBytes: number;
  #unflushedBytes = 0;
  #underWay: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(path: string, stretchBytes = STRETCH_BYTES) {
    this.#path = path;
    this.#stretchBytes = stretchBytes;
  }

  /** So many bytes more were written. */
  wrote(bytes: number): void {
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes < this.#stretchBytes || this.#underWay || this.#failure) return;
    this.#unflushedBytes = 0;
    this.#underWay = this.#flush();
  }

  /** Waits for the flush that is under way. @throws what a flush failed with, a system error */
  async finish(): Promise<void> {
    await this.#underWay;
    if (this.#failure) throw this.#failure.error;
  }

  async #flush(): Promise<void> {
    try {
      await syncFile(this.#path);
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#underWay = undefined;
    }
  }
}
