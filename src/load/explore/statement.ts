import { DropgateError } from '../../base/errors.js';
import { quoteValue } from '../../base/text.js';
import type { SqlDialect, SqlValue } from '../engine.js';
import { quoteName } from '../quote.js';
import { classOf, type ExploredColumn, type ExploredTable } from './column.js';
import type { TimeUnit } from './scale.js';

/** A statement that is ready to run. */
export interface ReadyStatement {
  sql: string;
  params: SqlValue[];
}

/** Longest text that an answer carries of a value. */
export const MAX_TEXT_CHARACTERS = 200;

/**
 * Writes one statement that reads a table. The columns in use are read once, in a subquery that gives them plain names;
 * names of tables and columns only ever stand there, quoted, and values only ever are parameters.
 */
export class StatementWriter {
  readonly dialect: SqlDialect;
  readonly #table: ExploredTable;
  readonly #values: SqlValue[] = [];
  readonly #used: string[] = [];

  constructor(dialect: SqlDialect, table: ExploredTable) {
    this.dialect = dialect;
    this.#table = table;
  }

  /** The plain name of a column. */
  column({ name }: ExploredColumn): string {
    if (!this.#used.includes(name)) this.#used.push(name);
    return `c${this.#used.indexOf(name)}`;
  }

  /** A parameter. NUL cannot stand in any name, so the mark is never something else. */
  value(value: SqlValue): string {
    this.#values.push(value);
    return `\0${this.#values.length - 1}\0`;
  }

  /** The table, as something that stands behind FROM. To be asked for when all columns have been named. */
  source(): string {
    const { name, firstRows } = this.#table;
    const columns = this.#used.map((used, index) => `${quoteName(this.dialect, used)} AS c${index}`);
    const limit = firstRows === undefined ? '' : ` LIMIT ${whole(firstRows)}`;
    // A count of all rows needs no column.
    return `(SELECT ${columns.join(', ') || '1 AS c'} FROM ${quoteName(this.dialect, name)}${limit}) AS src`;
  }

  /** The statement with its parameters in the notation of the dialect. */
  finish(sql: string): ReadyStatement {
    const params: SqlValue[] = [];
    const text = sql.replace(/\0(\d+)\0/g, (_, index) => {
      params.push(this.#values[Number(index)]);
      return this.dialect === 'postgres' ? `$${params.length}` : '?';
    });
    return { sql: text, params };
  }

  /** As a double, from any number or a truth value. */
  double(column: ExploredColumn): string {
    return this.asDouble(this.#number(column));
  }

  /** What is summed: exact numbers are summed exactly, all others as doubles. */
  summand(column: ExploredColumn): string {
    const { kind } = column.type;
    return kind === 'real' ? this.double(column) : this.#number(column);
  }

  /** An expression that is a number as a double. */
  asDouble(expression: string): string {
    return this.dialect === 'mysql' ? `(0E0 + ${expression})` : `CAST(${expression} AS double precision)`;
  }

  #number(column: ExploredColumn): string {
    const name = this.column(column);
    const isTruth = classOf(column) === 'boolean' && this.dialect === 'postgres';
    return isTruth ? `CAST(${name} AS integer)` : name;
  }

  /** As text, at most {@link MAX_TEXT_CHARACTERS} of it. */
  text(column: ExploredColumn): string {
    return `LEFT(${this.wholeText(column)}, ${MAX_TEXT_CHARACTERS})`;
  }

  /** As text in full, in an order that is the same everywhere: that of the code points. */
  wholeText(column: ExploredColumn): string {
    const name = this.column(column);
    return this.dialect === 'mysql'
      ? `CAST(${name} AS CHAR) COLLATE utf8mb4_bin`
      : `CAST(${name} AS text) COLLATE "C"`;
  }

  /** Something that can be grouped and counted distinct, without loss. */
  comparable(column: ExploredColumn): string {
    return column.type.kind === 'json' ? this.wholeText(column) : this.column(column);
  }

  /** The beginning of the time unit that a value lies in, as `2026-11-22` or `2026-11-22 06:00`. */
  bucket(column: ExploredColumn, unit: TimeUnit): string {
    const name = this.column(column);
    if (this.dialect === 'postgres') {
      const form = isShorterThanDay(unit) ? 'YYYY-MM-DD HH24:MI' : 'YYYY-MM-DD';
      return `to_char(date_trunc('${unit}', ${name}), '${form}')`;
    }
    return MYSQL_BUCKETS[unit](name);
  }

  /** A time as `2026-11-22T06:31:02`. */
  isoTime(expression: string): string {
    return this.dialect === 'postgres'
      ? `to_char(${expression}, 'YYYY-MM-DD"T"HH24:MI:SS')`
      : `DATE_FORMAT(${expression}, '%Y-%m-%dT%H:%i:%s')`;
  }

  /** A value of a filter, as what the column is compared with. @throws DropgateError `usage` when it is no such value */
  compared(column: ExploredColumn, value: string): string {
    switch (classOf(column)) {
      case 'number':
        if (!/^[-+]?(\d{1,40}(\.\d{0,20})?|\.\d{1,20})$/.test(value.trim()))
          throw unfit(column, { value, wanted: 'a number' });
        return `CAST(${this.value(value.trim())} AS ${this.dialect === 'postgres' ? 'numeric' : 'DECIMAL(65,20)'})`;
      case 'time':
        return this.#comparedTime(column, value);
      case 'boolean':
        if (value !== 'true' && value !== 'false') throw unfit(column, { value, wanted: 'true or false' });
        return value.toUpperCase();
      case 'text':
        return this.dialect === 'postgres' ? `CAST(${this.value(value)} AS text)` : this.value(value);
    }
  }

  #comparedTime(column: ExploredColumn, value: string): string {
    const text = value.trim().replace('T', ' ').replace(/Z$/, '');
    const isTime = /^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$/.test(text);
    if (!isTime || Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00:00Z`)))
      throw unfit(column, { value, wanted: 'a date such as 2026-11-22, or a time such as 2026-11-22 06:31' });
    const type = this.dialect === 'postgres' ? 'timestamp' : 'DATETIME(6)';
    return `CAST(${this.value(text)} AS ${type})`;
  }
}

const MYSQL_BUCKETS: Record<TimeUnit, (name: string) => string> = {
  year: (name) => `DATE_FORMAT(${name}, '%Y-01-01')`,
  quarter: (name) =>
    `CONCAT(LPAD(YEAR(${name}), 4, '0'), '-', LPAD(QUARTER(${name}) * 3 - 2, 2, '0'), '-01')`,
  month: (name) => `DATE_FORMAT(${name}, '%Y-%m-01')`,
  week: (name) => `DATE_FORMAT(DATE_SUB(${name}, INTERVAL WEEKDAY(${name}) DAY), '%Y-%m-%d')`,
  day: (name) => `DATE_FORMAT(${name}, '%Y-%m-%d')`,
  hour: (name) => `DATE_FORMAT(${name}, '%Y-%m-%d %H:00')`,
  minute: (name) => `DATE_FORMAT(${name}, '%Y-%m-%d %H:%i')`,
};

function isShorterThanDay(unit: TimeUnit): boolean {
  return unit === 'hour' || unit === 'minute';
}

/** For numbers that stand in a statement as such. */
function whole(number: number): string {
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${number} is no count`);
  return String(number);
}

function unfit(column: ExploredColumn, { value, wanted }: { value: string; wanted: string }): DropgateError {
  return new DropgateError(
    'usage',
    `Column ${quoteValue(column.name)} is compared with ${quoteValue(value)}; expected ${wanted}.`,
  );
}
