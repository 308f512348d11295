/** How a delimited file is written. */
export interface Dialect {
  /** One ASCII character between cells. */
  delimiter: string;
  /** One ASCII character around cells, doubled inside them; '' when the file has no quotes. */
  quote: string;
  /** A carriage return that no line feed follows ends a record. */
  loneCrEnds: boolean;
}

/** Where a setting came from: the user, the detection, or the default because nothing spoke for anything. */
export type Origin = 'user' | 'detected' | 'default';
