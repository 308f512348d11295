import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { quoteValue } from '../base/text.js';

/** A value that its column cannot hold. The message says which value and why. */
export class CellError extends Error {}

/** `"abc" does not fit INTEGER` */
export function misfit(text: string, target: SqlType): CellError {
  return new CellError(`${quoteValue(text)} does not fit ${formatSqlType(target)}`);
}
