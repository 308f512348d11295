/** The name of a column as the table has it: trimmed, inner white space single, lower case unless names are kept. */
export function cleanName(raw: string, names: 'lower' | 'keep'): string {
  if (names === 'keep') return raw;
  return raw.trim().replace(/\s+/g, ' ').toLowerCase();
}
