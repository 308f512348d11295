import { DropgateError } from '../base/errors.js';
import type { ByteSource } from './file-source.js';
import { guessEncoding } from './guess-encoding.js';
import { findInvalidUtf8, lastCharacterEnd } from './undecodable.js';

const CHUNK_BYTES = 1 << 20;
/** Bytes around characters beyond ASCII that are kept for the guess. */
const MAX_EVIDENCE_BYTES = 64 * 1024;
/** So many bytes that are not UTF-8, and more than there are characters that are, settle it. */
const ENOUGH_INVALID = 1000;
/** Share of control characters above which a file that is not UTF-8 is no text. */
const MAX_CONTROL_SHARE = 0.02;

/**
 * The encoding of a file that is not valid UTF-8, judged by the whole of it. Where most of what is beyond ASCII is
 * valid UTF-8, it is UTF-8 with damaged places; else the lines with such bytes are given to a guess.
 * Errors: `binary_file`, and those of the source.
 */
export async function surveyEncoding(source: ByteSource): Promise<string> {
  const survey = new Survey();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let held = 0;
  for (;;) {
    const filled = source.fill(chunk, held, chunk.length - held);
    const count = typeof filled === 'number' ? filled : await filled;
    const bytes = chunk.subarray(0, held + count);
    const whole = count === 0 ? bytes.length : lastCharacterEnd(bytes);
    survey.add(bytes.subarray(0, whole));
    if (count === 0 || survey.isSettled) return survey.verdict();
    chunk.copyWithin(0, whole, bytes.length);
    held = bytes.length - whole;
  }
}

class Survey {
  #bytes = 0;
  #controls = 0;
  #characters = 0;
  #invalid = 0;
  readonly #evidence: Uint8Array[] = [];
  #evidenceBytes = 0;

  get isSettled(): boolean {
    return this.#invalid > ENOUGH_INVALID && this.#invalid > this.#characters;
  }

  add(bytes: Uint8Array): void {
    const invalid = findInvalidUtf8(bytes);
    const { leads, controls } = countBytes(bytes);
    this.#bytes += bytes.length;
    this.#controls += controls;
    this.#invalid += invalid.length;
    this.#characters += leads - invalid.filter((at) => bytes[at] >= 0xc0).length;
    if (invalid.length > 0) this.#keepLines(bytes);
  }

  verdict(): string {
    if (this.#controls > this.#bytes * MAX_CONTROL_SHARE) {
      throw new DropgateError(
        'binary_file',
        `the content is binary: ${this.#controls} of ${this.#bytes} bytes are control characters`,
      );
    }
    if (this.#characters >= this.#invalid) return 'utf-8';
    return guessEncoding(Buffer.concat(this.#evidence));
  }

  /** Keeps lines with bytes beyond ASCII, up to a bound. */
  #keepLines(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && this.#evidenceBytes < MAX_EVIDENCE_BYTES; ) {
      const feed = bytes.indexOf(10, from);
      const end = Math.min(feed < 0 ? bytes.length : feed + 1, from + MAX_EVIDENCE_BYTES);
      const line = bytes.slice(from, end);
      if (line.some((byte) => byte >= 0x80)) {
        this.#evidence.push(line);
        this.#evidenceBytes += line.length;
      }
      from = end;
    }
  }
}

/** Counts bytes that begin a character of several bytes, and control characters that text does not have. */
function countBytes(bytes: Uint8Array): { leads: number; controls: number } {
  let leads = 0;
  let controls = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte >= 0xc0) leads++;
    else if (byte < 32 && byte !== 10 && byte !== 13 && byte !== 9 && byte !== 12) controls++;
  }
  return { leads, controls };
}
