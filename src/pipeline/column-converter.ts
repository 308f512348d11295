import type { CellReader, CellSource, Cells } from '../base/cells.js';
import type { ColumnSpec } from '../base/vector.js';
import { NULL_ID, physicalOf, type TypedColumn, Vector } from '../base/vector.js';
import { type PhysicalValue, parserFor, type ValueParser, Violation } from '../check/parse-value.js';
import { compileRules, type RuleCheck } from '../check/rules.js';
import { TrimmedCell } from '../clean/clean-bytes.js';
import { cleanerFor } from '../clean/clean-value.js';
import { plainReaderFor } from './plain-reader.js';

/** What a row's flag says; 0 is a good row. A missing value counts more than an invalid one, in whatever order they stand. */
export const ROW = { good: 0, missing: 1, invalid: 2, duplicate: 3 } as const;

export interface ConverterOptions {
  spec: ColumnSpec;
  case: 'lower' | 'upper' | 'keep';
  nullTokens: readonly string[];
  keepWhiteSpace: boolean;
  /** A NULL is kept (nullable column, or `missing: keep`) instead of making the row a missing one. */
  keepNulls: boolean;
  rules?: Record<string, unknown>;
}

/** Results for a raw value that are no id: see {@link ColumnConverter}. */
const MISSING = -1;
const FIRST_VIOLATION = -2;

/**
 * Cleans, types and checks one column: clean ∘ parse ∘ rules, evaluated once for each distinct raw value while the
 * column is in dictionary mode, and once a cell when it is not. Values that become equal by cleaning share one id.
 */
export class ColumnConverter {
  readonly spec: ColumnSpec;
  readonly #options: ConverterOptions;
  readonly #clean: (raw: string) => string | null;
  readonly #parser: ValueParser;
  readonly #checkRules: RuleCheck | undefined;
  readonly #readPlainly: CellReader | undefined;
  /** The distinct clean values. */
  readonly values: Vector;
  readonly #idOfValue = new Map<PhysicalValue, number>();
  /** By raw id: the clean value's id, MISSING, or FIRST_VIOLATION minus the index of the violation. */
  #resultOfRaw = new Int32Array(64);
  #known = 0;
  /** Every raw value has the id of its clean value: none is missing or invalid, and no two become equal. */
  #areSame = true;
  readonly #violations: Violation[] = [];
  /** Result of the last batch, reused for the next. */
  #ids = new Uint32Array(0);
  #plain: { values: Vector; nulls: Uint8Array } | undefined;
  readonly #trimmed = new TrimmedCell();
  /** Violations of the last plain batch, by row. */
  readonly #violationOfRow = new Map<number, Violation>();

  constructor(options: ConverterOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#clean = cleanerFor(options);
    this.#parser = parserFor(options.spec.type);
    this.#checkRules = options.rules && compileRules(options.rules, options.spec.type);
    this.#readPlainly = plainReaderFor(options);
    this.values = new Vector(physicalOf(options.spec.type));
  }

  /** Forgets all dictionary values, together with the raw dictionary whose ids it translates. */
  clear(): void {
    this.values.clear();
    this.#idOfValue.clear();
    this.#known = 0;
    this.#areSame = true;
    this.#violations.length = 0;
  }

  /**
   * Converts a batch in dictionary mode. `raw` holds the distinct raw values, `ids` one raw id a row. Rows with a
   * missing or invalid value are flagged in `flags`. The result is valid until the next batch is scanned.
   */
  convertIds(batch: { raw: Vector; ids: Uint32Array; rowCount: number; flags: Uint8Array }): TypedColumn {
    this.#learn(batch.raw);
    const { ids, rowCount, flags } = batch;
    if (this.#areSame) return { ids, values: this.values, isFull: true };
    if (this.#ids.length < rowCount) this.#ids = new Uint32Array(Math.max(rowCount, ids.length));
    const out = this.#ids;
    const results = this.#resultOfRaw;
    // MISSING is -1, which a Uint32Array stores as NULL_ID; whatever is no id is negative.
    let signs = 0;
    for (let row = 0; row < rowCount; row++) {
      const result = results[ids[row]];
      signs |= result;
      out[row] = result;
    }
    if (signs < 0) this.#flagRows(rowCount, flags);
    return { ids: out, values: this.values, isFull: signs >= 0 };
  }

  /** Converts a batch in plain mode: one cell a row. */
  convertCells(cells: Cells, rowCount: number, flags: Uint8Array): TypedColumn {
    this.#violationOfRow.clear();
    this.#plain ??= { values: new Vector(physicalOf(this.spec.type), rowCount), nulls: new Uint8Array(0) };
    const { values } = this.#plain;
    values.clear();
    if (this.#plain.nulls.length < rowCount) this.#plain.nulls = new Uint8Array(rowCount);
    const { nulls } = this.#plain;
    nulls.fill(0, 0, rowCount);
    const read = this.#readPlainly;
    let anyNull = false;
    for (let row = 0; row < rowCount; row++) {
      // 1. Cells in the plain form of the type, as far as they reach.
      if (read) row = readAhead(read, values, { cells, from: row, to: rowCount });
      if (row >= rowCount) break;
      // 2. One that has white space around it may be of that form, too.
      if (read && this.#readsTrimmed(read, cells.find(row))) continue;
      // 3. All others as texts.
      const result = this.#convert(cells.textAt(row));
      if (result === null || result instanceof Violation) {
        nulls[row] = 1;
        anyNull = true;
        values.pushZero();
        if (result === null) this.#flagMissing(row, flags);
        else {
          this.#violationOfRow.set(row, result);
          if (flags[row] === ROW.good) flags[row] = ROW.invalid;
        }
      } else {
        this.#parser.push(values, result);
      }
    }
    return anyNull ? { values, nulls } : { values };
  }

  #readsTrimmed(read: CellReader, { source, index }: { source: CellSource; index: number }): boolean {
    if (this.#options.keepWhiteSpace) return false;
    this.#trimmed.set(source, index);
    return read(this.#plain!.values, this.#trimmed, { from: 0, to: 1 }) === 1;
  }

  /** The violation of a row of the last batch, or undefined. */
  violationAt(row: number, column: TypedColumn): Violation | undefined {
    if (!column.ids) return this.#violationOfRow.get(row);
    const result = column.ids[row] | 0;
    return result <= FIRST_VIOLATION ? this.#violations[FIRST_VIOLATION - result] : undefined;
  }

  /** Is the value of a row of the last batch missing? */
  isMissing(row: number, column: TypedColumn): boolean {
    if (column.ids) return column.ids[row] === NULL_ID;
    return column.nulls?.[row] === 1 && !this.#violationOfRow.has(row);
  }

  #flagMissing(row: number, flags: Uint8Array): void {
    if (!this.#options.keepNulls) flags[row] = ROW.missing;
  }

  #flagRows(rowCount: number, flags: Uint8Array): void {
    const ids = this.#ids;
    for (let row = 0; row < rowCount; row++) {
      const result = ids[row] | 0;
      if (result >= 0) continue;
      if (result === MISSING) this.#flagMissing(row, flags);
      else if (flags[row] === ROW.good) flags[row] = ROW.invalid;
    }
  }

  /** Converts the raw values that are new since the last batch. */
  #learn(raw: Vector): void {
    if (raw.length > this.#resultOfRaw.length) {
      const next = new Int32Array(raw.length * 2);
      next.set(this.#resultOfRaw);
      this.#resultOfRaw = next;
    }
    for (; this.#known < raw.length; this.#known++) {
      const result = this.#resultOf(rawText(raw, this.#known));
      this.#resultOfRaw[this.#known] = result;
      if (result !== this.#known) this.#areSame = false;
    }
  }

  #resultOf(text: string): number {
    const result = this.#convert(text);
    if (result === null) {
      return MISSING;
    }
    if (result instanceof Violation) {
      this.#violations.push(result);
      return FIRST_VIOLATION - (this.#violations.length - 1);
    }
    const known = this.#idOfValue.get(result);
    if (known !== undefined) return known;
    const id = this.values.length;
    this.#parser.push(this.values, result);
    this.#idOfValue.set(result, id);
    return id;
  }

  #convert(raw: string): PhysicalValue | null | Violation {
    const text = this.#clean(raw);
    if (text === null) return null;
    const value = this.#parser.parse(text);
    if (value instanceof Violation) return value;
    return this.#checkRules?.(text) ?? value;
  }
}

/** The text of a raw cell. */
export function rawText(cells: Vector, index: number): string {
  const bytes = cells.bytes;
  return Buffer.from(
    bytes.buffer,
    bytes.byteOffset + cells.offsets[index],
    cells.offsets[index + 1] - cells.offsets[index],
  ).toString('utf8');
}

/** Reads cells in the plain form of a type, those that were set aside as well, as far as they reach. Answers how far that is. */
function readAhead(
  read: CellReader,
  values: Vector,
  { cells, from, to }: { cells: Cells; from: number; to: number },
): number {
  for (let row = from; ; ) {
    row = read(values, cells, { from: row, to });
    if (row >= to || !cells.isAside(row)) return row;
    const aside = cells.findAside(row, to);
    const stop = read(values, aside.source, aside);
    row += stop - aside.from;
    if (stop < aside.to) return row;
  }
}
