import { isPlain } from './dialect.js';
import { FastScanner } from './fast-scanner.js';
import { GeneralScanner } from './general-scanner.js';
import type { Scanner, ScannerOptions } from './scanner.js';

/** The fastest scanner that reads a dialect. */
export function makeScanner(options: ScannerOptions): Scanner {
  return isPlain(options.dialect) ? new FastScanner(options) : new GeneralScanner(options);
}
