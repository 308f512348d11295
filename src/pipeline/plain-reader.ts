import type { Vector } from '../base/vector.js';
import { byteReaderFor } from '../check/parse-bytes.js';
import { oddCellTest, textCopier } from '../clean/clean-bytes.js';
import type { ConverterOptions } from './column-converter.js';

/**
 * Cleans and types the cell `source.bytes[start..end)` without making a text of it, and appends its value to `target`.
 * False, and nothing is appended, for cells that are not in the plainest form of their type: missing, padded, wrong, or
 * merely unusual.
 */
export type PlainReader = (target: Vector, source: Vector, start: number, end: number) => boolean;

const TEXT_KINDS = new Set(['char', 'varchar', 'text']);

/** The reader of a column; undefined when every cell of it has to become a text. */
export function plainReaderFor({ spec, rules, ...cleaning }: ConverterOptions): PlainReader | undefined {
  if (rules) return undefined;
  const { type } = spec;
  const isOdd = oddCellTest(cleaning.nullTokens);
  if (TEXT_KINDS.has(type.kind)) {
    const copy = textCopier(cleaning.case);
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
