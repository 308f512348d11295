import { shapeOf } from './value-shape.js';

/** What most cells of a column are; undefined where they are texts, or of many kinds, or too few. */
export type ColumnKind = 'number' | 'form' | undefined;

/** Share of the cells with something in them. */
const MOST = 0.8;

/** The kinds of the columns of a table, found from some of its records. */
export function columnKinds(rows: readonly string[][], width: number): ColumnKind[] {
  return Array.from({ length: width }, (_, column) => {
    let filled = 0;
    let numbers = 0;
    let forms = 0;
    for (const row of rows) {
      const kind = kindOf(row[column] ?? '');
      if (kind === 'missing') continue;
      filled++;
      if (kind === 'number') numbers++;
      else if (kind === 'form') forms++;
    }
    if (filled === 0) return undefined;
    if (numbers >= filled * MOST) return 'number';
    return forms >= filled * MOST ? 'form' : undefined;
  });
}

const MISSING = /^(|n\/?a|#n\/a|nan|null|none|-+|\.+|\?|\*)$/i;

/** What a single cell is. */
export function kindOf(cell: string): 'number' | 'form' | 'text' | 'missing' {
  const text = cell.trim();
  if (MISSING.test(text)) return 'missing';
  const { kind } = shapeOf(text);
  return kind === 'other' ? 'text' : kind;
}

/** How a record stands to the kinds of the columns. */
export interface KindMatch {
  /** Cells in columns of a kind that are of it. */
  same: number;
  /** Cells in columns of a kind that are something else. */
  other: number;
}

export function matchKinds(cells: readonly string[], kinds: readonly ColumnKind[]): KindMatch {
  const match = { same: 0, other: 0 };
  kinds.forEach((kind, column) => {
    const cell = cells[column] ?? '';
    if (kind === undefined || cell.trim() === '') return;
    const own = kindOf(cell);
    if (own === kind) match.same++;
    else if (own !== 'missing') match.other++;
  });
  return match;
}
