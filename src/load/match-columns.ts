/**
 * Finds the columns of a table among those of a file, by name. Exact names come first, so that two columns that differ only in
 * case can both be found. What is not found, or not for sure, is not in the answer.
 */
export function matchColumns<Column extends { name: string }, Found>(
  wanted: readonly Column[],
  { columns, nameOf }: { columns: readonly Found[]; nameOf(column: Found): string },
): Map<Column, Found> {
  const matches = new Map<Column, Found>();
  const left = new Set(columns);
  for (const fold of [(name: string) => name, (name: string) => name.toLowerCase()]) {
    for (const column of wanted) {
      if (matches.has(column)) continue;
      const found = [...left].filter((one) => fold(nameOf(one)) === fold(column.name));
      if (found.length !== 1) continue;
      matches.set(column, found[0]);
      left.delete(found[0]);
    }
  }
  return matches;
}
