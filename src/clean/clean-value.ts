/** How the values of one column are cleaned. */
export interface CleanOptions {
  case: 'lower' | 'upper' | 'keep';
  /** Trimmed texts that mean "no value"; letter case does not count. */
  nullTokens: readonly string[];
  /** Leave white space around values alone; only for tables without a contract. */
  keepWhiteSpace?: boolean;
}

/**
 * Returns a function from a cell as it stands in the file to its clean text, or null when the value is missing.
 * Applied twice it changes nothing more.
 */
export function cleanerFor(options: CleanOptions): (raw: string) => string | null {
  const nullTokens = new Set(options.nullTokens.map(folded));
  const longest = longestOf(options.nullTokens);
  return (raw) => {
    const trimmed = raw.trim();
    if (trimmed.length <= longest && nullTokens.has(folded(trimmed))) return null;
    const text = options.keepWhiteSpace ? raw : trimmed;
    if (options.case === 'lower') return text.toLowerCase();
    if (options.case === 'upper') return text.toUpperCase();
    return text;
  };
}

/** Length of the longest token in UTF-16 units: a longer text is none of them. */
export function longestOf(nullTokens: readonly string[]): number {
  return Math.max(0, ...nullTokens.map((token) => token.length));
}

/** The same for texts that differ in letter case only, those included whose upper case is longer, such as ß. */
export function folded(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase();
}
