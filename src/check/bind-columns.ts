import type { ReasonCode } from '../base/errors.js';
import { plural, quoteValue } from '../base/text.js';

/** What a column of the file becomes. */
export type Binding =
  /** The declared column of this index. */
  | { kind: 'declared'; index: number }
  /** Not declared, kept in `_rescued` under its name. */
  | { kind: 'rescued'; name: string }
  /** Not declared, passed over. */
  | { kind: 'ignored' };

export interface BoundColumns {
  /** One entry for each column of the file, in the file's order. */
  bindings: Binding[];
  problems: { code: ReasonCode; column: string; message: string }[];
}

export interface BindOptions {
  /** Names of the header, cleaned; undefined when the file has none: then the order of the declaration counts. */
  header: string[] | undefined;
  /** Number of columns in the file. */
  width: number;
  /** Declared names, in order. */
  declared: readonly string[];
  extraColumns: 'fail_file' | 'ignore' | 'rescue';
}

/** Finds for each column of the file the declared one, in any order. Every disagreement is told, not only the first. */
export function bindColumns(options: BindOptions): BoundColumns {
  return options.header === undefined ? bindByPosition(options) : bindByName(options.header, options);
}

function bindByPosition({ width, declared }: BindOptions): BoundColumns {
  if (width === declared.length) {
    return { bindings: declared.map((_, index) => ({ kind: 'declared', index })), problems: [] };
  }
  const message = `the file has no header and ${plural(width, 'column')}, ${declared.length} are declared`;
  const code = width < declared.length ? 'missing_column' : 'unknown_column';
  return { bindings: [], problems: [{ code, column: '', message }] };
}

function bindByName(header: string[], { declared, extraColumns }: BindOptions): BoundColumns {
  const problems: BoundColumns['problems'] = [];
  const indexOf = new Map(declared.map((name, index) => [name, index]));
  const firstAt = new Map<string, number>();
  const bindings = header.map((name, position): Binding => {
    const before = firstAt.get(name);
    if (before !== undefined && name !== '') {
      problems.push({
        code: 'duplicate_column',
        column: name,
        message: `columns ${before + 1} and ${position + 1} are both named ${quoteValue(name)}`,
      });
    }
    if (before === undefined) firstAt.set(name, position);
    const index = indexOf.get(name);
    if (index !== undefined) return { kind: 'declared', index };
    if (extraColumns === 'rescue') return { kind: 'rescued', name: name || `column_${position + 1}` };
    if (extraColumns === 'ignore') return { kind: 'ignored' };
    problems.push(unknownColumn(name, position));
    return { kind: 'ignored' };
  });
  for (const name of declared) {
    if (firstAt.has(name)) continue;
    problems.push({
      code: 'missing_column',
      column: name,
      message: `the declared column ${quoteValue(name)} is not in the file`,
    });
  }
  return { bindings, problems };
}

function unknownColumn(name: string, position: number): BoundColumns['problems'][number] {
  if (name === '') {
    return {
      code: 'empty_column_name',
      column: '',
      message: `column ${position + 1} has no name in the header`,
    };
  }
  return {
    code: 'unknown_column',
    column: name,
    message: `column ${position + 1}, ${quoteValue(name)}, is not declared in schema.yaml`,
  };
}
