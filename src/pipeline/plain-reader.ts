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
  const findToken = tokenFinder(options.nullTokens);
  return (
    read &&
    ((target, source, { from, to }) => read(target, source, { from, to: findToken(source, { from, to }) }))
  );
}
