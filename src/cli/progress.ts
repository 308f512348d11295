import { formatBytes, formatCount, formatDuration } from '../base/text.js';
import type { Pipeline } from '../pipeline/app.js';
import type { ReadyFile } from '../watch/types.js';

const REFRESH_MS = 200;

/** One line on a terminal: files, rows, MB/s, time left. Nothing at all where there is no terminal. */
export class Progress {
  readonly #isEnabled: boolean;
  #timer: NodeJS.Timeout | undefined;
  #shown = '';

  constructor({ isEnabled }: { isEnabled: boolean }) {
    this.#isEnabled = isEnabled;
  }

  /** Shows how far the files are, until `end`. */
  follow(pipeline: Pipeline, files: readonly ReadyFile[]): void {
    if (!this.#isEnabled || files.length === 0) return;
    const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
    const startedAt = performance.now();
    this.#timer = setInterval(() => {
      const { totals, inHand } = pipeline.intake;
      this.#show(
        line({
          done: totals.converted + totals.failed + totals.duplicates,
          files: files.length,
          rows: totals.rows + inHand.rows,
          bytes: Math.min(totalBytes, totals.bytes + inHand.bytes),
          totalBytes,
          elapsedMs: performance.now() - startedAt,
        }),
      );
    }, REFRESH_MS);
  }

  /** Writes something that stays, above the progress line. */
  above(write: () => void): void {
    const shown = this.#shown;
    this.#show('');
    write();
    this.#show(shown);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#show('');
  }

  #show(text: string): void {
    if (!this.#isEnabled || (text === '' && this.#shown === '')) return;
    process.stderr.write(`\r\u001b[2K${text}`);
    this.#shown = text;
  }
}

interface State {
  done: number;
  files: number;
  rows: number;
  bytes: number;
  totalBytes: number;
  elapsedMs: number;
}

/** `12/999 files, 4,740 rows, 83.1 MB/s, 3.4 s left`. */
export function line({ done, files, rows, bytes, totalBytes, elapsedMs }: State): string {
  const perMs = bytes / Math.max(1, elapsedMs);
  const left = perMs > 0 ? formatDuration((totalBytes - bytes) / perMs) : 'unknown time';
  const rate = `${formatBytes(Math.round(perMs * 1000))}/s`;
  return `${formatCount(done)}/${formatCount(files)} files, ${formatCount(Math.round(rows))} rows, ${rate}, ${left} left`;
}
