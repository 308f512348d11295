import { type ColumnKind, columnKinds } from './column-kinds.js';

/** What the cells of a table's columns have in common. It helps to read records that break the rules. Plain data. */
export interface Habits {
  kinds: readonly ColumnKind[];
  /** By column: its cells stand in quotes. */
  quoted: readonly boolean[];
}

/** Of a table of which nothing is known. */
export const NO_HABITS: Habits = { kinds: [], quoted: [] };

/** Share of the cells with something in them. */
const MOST = 0.8;

/** A record as it was split. */
interface SampleRecord {
  cells: string[];
  quoted: readonly boolean[];
  /** Present when it broke the rules. */
  fault?: unknown;
}

/** The habits of the columns, from the first records below the header. */
export function habitsOf(records: readonly SampleRecord[], width: number): Habits {
  const sound = records.filter(({ cells, fault }) => cells.length === width && fault === undefined);
  const kinds = columnKinds(
    sound.map(({ cells }) => cells),
    width,
  );
  const quoted = Array.from({ length: width }, (_, column) => {
    const filled = sound.filter(({ cells }) => cells[column] !== '');
    const inQuotes = filled.filter((record) => record.quoted[column]).length;
    return filled.length > 0 && inQuotes >= filled.length * MOST;
  });
  return { kinds, quoted };
}
