/** How the values of one column are cleaned. */
export interface CleanOptions {
  case: 'lower' | 'upper' | 'keep';
  /** Lower-cased and trimmed texts that mean "no value". */
  nullTokens: readonly string[];
  /** Leave white space around values alone; only for tables without a contract. */
  keepWhiteSpace?: boolean;
}

/**
 * Returns a function from a cell as it stands in the file to its clean text, or null when the value is missing.
 * Applied twice it changes nothing more.
 */
export function cleanerFor(options: CleanOptions): (raw: string) => string | null {
  const nullTokens = new Set(options.nullTokens);
  const longest = Math.max(-1, ...options.nullTokens.map((token) => token.length));
  return (raw) => {
    const trimmed = raw.trim();
    if (trimmed.length <= longest && nullTokens.has(trimmed.toLowerCase())) return null;
    const text = options.keepWhiteSpace ? raw : trimmed;
    if (options.case === 'lower') return text.toLowerCase();
    if (options.case === 'upper') return text.toUpperCase();
    return text;
  };
}
