import type { CellReader } from '../base/cells.js';
import type { ColumnSpec } from '../base/vector.js';
import { cellReaderFor } from '../check/parse-bytes.js';
import { textCopier, tokenFinder } from '../clean/clean-bytes.js';

const TEXT_KINDS = new Set(['char', 'varchar', 'text']);

export interface PlainReaderOptions {
  spec: ColumnSpec;
  case: 'lower' | 'upper' | 'keep';
  nullTokens: readonly string[];
  rules?: Record<string, unknown>;
}

/**
 * The reader that cleans and types the cells of a column without making texts of them; it stops at those that are missing,
 * padded, wrong, or merely unusual. Undefined when every cell of the column has to become a text.
 */
export function plainReaderFor(options: PlainReaderOptions): CellReader | undefined {
  if (options.rules) return undefined;
  const { type } = options.spec;
  if (TEXT_KINDS.has(type.kind)) return textCopier({ ...options, maxLength: type.length });
  const read = cellReaderFor(type);
  return read && withoutTokens(read, options.nullTokens);
}

/** Cells that are looked through for a missing one before any of them is read: so many at first, and then more and more. */
const FIRST_LOOK = 16;
const LOOK_GROWTH = 4;

/**
 * A reader that stops at tokens, too. It looks ahead for them, but not far at first: where one cell after the other makes it
 * stop, the same cells would be looked through again and again.
 */
function withoutTokens(read: CellReader, nullTokens: readonly string[]): CellReader {
  const findToken = tokenFinder(nullTokens);
  return (target, source, { from, to }) => {
    for (let look = FIRST_LOOK; from < to; look *= LOOK_GROWTH) {
      const end = Math.min(to, from + look);
      const stop = read(target, source, { from, to: findToken(source, { from, to: end }) });
      if (stop < end) return stop;
      from = end;
    }
    return to;
  };
}
