import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { REASONS, type ReasonCode } from '../src/base/errors.js';
import { exitCodeOf } from '../src/cli/cli.js';
import { repositoryRoot } from './helpers/real-data.js';
import { Workshop } from './pipeline/workshop.js';

interface DocumentedCode {
  code: string;
  meaning: string;
  example: string;
  hint: string;
  exitCode: number;
}

const page = readFileSync(path.join(repositoryRoot, 'docs/errors.md'), 'utf8');

/** The sections of docs/errors.md that begin with a heading such as ### `wrong_type`. */
function documentedCodes(): DocumentedCode[] {
  const sections = page.split(/^### /m).slice(1);
  return sections.map((section) => {
    const [heading, , meaning] = section.split('\n');
    const field = (name: string) => new RegExp(`^- ${name}: (.*)$`, 'm').exec(section)?.[1] ?? '';
    return {
      code: heading.replace(/^`(.*)`$/, '$1'),
      meaning,
      example: field('Example').replace(/^`(.*)`$/, '$1'),
      hint: field('What to do'),
      exitCode: Number(/exit code (\d)/.exec(field('Shows in'))?.[1]),
    };
  });
}

const documented = documentedCodes();
const codes = Object.keys(REASONS) as ReasonCode[];

describe('docs/errors.md', () => {
  it('documents every code of the table once, in its order by area, and no other', () => {
    const areas = [...new Set(codes.map((code) => REASONS[code].area))];
    const inOrder = areas.flatMap((area) => codes.filter((code) => REASONS[code].area === area));
    expect(documented.map(({ code }) => code)).toEqual(inOrder);
  });

  it.each(documented)('$code has the meaning and the hint of the table', ({ code, meaning, hint }) => {
    expect({ meaning, hint }).toEqual({
      meaning: REASONS[code as ReasonCode].meaning,
      hint: REASONS[code as ReasonCode].hint,
    });
  });

  const ofCommands = documented.filter(({ code }) => REASONS[code as ReasonCode]?.area !== 'upload');

  it.each(ofCommands)('$code has the exit code that a command ends with', ({ code, exitCode }) => {
    const { area } = REASONS[code as ReasonCode];
    // Refused files make `once` end as failed ones do.
    const expected = area === 'load' && code !== 'database_unreachable' ? 3 : exitCodeOf(code as ReasonCode);
    expect(exitCode).toBe(expected);
  });

  const verified = documented.filter(({ code }) => isHeldByCases(code as ReasonCode));

  it.each(verified)('$code shows a message that the program gives: $example', ({ code, example }) => {
    expect(messagesOfCases().get(code)).toContain(example);
  });

  it('names only codes that exist', () => {
    const named = [...page.matchAll(/\[([a-z]+(?:_[a-z]+)+)\]|"code": "([a-z_]+)"/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(named.length).toBeGreaterThan(0);
    for (const code of named) expect(codes).toContain(code);
  });
});

describe('the report in docs/errors.md', () => {
  it('is one that the program writes', async () => {
    const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)![1]);
    const workshop = await Workshop.open({
      config: 'people: { files: "*", columns: { name: TEXT, age: INTEGER, note: TEXT } }',
    });
    const { result } = await workshop.deliver('scores.csv', 'name,age,note\nann,3,x\nbob,three,y\n');
    workshop.close();
    const { sha256, reported_at } = result.report!;
    expect(result.report).toEqual({ ...shown, sha256, reported_at });
    expect(new Date(shown.reported_at).toISOString()).toBe(shown.reported_at);
  });
});

/** The environment makes these, not a file. */
const NOT_IN_CASES: ReasonCode[] = ['unreadable', 'not_regular_file', 'row_too_long'];

function isHeldByCases(code: ReasonCode): boolean {
  return ['file', 'columns', 'rows', 'config'].includes(REASONS[code].area) && !NOT_IN_CASES.includes(code);
}

/** Messages by code in the expectations of test/cases. */
function messagesOfCases(): Map<string, string[]> {
  const messages = new Map<string, string[]>();
  const add = (code: string, text: string) => messages.set(code, [...(messages.get(code) ?? []), text]);
  const cases = path.join(repositoryRoot, 'test/cases');
  for (const name of foldersOf(path.join(cases, 'convert'))) {
    const file = path.join(cases, 'convert', name, 'expected.json');
    if (!existsSync(file)) continue;
    for (const one of Object.values<Failure>(JSON.parse(readFileSync(file, 'utf8')).files)) {
      for (const { code, message } of [one, ...(one.violations ?? [])]) if (code) add(code, message);
    }
  }
  for (const name of foldersOf(path.join(cases, 'config'))) {
    const file = path.join(cases, 'config', name, 'expected.txt');
    if (!existsSync(file)) continue;
    const [code, ...lines] = readFileSync(file, 'utf8').split('\n');
    for (const line of lines) add(code, line.trim());
  }
  return messages;
}

interface Failure {
  code?: string;
  message: string;
  violations?: Failure[];
}

function foldersOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

describe('the table of reason codes', () => {
  const sources = readdirSync(path.join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== path.join('base', 'errors.ts'))
    .map((file) => readFileSync(path.join(repositoryRoot, 'src', file), 'utf8'));

  it.each(codes)('%s is given somewhere', (code) => {
    expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true);
  });
});

describe('links between documents', () => {
  const documents = [
    'README.md',
    ...readdirSync(path.join(repositoryRoot, 'docs')).map((name) => `docs/${name}`),
  ].filter((name) => name.endsWith('.md'));

  it.each(documents)('%s leads to files and headings that are there', (name) => {
    const text = readFileSync(path.join(repositoryRoot, name), 'utf8');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(name, target));
    expect(broken).toEqual([]);
  });
});

function leadsSomewhere(from: string, target: string): boolean {
  const [file, anchor] = target.split('#');
  const absolute =
    file === '' ? path.join(repositoryRoot, from) : path.join(repositoryRoot, path.dirname(from), file);
  if (!existsSync(absolute)) return false;
  return anchor === undefined || anchorsOf(readFileSync(absolute, 'utf8')).includes(anchor);
}

/** Anchors of headings as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
