import { DropgateError } from '../base/errors.js';
import { escapeControls, plural } from '../base/text.js';

/** The reason codes of a faulty configuration, the most fundamental first. */
const CODES = ['config_missing', 'config_syntax', 'config_invalid'] as const;
export type ConfigCode = (typeof CODES)[number];

/** Past this many a person corrects and tries again anyway. */
const MAX_SHOWN = 50;

/** One mistake in the configuration. */
export interface Problem {
  /** Path of the file as shown. */
  file: string;
  /** From 1; absent when the file as a whole is meant. */
  line?: number;
  /** Dotted path of the key, such as `watch.rescan_ms`; empty for the whole file. */
  key?: string;
  /** What was found and what was expected. */
  text: string;
  code?: ConfigCode;
}

/** Collects the mistakes of all configuration files, so that a person sees them in one go. */
export class Problems {
  readonly #problems: Problem[] = [];

  /** Notes a problem; at each place (file, line and key) only the first is kept, what follows from it is noise. */
  add(problem: Problem): void {
    const known = this.#problems.some(
      ({ file, line, key }) => file === problem.file && line === problem.line && key === problem.key,
    );
    if (!known) this.#problems.push(problem);
  }

  /** Whether any problem was noted: in `file` if given, and there at `key` or below it if given. */
  has(file?: string, key?: string): boolean {
    return this.#problems.some(
      (problem) =>
        (file === undefined || problem.file === file) &&
        (key === undefined || liesWithin(problem.key ?? '', key)),
    );
  }

  /** @throws DropgateError with one line a problem, if there is any. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    const lines = this.#problems.toSorted(byPlace).map(lineOf);
    const code = CODES.find((code) => this.#problems.some((problem) => codeOf(problem) === code))!;
    throw new DropgateError(code, lines.length === 1 ? lines[0] : list(lines));
  }
}

function liesWithin(key: string, ancestor: string): boolean {
  return key === ancestor || key.startsWith(`${ancestor}.`) || key.startsWith(`${ancestor}[`);
}

function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}

function codeOf(problem: Problem): ConfigCode {
  return problem.code ?? 'config_invalid';
}

function lineOf({ file, line, key, text }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return escapeControls(key ? `${place}: ${key}: ${text}` : `${place}: ${text}`);
}

function list(lines: string[]): string {
  const shown = lines.slice(0, MAX_SHOWN);
  const rest = lines.length - shown.length;
  if (rest > 0) shown.push(`and ${plural(rest, 'more problem')}`);
  return [
    `${plural(lines.length, 'problem')} in the configuration:`,
    ...shown.map((line) => `  ${line}`),
  ].join('\n');
}
