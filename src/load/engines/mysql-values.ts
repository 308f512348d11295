import type { SqlValue } from '../engine.js';
import { integer } from './pg-values.js';

/** Column type LONGLONG of the protocol. */
const LONGLONG = 8;

interface Field {
  name: string;
  columnType?: number;
}

/** Turns 64-bit integers that mysql2 gave as text into bigints, in place; a row is an array or an object. */
export function normalizeRow(row: SqlValue[] | Record<string, SqlValue>, fields: Field[]): void {
  for (const [index, { name, columnType }] of fields.entries()) {
    if (columnType !== LONGLONG) continue;
    const cells = row as Record<string | number, SqlValue>;
    const key = Array.isArray(row) ? index : name;
    const value = cells[key];
    if (typeof value === 'string') cells[key] = integer(value);
  }
}
