import { parse } from 'csv-parse/sync';
import type { SqlType } from '../../src/base/sql-type.js';
import type { CaseRule, Dataset, DeclaredColumn } from '../../src/config/settings.js';

/*
 * The whole conversion, written again in the plainest way: one cell at a time, with csv-parse, no dictionaries, no
 * batches. It shares no code with the program. Files have a header of the declared names, commas, double quotes and LF.
 */

/** What the program must come to. */
export interface SimpleOutcome {
  verdict: 'converted' | 'failed';
  /** Of the first violation that fails the file, or `too_many_set_aside`. */
  code: string | null;
  counts: {
    rows_in: number;
    rows_out: number;
    dropped_missing: number;
    dropped_duplicate: number;
    set_aside: number;
  };
  /** Columns and rows of the Parquet file, values spelled as `spelled` does. */
  columns: string[];
  rows: SimpleValue[][];
  violationsByCode: Record<string, number>;
  /** Line numbers of the rows that are left out, in order. */
  leftOutLines: number[];
}

export type SimpleValue = boolean | number | string | null;

type Cell = { value: SimpleValue } | { code: string };
type Row = { line: number } & ({ fate: 'good'; values: SimpleValue[] } | { fate: Exclude<Fate, 'good'> });
type Fate = 'good' | 'missing' | 'invalid' | 'ragged' | 'duplicate';

export function convertSimply(text: string, dataset: Dataset): SimpleOutcome {
  const declared = dataset.columns as DeclaredColumn[];
  const [header, ...records] = parse(text, {
    relax_column_count: true,
    info: true,
    skip_empty_lines: true,
  }) as unknown as {
    record: string[];
    info: { lines: number };
  }[];
  const names = header.record.map((name) => name.trim().toLowerCase());
  const violations: { code: string; isFatal: boolean }[] = [];
  const tell = (code: string, isFatal: boolean) => violations.push({ code, isFatal });
  const seen = new Set<string>();
  let line = header.info.lines + 1;

  const rows = records.map(({ record, info }): Row => {
    const at = { line };
    line = info.lines + 1;
    if (record.length !== names.length && dataset.ragged !== 'rescue') {
      tell('ragged_row', dataset.ragged === 'fail_file');
      return { ...at, fate: 'ragged' };
    }
    const cells = declared.map((column) =>
      convertCell(record[names.indexOf(column.name)] ?? '', column, dataset),
    );
    for (const cell of cells) {
      if (!('code' in cell)) continue;
      const setting = cell.code === 'missing_value' ? dataset.missing : dataset.invalid;
      tell(cell.code, setting === 'fail_file');
    }
    const codes = cells.flatMap((cell) => ('code' in cell ? [cell.code] : []));
    if (codes.includes('missing_value')) return { ...at, fate: 'missing' };
    if (codes.length > 0) return { ...at, fate: 'invalid' };
    const values = cells.map((cell) => (cell as { value: SimpleValue }).value);
    if (hasRescue(dataset)) values.push(rescued(record, names, dataset));
    if (dataset.duplicates !== 'keep') {
      const key = JSON.stringify(values);
      if (seen.has(key)) {
        tell('duplicate_row', dataset.duplicates === 'fail_file');
        return { ...at, fate: 'duplicate' };
      }
      seen.add(key);
    }
    return { ...at, fate: 'good', values };
  });

  return conclude(rows, violations, dataset);
}

function conclude(
  rows: Row[],
  violations: { code: string; isFatal: boolean }[],
  dataset: Dataset,
): SimpleOutcome {
  const count = (...fates: Fate[]) => rows.filter(({ fate }) => fates.includes(fate)).length;
  const setAside = count('invalid', 'ragged');
  const limit =
    'rows' in dataset.maxSetAside ? dataset.maxSetAside.rows : dataset.maxSetAside.share * rows.length;
  const fatal = violations.filter(({ isFatal }) => isFatal);
  const code = fatal[0]?.code ?? (setAside > limit + 1e-6 ? 'too_many_set_aside' : null);
  const declared = (dataset.columns as DeclaredColumn[]).map(({ name }) => name);
  const told = fatal.length > 0 ? fatal : violations;
  const violationsByCode: Record<string, number> = {};
  for (const violation of told)
    violationsByCode[violation.code] = (violationsByCode[violation.code] ?? 0) + 1;
  return {
    verdict: code === null ? 'converted' : 'failed',
    code,
    counts:
      code === null
        ? {
            rows_in: rows.length,
            rows_out: count('good'),
            dropped_missing: count('missing'),
            dropped_duplicate: count('duplicate'),
            set_aside: setAside,
          }
        : {
            rows_in: rows.length,
            rows_out: 0,
            dropped_missing: 0,
            dropped_duplicate: 0,
            set_aside: rows.length,
          },
    columns: hasRescue(dataset) ? [...declared, '_rescued'] : declared,
    rows: rows.flatMap((row) => (row.fate === 'good' ? [row.values] : [])),
    violationsByCode,
    leftOutLines: rows.filter(({ fate }) => fate !== 'good').map(({ line }) => line),
  };
}

function hasRescue({ ragged, extraColumns }: Dataset): boolean {
  return ragged === 'rescue' || extraColumns === 'rescue';
}

function rescued(record: string[], names: string[], dataset: Dataset): string | null {
  const declared = (dataset.columns as DeclaredColumn[]).map(({ name }) => name);
  const extra = dataset.extraColumns === 'rescue' ? names.filter((name) => !declared.includes(name)) : [];
  const named = Object.fromEntries(extra.map((name) => [name, record[names.indexOf(name)] ?? '']));
  const surplus = record.slice(names.length);
  if (extra.length === 0) return surplus.length === 0 ? null : JSON.stringify(surplus);
  return JSON.stringify(surplus.length === 0 ? named : { ...named, '': surplus });
}

function convertCell(raw: string, column: DeclaredColumn, dataset: Dataset): Cell {
  const trimmed = raw.trim();
  if (dataset.nullTokens.includes(trimmed.toLowerCase())) {
    return column.nullable || dataset.missing === 'keep' ? { value: null } : { code: 'missing_value' };
  }
  const text = folded(trimmed, column.case);
  const cell = typed(text, column.type);
  if ('code' in cell) return cell;
  return keepsRules(text, cell.value, column.rules) ? cell : { code: 'rule_violation' };
}

function folded(text: string, rule: CaseRule): string {
  if (rule === 'keep') return text;
  return rule === 'lower' ? text.toLowerCase() : text.toUpperCase();
}

/** `minimum` and `maxLength` are enough to see that rules are asked. */
function keepsRules(text: string, value: SimpleValue, rules: Record<string, unknown> = {}): boolean {
  const { minimum, maxLength } = rules as { minimum?: number; maxLength?: number };
  if (minimum !== undefined && Number(value) < minimum) return false;
  return maxLength === undefined || Array.from(text).length <= maxLength;
}

const INTEGER_BITS = { smallint: 16, integer: 32, bigint: 64 } as const;

function typed(text: string, type: SqlType): Cell {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint': {
      if (!/^[-+]?[0-9]+$/.test(text)) return { code: 'wrong_type' };
      const value = BigInt(text.replace('+', ''));
      if (value !== BigInt.asIntN(INTEGER_BITS[type.kind], value)) return { code: 'out_of_range' };
      return { value: Number.isSafeInteger(Number(value)) ? Number(value) : String(value) };
    }
    case 'decimal':
      return typedDecimal(text, type.precision!, type.scale!);
    case 'double': {
      const value = Number(text);
      if (!/^[-+]?[0-9.]+(e[-+]?[0-9]+)?$/i.test(text) || Number.isNaN(value)) return { code: 'wrong_type' };
      return Number.isFinite(value) ? { value: value === 0 ? 0 : value } : { code: 'out_of_range' };
    }
    case 'boolean': {
      const yes = ['true', 't', 'yes', 'y', 'on', '1'].includes(text.toLowerCase());
      const no = ['false', 'f', 'no', 'n', 'off', '0'].includes(text.toLowerCase());
      return yes || no ? { value: yes } : { code: 'wrong_type' };
    }
    case 'date': {
      const time = Date.parse(`${text}T00:00:00Z`);
      const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && new Date(time || 0).toISOString().startsWith(text);
      return isDate ? { value: text } : { code: 'wrong_type' };
    }
    case 'timestamp': {
      const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(text);
      const time = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
      if (!match || Number.isNaN(time) || !new Date(time).toISOString().startsWith(match[1]))
        return { code: 'wrong_type' };
      const fraction = (match[3] ?? '').replace(/0+$/, '');
      return { value: `${match[1]} ${match[2]}${fraction && `.${fraction}`}` };
    }
    default:
      return type.length !== undefined && Array.from(text).length > type.length
        ? { code: 'too_long' }
        : { value: text };
  }
}

function typedDecimal(text: string, precision: number, scale: number): Cell {
  const match = /^([-+]?)([0-9]*)\.?([0-9]*)$/.exec(text);
  if (!match || match[2] + match[3] === '') return { code: 'wrong_type' };
  const whole = match[2].replace(/^0+/, '');
  const fraction = match[3].replace(/0+$/, '');
  if (whole.length > precision - scale || fraction.length > scale) return { code: 'out_of_range' };
  const isNegative = match[1] === '-' && whole + fraction !== '';
  const digits = `${whole || '0'}${scale > 0 ? `.${fraction.padEnd(scale, '0')}` : ''}`;
  return { value: `${isNegative ? '-' : ''}${digits}` };
}
