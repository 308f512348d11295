import type { ColumnSpec, Vector } from '../base/vector.js';
import { byteReaderFor } from '../check/parse-bytes.js';
import { oddCellTest, textCopier } from '../clean/clean-bytes.js';

/**
 * Cleans and types the cell `source.bytes[start..end)` without making a text of it, and appends its value to `target`.
 * False, and nothing is appended, for cells that are not in the plainest form of their type: missing, padded, wrong, or
 * merely unusual.
 */
export type PlainReader = (target: Vector, source: Vector, start: number, end: number) => boolean;

const TEXT_KINDS = new Set(['char', 'varchar', 'text']);

export interface PlainReaderOptions {
  spec: ColumnSpec;
  case: 'lower' | 'upper' | 'keep';
  nullTokens: readonly string[];
  rules?: Record<string, unknown>;
}

/** The reader of a column; undefined when every cell of it has to become a text. */
export function plainReaderFor(options: PlainReaderOptions): PlainReader | undefined {
  if (options.rules) return undefined;
  const { type } = options.spec;
  const isOdd = oddCellTest(options.nullTokens);
  if (TEXT_KINDS.has(type.kind)) {
    const copy = textCopier(options.case);
    const maxLength = type.length ?? Number.POSITIVE_INFINITY;
    return (target, source, start, end) =>
      !isOdd(source.bytes, start, end) && end - start <= maxLength && copy(target, source, start, end);
  }
  const read = byteReaderFor(type);
  return (
    read &&
    ((target, source, start, end) =>
      !isOdd(source.bytes, start, end) && read(target, source.bytes, start, end))
  );
}
