import type { SqlType } from '../base/sql-type.js';

/** A declared table. Structurally the table of the settings. */
export interface TargetTable {
  name: string;
  columns: { name: string; type: SqlType }[];
  /** Column names; the primary key of a table that is created. Needed for upsert. */
  key: string[];
  mode: 'append' | 'upsert' | 'replace';
  /** Each a list of column names. */
  indexes: string[][];
}
