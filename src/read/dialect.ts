/** How a delimited file is written. */
export interface Dialect {
  /** What stands between cells: one character, or two such as `", "`; '' when every line is one cell. */
  delimiter: string;
  /** One ASCII character around cells; '' when the file has no quotes. */
  quote: string;
  /**
   * How a quote stands inside a quoted cell: `double` (two of them), `backslash` (a backslash before it, which also
   * takes the meaning from a delimiter), `none` (as it is: only a quote before a delimiter or a line end closes).
   */
  escape: Escape;
  /** A carriage return that no line feed follows ends a record. */
  loneCrEnds: boolean;
}

export type Escape = 'double' | 'backslash' | 'none';

/** Where a setting came from: the user, the detection, or the default because nothing spoke for anything. */
export type Origin = 'user' | 'detected' | 'default';

/** Can the fast scanner read it: one-byte delimiter, quotes escaped by doubling? */
export function isPlain(dialect: Dialect): boolean {
  const { delimiter, quote } = dialect;
  return delimiter.length <= 1 && delimiter < '\x80' && (quote === '' || dialect.escape === 'double');
}
