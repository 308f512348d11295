import { type CellReader, Cells } from '../base/cells.js';
import { type ColumnSpec, physicalOf, Vector } from '../base/vector.js';
import { cellReaderFor } from '../check/parse-bytes.js';
import { textCopier, tokenFinder } from '../clean/clean-bytes.js';
import { folded } from '../clean/clean-value.js';

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
  return read && withoutTokens(read, options);
}

/** Cells that are looked through for a missing one before any of them is read: so many at first, then more and more, at last so many. */
const FIRST_LOOK = 16;
const LOOK_GROWTH = 4;
/** The cells are then still in the processor's cache. */
const MAX_LOOK = 256;

/**
 * A reader that stops at tokens, too. Mostly it does so by itself, since the tokens are no values of the type. Where one is,
 * it looks ahead for tokens, but not far at first: where one cell after the other makes it stop, the same cells would be
 * looked through again and again.
 */
function withoutTokens(read: CellReader, { spec, nullTokens }: PlainReaderOptions): CellReader {
  const values = nullTokens.filter((token) => isRead(read, { spec, token }));
  if (values.length === 0) return read;
  const findToken = tokenFinder(values);
  return (target, source, { from, to }) => {
    for (let look = FIRST_LOOK; from < to; look = Math.min(MAX_LOOK, look * LOOK_GROWTH)) {
      const end = Math.min(to, from + look);
      const stop = read(target, source, { from, to: findToken(source, { from, to: end }) });
      if (stop < end) return stop;
      from = end;
    }
    return to;
  };
}

/** Would the reader take a token for a value? What it takes in some letter case it takes in lower case. */
function isRead(read: CellReader, { spec, token }: { spec: ColumnSpec; token: string }): boolean {
  const cells = new Cells();
  const bytes = Buffer.from(`${folded(token)}\n`);
  cells.grow(1);
  cells.putAside(0, bytes, { start: 0, stop: bytes.length - 1 });
  const { source, index } = cells.find(0);
  return read(new Vector(physicalOf(spec.type)), source, { from: index, to: index + 1 }) > index;
}
